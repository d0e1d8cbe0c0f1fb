#!/usr/bin/env python3
"""crashed.py - what dead programs left, and those that are only taken for dead.

Usage: crashed.py [ROUNDS [SEED]]

Programs are killed; a service and two `artel sync` that link a node of their own adopt what
they left, all at once. Each row is in each store once, each journal has one end, and no
batch is handed to a store by two of them (their traces tell). A program whose file in
clients/ was removed, and which was adopted while its service was away, is told so.
"""
import json
import os
import random
import signal
import sys
import time

from box import ARTEL, Box, Broken, case
from logger import WAIT_S, Logger
from service import start_service

PROGRAMS, ROWS = 6, 300
FOUND_S = 10            # a service has adopted what a linked program left


def rows_of(box, store, run):
    return box.query(store, "SELECT step, value FROM history WHERE run = ? AND key = 'v' ORDER BY row", run)


def await_true(what, test, limit_s=WAIT_S):
    end = time.monotonic() + limit_s
    while not test():
        if time.monotonic() > end:
            raise Broken("soon", f"{what}: not within {limit_s} s")
        time.sleep(0.01)


def is_state(box, run, state):
    return box.query(box.state, "SELECT state FROM runs WHERE run = ?", run) == [(state,)]


def stop(service):
    if (code := service.stop()) != 0:
        raise Broken("lives", f"the service ended with {code}")


#  Adopters.

def leave_journals(box):
    """Linked programs that are killed: some of what they sent is accepted, little of it delivered."""
    programs = [Logger(box, f"run-{i}") for i in range(PROGRAMS)]
    for program in programs:
        program.log(random.randrange(10, ROWS))
        program.await_accepted()
        program.log(random.randrange(0, 20))
    for program in programs:
        program.expect_end(-9, signal.SIGKILL)
    return programs


def trace_of(box, name):
    return {"ARTEL_TRACE": f"{box.dir}/{name}.trace"}


def count_deliveries(box, names):
    """How often a row of each run was handed to a store, by whom ever."""
    handed = {}
    for name in names:
        path = f"{box.dir}/{name}.trace"
        for line in open(path) if os.path.exists(path) else []:
            event = json.loads(line)
            if event["from"] == "sender" and event["name"] == "history":
                handed[event["run"]] = handed.get(event["run"], 0) + 1
    return handed


def check_left(box, programs, delivered):
    """delivered: what the programs had in each store when they died."""
    handed = count_deliveries(box, ("service", "sync-0", "sync-1"))
    for program in programs:
        for store in box.stores:
            program.check(rows_of(box, store, program.run))
            ends = box.query(store, "SELECT crashed, count(*) FROM writers w JOIN runs r ON r.id = w.run"
                             " WHERE r.run = ?", program.run)
            if ends != [(1, 1)]:
                raise Broken("once", f"{program} has the ends {ends}")
        wanted = sum(len(rows_of(box, store, program.run)) - delivered[store, program.run] for store in box.stores)
        if handed.get(program.run, 0) != wanted:
            raise Broken("once", f"{wanted} rows of run {program.run} were left, and {handed.get(program.run, 0)} delivered")


def adopted_at_once(box):
    """A service and two that link a node of their own, as they find no service in another runtime directory."""
    programs = leave_journals(box)
    delivered = {(store, p.run): len(rows_of(box, store, p.run)) for store in box.stores for p in programs}
    os.mkdir(f"{box.dir}/elsewhere", 0o700)
    syncs = [box.start([ARTEL, "sync"], {"XDG_RUNTIME_DIR": f"{box.dir}/elsewhere", **trace_of(box, f"sync-{i}")})
             for i in range(2)]
    service = start_service(box, trace_of(box, "service"))
    for sync in syncs:
        code, out, err = box.finish(sync)
        if code not in (0, 5):                  # 5: another one is at it
            raise Broken("lives", f"artel sync exits {code}: {out}{err}")
    await_true("all is delivered", lambda: not os.listdir(f"{box.state}/pending"))
    stop(service)
    check_left(box, programs, delivered)
    return f"{sum(p.acked for p in programs)} rows of {PROGRAMS} programs"


