"""What wandb_artifacts.py has our client log too: the folder `in`, references, and a second version."""
import pathlib

import wandb


def logged(run, artifact, **more):
    return run.log_artifact(artifact, **more).wait()


with wandb.init(project="digits", id="maker") as run:
    first = wandb.Artifact("set", "data", description="a set", metadata={"n": 1, "deep": {"list": [1.5, None]}})
    first.add_dir("in")
    run.log({"x": 1})
    run.log({"x": 2})
    logged(run, first, aliases=["raw", "best"])

    pathlib.Path("in/a.txt").write_bytes(b"changed")
    second = wandb.Artifact("set", "data")
    second.add_dir("in")
    logged(run, second, aliases=["best"])

    references = wandb.Artifact("references", "links")
    references.add_reference("http://127.0.0.1:9/none", name="http", checksum=False)
    references.add_reference("odd:thing#1", name="odd", checksum=False)
    logged(run, references)
    logged(run, wandb.Artifact("nothing", "data"))
