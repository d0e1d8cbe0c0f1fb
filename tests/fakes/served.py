"""A fake server for the length of a test, and what a test asks of it.

    with Wandb() as fake:
        subprocess.run([...], env=fake.environment())
        fake.errors() == [], fake.state()["runs"]...

The server is a process of the virtualenv build/python; SKIP says why there is none. It
ends with the `with`, and so does whatever else was started with its environment.
"""
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
_PATH = subprocess.run([f"{HERE}/../../tools/python", "--path"], capture_output=True, text=True, check=False)
PYTHON = _PATH.stdout.strip() or None
SKIP = _PATH.stderr.strip()


def skip_without_python():
    """Ends a suite that has nothing to run with, in a way that tests/suite understands."""
    if not PYTHON:
        print(f"SKIP {SKIP}")
        sys.exit(0)


class Wandb:
    def __init__(self, *options):
        self.options = options
        self.folder = tempfile.mkdtemp(prefix="fake-")

    def __enter__(self):
        words = [PYTHON, "-B", f"{HERE}/wandb", "--folder", self.folder, *self.options]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        said = self.process.stdout.readline()
        if not said:
            raise RuntimeError(f"the fake server ended with status {self.process.wait()}")
        said = json.loads(said)
        self.url, self.store, self.entity, self.key = (said[k] for k in ("url", "store", "entity", "key"))
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        for pid in self.left_running():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- what it is asked

    def control(self, method, what, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_fake/{what}", data, {"Content-Type": "application/json"},
                                         method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def state(self):
        return self.control("GET", "state")

    def run(self, project, name):
        return self.state()["runs"][f"{self.entity}/{project}/{name}"]

    def artifact(self, project, name):
        return self.state()["artifacts"][f"{self.entity}/{project}/{name}"]

    def errors(self):
        return self.control("GET", "errors")

    def requests(self):
        """All but those of the control endpoint."""
        return [r for r in self.control("GET", "requests") if r["at"] != "control"]

    def misbehave(self, *rules):
        self.control("POST", "faults", list(rules))

    def struck(self):
        return [rule["struck"] for rule in self.control("GET", "faults")]

    # ---- who is to speak with it

    def environment(self):
        """For a client: this server, a home of its own, and no way to anywhere else."""
        home = f"{self.folder}/home"
        os.makedirs(home, exist_ok=True)
        nowhere = "http://127.0.0.1:9"
        return {"PATH": os.environ["PATH"], "HOME": home, "LANG": "C.UTF-8", "TMPDIR": self.folder,
                "WANDB_BASE_URL": self.url, "WANDB_API_KEY": self.key, "WANDB_DIR": home,
                "WANDB_ERROR_REPORTING": "false", "WANDB_CONSOLE": "wrap", "PYTHONDONTWRITEBYTECODE": "1",
                "HTTP_PROXY": nowhere, "HTTPS_PROXY": nowhere, "NO_PROXY": "127.0.0.1"}

    def left_running(self, wait_s=5):
        """Processes that were started for us and do not end, in a while."""
        return [pid for pid in self.started() if not ends(pid, wait_s)]

    def started(self):
        """Those that have our folder in their environment."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    if f"TMPDIR={self.folder}\0".encode() in file.read():
                        found.append(int(pid))
            except OSError:
                pass
        return found


def ends(pid, wait_s):
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ended = select.select([handle], [], [], wait_s)[0]
    os.close(handle)
    return bool(ended)
