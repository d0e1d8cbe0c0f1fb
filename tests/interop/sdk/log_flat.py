"""A run of scalars and an artifact, through W&B's SDK: what wandb_twin.c logs through artel."""
import pathlib

import wandb

pathlib.Path("in/sub").mkdir(parents=True, exist_ok=True)
pathlib.Path("in/a.txt").write_bytes(b"hello")
pathlib.Path("in/sub/b.bin").write_bytes(b"\0\1\2")
run = wandb.init(project="digits", id="flat", name="flat run", notes="some notes", tags=["x", "y"], group="crowd",
                 job_type="train", config={"lr": 0.1, "layers": 2, "fast": True, "name": "ü"})
run.log({"loss": 1.0, "train/acc": 0})
run.log({"loss": 0.5, "text": "a \"b\"", "big": 9007199254740993})
run.log({"up": float("inf"), "down": float("-inf"), "bad": float("nan")}, step=7)
artifact = wandb.Artifact("set", "data", description="a set", metadata={"n": 1})
artifact.add_dir("in")
run.log_artifact(artifact, aliases=["raw"]).wait()
run.use_artifact("set:raw")
run.summary["best"] = 3
run.config.update({"later": True})
run.log({"loss": 0.25}, step=9)
run.finish(exit_code=3)
