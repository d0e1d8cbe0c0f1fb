#!/usr/bin/env -S python3 -B
"""wandb_artifacts.py - artifacts into the fake of W&B's server, by the requests of the backend.

The fake refuses what is not right, and its list of errors has to be empty; what it holds in
the end has to be what W&B's own SDK leaves there. Each fetches what the other logged.
"""
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fakes"))
from cases import equal, run  # noqa: E402
from same import comparable  # noqa: E402
from served import PYTHON, Wandb, skip_without_python  # noqa: E402
from wandb_client import Client, md5  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PUMP = os.path.join(os.environ.get("ARTEL_BIN", "build/test/bin"), "wandb_pump")
LIMIT_S = 120
FILES = {"a.txt": b"hello", "sub/b c.bin": b"\0\1\2", "sub/ü\n\".txt": "ü".encode(), "empty": b""}


class Box:
    """A fake, a run in it, and a folder to log."""

    def __init__(self, *options, dialect=()):
        self.fake, self.dialect = Wandb(*options), dialect

    def __enter__(self):
        self.fake.__enter__()
        self.fake.control("POST", "settings", {"dialect": list(self.dialect)})
        self.client = Client(self.fake)
        self.client.project, self.client.run = "digits", "maker"
        self.client.upsert()
        self.folder = pathlib.Path(self.fake.folder, "in")
        self.fill(FILES)
        return self

    def __exit__(self, *what):
        self.fake.__exit__(*what)

    def fill(self, files):
        for name, data in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def command(self, *words):
        fake = self.fake
        return [PUMP, f"base={fake.url}", f"key={fake.key}", f"entity={fake.entity}", "project=digits", "run=maker", *words]

    def pump(self, *words):
        """What the pump said."""
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=LIMIT_S, check=False)
        equal(0, done.returncode, f"the status of wandb_pump, which said {done.stderr[-500:]}")
        return json.loads(done.stdout)

    def saving(self, name, kind, *words):
        return f"store={self.fake.folder}/store", f"name={name}", f"type={kind}", *words

    def log(self, *words):
        return self.pump(*self.saving(*words))

    def kill(self, after_s, *words):
        """Logs, and is killed after so long, if it has not ended."""
        with subprocess.Popen(self.command(*self.saving(*words)), stdout=subprocess.DEVNULL) as done:
            try:
                done.wait(after_s)
            except subprocess.TimeoutExpired:
                done.kill()

    def logged(self, *words):
        said = self.log(*words)
        equal((0, True), (said["code"], said["over"]), f"the end, {said['text']}")
        return said

    def fetch(self, name, *words):
        """What the pump said, and the files that came."""
        into = pathlib.Path(self.fake.folder, "out")
        shutil.rmtree(into, ignore_errors=True)
        into.mkdir()
        said = self.pump(f"fetch={name}", f"into={into}", *words)
        return said, {str(path.relative_to(into)): path.read_bytes() for path in into.rglob("*") if path.is_file()}

    def fetched(self, *words):
        said, files = self.fetch(*words)
        equal((0, True), (said["code"], said["over"]), f"the end, {said['text']}")
        return files

    def sdk(self, name):
        home = self.fake.environment()["HOME"]
        shutil.copytree(self.folder, f"{home}/in", symlinks=True)
        done = subprocess.run([PYTHON, f"{HERE}/sdk/{name}.py"], env=self.fake.environment(), cwd=home,
                              capture_output=True, text=True, timeout=LIMIT_S, check=False)
        equal(0, done.returncode, f"the status of {name}.py, which said {done.stderr[-2000:]}")

    def right(self):
        equal([], self.fake.errors(), "the list of errors")
        equal([], self.fake.control("GET", "warnings"), "the list of habits")

    def operations(self):
        return [r["operation"] or r["method"] for r in self.fake.requests() if r["operation"] != "UpsertBucket"]


def log_all(box):
    """What sdk/log_folder.py logs."""
    box.logged("set", "data", f"dir={box.folder}", "description=a set", "step=1", "alias=raw", "alias=best",
               'metadata={"n": 1, "deep": {"list": [1.5, null]}}')
    box.fill({"a.txt": b"changed"})
    box.logged("set", "data", f"dir={box.folder}", "alias=best", "step=1")
    box.logged("references", "links", "refer=http=http://127.0.0.1:9/none=", "refer=odd=odd:thing#1=", "step=1")
    box.logged("nothing", "data", "step=1")


def add_links(box):
    """To a file, and to a folder: W&B has neither."""
    os.symlink("../a.txt", box.folder / "sub/link")
    os.symlink("sub", box.folder / "also")


