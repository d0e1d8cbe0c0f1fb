#!/usr/bin/env python3
"""multiprocessing_fork.py - Python's multiprocessing over fork, by ctypes, linked and through a service.

Usage: multiprocessing_fork.py [ROUNDS]

A program owns a run and logs in it from a thread, so that it is forked in the middle of calls. Its
children find its handles closed to them, and join the run with clients of their own. Half of them
leave without a close, as multiprocessing does (os._exit): what they had accepted is delivered all
the same, and their ranks are known to have crashed.
"""
import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback

if os.environ.get("ARTEL_CFLAGS"):
    print("SKIP multiprocessing: a sanitizer's library cannot be loaded into Python")
    sys.exit(0)

import artel  # which loads the library

WORLD, ROWS = 6, 200
CRASH_S = 15            # a service finds who died within 10 s
BIN = os.environ.get("ARTEL_BIN", "build/test/bin")
fork = multiprocessing.get_context("fork")


class Place:
    """A state directory, and a service over it if it is to be that way."""

    def __init__(self, served):
        self.dir = tempfile.mkdtemp(prefix="artel-python-")
        os.environ.update(ARTEL_DIR=f"{self.dir}/state", XDG_RUNTIME_DIR=self.dir)
        self.service = None
        if served:
            self.service = subprocess.Popen([f"{BIN}/arteld", "--no-restart"], stderr=subprocess.PIPE, text=True)
            if "serving" not in (line := self.service.stderr.readline()):
                raise AssertionError(f"no service: {line}")

    def query(self, sql):
        with sqlite3.connect(f"file:{self.dir}/state/catalogue.db?mode=ro", uri=True, timeout=10) as db:
            return db.execute(sql).fetchall()

    def done(self):
        if self.service:
            self.service.terminate()
            self.service.communicate(timeout=20)
        shutil.rmtree(self.dir, ignore_errors=True)


def expect(found, wanted, what):
    if found != wanted:
        raise AssertionError(f"{what}: {found}, not {wanted}")


def open_fds():
    """What a program that is executed now has open, if Python does not close it."""
    listing = "import os; print([f for f in os.listdir('/proc/self/fd') if int(f) > 2 and os.path.exists('/proc/self/fd/' + f)])"
    return subprocess.run([sys.executable, "-c", listing], close_fds=False, capture_output=True, check=True).stdout


def work(parents_run, rank):
    """The child: its parent's handle says what it is, and a client of its own works."""
    expect(parents_run.try_log(0, 0), artel.EFORKED, "the parent's run")
    client = artel.Client()
    run = client.join("r", rank, WORLD)
    for step in range(ROWS):
        run.log(step, 1000 * rank + step)
    run.log_bytes(f"of-rank-{rank}", bytes([rank]) * 5000)
    if rank % 2:
        run.flush(artel.ACCEPTED)               # and gone, without a word
    else:
        run.finish()
        client.close()


def in_child(parents_run, rank):
    try:
        work(parents_run, rank)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


class Logging(threading.Thread):
    """The parent's own rows, as fast as they go."""

    def __init__(self, run):
        super().__init__()
        self.run_handle, self.rows, self.stop, self.error = run, 0, False, None

    def run(self):
        try:
            while not self.stop:
                self.run_handle.log(self.rows, self.rows)
                self.rows += 1
                if self.rows % 500 == 0:
                    self.run_handle.flush(artel.ACCEPTED)
        except artel.Failed as failed:
            self.error = failed


def await_crashes(place):
    """Of a linked program nobody looks before the sync; a service looks by itself."""
    end = time.monotonic() + CRASH_S
    crashed = "SELECT count(*) FROM writers WHERE crashed AND rank % 2 = 1"
    while place.query(crashed) != [(WORLD // 2,)] and time.monotonic() < end:
        time.sleep(0.05)
    expect(place.query(crashed), [(WORLD // 2,)], "ranks that crashed")


def run_family(run):
    """Returns how many rows the parent logged meanwhile."""
    logging = Logging(run)
    logging.start()
    children = [fork.Process(target=in_child, args=(run, rank)) for rank in range(WORLD)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    logging.stop = True
    logging.join()
    expect([child.exitcode for child in children], [0] * WORLD, "the children's exit codes")
    expect(logging.error, None, "the parent")
    return logging.rows


def round_of(place):
    before = open_fds()
    client = artel.Client()
    run = client.start("r")
    run.log_bytes("of-the-parent", b"x")
    expect(open_fds(), before, "descriptors open in a program that is executed")
    rows = run_family(run)
    if not place.service:
        expect(client.sync(), WORLD // 2, "journals that were left")
    run.flush(artel.DELIVERED)
    await_crashes(place)
    run.finish()
    client.close()
    ranks = "SELECT rank, count(*), min(value), max(value) FROM history WHERE rank IS NOT NULL GROUP BY rank"
    expect(place.query(ranks), [(i, ROWS, 1000.0 * i, 1000.0 * i + ROWS - 1) for i in range(WORLD)], "the children's rows")
    expect(place.query("SELECT count(*), count(DISTINCT step) FROM history WHERE rank IS NULL"), [(rows, rows)],
           "the parent's rows")
    expect(place.query("SELECT count(*) FROM artifact_versions"), [(WORLD + 1,)], "artifacts")
    expect(place.query("SELECT state FROM runs"), [("crashed",)], "the run")
    return f"{rows} rows of the parent meanwhile"


def report(name, served):
    place = Place(served)
    try:
        print(f"PASS {name}: {round_of(place)}", flush=True)
    except (AssertionError, artel.Failed) as failed:
        print(f"FAIL {name}: {failed}", flush=True)
    finally:
        place.done()


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    for i in range(rounds):
        report(f"children of multiprocessing log into their parent's run, linked, round {i + 1}", False)
    report("children of multiprocessing log into their parent's run, through a service", True)


if __name__ == "__main__":
    main()
