#!/usr/bin/env -S python3 -B
"""wandb_login.py - `artel login wandb` against the fake of W&B's server: the key goes where W&B's SDK finds it."""
import json
import os
import pty
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fakes"))
from cases import equal, run, true  # noqa: E402
from served import PYTHON, Wandb, skip_without_python  # noqa: E402

ARTEL = os.path.join(os.environ.get("ARTEL_BIN", "build/test/bin"), "artel")
LIMIT_S = 60
WRONG = "0" * 40
READ = "import sys; from wandb.sdk.lib.wbauth.wbnetrc import read_netrc_auth as read; print(read(host=sys.argv[1]))"


def environment(fake):
    env = fake.environment()
    del env["WANDB_API_KEY"]
    return env


def login(fake, key, *words):
    return subprocess.run([ARTEL, "login", "wandb", *words], input=key, env=environment(fake), capture_output=True,
                          text=True, timeout=LIMIT_S, check=False)


def netrc(fake):
    path = os.path.join(environment(fake)["HOME"], ".netrc")
    return open(path, encoding="utf-8").read() if os.path.exists(path) else None


def machine(fake):
    return fake.url.removeprefix("http://")


def a_key_is_kept():
    with Wandb() as fake:
        done = login(fake, f"  {fake.key}\n", "--json")
        equal((0, ""), (done.returncode, done.stderr), "the end")
        told = json.loads(done.stdout)
        equal((fake.url, fake.entity), (told["server"], told["entity"]), "what is told")
        equal(f"machine {machine(fake)}\n  login user\n  password {fake.key}\n", netrc(fake), "the file")
        found = subprocess.run([PYTHON, "-c", READ, fake.url], env=environment(fake), capture_output=True, text=True,
                               timeout=LIMIT_S, check=True)
        equal(fake.key, found.stdout.strip(), "the key that the SDK reads")
        equal([], fake.errors(), "the list of errors")


def a_key_that_is_not_known_is_not_kept():
    with Wandb() as fake:
        done = login(fake, WRONG)
        equal((1, f"artel: {fake.url}: the server does not know this key; no key was kept\n"),
              (done.returncode, done.stderr), "the end")
        equal(None, netrc(fake), "the file")


def what_is_no_key_is_not_asked_about():
    with Wandb() as fake:
        done = login(fake, "canary-short\n")
        equal(2, done.returncode, "the status")
        true("canary" not in done.stderr, "the key is in what was said")
        equal((2, "artel: no key came: it is one line of standard input\n"),
              (lambda d: (d.returncode, d.stderr))(login(fake, "")), "the end without a key")
        equal([], fake.requests(), "what was asked")


def a_server_that_is_not_there_is_told():
    with Wandb() as fake:
        done = login(fake, fake.key, "--url", "http://127.0.0.1:9")
        equal(1, done.returncode, "the status")
        true("no key was kept" in done.stderr, done.stderr)
        equal(None, netrc(fake), "the file")


def what_is_typed_is_not_shown():
    with Wandb() as fake:
        master, slave = pty.openpty()
        with subprocess.Popen([ARTEL, "login", "wandb"], stdin=slave, stdout=slave, stderr=slave, env=environment(fake)) as done:
            os.close(slave)
            shown = os.read(master, 1000)
            os.write(master, fake.key.encode() + b"\n")
            try:
                while more := os.read(master, 1000):
                    shown += more
            except OSError:                     # the other end is closed
                pass
            equal(0, done.wait(LIMIT_S), f"the status, after {shown}")
        os.close(master)
        true(shown.startswith(f"key for {fake.url}: ".encode()), f"the prompt in {shown}")
        true(fake.key.encode() not in shown, f"the key is shown: {shown}")


def main():
    skip_without_python()
    run([
        ("a key is kept where W&B's SDK finds it", a_key_is_kept),
        ("a key that is not known is not kept", a_key_that_is_not_known_is_not_kept),
        ("what is no key is not asked about", what_is_no_key_is_not_asked_about),
        ("a server that is not there is told", a_server_that_is_not_there_is_told),
        ("what is typed is not shown", what_is_typed_is_not_shown),
    ])


main()
