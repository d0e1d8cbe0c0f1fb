"""What clients may do to runs through GraphQL, and what they must not."""
import json
import re
import secrets
import string

import strict
from run_views import RunView
from state import Refusal, Run, RunFile

#  Input field → field of the Run, for what is taken as it comes.
PLAIN = {"displayName": "display_name", "description": "description", "notes": "notes", "groupName": "group",
         "jobType": "job_type", "sweep": "sweep", "host": "host", "jobProgram": "program", "jobRepo": "repo",
         "commit": "commit", "tags": "tags"}


def upsert_bucket(world, input):
    check_bucket(input)
    run, inserted = find_or_make(world, input)
    for name, target in PLAIN.items():
        if input.get(name) is not None:
            setattr(run, target, input[name])
    if input.get("config") is not None:
        run.config = input["config"]
    if input.get("summaryMetrics") is not None:
        run.summary = input["summaryMetrics"]
    return {"bucket": RunView(world, run), "inserted": inserted}


def find_or_make(world, input):
    """(run, whether it is new). An upsert that names a run that is over opens it again: the SDK
    resumes with both name and id. One with the id alone is a change from outside."""
    state = world.state
    if input.get("id") is not None:
        run = state.run_by_id(input["id"])
        if not run or input.get("name") not in (None, run.name):
            raise Refusal("run", f"no run has the id {input['id']} and the name {input.get('name')}")
        return reopened(run) if input.get("name") is not None else run, False
    project = state.require_project(input.get("entityName") or state.entity, input.get("modelName") or "uncategorized")
    name = input.get("name") or "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(8))
    path = f"{project.entity}/{project.name}/{name}"
    if path in state.runs:
        return reopened(state.runs[path]), False
    state.runs[path] = Run(state.new_id("Run"), project, name)
    return state.runs[path], True


def reopened(run):
    if run.state != "running":
        run.state, run.exit_code, run.opened = "running", None, run.opened + 1
    return run


def check_bucket(input):
    name, project = input.get("name"), input.get("modelName")
    if name is not None and (not name or re.search(r"[:;,#?/']", name) or name != name.strip()):
        raise Refusal("name", f"bad run id {name!r}")
    if project is not None and (not 0 < len(project) <= 128 or re.search(r"[/\\#?%:]", project)):
        raise Refusal("name", f"bad project {project!r}")
    if input.get("config") is not None:
        check_config(input["config"])
    if input.get("summaryMetrics") is not None and not strict.is_object(input["summaryMetrics"]):
        raise Refusal("summary", "summaryMetrics is no JSON object")


def check_config(text):
    if not strict.is_object(text):
        raise Refusal("config", "config is no JSON object")
    for key, held in json.loads(text).items():
        if not isinstance(held, dict) or "value" not in held or set(held) - {"value", "desc"}:
            raise Refusal("config", f"config.{key} is not {{value, desc?}}")


def rewind_run(world, input):
    """Keeps the rows of the history up to and with a step."""
    run = world.state.run(input.get("entityName"), input.get("projectName"), input["runName"])
    if input["metricName"] != "_step":
        raise Refusal("rewind", f"cannot rewind by {input['metricName']}")
    history = run.streams["wandb-history.jsonl"]
    history[:] = [line for line in history if json.loads(line)["_step"] <= input["metricValue"]]
    return {"rewoundRun": RunView(world, run)}


def stop_run(world, input):
    run = world.state.run_by_id(input["id"])
    if not run:
        raise Refusal("run", f"no run has the id {input['id']}")
    run.stopped = True
    return {"success": True}


def create_run_files(world, input):
    """One URL a file, and one list of headers for all of them."""
    run = world.state.run(input["entityName"], input["projectName"], input["runName"])
    shown = []
    for name in input["files"]:
        if not strict.is_path(name):
            raise Refusal("path", f"bad run file name {name!r}")
        file = run.files.setdefault(name, RunFile(name, world.run_file_key(run, name)))
        shown.append({"name": name, "uploadUrl": world.url("PUT", file.key, ())})
    return {"runID": run.id, "uploadHeaders": [], "files": shown}


def mark_run_files_uploaded(world, input):
    run = world.state.run(input["entityName"], input["projectName"], input["runName"])
    report_uploaded(world, run, input["files"])
    return {"success": True}


def report_uploaded(world, run, names):
    """A file may be reported once its bytes are there."""
    for name in names:
        file = run.files.get(name)
        if not file or not world.objects.exists(file.key):
            raise Refusal("uploaded", f"{name} was reported before it was uploaded", 400)
        file.reported = True


def notify_alert(world, input):
    run = world.state.run(input["entityName"], input["projectName"], input["runName"])
    run.alerts.append({"title": input["title"], "text": input["text"], "severity": input["severity"],
                       "wait_ms": input.get("waitDuration")})
    return {"success": True}
