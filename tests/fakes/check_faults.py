"""Misbehaviour happens as ordered, as often as ordered, and is no error of the client."""
import http.client
import json
import time

from cases import Failed, equal, true
from check_runs import history, row
from wandb_client import manifest_of, md5, send
from wandb_refused import taken

VIEWER = "query Viewer { viewer { id } }"


def breaks(ask):
    """The connection ends before the answer does."""
    try:
        reply = ask()
    except (http.client.HTTPException, ConnectionError):
        return
    raise Failed(f"it answered {reply.status} {reply.body[:100]!r}")


def an_answer_is_ordered(c):
    c.fake.misbehave({"at": "graphql", "do": "answer", "status": 429, "headers": {"Retry-After": "0.5"}, "times": 2},
                     {"at": "graphql", "do": "answer", "status": 500, "body": "no JSON"})
    replies = [c.ask(VIEWER) for _ in range(4)]
    equal([429, 429, 500, 200], [reply.status for reply in replies], "the answers")
    equal(("0.5", b"no JSON"), (replies[0].headers["Retry-After"], replies[2].body), "what they said")
    equal([2, 1], c.fake.struck(), "how often it struck")


def errors_come_with_200(c):
    bodies = [{"errors": [{"message": "busy"}]}, {"errors": ["busy"]}, {"error": "busy"}, {"error": {"message": "busy"}}]
    c.fake.misbehave(*({"at": "graphql", "do": "answer", "status": 200, "body": body} for body in bodies))
    equal(bodies, [json.loads(c.ask(VIEWER).body) for _ in bodies], "the answers")


def one_operation_is_struck(c):
    contents = {"f": b"x"}
    c.fake.misbehave({"at": "graphql", "operation": "CommitArtifact", "do": "answer", "status": 409})
    artifact = c.start("set", contents)
    manifest = manifest_of(c.entries(contents, c.upload(artifact, contents)))
    equal(409, c.finish(artifact, manifest).status, "the first commit")
    equal({}, c.fake.state()["artifacts"], "what is visible")
    taken(c.commit(artifact))


def the_first_are_spared(c):
    c.fake.misbehave({"at": "file_stream", "do": "answer", "status": 500, "skip": 2})
    equal([200, 200, 500, 200], [c.stream({}).status for _ in range(4)], "the answers")


def an_answer_is_lost(c):
    c.fake.misbehave({"at": "file_stream", "do": "lost"})
    breaks(lambda: c.stream(history(0, row(0))))
    equal([row(0)], c.fake.run(c.project, c.run)["history"], "what was done before")
    taken(c.stream(history(0, row(0))))


def a_commit_is_lost(c):
    contents = {"f": b"x"}
    artifact = c.start("set", contents)
    manifest = manifest_of(c.entries(contents, c.upload(artifact, contents)))
    c.fake.misbehave({"at": "graphql", "operation": "CommitArtifact", "do": "lost"})
    breaks(lambda: c.finish(artifact, manifest))
    taken(c.commit(artifact))
    equal(1, len(c.fake.state()["artifacts"]), "the versions")


def an_answer_is_torn(c):
    c.fake.misbehave({"at": "graphql", "do": "torn"})
    breaks(lambda: c.ask(VIEWER))
    taken(c.ask(VIEWER))


def a_body_is_cut(c):
    contents = {"f": b"x" * (4 << 20)}
    artifact = c.start("set", contents)
    c.fake.misbehave({"at": "objects", "method": "PUT", "do": "cut"})
    offer = c.offers(artifact, contents)[0]
    breaks(lambda: c.put(offer, contents["f"]))
    equal(200, c.put(offer, contents["f"]).status, "the PUT again")


def an_answer_is_late(c):
    c.fake.misbehave({"at": "graphql", "do": "late", "seconds": 0.3})
    before = time.monotonic()
    taken(c.ask(VIEWER))
    true(time.monotonic() - before >= 0.3, "it was not late")


def a_download_is_torn(c):
    contents = {"f": b"x" * 100000}
    c.log("set", contents)
    c.fake.misbehave({"at": "objects", "method": "GET", "do": "torn"})
    state = c.get("query F($p: String!) { project(name: $p) { artifact(name: \"set:v0\") { files { edges { node {"
                  " directUrl md5 } } } } } }", p=c.project)
    node = state["project"]["artifact"]["files"]["edges"][0]["node"]
    breaks(lambda: send(node["directUrl"], "GET"))
    equal(node["md5"], md5(send(node["directUrl"], "GET").body), "the digest of the second try")


CASES = [
    ("it answers what is ordered, as often as ordered", an_answer_is_ordered),
    ("errors come with HTTP 200, and in all their forms", errors_come_with_200),
    ("one operation is struck: a conflict at commit", one_operation_is_struck),
    ("the first requests are spared", the_first_are_spared),
    ("an answer is lost after rows were taken", an_answer_is_lost),
    ("an answer is lost after a commit", a_commit_is_lost),
    ("an answer ends in the middle", an_answer_is_torn),
    ("an upload is cut in the middle", a_body_is_cut),
    ("a download ends in the middle", a_download_is_torn),
    ("an answer is late", an_answer_is_late),
]
