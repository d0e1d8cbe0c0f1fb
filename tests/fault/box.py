"""box.py - a state directory, programs over it, and the oracle of what they were promised.

What a program had printed when it ended is what artel acknowledged to it. A box
checks, from outside and with SQLite's own eyes, that the stores hold that: each row
once and in order, each artifact whole or not at all, nothing that was not sent.
"""
import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import time

BIN = os.environ.get("ARTEL_BIN", "build/test/bin")
ARTEL = f"{BIN}/artel"
PROGRAM_S = 40          # a program waits 2 s for each thing that does not come
SYNC_S = 2              # a restart takes no longer,
IDLE_SYNCS = 25         # or on a busy machine no longer than so many syncs of nothing


class Broken(Exception):
    """An invariant that does not hold, by its name (docs/testing.md lists them), and how."""

    def __init__(self, invariant, text):
        super().__init__(f"{invariant}: {text}")


class Program:
    """A program to run, what it submits, and what was acknowledged to it."""

    def __init__(self, command, run=None, rows=0, row_of=None, data=None, durable=False):
        """durable: rows are only acknowledged when they are that."""
        self.command, self.run, self.rows, self.row_of, self.data = command, run, rows, row_of, data
        self.acked, self.committed, self.slowest_ms = 0, [], 0
        self.durable, self.closed, self.killed, self.cut_off = durable, False, False, False
        self.errors = []

    def note(self, text):
        """Learn what was acknowledged; a last line without its end was not."""
        for line in text.split("\n")[:-1]:
            if match := re.match(r'acked (\d+)|\{"accepted": ?(\d+)\}', line):
                self.acked = int(match[1] or match[2])
            elif match := re.match(r"committed (\d+) (\w+)", line):
                self.committed.append((int(match[1]), match[2]))
            elif match := re.match(r"slowest (\d+)", line):
                self.slowest_ms = int(match[1])
            elif line.startswith("error"):
                self.errors.append(line)
            elif line == "closed ARTEL_OK":
                self.closed = True
            elif line.startswith("{") and (put := json.loads(line)).get("state") == "committed":
                self.committed.append((int(put["version"][1:]), put["digest"]))

    def has_logged_all(self):
        """A flush that failed is tried again; work.c ends early after three failures."""
        return len(self.errors) < 3 and all(line.startswith("error flush ") for line in self.errors)

    def promised(self):
        """How many rows must be there; a power cut may take what was only accepted."""
        if self.closed and self.has_logged_all():
            return self.rows
        return self.acked if self.durable or not self.cut_off else 0

    def check_rows(self, store, found):
        """found: the (step, {key: value}) of the run in this store, in the order of its rows."""
        steps = [step for step, _ in found]
        if missing := sorted(set(range(self.promised())) - set(steps)):
            raise Broken("kept", f"{store}: {self.run} lacks rows {missing[:5]} of {self.promised()} acknowledged")
        if any(b <= a for a, b in zip(steps, steps[1:])):
            raise Broken("once", f"{store}: {self.run} has rows twice or out of order: {steps}")
        if self.has_logged_all() and steps != list(range(len(steps))):
            raise Broken("order", f"{store}: {self.run} lacks a row before later ones: {steps}")
        for step, row in found:
            if step >= self.rows or row != self.row_of(step):
                raise Broken("true", f"{store}: row {step} of {self.run} was never logged so: {row}")


def row_of_work(i):
    return {"number": i * 0.5, "count": i, "text": f"row {i}"}


def work(run, rows, chunk, artifacts, level=1):
    """The program work.c."""
    command = [f"{BIN}/work", run, str(rows), str(chunk), str(artifacts), str(level)]
    return Program(command, run, rows, row_of_work, durable=level >= 2)


def report(points, results, group_of, repeat, seed):
    """Prints what became of the points, as they come: a line a group, and a failure with what repeats it."""
    start, seen, bad = time.monotonic(), {}, set()
    for point, (what, why) in zip(points, results):
        group = group_of(point)
        seen[group] = seen.get(group, 0) + 1
        if why:
            bad.add(group)
            print(f"FAIL step {group} at {point[2]} ({what}): {why}\n     repeat: {repeat(point)}", flush=True)
    for group, n in sorted(seen.items()):
        if group not in bad:
            print(f"PASS step {group}: {n} points")
    took = time.monotonic() - start
    print(f"seed {seed}, {len(points)} points in {took:.0f} s, {len(points) / took:.0f} a second")
    return bool(bad)


