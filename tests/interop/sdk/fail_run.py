"""A run that ends with a code of its own."""
import wandb

run = wandb.init(project="digits", id="failing")
run.log({"x": 1})
run.finish(exit_code=3)
