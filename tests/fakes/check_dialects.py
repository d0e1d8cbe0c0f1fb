"""Older servers: the same in other words."""
from cases import equal
from wandb_client import RUN_FILES, manifest_of, md5, send
from wandb_refused import taken

FILE = {"f": b"content"}


def speak(c, *words):
    c.fake.control("POST", "settings", {"dialect": words})


def ids_are_numbers(c):
    speak(c, "numbers")
    artifact = c.log("set", FILE)
    equal(int, type(artifact), "the type of an id")
    as_text = c.start("other", FILE)
    taken(c.finish(as_text, manifest_of(c.entries(FILE, {"f": str(c.upload(as_text, FILE)["f"])}))))


def headers_are_a_text(c):
    speak(c, "text")
    said = c.get(RUN_FILES, entity=c.fake.entity, project=c.project, run=c.run, files=["a"])["createRunFiles"]
    equal("", said["uploadHeaders"], "uploadHeaders")


def urls_are_relative(c):
    speak(c, "relative")
    offer = c.offers(c.start("set", FILE), FILE)[0]
    equal("/objects/", offer["uploadUrl"][:9], "the beginning of the URL")
    headers = dict(header.split(":", 1) for header in offer["uploadHeaders"])
    done = send(c.fake.url + offer["uploadUrl"], "PUT", FILE["f"], {**headers, "Authorization": c.headers["Authorization"]})
    equal((200, f'"{md5(FILE["f"])}"'), (done.status, done.headers["ETag"]), "the PUT")


def urls_have_spaces(c):
    speak(c, "spaces")
    offer = c.offers(c.start("set", FILE), FILE)[0]
    equal(True, " " in offer["uploadUrl"], "a space")
    equal(200, c.put({**offer, "uploadUrl": offer["uploadUrl"].replace(" ", "%20")}, FILE["f"]).status, "the PUT")


def a_silent_run_has_crashed(c):
    c.fake.control("POST", "settings", {"crashed_after_s": 0})
    equal("crashed", c.fake.run(c.project, c.run)["state"], "the state")
    c.fake.control("POST", "settings", {"crashed_after_s": 60})
    equal("running", c.fake.run(c.project, c.run)["state"], "the state")


def streams_have_a_rate(c):
    c.fake.control("POST", "settings", {"stream_headers": {"RateLimit-Remaining": "7", "RateLimit-Reset": "1.5"}})
    reply = c.stream({})
    equal(("7", "1.5"), (reply.headers["RateLimit-Remaining"], reply.headers["RateLimit-Reset"]), "the rate")


CASES = [
    ("ids may be numbers", ids_are_numbers),
    ("uploadHeaders may be a text", headers_are_a_text),
    ("URLs may be of the server itself", urls_are_relative),
    ("URLs may have spaces", urls_have_spaces),
    ("a run that is silent has crashed", a_silent_run_has_crashed),
    ("a stream may have a rate", streams_have_a_rate),
]
