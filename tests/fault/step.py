#!/usr/bin/env python3
"""step.py - strikes a workload at its k-th call, recovers, and checks what is left.

Usage:
    step.py --points N [--workload W]... [--mode M]... [--seed S] [--jobs J]
    step.py --workload W --mode M --k K [--then J] [--keep]

A point is a workload, a mode (step.c) and k. libstep.so strikes at the k-th call
of the workload; with --then, `artel sync` is killed at its own J-th call too. Then
`artel sync` must deliver everything, and the stores must hold what was acknowledged
(box.py). ARTEL_BIN has the binaries. A point that fails prints the command that
repeats it.
"""
import argparse
import json
import os
import random
import struct
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from box import ARTEL, BIN, Box, Broken, Program, work

KILLS = ("before", "half", "after")
FAILURES = ("fail:EIO", "fail:EINTR", "short")
LASTING = ("stuck:EIO", "stuck:ENOSPC", "stuck-sync:EIO", "full")
ERRNO = {"EIO": 5, "EINTR": 4, "ENOSPC": 28}
SYNCS = "fdatasync,fsync"
INTERRUPTED = "write,pwrite,pwrite64,pwritev,pwritev64,writev,open,openat,open64,openat64,fallocate"
DEEPEST = 40            # calls of `artel sync` that --points strikes


def row_of_log(i):
    return {"count": i, "text": f"row {i}"}


def log_command(_):
    rows = "".join(json.dumps(row_of_log(i)) + "\n" for i in range(40))
    return [Program([ARTEL, "log", "--json", "--timeout", "2", "--run", "run-1"], "run-1", 40, row_of_log, rows)]


def put_commands(box):
    """Two versions of a folder of small files and a large one."""
    programs = []
    for n in range(2):
        folder = f"{box.dir}/in{n}"
        os.makedirs(f"{folder}/sub")
        for i in range(4):
            with open(f"{folder}/sub/{i}", "w", encoding="ascii") as file:
                file.write(f"file {i} of {n}\n" * (i * 100))
        with open(f"{folder}/large", "wb") as file:
            file.write(b"version %d" % n)
            file.truncate(2 << 20)
        programs.append(Program([ARTEL, "artifact", "put", "model", folder, "--timeout", "2", "--json"]))
    return programs


#   What makes the programs, and whether there are two stores.
WORKLOADS = {
    "run": (lambda _: [work("run-1", 60, 10, 3)], False),
    "durable": (lambda _: [work("run-1", 40, 10, 0, level=2)], False),
    "log": (log_command, False),
    "put": (put_commands, False),
    "both": (lambda _: [work("run-1", 60, 10, 3)], True),
}


class Shim:
    """The environment of a program under libstep.so, and what it left."""

    def __init__(self, box, mode, k):
        self.path = f"{box.dir}/step"
        with open(self.path, "wb") as file:
            file.write(bytes(512))
        kind, _, errno = mode.partition(":")
        calls = SYNCS if kind == "stuck-sync" else INTERRUPTED if errno == "EINTR" else ""
        self.env = {"LD_PRELOAD": f"{BIN}/libstep.so", "STEP_ROOT": f"{box.dir}/", "STEP_FILE": self.path,
                    "STEP_MODE": kind.partition("-")[0], "STEP_K": str(k), "STEP_CALLS": calls,
                    "STEP_ERRNO": str(ERRNO.get(errno, 5))}

    def left(self):
        """How many calls counted, and which one was struck."""
        with open(self.path, "rb") as file:
            data = file.read()
        return struct.unpack("Q", data[:8])[0], data[8:].split(b"\0")[0].decode(errors="replace")


def perform(box, programs, shim):
    """Run the programs one after the other, until one is killed."""
    for program in programs:
        box.perform(program, shim.env)
        if program.killed:
            return


