#!/usr/bin/env -S python3 -B
"""wandb_sdk.py - W&B's own SDK against the fake of its server.

The SDK takes the fake for the server: so the fake is right where the SDK goes. What the
server then holds is what any other client has to leave there too.
"""
import glob
import json
import math
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fakes"))
from cases import equal, run, true  # noqa: E402
from same import comparable  # noqa: E402
from served import PYTHON, Wandb, skip_without_python  # noqa: E402
from wandb_client import md5  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT_S = 120


def sdk(fake, name, *words, status=0, **more):
    """Runs sdk/NAME.py against the fake; it must end as said and leave nothing running."""
    done = subprocess.run([PYTHON, f"{HERE}/sdk/{name}.py", *words], env={**fake.environment(), **more},
                          cwd=fake.environment()["HOME"], capture_output=True, text=True, timeout=LIMIT_S, check=False)
    equal(status, done.returncode, f"the status of {name}.py, which said {(done.stdout + done.stderr)[-2000:]}")
    equal([], fake.left_running(), "what the SDK left running")
    return done


def right(fake):
    equal([], fake.errors(), "the list of errors")


def rows(held):
    return [json.loads(line) for line in held["history"]]


def own(row):
    """Without what differs from run to run."""
    return {key: value for key, value in row.items() if key not in ("_timestamp", "_runtime")}


def config_of(held):
    return {key: entry["value"] for key, entry in json.loads(held["config"]).items()}


def a_run_is_accepted():
    with Wandb() as fake:
        sdk(fake, "log_run")
        right(fake)
        held = fake.run("digits", "first")
    equal(("first run", "some notes", ["x", "y"], "crowd", "train"),
          tuple(held[k] for k in ("display_name", "notes", "tags", "group", "job_type")), "the run")
    equal(("finished", 0, 1), (held["state"], held["exit_code"], held["opened"]), "the end")
    check_config(held)
    check_rows(held)
    check_summary(held)
    check_console(held)
    equal({"config.yaml", "output.log", "requirements.txt", "wandb-metadata.json", "wandb-summary.json"},
          {name for name, file in held["files"].items() if file["reported"] and file["size"]}, "the files")


def check_config(held):
    config = config_of(held)
    own_part = config.pop("_wandb")
    equal({"lr": 0.1, "net": {"layers": [1, 2]}, "name": "ü", "later": True}, config, "the config")
    #  A run counts as existing for resume if there is a `t`.
    true({"cli_version", "python_version", "t", "m", "e"} <= set(own_part), f"_wandb has only {sorted(own_part)}")
    equal({"1": "acc", "7": [2], "6": [3], "5": None}.keys() >= own_part["m"][0].keys(), True, "the keys of m")


def check_rows(held):
    first, second, third, fourth = map(own, rows(held))
    equal({"_step": 0, "loss": 1, "train/acc": 0, "acc": 0.5}, first, "row 0")
    equal({"_step": 1, "loss": 0.5, "text": 'a "b"', "acc": 0.25}, second, "row 1")
    true(math.isnan(third.pop("bad")), "NaN did not stay")
    equal({"_step": 7, "up": math.inf, "down": -math.inf}, third, "row 2")
    equal({"_step": 8, "nested": {"a": {"b": 1}}, "list": [1, 2, 3], "n": 9007199254740993}, fourth, "row 3")


def check_summary(held):
    summary = own(json.loads(held["summary"]))
    true(math.isnan(summary.pop("bad")), "NaN did not stay")
    equal({"loss": 0.5, "train/acc": 0, "acc": {"max": 0.5}, "text": 'a "b"', "up": math.inf, "down": -math.inf,
           "nested": {"a": {"b": 1}}, "list": [1, 2, 3], "n": 9007199254740993, "best": 3, "_step": 8},
          {key: value for key, value in summary.items() if key != "_wandb"}, "the summary")


def check_console(held):
    lines = [line.rstrip("\n") for line in held["console"]]
    true(any(line.endswith(" to stdout") and not line.startswith("ERROR") for line in lines), f"console {lines}")
    true(any(line.endswith(" to stderr") and line.startswith("ERROR ") for line in lines), f"console {lines}")


def system_metrics_come():
    with Wandb() as fake:
        sdk(fake, "measure_run")
        right(fake)
        held = fake.run("digits", "measured")
    true(all(any(key.startswith("system.") for key in json.loads(event)) for event in held["events"]),
         f"no system metric in {held['events'][0]}")


