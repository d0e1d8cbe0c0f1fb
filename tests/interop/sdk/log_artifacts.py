"""Versions of artifacts of every kind of entry, in a run and by reference to one another."""
import pathlib

import wandb


def write(name, data):
    path = pathlib.Path("in", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def logged(run, artifact, **more):
    return run.log_artifact(artifact, **more).wait()


def fill(artifact):
    artifact.add_dir("in")
    artifact.add_file("in/a.txt", name="copy/of a.txt")


write("a.txt", b"hello")
write("sub/b c.bin", b"\0\1\2")
write("sub/ü.txt", "ü".encode())
write("empty", b"")
with wandb.init(project="digits", id="maker") as run:
    first = wandb.Artifact("set", "data", description="a set", metadata={"n": 1, "deep": {"list": [1.5, None]}})
    fill(first)
    run.log({"x": 1})
    run.log({"x": 2})
    logged(run, first, aliases=["raw", "best"], tags=["small"])
    assert first.version == "v0", first.version

    write("a.txt", b"changed")
    second = wandb.Artifact("set", "data")
    fill(second)
    logged(run, second, aliases=["best"])

    same = wandb.Artifact("set", "data")
    fill(same)
    logged(run, same, aliases=["same"])
    assert (same.version, same.id) == ("v1", second.id), (same.version, same.id)

    references = wandb.Artifact("references", "links")
    references.add_reference("http://127.0.0.1:9/none", name="http", checksum=False)
    references.add_reference("file://" + str(pathlib.Path("in/a.txt").absolute()), name="file")
    references.add_reference(first.get_entry("a.txt"), name="entry")
    young = wandb.Artifact("young", "data")
    table = wandb.Table(columns=["a"], data=[[1]])
    young.add(table, "table")
    references.add(table, "young")
    run.log_artifact(young)
    logged(run, references)

    logged(run, wandb.Artifact("nothing", "data"))
    many = wandb.Artifact("many", "data")
    for i in range(300):
        with many.new_file(f"{i:03}.txt") as file:
            file.write(f"file {i}")
    logged(run, many)
    run.log({"table": wandb.Table(columns=["a", "b"], data=[[1, "x"], [2, "y"]])})
first.aliases.append("late")
first.description = "another text"
first.save()
