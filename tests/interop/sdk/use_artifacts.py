"""Fetches what log_artifacts.py left, in a run that uses it, and out of any run."""
import pathlib

import wandb


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in pathlib.Path(folder).rglob("*")
            if path.is_file()}


FIRST = {"a.txt": b"hello", "copy/of a.txt": b"hello", "sub/b c.bin": b"\0\1\2", "sub/ü.txt": "ü".encode(), "empty": b""}
with wandb.init(project="digits", id="user") as run:
    raw = run.use_artifact("set:raw")
    assert raw.version == "v0" and raw.logged_by().id == "maker", (raw.version, raw.logged_by())
    assert contents(raw.download(root="raw")) == FIRST, contents("raw")
    raw.verify("raw")
    latest = run.use_artifact("set:latest")
    assert latest.version == "v1" and latest.metadata == {}, (latest.version, latest.metadata)
    assert contents(latest.download(root="latest")) == {**FIRST, "a.txt": b"changed", "copy/of a.txt": b"changed"}
    assert [other.id for other in latest.used_by()] == ["user"], latest.used_by()
    many = run.use_artifact("many:v0", type="data")
    assert len(contents(many.download(root="many"))) == 300
    references = run.use_artifact("references:latest")
    assert pathlib.Path(references.get_entry("entry").download(root="refs")).read_bytes() == b"hello"
api = wandb.Api()
assert not api.artifact_exists("digits/none:latest")
assert contents(api.artifact("digits/set:v0").download(root="again")) == FIRST
