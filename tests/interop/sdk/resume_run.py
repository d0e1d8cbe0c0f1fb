"""A run, and the same run again, with resume."""
import wandb

with wandb.init(project="digits", id="again", config={"a": 1}, tags=["first"]) as run:
    run.log({"x": 1})
    run.log({"x": 2})
with wandb.init(project="digits", id="again", resume="must", config={"b": 2}) as run:
    assert (run.resumed, run.starting_step) == (True, 2), (run.resumed, run.starting_step)
    run.log({"x": 3})
