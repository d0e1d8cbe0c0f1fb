#!/usr/bin/env -S python3 -B
"""wandb_sdk.py - W&B's own SDK against the fake of its server.

The SDK takes the fake for the server: so the fake is right where the SDK goes. What the
server then holds is what any other client has to leave there too.
"""
import json
import math
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fakes"))
from cases import equal, run, true  # noqa: E402
from served import PYTHON, Wandb, skip_without_python  # noqa: E402

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


def a_wrong_key_is_refused():
    with Wandb() as fake:
        sdk(fake, "fail_run", status=1, WANDB_API_KEY="x" * 40)
        equal({}, fake.state()["runs"], "the runs")


def main():
    skip_without_python()
    run([
        ("the SDK's run, rows, summary, console and files are accepted", a_run_is_accepted),
        ("an exit code makes a failed run", an_exit_code_is_kept),
        ("system metrics are accepted", system_metrics_come),
        ("a run is resumed where it ended", a_run_is_resumed),
        ("a wrong key gets nothing in", a_wrong_key_is_refused),
    ])


main()