def the_same_is_the_same():
    """What makes two clients comparable finds no difference between two runs of one, and finds one that is there."""
    found = []
    for _ in range(2):
        with Wandb() as fake:
            sdk(fake, "log_run")
            found.append(fake.state())
    equal(comparable(found[0]), comparable(found[1]), "what the second run left")
    history = found[1]["runs"]["quarry/digits/first"]["history"]
    history[0] = history[0].replace('"acc":0.5', '"acc":0.75')
    true(comparable(found[0]) != comparable(found[1]), "a changed value is not seen")


def offline_is_the_same():
    """`wandb sync` of a run that was offline leaves what the run would have left."""
    with Wandb() as fake:
        sdk(fake, "log_run")
        online = fake.state()
    with Wandb() as fake:
        sdk(fake, "log_run", WANDB_MODE="offline")
        equal([], fake.requests(), "what came while it was offline")
        home = fake.environment()["HOME"]
        subprocess.run([PYTHON, "-m", "wandb", "sync", *glob.glob(f"{home}/wandb/offline-run-*")], check=True,
                       env=fake.environment(), cwd=home, capture_output=True, timeout=LIMIT_S)
        right(fake)
        equal(comparable(online), comparable(fake.state()), "what the sync left")


def an_exit_code_is_kept():
    with Wandb() as fake:
        sdk(fake, "fail_run")
        right(fake)
        held = fake.run("digits", "failing")
    equal(("failed", 3), (held["state"], held["exit_code"]), "the end")


def a_run_is_resumed():
    with Wandb() as fake:
        sdk(fake, "resume_run")
        right(fake)
        held = fake.run("digits", "again")
    equal([{"_step": 0, "x": 1}, {"_step": 1, "x": 2}, {"_step": 2, "x": 3}], list(map(own, rows(held))), "the rows")
    equal({"a": 1, "b": 2}, {k: v for k, v in config_of(held).items() if k != "_wandb"}, "the config")
    equal((2, "finished"), (held["opened"], held["state"]), "the end")


FIRST = {"a.txt": b"hello", "copy/of a.txt": b"hello", "sub/b c.bin": b"\0\1\2", "sub/ü.txt": "ü".encode(), "empty": b""}


def entry(version, data, sent=True):
    """An entry of a file, as the server shows it; the SDK's habits are left out."""
    return {"digest": md5(data), "size": len(data), "birth": f"quarry/digits/{version}", "sent": sent}


def entries_of(held):
    return {path: {k: v for k, v in shown.items() if k not in ("local_path", "skip_cache")}
            for path, shown in held["entries"].items()}


def artifacts_go_both_ways(*options):
    with Wandb(*options) as fake:
        sdk(fake, "log_artifacts")
        held = fake.state()
        sdk(fake, "use_artifacts", WANDB_CACHE_DIR=f"{fake.folder}/another-cache")
        used = fake.run("digits", "user")["used"]
        sdk(fake, "ask_api")
        right(fake)
    versions = {name.removeprefix("quarry/digits/"): version for name, version in held["artifacts"].items()}
    equal([], held["uncommitted"], "what is left uncommitted")
    equal({"set:v0", "set:v1", "young:v0", "references:v0", "nothing:v0", "many:v0", "run-maker-table:v0"}, set(versions),
          "the versions")
    check_first(versions["set:v0"])
    check_second(versions["set:v1"])
    check_references(versions["references:v0"])
    equal({}, versions["nothing:v0"]["entries"], "the entries of nothing")
    equal({f"{i:03}.txt": entry("many:v0", f"file {i}".encode()) for i in range(300)}, entries_of(versions["many:v0"]),
          "the many")
    equal(["set:v0", "set:v1", "many:v0", "references:v0"],
          [use["artifact"].removeprefix("quarry/digits/") for use in used], "what was used")


def check_first(held):
    equal({path: entry("set:v0", data) for path, data in FIRST.items()}, entries_of(held), "the entries")
    equal(("data", "another text", ["small"], 2), tuple(held[k] for k in ("type", "description", "tags", "history_step")),
          "the version")
    equal({"n": 1, "deep": {"list": [1.5, None]}}, json.loads(held["metadata"]), "the metadata")
    equal((["late", "raw"], "quarry/digits/maker"), (held["aliases"], held["made_by"]), "aliases and maker")