def adopted_in_time(box):
    """It finds by itself, and soon, what a linked program leaves while it runs."""
    os.mkdir(f"{box.dir}/elsewhere", 0o700)
    service = start_service(box)
    worst = 0
    for i in range(2):
        program = Logger(box, f"run-{i}", extra={"XDG_RUNTIME_DIR": f"{box.dir}/elsewhere"})
        program.log(50)
        program.await_accepted()
        program.expect_end(-9, signal.SIGKILL)
        start = time.monotonic()
        await_true("it is adopted", lambda: is_state(box, program.run, "crashed"), FOUND_S)
        worst = max(worst, time.monotonic() - start)
        program.check(rows_of(box, box.state, program.run))
    stop(service)
    return f"within {worst:.1f} s"


#  Taken for dead.

def kill(service):
    service.process.kill()
    service.process.wait()


def taken_for_dead(box):
    """Its service is away, its file gone: whoever syncs ends its journal, and it is told when it comes back."""
    service = start_service(box)
    program = Logger(box, "r")
    program.log(20)
    program.await_accepted()
    kill(service)
    for name in os.listdir(f"{box.state}/clients"):
        os.unlink(f"{box.state}/clients/{name}")
    program.log(20)
    box.sync()
    if not is_state(box, "r", "crashed"):
        raise Broken("state", "its journal was not ended")
    service = start_service(box)
    code, err = program.end()
    if code != 1 or "was taken for dead" not in err or "lost" not in err:
        raise Broken("said", f"it exits {code}, and says: {err}")
    if program.acked != 20:
        raise Broken("kept", f"{program.acked} rows were acknowledged, not 20")
    program.check(rows_of(box, box.state, "r"))
    if not is_state(box, "r", "crashed"):
        raise Broken("state", "the run did not stay crashed")
    again = Logger(box, "r", base=1000)         # it is made good by who resumes it
    again.log(1)
    again.expect_end(0)
    if not is_state(box, "r", "finished"):
        raise Broken("state", "a run that was resumed and finished has not finished")
    stop(service)
    return "told, and nothing of it came under another's number"


def comes_back(box):
    """As long as its file is there nobody ends its journal, however long its service is away."""
    service = start_service(box)
    program = Logger(box, "r")
    program.log(20)
    program.await_accepted()
    kill(service)
    program.log(20)
    for _ in range(3):
        box.run([ARTEL, "sync"])
    service = start_service(box)
    program.await_accepted()
    program.expect_end(0)
    if not is_state(box, "r", "finished"):
        raise Broken("state", "the run has not finished")
    program.check(rows_of(box, box.state, "r"))
    stop(service)
    return f"{program.acked} rows"


def resumed(box):
    """Linked, too: a run whose program died is crashed until somebody resumes it, and then as that one leaves it."""
    program = Logger(box, "r")
    program.log(20)
    program.await_accepted()
    program.expect_end(-9, signal.SIGKILL)
    box.sync()
    if not is_state(box, "r", "crashed"):
        raise Broken("state", "the run has not crashed")
    again = Logger(box, "r")
    again.log(1)
    again.await_accepted()
    await_true("the run is running", lambda: is_state(box, "r", "running"))
    again.expect_end(0)
    if not is_state(box, "r", "finished"):
        raise Broken("state", "the run has not finished")
    return "finished"


def in_box(function, copies=False):
    box = Box(copies)
    try:
        return function(box)
    finally:
        box.remove()


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    random.seed(seed)
    bad = [case(name, in_box, function) for name, function in (
        ("a service adopts what a linked program leaves within 10 s", adopted_in_time),
        ("a program that is taken for dead is told what is lost", taken_for_dead),
        ("a program that comes back goes on", comes_back),
        ("a crash is made good by who resumes the run", resumed))]
    bad += [case(f"of three adopters one delivers (seed {seed}, round {i + 1})", in_box, adopted_at_once, i % 2 > 0)
            for i in range(rounds)]
    return any(bad)


if __name__ == "__main__":
    sys.exit(main())
