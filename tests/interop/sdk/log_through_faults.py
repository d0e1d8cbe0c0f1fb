"""Rows and an artifact, to a server that misbehaves."""
import wandb

with wandb.init(project="digits", id="patient") as run:
    artifact = wandb.Artifact("set", "data")
    for i in range(5):
        with artifact.new_file(f"{i}.txt") as file:
            file.write(str(i))
    for i in range(3):
        run.log({"x": i})
    run.log_artifact(artifact).wait()