def they_are_what_the_sdk_leaves():
    with Box() as box:
        add_links(box)
        log_all(box)
        box.right()
        ours = box.fake.state()
    with Box() as box:
        add_links(box)
        box.sdk("log_folder")
        theirs = box.fake.state()
    wanted, found = comparable(theirs)["artifacts"], comparable(ours)["artifacts"]
    equal(set(wanted), set(found), "the versions")
    for name, held in wanted.items():
        for field, value in held.items():
            equal(value, found[name][field], f"{field} of {name}")
    equal([], ours["uncommitted"], "what is left uncommitted")
    links = {path: entry["digest"] for path, entry in ours["artifacts"]["quarry/digits/set:v1"]["entries"].items()
             if "link" in path}
    equal({"sub/link": md5(b"changed"), "also/link": md5(b"changed")}, links, "what became of links")


def became(said):
    return said["version"], said["fresh"]


def no_request_is_too_many():
    with Box() as box:
        equal((0, True), became(box.logged("set", "data", f"dir={box.folder}")), "the first")
        equal(["CreateArtifact", "CreateArtifactManifest", "CreateArtifactFiles", *["PUT"] * len(FILES),
               "CreateArtifactManifest", "PUT", "CommitArtifact"], box.operations(), "what was asked")
        box.fake.control("DELETE", "requests")
        equal((0, False), became(box.logged("set", "data", f"dir={box.folder}")), "the same")
        equal(["CreateArtifact"], box.operations(), "what was asked for the same again")
        box.right()


def what_was_begun_is_finished():
    """Given up after each of its requests, and logged again with the same xid."""
    for requests in range(1, 11):
        with Box() as box:
            words = "set", "data", f"dir={box.folder}", "xid=000102030405060708090a0b0c0d0e0f"
            equal(False, box.log(*words, f"stop_after={requests}")["over"] and requests < 10, f"over after {requests}")
            equal(0, box.logged(*words)["version"], f"the version after {requests} requests and a retry")
            box.right()
            held = box.fake.state()
            equal((1, 0), (len(held["artifacts"]), len(held["uncommitted"])), f"what is held after {requests}")


def killed_at_any_moment_it_is_there_once():
    chance = random.Random(1)
    for _ in range(10):
        with Box() as box:
            words = "set", "data", f"dir={box.folder}", "xid=000102030405060708090a0b0c0d0e0f"
            for _ in range(4):
                box.kill(chance.uniform(0, 0.1), *words)
            equal(0, box.logged(*words)["version"], "the version")
            held = box.fake.state()
            equal((1, 0), (len(held["artifacts"]), len(held["uncommitted"])), "what is held")
            equal(FILES, box.fetched("set:v0"), "what is fetched")


def many_files_go_at_once():
    with Box("--nginx") as box:
        many = {f"{i:04}": str(i).encode() for i in range(2500)}
        box.fill(many)
        box.logged("set", "data", f"dir={box.folder}")
        operations = box.operations()
        equal((2, len(FILES) + 2500 + 1), (operations.count("CreateArtifactFiles"), operations.count("PUT")), "what was asked")
        equal({**FILES, **many}, box.fetched("set:v0", "page=1000"), "what is fetched")
        box.right()


def what_is_used_is_found_by_its_content():
    with Box() as box:
        log_all(box)
        box.fill({"a.txt": b"hello"})
        said = box.logged("set", "", f"dir={box.folder}", "use=1")
        equal(0, said["version"], "the version with the content")
        equal([{"artifact": "quarry/digits/set:v0", "as": None}], box.fake.run("digits", "maker")["used"], "what is used")
        equal(["quarry/digits/maker"], box.fake.artifact("digits", "set:v0")["used_by"], "by whom")
        box.fill({"a.txt": b"never logged"})
        said = box.log("set", "", f"dir={box.folder}", "use=1")
        equal((-5, True), (said["code"], said["text"].startswith("the server has no set:")), f"the end, {said['text']}")
        box.right()


def large_files_go_in_parts():
    with Box() as box:
        box.fake.control("POST", "settings", {"multipart_from": 1000})
        box.fill({"large": bytes(range(256)) * 13})
        box.logged("set", "data", f"dir={box.folder}", "parts_from=1000", "part=1024")
        box.right()
        equal(1, box.operations().count("CompleteMultipartUploadArtifact"), "completions")
        equal(len(FILES) + 4 + 1, box.operations().count("PUT"), "PUTs")
        equal(3328, box.fake.artifact("digits", "set:v0")["entries"]["large"]["size"], "the size")


def old_servers_are_understood():
    for words in (["numbers"], ["text", "relative", "spaces"]):
        with Box(dialect=words) as box:
            log_all(box)
            box.right()


