"""POST /files/ENTITY/PROJECT/RUN/file_stream: rows, summary, console lines, and the end of a run.

Lines have their place by offset. One that comes again must be the same, but for console
lines, which a progress bar rewrites; none may be left out. After `complete` the run is
over, until somebody upserts it again: only the post that ended it may come again, as its answer may be lost.
"""
import json
import time

from run_mutations import report_uploaded
from state import Refusal

LINE_LIMIT = (10 << 20) - (100 << 10)
POST_LIMIT = (10 << 20) + LINE_LIMIT
FIELDS = {"files": dict, "uploaded": list, "preempting": bool, "complete": bool, "exitcode": int, "dropped": int,
          "failed": bool}
HISTORY, EVENTS, SUMMARY, CONSOLE = "wandb-history.jsonl", "wandb-events.jsonl", "wandb-summary.json", "output.log"


def post(world, entity, project, name, body):
    """Takes one post as a whole, or refuses it as a whole."""
    run = world.state.run(entity, project, name)
    check_post(run, body)
    for file, chunk in body.get("files", {}).items():
        check_chunk(run, file, chunk)
    report_uploaded(world, run, body.get("uploaded", []))
    for file, chunk in body.get("files", {}).items():
        keep_chunk(run, file, chunk)
    run.posts, run.heard = run.posts + 1, time.monotonic()
    run.heartbeats += not body.get("files") and not body.get("complete")
    run.preempting = run.preempting or body.get("preempting", False)
    if body.get("complete"):
        run.exit_code, run.ended = body["exitcode"], body
        run.state = "finished" if run.exit_code == 0 else "failed"
    return {"exitcode": None, "limits": {}, "stopped": run.stopped}


def check_post(run, body):
    if not isinstance(body, dict):
        raise Refusal("stream", "the body is no object", 400)
    for name, value in body.items():
        if name not in FIELDS or type(value) is not FIELDS[name]:
            raise Refusal("stream", f"{name} is {type(value).__name__}", 400)
    if not all(isinstance(name, str) for name in body.get("uploaded", [])):
        raise Refusal("stream", "uploaded is no list of names", 400)
    if body.get("complete") and "exitcode" not in body or "exitcode" in body and not body.get("complete"):
        raise Refusal("stream", "complete and exitcode come together", 400)
    if run.state != "running" and body != run.ended:
        raise Refusal("order", f"run {run.path} is {run.state}", 400)


def check_chunk(run, file, chunk):
    if file not in (HISTORY, EVENTS, SUMMARY, CONSOLE):
        raise Refusal("stream", f"no file {file}", 400)
    if not isinstance(chunk, dict) or set(chunk) != {"offset", "content"}:
        raise Refusal("stream", f"{file} is not {{offset, content}}", 400)
    offset, content = chunk["offset"], chunk["content"]
    if type(offset) is not int or offset < 0 or not isinstance(content, list) or not content:
        raise Refusal("stream", f"{file} has offset {offset!r} or an empty content", 400)
    for line in content:
        check_line(file, line)
    if file == SUMMARY:
        check_summary(offset, content)
    else:
        check_place(run, file, offset, content)


def check_line(file, line):
    if not isinstance(line, str):
        raise Refusal("stream", f"a line of {file} is no string", 400)
    if len(line.encode()) > LINE_LIMIT:
        raise Refusal("limit", f"a line of {file} has {len(line.encode())} bytes", 413)
    if file == CONSOLE:
        return
    try:
        row = json.loads(line)
    except ValueError as bad:
        raise Refusal("stream", f"a line of {file} is no JSON: {bad}", 400) from bad
    if not isinstance(row, dict):
        raise Refusal("stream", f"a line of {file} is no object", 400)
    if file == HISTORY:
        check_row(row)
    if file == EVENTS and (row.get("_wandb") is not True or not {"_timestamp", "_runtime"} <= set(row)):
        raise Refusal("row", f"an event without _wandb, _timestamp or _runtime: {line[:200]}", 400)


def check_row(row):
    for name, types in (("_step", (int,)), ("_runtime", (int, float)), ("_timestamp", (int, float))):
        if type(row.get(name)) not in types:
            raise Refusal("row", f"a row has {name} {row.get(name)!r}", 400)
    if row["_step"] < 0:
        raise Refusal("row", f"a row has the step {row['_step']}", 400)


def check_summary(offset, content):
    if offset != 0 or len(content) != 1:
        raise Refusal("stream", f"the summary is {len(content)} lines from {offset}", 400)


def check_place(run, file, offset, content):
    """No gap; and what is there already stays, but for console lines."""
    held = run.streams[file]
    if offset > len(held):
        raise Refusal("gap", f"{file} of {run.path} has {len(held)} lines, and {offset} was next", 400)
    if file == CONSOLE:
        return
    for i, line in enumerate(content[:len(held) - offset]):
        if held[offset + i] != line:
            raise Refusal("rewrite", f"line {offset + i} of {file} was another", 400)
    if file == HISTORY:
        check_steps(held[offset - 1:offset] if offset else [], content)


def check_steps(before, content):
    steps = [json.loads(line)["_step"] for line in [*before, *content]]
    if any(a >= b for a, b in zip(steps, steps[1:])):
        raise Refusal("step", f"steps do not grow: {steps[:10]}", 400)


def keep_chunk(run, file, chunk):
    if file == SUMMARY:
        run.summary = chunk["content"][0]
    else:
        run.streams[file][chunk["offset"]:chunk["offset"] + len(chunk["content"])] = chunk["content"]