class Box:
    def __init__(self, copies=False, parent="/dev/shm"):
        self.dir = tempfile.mkdtemp(prefix="artel-box-", dir=parent)
        self.state, self.copy = f"{self.dir}/state", f"{self.dir}/copy"
        self.stores = [self.state, self.copy] if copies else [self.state]
        self.started = []
        self.env = dict(os.environ, ARTEL_DIR=self.state, XDG_RUNTIME_DIR=self.dir,
                        ASAN_OPTIONS="verify_asan_link_order=0:detect_leaks=0")
        if copies:
            self.env["ARTEL_SINKS"] = f"store,copy=store:{self.copy}"

    def start(self, command, extra=None, data=None):
        """data: for its stdin, given to it by finish()."""
        process = subprocess.Popen(command, env={**self.env, **(extra or {})}, text=True, close_fds=False,
                                   stdin=subprocess.PIPE if data else subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.data = data
        self.started.append(process)
        return process

    @staticmethod
    def feed(process):
        """Give it its stdin now, no more than a pipe holds."""
        if process.data:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(process.data)
                process.stdin.close()
        process.stdin = process.data = None

    @staticmethod
    def finish(process, limit=PROGRAM_S):
        """Returns (code, stdout, stderr) of what start() gave; dying of anything but SIGKILL is broken."""
        name = " ".join(process.args[:3])
        try:
            out, err = process.communicate(process.data, timeout=limit)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise Broken("ends", f"{name} hung for {limit} s: {out[-300:]}{err[-300:]}") from None
        if process.returncode < 0 and process.returncode != -9:
            raise Broken("lives", f"{name} died of signal {-process.returncode}: {err[-500:]}")
        if "Sanitizer" in err or "runtime error" in err:
            raise Broken("lives", f"a sanitizer spoke: {err[:2000]}")
        return process.returncode, out, err

    def run(self, command, extra=None, data=None, limit=PROGRAM_S):
        return self.finish(self.start(command, extra, data), limit)

    def perform(self, program, extra=None):
        code, out, _ = self.run(program.command, extra, program.data)
        program.note(out)
        program.killed = code == -9

    def exit_code(self):
        """Of a command that finds all well: there is no state directory if a program was struck before it made one."""
        return 0 if os.path.isdir(self.state) else 4

    def timed_sync(self):
        start = time.monotonic()
        wanted = self.exit_code()
        code, out, err = self.run([ARTEL, "sync", "--timeout", "10"])
        if code != wanted:
            raise Broken("syncs", f"artel sync exits {code}: {out}{err}")
        return time.monotonic() - start

    def sync(self, limit=SYNC_S):
        took = self.timed_sync()
        if took > limit and took > IDLE_SYNCS * (idle := self.timed_sync()):
            raise Broken("soon", f"artel sync took {took:.1f} s, and {idle:.2f} s without anything to do")

    def check(self, programs, digests=None):
        """digests: the manifests that may be there, if they are known."""
        for store in self.stores:
            self.check_runs(store, programs)
            self.check_artifacts(store, programs, digests)
            for table in "refused", "lost":
                if found := self.query(store, f"SELECT * FROM {table}"):
                    raise Broken("taken", f"{store}: what was logged is {table}: {found}")
        code, out, err = self.run([ARTEL, "artifact", "verify"])
        if code != self.exit_code():
            raise Broken("whole", f"artel artifact verify exits {code}: {out}{err}")
        if left := os.listdir(f"{self.state}/pending") if os.path.isdir(f"{self.state}/pending") else []:
            raise Broken("over", f"still pending: {left}")

    @staticmethod
    def query(store, sql, *args):
        """What the catalogue has. A store that nobody ever delivered to has none, or one without tables."""
        if not os.path.exists(f"{store}/catalogue.db"):
            return []
        try:
            #   For writing: what a power cut left in the log is there once somebody has read it in.
            with contextlib.closing(sqlite3.connect(f"file:{store}/catalogue.db?mode=rw", uri=True, timeout=10)) as db:
                made = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
                return db.execute(sql, args).fetchall() if made else []
        except sqlite3.Error as error:
            raise Broken("whole", f"{store}/catalogue.db: {error}") from None

    def check_runs(self, store, programs):
        for program in programs:
            if not program.run:
                continue
            rows = {}
            for row, step, key, value in self.query(
                    store, "SELECT row, step, key, value FROM history WHERE run = ? ORDER BY row", program.run):
                rows.setdefault(row, (step, {}))[1][key] = value
            program.check_rows(store, list(rows.values()))
            if self.query(store, "SELECT 1 FROM runs WHERE run = ? AND state = 'running'", program.run):
                raise Broken("over", f"{store}: {program.run} is running for ever")

    def check_artifacts(self, store, programs, digests):
        found = dict(self.query(store, "SELECT version, digest FROM artifact_versions"))
        if sorted(found) != list(range(len(found))):
            raise Broken("dense", f"{store}: versions are not dense: {sorted(found)}")
        if digests is not None and (len(set(found.values())) != len(found)
                                    or not set(found.values()) <= digests):
            raise Broken("true", f"{store}: versions that nobody sent: {found}")
        if store != self.state:                 # an acknowledgement is the primary's
            return
        for version, digest in (c for program in programs for c in program.committed):
            if found.get(version) != digest:
                raise Broken("kept", f"v{version} was committed as {digest}, and is {found.get(version)}")

    def remove(self):
        """Also what still runs, of a case that has failed."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def case(name, function, *args):
    """Print how a case went; whether it failed."""
    try:
        print(f"PASS {name}: {function(*args)}", flush=True)
        return False
    except Broken as broken:
        print(f"FAIL {name}: {broken}", flush=True)
        return True