#  One of each kind, where it hurts.
FAULTS = [
    {"at": "graphql", "operation": "CreateArtifact", "do": "lost"},
    {"at": "graphql", "operation": "CreateArtifactManifest", "do": "lost", "times": 2},
    {"at": "graphql", "operation": "CreateArtifactFiles", "do": "answer", "status": 502, "body": "<html>"},
    {"at": "graphql", "operation": "CommitArtifact", "do": "answer", "status": 409},
    {"at": "graphql", "operation": "CommitArtifact", "do": "lost"},
    {"at": "objects", "method": "PUT", "do": "answer", "status": 503},
    {"at": "objects", "method": "PUT", "do": "expired", "times": 2},
]


def faults_are_overcome():
    with Box() as box:
        box.fake.misbehave(*FAULTS)
        box.logged("set", "data", f"dir={box.folder}")
        equal([rule.get("times", 1) for rule in FAULTS], box.fake.struck(), "how often the faults struck")
        box.right()
        held = box.fake.state()
        equal((1, 0), (len(held["artifacts"]), len(held["uncommitted"])), "what is held")
        equal({name: md5(data) for name, data in FILES.items()},
              {name: entry["digest"] for name, entry in held["artifacts"]["quarry/digits/set:v0"]["entries"].items()},
              "the entries")


def what_the_sdk_logged_is_fetched():
    with Box() as box:
        box.sdk("log_folder")
        equal(FILES, box.fetched("set:raw"), "the first version")
        equal({**FILES, "a.txt": b"changed"}, box.fetched("set:latest", "page=3"), "the last, in pages")
        equal({}, box.fetched("nothing:v0"), "what has no files")
        equal({}, box.fetched("references:v0"), "what has only references")
        equal([], box.fake.errors(), "the list of errors")


def what_we_logged_is_fetched_by_the_sdk():
    with Box() as box:
        log_all(box)
        box.sdk("fetch_folder")
        equal([], box.fake.errors(), "the list of errors")


def what_cannot_be_fetched_is_told():
    with Box() as box:
        box.logged("set", "data", f"dir={box.folder}")
        equal("none:v0: the server has no such artifact", box.fetch("none:v0")[0]["text"], "what is said of nothing")
        box.fake.misbehave({"at": "objects", "method": "GET", "path": "artifacts", "do": "answer", "status": 200,
                            "body": "HELLO", "times": 100})
        said, files = box.fetch("set:v0")
        equal(((-14, False), {}), ((said["code"], said["passes"]), files), f"what came of wrong bytes, {said['text']}")


def faults_of_a_fetch_are_overcome():
    faults = [
        {"at": "graphql", "operation": "ArtifactByName", "do": "lost"},
        {"at": "graphql", "operation": "ArtifactFileURLs", "do": "answer", "status": 502, "body": "<html>"},
        {"at": "objects", "method": "GET", "do": "answer", "status": 503},
        {"at": "objects", "method": "GET", "path": "artifacts", "do": "torn"},
        {"at": "objects", "method": "GET", "path": "artifacts", "do": "answer", "status": 403},
    ]
    with Box() as box:
        box.logged("set", "data", f"dir={box.folder}")
        box.fake.misbehave(*faults)
        equal(FILES, box.fetched("set:v0"), "what came")
        equal([1] * len(faults), box.fake.struck(), "how often the faults struck")
        box.right()


def a_refusal_is_told():
    with Box() as box:
        said = box.log("a/b", "data", f"dir={box.folder}")
        equal(("CreateArtifact: bad collection name ['a/b'] (HTTP 200)", False), (said["text"], said["passes"]), "the refusal")


def main():
    skip_without_python()
    run([
        ("an artifact is what W&B's own SDK makes of it", they_are_what_the_sdk_leaves),
        ("no request is one too many", no_request_is_too_many),
        ("what was begun is finished, once", what_was_begun_is_finished),
        ("killed at any moment it is there once", killed_at_any_moment_it_is_there_once),
        ("many files go at once", many_files_go_at_once),
        ("what a run uses is found by its content", what_is_used_is_found_by_its_content),
        ("a large file goes in parts", large_files_go_in_parts),
        ("old servers are understood", old_servers_are_understood),
        ("faults are overcome, and nothing comes twice", faults_are_overcome),
        ("what W&B's own SDK logged is fetched", what_the_sdk_logged_is_fetched),
        ("what we logged is fetched by it", what_we_logged_is_fetched_by_the_sdk),
        ("faults of a fetch are overcome", faults_of_a_fetch_are_overcome),
        ("what cannot be fetched is told", what_cannot_be_fetched_is_told),
        ("what the server refuses is told", a_refusal_is_told),
    ])


main()
