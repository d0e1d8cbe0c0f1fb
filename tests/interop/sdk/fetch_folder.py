"""Fetches what wandb_artifacts.py logged with our client."""
import pathlib

import wandb

FILES = {"a.txt": b"hello", "sub/b c.bin": b"\0\1\2", "sub/ü\n\".txt": "ü".encode(), "empty": b""}


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in pathlib.Path(folder).rglob("*") if path.is_file()}


with wandb.init(project="digits", id="user") as run:
    raw = run.use_artifact("set:raw")
    assert (raw.version, raw.metadata) == ("v0", {"n": 1, "deep": {"list": [1.5, None]}}), (raw.version, raw.metadata)
    assert raw.history_step == 1 and raw.logged_by().id == "maker", (raw.history_step, raw.logged_by())
    assert contents(raw.download(root="raw")) == FILES, contents("raw")
    raw.verify("raw")
    latest = run.use_artifact("set:latest")
    assert sorted(latest.aliases) == ["best", "latest"], latest.aliases
    assert contents(latest.download(root="latest")) == {**FILES, "a.txt": b"changed"}, contents("latest")
    references = run.use_artifact("references:v0")
    assert references.get_entry("odd").ref == "odd:thing#1", references.get_entry("odd")
