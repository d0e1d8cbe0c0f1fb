"""GraphQL as such, runs, and their streams."""
import json

from cases import equal, true
from wandb_client import RUN_FILES, UPSERT, send
from wandb_refused import refused, taken

HISTORY, SUMMARY, CONSOLE = "wandb-history.jsonl", "wandb-summary.json", "output.log"


def row(step, **values):
    return json.dumps({"_step": step, "_runtime": 0.5, "_timestamp": 1.5, **values})


def history(offset, *lines):
    return {"files": {HISTORY: {"offset": offset, "content": list(lines)}}}


def schema_is_kept(c):
    refused(c, "schema", c.ask("query Viewer { viewer { id nothing } }"), 400)
    refused(c, "schema", c.ask("query Viewer { nothing }"), 400)
    refused(c, "schema", c.ask("query Viewer { viewer {"), 400)
    refused(c, "schema", c.ask("mutation UpsertBucket { upsertBucket(input: {nothing: 1}) { inserted } }"), 400)
    refused(c, "schema", c.ask(UPSERT.replace("$config: JSONString", "$config: String"), name="x"), 400)
    refused(c, "variables", c.upsert(name=5), 400)
    refused(c, "variables", c.upsert(config="{"), 400)
    refused(c, "variables", c.upsert(config={"a": {"value": 1}}), 400)
    refused(c, "variables", c.create("set", {}, historyStep="1"), 400)
    refused(c, "variables", c.create("set", {}, historyStep=1.5), 400)
    refused(c, "variables", c.ask(RUN_FILES, entity=c.fake.entity, project=c.project, run=c.run), 400)


def body_is_kept(c):
    refused(c, "body", c.post("/graphql", b"{"), 400)
    refused(c, "body", c.post("/graphql", {"query": "query Viewer { viewer { id } }", "more": 1}), 400)
    refused(c, "header", c.post("/graphql", {"query": "query A { viewer { id } }"}, **{"Content-Type": "text/plain"}), 415)
    refused(c, "operation", c.post("/graphql", {"query": "query A { viewer { id } }", "operationName": "B"}), 400)
    refused(c, "path", send(f"{c.fake.url}/graphql", "GET", headers=c.headers), 404)


def a_key_is_wanted(c):
    c.headers["Authorization"] = "Basic bm9ib2R5"
    equal(None, c.get("query Viewer { viewer { id } }")["viewer"], "the viewer of a stranger")
    refused(c, "credentials", c.upsert(), 401)
    refused(c, "credentials", c.stream({}), 401)


def runs_have_rules(c):
    refused(c, "name", c.upsert(name="a/b"))
    refused(c, "name", c.upsert(name=" a"))
    refused(c, "name", c.upsert(project="a:b"))
    refused(c, "entity", c.upsert(entity="strangers"), 404)
    refused(c, "config", c.upsert(config='{"a": 1}'))
    refused(c, "config", c.upsert(config='{"a": {"value": 1, "more": 2}}'))
    refused(c, "run", c.upsert(id="nobody", name=None))
    taken(c.upsert(config='{"a": {"value": NaN}}'))


def an_upsert_makes_one_run(c):
    first = taken(c.upsert(name="new"))["data"]["upsertBucket"]
    again = taken(c.upsert(name="new"))["data"]["upsertBucket"]
    equal((True, False, first["bucket"]["id"]), (first["inserted"], again["inserted"], again["bucket"]["id"]), "it")


def rows_come_once_and_in_order(c):
    taken(c.stream(history(0, row(0, x=1), row(1, x=2))))
    taken(c.stream(history(1, row(1, x=2), row(5, x=3))))
    refused(c, "gap", c.stream(history(4, row(6))), 400)
    refused(c, "rewrite", c.stream(history(2, row(6))), 400)
    refused(c, "step", c.stream(history(3, row(5))), 400)
    refused(c, "row", c.stream(history(3, '{"_step": 6, "_timestamp": 1}')), 400)
    refused(c, "row", c.stream(history(3, row(6.5))), 400)
    refused(c, "stream", c.stream(history(3, "[1]")), 400)
    refused(c, "limit", c.stream(history(3, row(6, x="x" * (10 << 20)))), 413)
    equal([row(0, x=1), row(1, x=2), row(5, x=3)], c.fake.run(c.project, c.run)["history"], "the history")


