"""An artifact of one file of 2 GiB, the least that goes in parts."""
import wandb

SIZE = 2 << 30
with open("large", "wb") as file:
    file.truncate(SIZE)
    file.seek(SIZE - 5)
    file.write(b"hello")
with wandb.init(project="digits", id="large") as run:
    artifact = wandb.Artifact("large", "data")
    artifact.add_file("large", policy="immutable", skip_cache=True)
    run.log_artifact(artifact).wait()
