#!/usr/bin/env -S python3 -B
"""wandb_runs.py - runs of artel into the fake of W&B's server.

The fake refuses what is not right, and its list of errors has to be empty; what it holds in the end has to be
what W&B's own SDK leaves there, whatever happens on the way: a server that misbehaves or is away, programs and
services that are killed.
"""
import json
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fakes"))
from cases import equal, run, true  # noqa: E402
from same import comparable  # noqa: E402
from served import PYTHON, Wandb, skip_without_python  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
BIN = os.path.abspath(os.environ.get("ARTEL_BIN", "build/test/bin"))
LIMIT_S = 120
SDK = []                # what sdk/log_flat.py left, once asked for


class Box:
    """A fake, and a state directory."""

    def __init__(self):
        self.fake = Wandb()

    def __enter__(self):
        self.fake.__enter__()
        self.state = f"{self.fake.folder}/state"
        return self

    def __exit__(self, *what):
        self.fake.__exit__(*what)

    def environment(self, **more):
        own = {"ARTEL_DIR": self.state, "ARTEL_SINKS": "store,wandb", "XDG_RUNTIME_DIR": self.fake.folder}
        return {**self.fake.environment(), **own, **more}

    def start(self, words, data=None, **more):
        process = subprocess.Popen(words, env=self.environment(**more), cwd=self.fake.environment()["HOME"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if data is not None:
            process.stdin.write(data)
            process.stdin.close()
        return process

    def service(self, **more):
        """arteld, serving."""
        process = self.start([f"{BIN}/arteld"], **more)
        said = process.stderr.readline()
        true("serving" in said, f"arteld said {said!r}")
        return process

    def run(self, *words, status=0, data="", **more):
        done = subprocess.run(words, input=data, env=self.environment(**more), cwd=self.fake.environment()["HOME"],
                              capture_output=True, text=True, timeout=LIMIT_S, check=False)
        equal(status, done.returncode, f"the status of {words}, which said {(done.stdout + done.stderr)[-2000:]}")
        return done.stdout

    def artel(self, *words, **more):
        return self.run(f"{BIN}/artel", *words, **more)

    def twin(self, timeout_ms=60000, **more):
        return self.run(f"{BIN}/wandb_twin", str(timeout_ms), **more).split()

    def right(self):
        equal([], self.fake.errors(), "the list of errors")
        equal([], self.fake.control("GET", "warnings"), "the list of habits")

    def rows(self, run_id, project="uncategorized"):
        return [json.loads(line) for line in self.fake.run(project, run_id)["history"]]


def sdk_left():
    if not SDK:
        with Wandb() as fake:
            done = subprocess.run([PYTHON, f"{HERE}/sdk/log_flat.py"], env=fake.environment(),
                                  cwd=fake.environment()["HOME"], capture_output=True, text=True, timeout=LIMIT_S, check=False)
            equal(0, done.returncode, f"the status of log_flat.py, which said {done.stderr[-2000:]}")
            equal([], fake.errors(), "the list of errors")
            SDK.append(comparable(fake.state()))
    return SDK[0]


def as_the_sdk(box):
    """Field by field."""
    box.right()
    wanted, found = sdk_left(), comparable(box.fake.state())
    equal(wanted["uncommitted"], found["uncommitted"], "what is left uncommitted")
    for part in ("runs", "artifacts"):
        equal(set(wanted[part]), set(found[part]), part)
        for name, held in wanted[part].items():
            for field, value in held.items():
                if field not in ("opened", "console"):     # the SDK has lines of its own
                    equal(value, found[part][name][field], f"{field} of {name}")


def a_run_is_what_the_sdk_leaves():
    with Box() as box:
        equal(["0", "0"], box.twin(), "close and wait")
        as_the_sdk(box)
        equal(1, box.fake.run("digits", "flat")["opened"], "how often the run was opened")


def no_request_is_too_many():
    with Box() as box:
        box.twin()
        asked = [r["operation"] or r["at"] for r in box.fake.requests()]
        posts = asked.count("file_stream")
        true(posts <= 3, f"{posts} posts: the rows at once, the rest at the end, and the end once all artifacts are there")
        equal({"UpsertBucket": 2, "CreateArtifact": 1, "CreateArtifactManifest": 2, "CreateArtifactFiles": 1,
               "CommitArtifact": 1, "objects": 3, "ArtifactByName": 1, "UseArtifact": 1},
              {name: asked.count(name) for name in asked if name != "file_stream"}, "what was asked")


def offline_is_delivered_later():
    """Nothing is sent and nobody waits; then it is as if it had been online."""
    for name, more in (("WANDB_MODE", "offline"), ("WANDB_API_KEY", ""), ("WANDB_BASE_URL", "http://127.0.0.1:9")):
        with Box() as box:
            sinks = f"store,wandb:{box.fake.url}"
            if name == "WANDB_BASE_URL":
                sinks = "store"
            began = time.monotonic()
            box.twin(100, ARTEL_SINKS=sinks, **{name: more})
            true(time.monotonic() - began < 10, f"it took {time.monotonic() - began:.1f} s with {name}={more}")
            equal([], box.fake.requests(), "what came meanwhile")
            if sinks != "store":
                box.artel("sync", "--timeout", "60")
                as_the_sdk(box)


def nobody_waits_for_what_cannot_come():
    """Without a key, or offline, also where W&B is the only sink: no wait and no close lasts as long as it may."""
    for name, value in (("WANDB_MODE", "offline"), ("WANDB_API_KEY", "")):
        for sinks in ("store,wandb", "wandb"):
            with Box() as box:
                began = time.monotonic()
                said = box.run(f"{BIN}/wandb_log", "60000", ARTEL_SINKS=sinks, **{name: value}).split()
                true(time.monotonic() - began < 10, f"it took {time.monotonic() - began:.1f} s with {name}={value}, {sinks}")
                equal(["ARTEL_EPENDING", "0" if "store" in sinks else "ARTEL_EPENDING"], said, f"wait and close, {sinks}")
                if name == "WANDB_API_KEY":
                    box.artel("sync", status=5, ARTEL_SINKS=sinks, **{name: value})
                    true(time.monotonic() - began < 20, "sync waits for a key")
                box.artel("sync", "--timeout", "60", ARTEL_SINKS=sinks)
                box.right()
                equal([0, 1, 2], [row["_step"] for row in box.rows("plain")], "the rows")
                equal(0, box.fake.artifact("uncategorized", "bytes:v0")["version"], "the artifact")


def a_server_that_is_away_is_tried_again():
    with Box() as box:
        box.fake.misbehave({"at": "graphql", "do": "answer", "status": 500, "times": 4},
                           {"at": "file_stream", "do": "cut", "times": 2})
        equal(["0", "0"], box.twin(), "close and wait")
        equal([4, 2], box.fake.struck(), "how often it misbehaved")
        as_the_sdk(box)


FAULTS = (
    {"at": "file_stream", "do": "lost", "times": 2},
    {"at": "file_stream", "do": "torn", "skip": 1},
    {"at": "file_stream", "do": "answer", "status": 429, "headers": {"Retry-After": "0.1"}, "times": 2},
    {"at": "graphql", "operation": "UpsertBucket", "do": "lost", "times": 2},
    {"at": "graphql", "operation": "UpsertBucket", "do": "answer", "status": 409, "times": 2},
    {"at": "graphql", "operation": "UpsertBucket", "do": "answer", "status": 200, "body": {"errors": ["busy"]}},
    {"at": "graphql", "operation": "CommitArtifact", "do": "answer", "status": 409},
    {"at": "graphql", "operation": "CommitArtifact", "do": "lost"},
    {"at": "graphql", "operation": "CreateArtifact", "do": "torn"},
    {"at": "objects", "method": "PUT", "do": "cut", "times": 2},
    {"at": "objects", "method": "PUT", "do": "expired"},
)


def whatever_goes_wrong_the_end_is_the_same():
    for fault in FAULTS:
        with Box() as box:
            box.fake.misbehave(fault)
            equal(["0", "0"], box.twin(), f"close and wait, with {fault}")
            equal([fault.get("times", 1)], box.fake.struck(), f"how often it misbehaved, {fault}")
            as_the_sdk(box)


def a_killed_program_is_delivered_by_sync():
    """Killed at any time; each row is there once, in order, and the run has ended badly."""
    for seed in range(12):
        dice = random.Random(seed)
        with Box() as box:
            rows = "".join(json.dumps({"n": i}) + "\n" for i in range(2000))
            process = box.start([f"{BIN}/artel", "log", "--run", "killed", "--quiet"])
            wait_for(lambda: os.path.exists(f"{box.state}/runs/killed"), "the run")
            feeder = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=process.stdin, text=True)
            feeder.stdin.write(rows)
            feeder.stdin.flush()
            wait_for(lambda: len(box.fake.requests()) >= dice.choice((1, 1, 2)), "a request")
            process.send_signal(signal.SIGKILL)
            process.wait()
            feeder.kill()
            feeder.wait()
            box.artel("sync", "--timeout", "60")
            stored = json.loads(box.artel("show", "killed", "--json"))
            box.right()
            found = box.rows("killed")
            equal(list(range(len(found))), [row["n"] for row in found], "the rows")
            equal(stored["rows"], len(found), "how many rows there are")
            equal(("failed", 1), tuple(box.fake.run("uncategorized", "killed")[k] for k in ("state", "exit_code")), "the end")


def wait_for(true_now, what, limit_s=30):
    until = time.monotonic() + limit_s
    while not true_now():
        true(time.monotonic() < until, f"{what} did not come")
        time.sleep(0.01)


def a_resumed_run_goes_on():
    with Box() as box:
        for _ in range(3):
            box.artel("log", "--run", "again", data='{"n": 1}\n{"n": 2}\n')
        box.right()
        equal([0, 1, 2, 3, 4, 5], [row["_step"] for row in box.rows("again")], "the steps")
        equal("finished", box.fake.run("uncategorized", "again")["state"], "the end")


def a_run_of_others_goes_on():
    """One that is on the server, and not in our state directory."""
    with Box() as box:
        box.artel("log", "--run", "again", data='{"n": 1}\n{"m": 2}\n')
        box.run("rm", "-rf", box.state)
        box.artel("log", "--run", "again", data='{"n": 3}\n')
        box.right()
        equal([(0, 1), (1, None), (2, 3)], [(row["_step"], row.get("n")) for row in box.rows("again")], "the rows")
        summary = json.loads(box.fake.run("uncategorized", "again")["summary"])
        equal((3, 2), (summary["n"], summary["m"]), "the summary")


def ranks_share_a_run():
    with Box() as box:
        ranks = [box.start([f"{BIN}/artel", "log", "--run", "team", "--rank", str(rank), "--world", "3"],
                           f'{{"rank": {rank}}}\n' * 5) for rank in range(3)]
        for process in ranks:
            equal(0, process.wait(LIMIT_S), f"the status of a rank, which said {process.stderr.read()}")
        box.artel("sync", "--timeout", "60")
        box.right()
        equal([0] * 5 + [1] * 5 + [2] * 5, sorted(row["rank"] for row in box.rows("team")), "the rows")
        equal("finished", box.fake.run("uncategorized", "team")["state"], "the end")


def a_flood_goes_in_posts_that_are_taken():
    """Rows that are far longer as text than in the journal."""
    with Box() as box:
        keys = [f"{'a rather long name of a metric':*<120}{i}" for i in range(10)]
        rows = "".join(json.dumps({"n": n, **{key: n % 2 == 0 for key in keys}}) + "\n" for n in range(30000))
        box.artel("log", "--run", "flood", "--timeout", "100", data=rows)
        box.right()
        equal(list(range(30000)), [row["n"] for row in box.rows("flood")], "the rows")
        posts = [int(r["headers"]["content-length"]) for r in box.fake.requests() if r["at"] == "file_stream"]
        true(len(posts) > 3 and max(posts) < 10 << 20, f"posts of {posts} bytes")


def the_environment_describes_a_run():
    with Box() as box:
        box.artel("log", data='{"n": 1}\n', WANDB_PROJECT="digits", WANDB_RUN_ID="mine", WANDB_NAME="a name",
                  WANDB_RUN_GROUP="g", WANDB_JOB_TYPE="j", WANDB_NOTES="some notes", WANDB_TAGS="x,y",
                  WANDB_ENTITY=box.fake.entity)
        box.right()
        held = box.fake.run("digits", "mine")
        equal(("a name", "g", "j", "some notes", ["x", "y"]),
              tuple(held[k] for k in ("display_name", "group", "job_type", "notes", "tags")), "the run")


def a_killed_service_loses_nothing():
    """arteld is killed again and again while programs log through it."""
    for seed in range(3):
        dice = random.Random(seed)
        with Box() as box:
            service = box.service()
            programs = [box.start([f"{BIN}/artel", "log", "--run", f"run-{i}", "--quiet", "--timeout", "60"])
                        for i in range(4)]
            for part in range(8):
                for i, program in enumerate(programs):
                    program.stdin.write("".join(f'{{"n": {n}}}\n' for n in range(part * 50, part * 50 + 50)))
                    program.stdin.flush()
                time.sleep(dice.random() * 0.6)     # when it is killed is chance: any time is right
                service.kill()
                service.wait()
                service = box.service()
            for program in programs:
                program.stdin.close()
            for program in programs:
                equal(0, program.wait(LIMIT_S), f"the status of a program, which said {program.stderr.read()}")
            wait_for(lambda: all(box.fake.state()["runs"].get(f"quarry/uncategorized/run-{i}", {}).get("state") == "finished"
                                 for i in range(4)), "the end of the runs", 90)
            service.terminate()
            equal(0, service.wait(LIMIT_S), "the status of arteld")
            box.right()
            for i in range(4):
                equal(list(range(400)), [row["n"] for row in box.rows(f"run-{i}")], f"the rows of run-{i}")


def a_run_that_went_elsewhere_goes_there_later():
    """Delivered to the store alone, and asked for in W&B when it is over: twice, which is once."""
    with Box() as box:
        box.twin(60000, ARTEL_SINKS="store,wandb=store:" + box.fake.folder + "/other")
        box.artel("log", "--run", "stays", data='{"n": 1}\n', ARTEL_SINKS="store")
        equal([], box.fake.requests(), "what came meanwhile")
        box.artel("sync", "flat", status=2, ARTEL_SINKS="store")
        box.artel("sync", "none", "--to", "w=wandb", status=4, ARTEL_SINKS="store")
        box.artel("sync", "flat", "--to", "wandb", status=1, ARTEL_SINKS="store")
        equal("", box.artel("status", "--json"), "what a refused sink has left to deliver")
        for _ in range(2):
            box.artel("sync", "flat", "--to", "w=wandb", "--timeout", "60", ARTEL_SINKS="store")
        as_the_sdk(box)
        equal("", box.artel("status", "--json"), "what is left to deliver")


def a_service_that_ends_posts_what_it_holds():
    """Rows wait for company; at SIGTERM they go at once."""
    with Box() as box:
        service = box.service()
        program = box.start([f"{BIN}/artel", "log", "--run", "open", "--quiet", "--timeout", "0"])
        program.stdin.write('{"n": 1}\n')
        program.stdin.flush()
        wait_for(lambda: len(box.fake.state()["runs"].get("quarry/uncategorized/open", {}).get("history", [])) == 1,
                 "the first post")
        program.stdin.write('{"n": 2}\n')
        program.stdin.flush()
        wait_for(lambda: json.loads(box.artel("show", "open", "--json"))["rows"] == 2, "the second row in the store")
        service.terminate()
        equal(0, service.wait(LIMIT_S), "the status of arteld")
        equal([1, 2], [row["n"] for row in box.rows("open")], "the rows")
        box.right()
        program.kill()
        program.wait()


def a_key_that_comes_later_is_found():
    """None, then one the server refuses, then the right one: a service looks again each time."""
    with Box() as box:
        netrc = f"{box.fake.folder}/netrc"
        more = {"WANDB_API_KEY": "", "NETRC": netrc}
        service = box.service(**more)
        box.artel("log", "--run", "late", "--timeout", "30", data='{"n": 1}\n', **more)
        write_key(box, netrc, "x" * 40)
        wait_for(lambda: any(r["status"] == 401 for r in box.fake.requests()), "a refused request")
        write_key(box, netrc, box.fake.key)
        wait_for(lambda: box.fake.state()["runs"].get("quarry/uncategorized/late", {}).get("state") == "finished",
                 "the run", 60)
        service.terminate()
        equal(0, service.wait(LIMIT_S), "the status of arteld")
        equal([1], [row["n"] for row in box.rows("late")], "the rows")


def write_key(box, netrc, key):
    with open(f"{netrc}.new", "w", encoding="ascii") as file:
        file.write(f"machine {box.fake.url[len('http://'):]}\n  login user\n  password {key}\n")
    os.chmod(f"{netrc}.new", 0o600)
    os.rename(f"{netrc}.new", netrc)


def who_does_not_speak_http_loads_nothing_for_it():
    for sinks, loaded in (("store", False), ("store,wandb", True)):
        with Box() as box:
            program = box.start([f"{BIN}/artel", "log", "--quiet"], ARTEL_SINKS=sinks)
            program.stdin.write('{"n": 1}\n')
            program.stdin.flush()
            wait_for(lambda: os.path.exists(f"{box.state}/runs") and os.listdir(f"{box.state}/runs"), "a run")
            with open(f"/proc/{program.pid}/maps", encoding="utf-8") as file:
                equal(loaded, "libcurl" in file.read(), f"whether libcurl is loaded, with {sinks}")
            program.stdin.close()
            equal(0, program.wait(LIMIT_S), "the status of the program")


def no_secret_is_told():
    """The key is in no log, trace, journal, argument or request to anybody else."""
    with Box() as box:
        trace = f"{box.fake.folder}/trace"
        secret = box.fake.key
        said = box.run(f"{BIN}/wandb_twin", "60000", ARTEL_TRACE=trace)
        true(secret not in said, "it was said")
        found = subprocess.run(["grep", "-rlF", secret, box.state, trace], capture_output=True, text=True, check=False)
        equal("", found.stdout, "files that have the key")
        for request in box.fake.requests():
            if request["at"] == "objects":
                true("authorization" not in request["headers"], f"a key went to {request['path']}")


CASES = [
    ("a run is what the SDK leaves", a_run_is_what_the_sdk_leaves),
    ("no request is too many", no_request_is_too_many),
    ("what is logged offline is delivered later", offline_is_delivered_later),
    ("nobody waits for what cannot come", nobody_waits_for_what_cannot_come),
    ("a server that is away is tried again", a_server_that_is_away_is_tried_again),
    ("whatever goes wrong, the end is the same", whatever_goes_wrong_the_end_is_the_same),
    ("a killed program is delivered by sync", a_killed_program_is_delivered_by_sync),
    ("a resumed run goes on", a_resumed_run_goes_on),
    ("a run of others goes on", a_run_of_others_goes_on),
    ("ranks share a run", ranks_share_a_run),
    ("a flood goes in posts that are taken", a_flood_goes_in_posts_that_are_taken),
    ("the environment describes a run", the_environment_describes_a_run),
    ("a killed service loses nothing", a_killed_service_loses_nothing),
    ("a run that went elsewhere goes there later", a_run_that_went_elsewhere_goes_there_later),
    ("a service that ends posts what it holds", a_service_that_ends_posts_what_it_holds),
    ("a key that comes later is found", a_key_that_comes_later_is_found),
    ("who does not speak HTTP loads nothing for it", who_does_not_speak_http_loads_nothing_for_it),
    ("no secret is told", no_secret_is_told),
]

if __name__ == "__main__":
    skip_without_python()
    run([case for case in CASES if len(sys.argv) < 2 or sys.argv[1] in case[0]])
