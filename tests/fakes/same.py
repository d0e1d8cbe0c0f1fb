"""What two clients left, made comparable: comparable(fake.state()) of one equals that of the other.

Left out are ids, times, how often somebody posted, system metrics, what a client says of
itself in `_wandb` but for its metrics, and the SDK's own run files. Rows and summaries
are values and not texts, with NaN as the text "NaN", so that it equals itself.
"""
import json
import re

TIMES = {"_timestamp", "_runtime"}
OF_RUN = {"id", "created", "posts", "heartbeats", "host", "program", "events", "config", "summary", "history",
          "console", "files"}
OF_ARTIFACT = {"id", "created", "client_id", "metadata", "entries"}
OF_ENTRY = {"local_path", "skip_cache"}
OWN_FILES = {"config.yaml", "output.log", "requirements.txt", "wandb-metadata.json", "wandb-summary.json"}


def comparable(state):
    return {"runs": {path: run_of(held) for path, held in state["runs"].items()},
            "artifacts": {name: artifact_of(held) for name, held in state["artifacts"].items()},
            "uncommitted": len(state["uncommitted"])}


def without(held, names):
    return {name: value for name, value in held.items() if name not in names}


def values_of(text):
    """The values of a JSON text, which equal themselves."""
    return json.loads(text, parse_constant=str) if text else None


def run_of(held):
    return {**without(held, OF_RUN), "config": config_of(held["config"]),
            "summary": without(values_of(held["summary"]), TIMES | {"_wandb"}),
            "history": [without(values_of(line), TIMES) for line in held["history"]],
            "console": [line_of(line) for line in held["console"]],
            "files": {name: file.get("md5") for name, file in held["files"].items() if name not in OWN_FILES}}


def config_of(text):
    config = {key: entry["value"] for key, entry in values_of(text).items()}
    own = config.pop("_wandb", {})
    return {**config, "_wandb": {"t": "t" in own, "m": own.get("m") or []}}


def line_of(line):
    """A console line without its time."""
    return re.sub(r"^(ERROR )?\S+ ", lambda found: found[1] or "", line.rstrip("\n"))


def artifact_of(held):
    return {**without(held, OF_ARTIFACT), "metadata": values_of(held["metadata"]),
            "entries": {path: without(entry, OF_ENTRY) for path, entry in held["entries"].items()}}
