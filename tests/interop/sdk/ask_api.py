"""What W&B's public API says of the runs and artifacts of log_artifacts.py and use_artifacts.py."""
import wandb

api = wandb.Api()
maker, user = api.run("digits/maker"), api.run("digits/user")
assert [a.name for a in user.used_artifacts()] == ["set:v0", "set:v1", "many:v0", "references:v0"], list(user.used_artifacts())
assert len(list(maker.logged_artifacts())) == 7, list(maker.logged_artifacts())
assert maker.state == "finished" and maker.summary["x"] == 2, (maker.state, dict(maker.summary))
versions = [a.name for a in api.artifacts("data", "digits/set")]
assert versions == ["set:v1", "set:v0"], versions
files = sorted(file.name for file in maker.files())
assert "config.yaml" in files and "output.log" in files, files
with maker.file("config.yaml").download() as file:
    assert "python_version" in file.read()
api.artifact("digits/set:v0").delete(delete_aliases=True)
assert not api.artifact_exists("digits/set:v0") and api.artifact_exists("digits/set:v1")