def measure(name):
    """Run a workload undisturbed: how many calls it makes, and the manifests it commits."""
    make, copies = WORKLOADS[name]
    box = Box(copies)
    try:
        programs, shim = make(box), Shim(box, "count", 0)
        perform(box, programs, shim)
        for program in programs:
            if program.acked != program.rows or program.errors:
                raise Broken(f"undisturbed, {name} has {program.acked} rows acknowledged: {program.errors}")
        digests = {digest for program in programs for _, digest in program.committed}
        box.sync()
        box.check(programs, digests)
        return shim.left()[0], digests
    finally:
        box.remove()


def strike(point, digests, keep=False):
    """Returns the call that was struck, and None or why the point fails."""
    name, mode, k, then = point
    make, copies = WORKLOADS[name]
    box, what = Box(copies), ""
    try:
        programs, shim = make(box), Shim(box, mode, k)
        perform(box, programs, shim)
        what = shim.left()[1]
        if then:
            box.run([ARTEL, "sync", "--timeout", "10"], Shim(box, "before" if then % 2 else "after", then).env)
        box.sync()
        box.check(programs, digests)
        return what, None
    except Broken as broken:
        return what, str(broken)
    finally:
        if keep:
            print(f"left in {box.dir}", file=sys.stderr)
        else:
            box.remove()


def choose(args, calls):
    """A choice of all points, even within each kind, in random order. Half are kills, a quarter
    kills of the recovery too; of failures that stay, which keep programs waiting, there are few."""
    random.seed(args.seed)

    def pick(modes, share, thens):
        modes = [mode for mode in modes if mode in (args.mode or modes)]
        every = [(name, mode, k, then) for name in calls for mode in modes
                 for k in range(1, calls[name] + 1) for then in thens]
        return random.sample(every, min(len(every), args.points if args.mode else args.points * share // 100))

    chosen = pick(KILLS, 50, [0]) + pick(FAILURES, 20, [0]) + pick(LASTING, 5, [0])
    if not args.mode:
        chosen += pick(["half"], 25, range(1, DEEPEST + 1))
    random.shuffle(chosen)
    return chosen


def repeat(point):
    name, mode, k, then = point
    return (f"ARTEL_BIN={BIN} tests/fault/step.py --workload {name} --mode {mode} --k {k}"
            + (f" --then {then}" if then else ""))


def run_all(args):
    start = time.monotonic()
    measured = {name: measure(name) for name in args.workload or WORKLOADS}
    points = choose(args, {name: calls for name, (calls, _) in measured.items()})
    seen, bad = {}, set()
    with ThreadPoolExecutor(args.jobs) as pool:
        results = pool.map(lambda point: strike(point, measured[point[0]][1]), points)
        for point, (what, why) in zip(points, results):
            group = f"{point[0]} {point[1]}" + (" and sync" if point[3] else "")
            seen[group] = seen.get(group, 0) + 1
            if why:
                bad.add(group)
                print(f"FAIL step {group} at {point[2]} ({what}): {why}\n     repeat: {repeat(point)}", flush=True)
    for group, n in sorted(seen.items()):
        if group not in bad:
            print(f"PASS step {group}: {n} points")
    took = time.monotonic() - start
    print(f"seed {args.seed}, {len(points)} points in {took:.0f} s, {len(points) / took:.0f} a second")
    return bool(bad)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--workload", action="append", choices=WORKLOADS)
    parser.add_argument("--mode", action="append", choices=KILLS + FAILURES + LASTING)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2 * os.cpu_count())
    parser.add_argument("--k", type=int)
    parser.add_argument("--then", type=int, default=0)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    if not args.k:
        return run_all(args)
    _, digests = measure(args.workload[0])
    what, why = strike((args.workload[0], args.mode[0], args.k, args.then), digests, args.keep)
    print(f"FAIL {what}: {why}" if why else f"PASS {what}")
    return bool(why)


if __name__ == "__main__":
    sys.exit(main())
