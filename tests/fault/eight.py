#!/usr/bin/env python3
"""eight.py - eight programs at once on one state directory, left alone and killed.

Usage: eight.py [ROUNDS [SEED]]

Each logs rows to a run of its own and versions of the same artifact. Left alone, all of
it is there and nobody waits long. In each round some of them are killed at random times,
while `artel sync` runs beside them; after the last sync the box is as its programs were told.
"""
import random
import sys
import threading
import time

from box import ARTEL, Box, Broken, work

PROGRAMS, ROWS, ARTIFACTS = 8, 1000, 25
LONGEST_MS = 5000       # of one wait: eight share the disk, the lock and perhaps one core


def start_all(box):
    programs = [work(f"run-{i}", ROWS, 40, ARTIFACTS) for i in range(PROGRAMS)]
    return programs, [box.start(program.command) for program in programs]


def finish_all(box, programs, processes):
    for program, process in zip(programs, processes):
        code, out, _ = box.finish(process, 60)
        program.note(out)
        program.killed = code == -9


def left_alone():
    box = Box()
    try:
        programs, processes = start_all(box)
        finish_all(box, programs, processes)
        for program in programs:
            if program.errors or not program.closed or len(program.committed) != ARTIFACTS:
                raise Broken("alone", f"{program.run}: closed {program.closed}, {program.errors}")
        box.check(programs, {digest for program in programs for _, digest in program.committed})
        if len(box.query(box.state, "SELECT version FROM versions")) != PROGRAMS * ARTIFACTS:
            raise Broken("alone", "some versions are missing")
        slowest = max(program.slowest_ms for program in programs)
        if slowest > LONGEST_MS:
            raise Broken("soon", f"somebody waited {slowest} ms")
        return f"the longest wait took {slowest} ms"
    finally:
        box.remove()


def kill_some(processes, lasts_s):
    for process in random.sample(processes, PROGRAMS // 2):
        delay = random.uniform(0, lasts_s)
        threading.Timer(delay, process.kill).start()


def killed(lasts_s):
    box = Box()
    try:
        programs, processes = start_all(box)
        kill_some(processes, lasts_s)
        while any(process.poll() is None for process in processes):
            box.run([ARTEL, "sync"])
            time.sleep(0.05)
        finish_all(box, programs, processes)
        box.sync()
        box.check(programs)
        return f"{sum(program.killed for program in programs)} died"
    finally:
        box.remove()


def report(name, function, *args):
    try:
        print(f"PASS {name}: {function(*args)}", flush=True)
    except Broken as broken:
        print(f"FAIL {name}: {broken}", flush=True)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    random.seed(seed)
    start = time.monotonic()
    report("eight programs at once all get everything in", left_alone)
    lasts_s = time.monotonic() - start
    for i in range(rounds):
        report(f"eight programs, four of them killed (seed {seed}, round {i + 1})", killed, lasts_s)


main()
