"""All that the server holds as plain JSON, by names and not by ids, to be compared field by field.

Lines of streams, config, summary and metadata stay the strings that came, as they may hold
NaN. Ids and times are in fields of their own ("id", "created", "birth"), to be left out.
"""
import time

RUN = ("id", "display_name", "description", "config", "summary", "tags", "notes", "group", "job_type", "sweep", "host",
       "program", "repo", "commit", "state", "exit_code", "stopped", "preempting", "opened", "posts", "heartbeats",
       "alerts")
ARTIFACT = ("id", "state", "digest", "description", "metadata", "tags", "ttl", "history_step", "client_id", "created",
            "version")
TEXT_LIMIT = 1 << 16


def dump(world):
    state = world.state
    committed = [a for a in state.artifacts.values() if a.version is not None]
    return {
        "entity": state.entity,
        "projects": [f"{p.entity}/{p.name}" for p in state.projects.values()],
        "runs": {path: dump_run(world, run) for path, run in state.runs.items()},
        "artifacts": {version_name(a): dump_artifact(world, a) for a in committed},
        "uncommitted": [dump_artifact(world, a) for a in state.artifacts.values() if a.version is None],
    }


def version_name(artifact):
    return f"{artifact.collection.path}:v{artifact.version}"


def dump_run(world, run):
    state = world.state
    made = [a for a in state.artifacts.values() if a.run == run.id and a.version is not None]
    return {**{name: getattr(run, name) for name in RUN}, "state": state_of(state, run),
            "history": run.streams["wandb-history.jsonl"], "events": run.streams["wandb-events.jsonl"],
            "console": run.streams["output.log"],
            "files": {name: dump_file(world, file) for name, file in sorted(run.files.items())},
            "made": [version_name(a) for a in made],
            "used": [{"artifact": version_name(state.artifacts[i]), "as": used_as} for i, used_as in run.uses]}


def state_of(state, run):
    """A run is over when it says so, or has crashed when it says nothing."""
    silent_s = time.monotonic() - run.heard
    if run.state == "running" and state.crashed_after_s is not None and silent_s > state.crashed_after_s:
        return "crashed"
    return run.state


def dump_file(world, file):
    if not world.objects.exists(file.key):
        return {"reported": file.reported, "size": None}
    shown = {"reported": file.reported, "size": world.objects.size(file.key), "md5": world.objects.md5(file.key)}
    if shown["size"] <= TEXT_LIMIT:
        shown["text"] = world.objects.read(file.key).decode("utf-8", "replace")
    return shown


def dump_artifact(world, artifact):
    made_by, collection = artifact.run and world.state.run_by_id(artifact.run), artifact.collection
    return {**{name: getattr(artifact, name) for name in ARTIFACT},
            "collection": collection.path, "type": collection.type,
            "aliases": sorted(alias for alias, held in collection.aliases.items() if held == artifact.id),
            "made_by": made_by and made_by.path,
            "used_by": sorted(world.state.run_by_id(run).path for run in artifact.used_by),
            "entries": {path: dump_entry(world, artifact, path, entry)
                        for path, entry in sorted(artifact.contents.items())}}


def dump_entry(world, artifact, path, entry):
    """The entry of the manifest; `birth` is the version that its bytes came with."""
    shown = {name: value for name, value in entry.items() if name != "birthArtifactID"}
    if "birthArtifactID" in entry:
        birth = world.state.artifacts[str(entry["birthArtifactID"])]
        shown["birth"] = version_name(birth)
        shown["sent"] = artifact.files[path].wanted
    return shown