def check_second(held):
    """Only what is new was sent; aliases of the same content come to the version that has it."""
    kept = {path: entry("set:v0", data, sent=False) for path, data in FIRST.items() if data != b"hello"}
    new = {path: entry("set:v1", b"changed") for path in ("a.txt", "copy/of a.txt")}
    equal({**kept, **new}, entries_of(held), "the entries")
    equal((["best", "latest", "same"], None), (held["aliases"], held["metadata"]), "aliases and metadata")


def check_references(held):
    found = entries_of(held)
    equal({"digest": "http://127.0.0.1:9/none", "ref": "http://127.0.0.1:9/none", "size": 0}, found["http"], "http")
    equal((md5(b"changed"), 7, True), (found["file"]["digest"], found["file"]["size"],
                                       found["file"]["ref"].startswith("file:///")), "file")
    #  The reference names the artifact by the hexadecimal form of its id.
    true(found["entry"]["ref"].startswith("wandb-artifact://") and found["entry"]["ref"].endswith("/a.txt"), found["entry"])
    equal((md5(b"hello"), 0), (found["entry"]["digest"], found["entry"]["size"]), "entry")


#  What the SDK must get over: it waits at least 2 s before it tries again, so each fault strikes once.
FAULTS = [
    {"at": "graphql", "operation": "UpsertBucket", "do": "answer", "status": 409},
    {"at": "graphql", "operation": "CreateArtifact", "do": "answer", "status": 500, "headers": {"Retry-After": "0.01"}},
    {"at": "graphql", "operation": "CreateArtifactFiles", "do": "answer", "status": 429, "headers": {"Retry-After": "0.01"}},
    {"at": "graphql", "operation": "CommitArtifact", "do": "lost"},
    {"at": "file_stream", "do": "lost"},
    {"at": "objects", "method": "PUT", "do": "cut", "skip": 1},
    {"at": "objects", "method": "PUT", "do": "answer", "status": 503, "headers": {"Retry-After": "0.01"}, "skip": 3},
]


def faults_are_overcome():
    with Wandb() as fake:
        fake.misbehave(*FAULTS)
        sdk(fake, "log_through_faults")
        right(fake)
        equal([1] * len(FAULTS), fake.struck(), "how often each fault struck")
        run_held, held = fake.run("digits", "patient"), fake.artifact("digits", "set:v0")
        equal(1, len(fake.state()["artifacts"]), "the versions")
    equal([{"_step": i, "x": i} for i in range(3)], list(map(own, rows(run_held))), "the rows")
    equal({f"{i}.txt": entry("set:v0", b"%d" % i) for i in range(5)}, entries_of(held), "the entries")


def expired_urls_are_renewed():
    with Wandb() as fake:
        fake.misbehave({"at": "objects", "do": "expired", "method": "PUT"})
        sdk(fake, "log_through_faults")
        right(fake)
        held = fake.artifact("digits", "set:v0")
    equal({f"{i}.txt": entry("set:v0", b"%d" % i) for i in range(5)}, entries_of(held), "the entries")


def large_files_go_in_parts():
    with Wandb("--nginx") as fake:
        sdk(fake, "log_large")
        right(fake)
        parts = [r["path"] for r in fake.requests() if r["at"] == "objects" and ".part" in r["path"]]
        size = fake.artifact("digits", "large:v0")["entries"]["large"]["size"]
    equal((21, 2 << 30), (len(set(parts)), size), "parts and size")


def a_wrong_key_is_refused():
    with Wandb() as fake:
        sdk(fake, "fail_run", status=1, WANDB_API_KEY="x" * 40)
        equal({}, fake.state()["runs"], "the runs")


def main():
    skip_without_python()
    run([
        ("the SDK's run, rows, summary, console and files are accepted", a_run_is_accepted),
        ("what it leaves twice is the same", the_same_is_the_same),
        ("a run that was offline is synced", offline_is_the_same),
        ("an exit code makes a failed run", an_exit_code_is_kept),
        ("system metrics are accepted", system_metrics_come),
        ("a run is resumed where it ended", a_run_is_resumed),
        ("artifacts are logged, used and fetched", artifacts_go_both_ways),
        ("and so they are with nginx", lambda: artifacts_go_both_ways("--nginx")),
        ("faults are overcome, and nothing comes twice", faults_are_overcome),
        ("expired URLs are renewed", expired_urls_are_renewed),
        ("a file of 2 GiB goes in parts", large_files_go_in_parts),
        ("a wrong key gets nothing in", a_wrong_key_is_refused),
    ])


main()
