"""A run with config, rows, summary and console lines, through W&B's SDK."""
import sys

import wandb

run = wandb.init(project="digits", id="first", name="first run", notes="some notes", tags=["x", "y"], group="crowd",
                 job_type="train", config={"lr": 0.1, "net": {"layers": [1, 2]}, "name": "ü"})
run.define_metric("acc", summary="max")
run.log({"loss": 1.0, "train/acc": 0, "acc": 0.5})
run.log({"loss": 0.5, "text": "a \"b\"", "acc": 0.25})
run.log({"up": float("inf"), "down": float("-inf"), "bad": float("nan")}, step=7)
run.log({"nested": {"a": {"b": 1}}, "list": [1, 2, 3], "n": 9007199254740993}, step=8)
print("to stdout")
print("to stderr", file=sys.stderr)
run.config.update({"later": True})
run.summary["best"] = 3
run.finish()