def posts_have_a_form(c):
    refused(c, "stream", c.stream({"nothing": 1}), 400)
    refused(c, "stream", c.stream({"files": {"other.txt": {"offset": 0, "content": ["x"]}}}), 400)
    refused(c, "stream", c.stream({"files": {CONSOLE: {"offset": "0", "content": ["x"]}}}), 400)
    refused(c, "stream", c.stream({"files": {SUMMARY: {"offset": 0, "content": ["{}", "{}"]}}}), 400)
    refused(c, "stream", c.stream({"complete": True}), 400)
    refused(c, "stream", c.stream({"exitcode": 0}), 400)
    refused(c, "run", c.stream({}, run="nobody"), 404)
    refused(c, "header", c.post(f"/files/{c.fake.entity}/{c.project}/{c.run}/file_stream", b"",
                                **{"Content-Encoding": "gzip"}), 415)


def console_lines_are_rewritten(c):
    taken(c.stream({"files": {CONSOLE: {"offset": 0, "content": ["10 %", "other"]}}}))
    taken(c.stream({"files": {CONSOLE: {"offset": 0, "content": ["20 %"]}}}))
    equal(["20 %", "other"], c.fake.run(c.project, c.run)["console"], "the console")


def the_end_is_the_end(c):
    taken(c.stream({"complete": True, "exitcode": 4}))
    equal(("failed", 4), tuple(c.fake.run(c.project, c.run)[k] for k in ("state", "exit_code")), "the end")
    refused(c, "order", c.stream({}), 400)
    taken(c.stream({"complete": True, "exitcode": 4}))
    refused(c, "order", c.stream({"complete": True, "exitcode": 5}), 400)
    taken(c.upsert())
    taken(c.stream({}))


def files_are_reported_when_there(c):
    taken(c.ask(RUN_FILES, entity=c.fake.entity, project=c.project, run=c.run, files=["a/b.txt"]))
    refused(c, "uploaded", c.stream({"uploaded": ["a/b.txt"]}), 400)
    refused(c, "uploaded", c.stream({"uploaded": ["other"]}), 400)
    refused(c, "path", c.ask(RUN_FILES, entity=c.fake.entity, project=c.project, run=c.run, files=["../x"]))
    said = c.get(RUN_FILES, entity=c.fake.entity, project=c.project, run=c.run, files=["a/b.txt"])["createRunFiles"]
    equal(200, send(said["files"][0]["uploadUrl"], "PUT", b"text").status, "the PUT")
    taken(c.stream({"uploaded": ["a/b.txt"]}))
    held = c.fake.run(c.project, c.run)["files"]["a/b.txt"]
    equal((True, 4, "text"), (held["reported"], held["size"], held["text"]), "the file")


def a_stop_is_told(c):
    equal(False, taken(c.stream({}))["stopped"], "stopped")
    c.fake.control("POST", "stop", {"run": f"{c.fake.entity}/{c.project}/{c.run}"})
    equal(True, taken(c.stream({}))["stopped"], "stopped")


def resume_knows_where_it_ended(c):
    query = """query RunResumeStatus($project: String, $entity: String, $name: String!) {
      model(name: $project, entityName: $entity) { bucket(name: $name, missingOk: true) {
        historyLineCount logLineCount historyTail wandbConfig(keys: ["t"]) } } }"""
    place = {"project": c.project, "entity": c.fake.entity}
    equal(None, c.get(query, name="nobody", **place)["model"]["bucket"], "a run that is not there")
    taken(c.upsert(config='{"_wandb": {"value": {"t": {"5": "x"}, "m": []}}}'))
    taken(c.stream(history(0, row(0), row(3))))
    found = c.get(query, name=c.run, **place)["model"]["bucket"]
    equal((2, 0, [row(3)], {"t": {"5": "x"}}), (found["historyLineCount"], found["logLineCount"],
                                                 json.loads(found["historyTail"]), json.loads(found["wandbConfig"])), "it")
    true(not c.fake.errors(), "a question is no error")


CASES = [
    ("what the schema does not have is refused", schema_is_kept),
    ("a body of another form is refused", body_is_kept),
    ("strangers see nothing", a_key_is_wanted),
    ("names and config have rules", runs_have_rules),
    ("an upsert that comes twice makes one run", an_upsert_makes_one_run),
    ("rows come once and in order", rows_come_once_and_in_order),
    ("posts have a form", posts_have_a_form),
    ("console lines may be rewritten", console_lines_are_rewritten),
    ("nothing comes after the end, until the run is opened again", the_end_is_the_end),
    ("files are reported when they are there", files_are_reported_when_there),
    ("a stop is told", a_stop_is_told),
    ("resume knows where a run ended", resume_knows_where_it_ended),
]
