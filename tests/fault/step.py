#!/usr/bin/env python3
"""step.py - strikes a workload at its k-th call, recovers, and checks what is left.

Usage:
    step.py --points N [--workload W]... [--mode M]... [--calls C,...] [--seed S] [--jobs J]
    step.py --workload W --mode M --k K [--then J] [--calls C,...] [--keep]

A point is a workload, a mode (step.c) and k. libstep.so strikes at the k-th call
of the workload (with --calls: of these); with --then, `artel sync` is killed at its own
J-th call too. In the modes that end in -power only what was synced is left then (power.py);
in the mode stop `artel sync` runs beside the stopped program. Then `artel sync` must deliver
everything, and the stores must hold what was acknowledged (box.py). ARTEL_BIN has the
binaries. A point that fails prints the command that repeats it.
"""
import argparse
import json
import os
import random
import signal
import struct
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from box import ARTEL, BIN, PROGRAM_S, Box, Broken, Program, report, work
from power import Power

KILLS = ("before", "half", "after", "hold")
POWER = ("before-power", "hold-power")
STOP = ("stop",)
FAILURES = ("fail:EIO", "fail:EINTR", "short")
LASTING = ("stuck:EIO", "stuck:ENOSPC", "stuck-sync:EIO", "full")
ERRNO = {"EIO": 5, "EINTR": 4, "ENOSPC": 28}
SYNCS = "fdatasync,fsync"
INTERRUPTED = "write,pwrite,pwritev,writev,open,openat,fallocate"
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
    "rows": (lambda _: [work("run-1", 60, 10, 0)], False),
    "durable": (lambda _: [work("run-1", 40, 10, 1, level=2)], False),
    "log": (log_command, False),
    "put": (put_commands, False),
    "both": (lambda _: [work("run-1", 60, 10, 3)], True),
}


class Shim:
    """The environment of a program under libstep.so, and what it left."""

    def __init__(self, box, mode, k, calls="", power=None):
        self.path = f"{box.dir}/step"
        with open(self.path, "wb") as file:
            file.write(bytes(512))
        kind, _, errno = mode.partition(":")
        calls = SYNCS if kind == "stuck-sync" else INTERRUPTED if errno == "EINTR" else calls
        self.env = {"LD_PRELOAD": f"{BIN}/libstep.so", "STEP_ROOT": f"{box.dir}/", "STEP_FILE": self.path,
                    "STEP_MODE": kind.partition("-")[0], "STEP_K": str(k), "STEP_CALLS": calls,
                    "STEP_ERRNO": str(ERRNO.get(errno, 5)), **(power.env if power else {})}

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


def perform_beside_sync(box, programs, shim):
    """Run the programs; where one stops, `artel sync` runs before it goes on."""
    for program in programs:
        process = box.start(program.command, shim.env, program.data)
        box.feed(process)
        hung = threading.Timer(PROGRAM_S, process.kill)
        hung.start()
        if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WSTOPPED | os.WNOWAIT).si_code == os.CLD_STOPPED:
            box.run([ARTEL, "sync", "--timeout", "1"])
            process.send_signal(signal.SIGCONT)
        code, out, _ = box.finish(process)
        hung.cancel()
        if code == -9:
            raise Broken("ends", f"{program.command[:3]} hung before its call")
        program.note(out)


def measure(name, calls):
    """Run a workload undisturbed: how many calls it makes, and the manifests it commits."""
    make, copies = WORKLOADS[name]
    box = Box(copies)
    try:
        programs, shim = make(box), Shim(box, "count", 0, calls)
        perform(box, programs, shim)
        for program in programs:
            if program.acked != program.rows or program.errors:
                raise Broken("alone", f"{program.acked} rows are acknowledged: {program.errors}")
        digests = {digest for program in programs for _, digest in program.committed}
        box.sync()
        box.check(programs, digests)
        if not shim.left()[0]:
            raise Broken("alone", f"it makes none of the calls {calls}")
        return shim.left()[0], digests
    finally:
        box.remove()


def cut_power(power, programs):
    power.cut()
    for program in programs:
        program.cut_off = True


def recover(box, then, power):
    """Kill a sync at its call `then`."""
    shim = Shim(box, "before" if then % 2 else "after", then, power=power)
    box.run([ARTEL, "sync", "--timeout", "10"], shim.env)
    if power:
        power.cut()


def strike(point, calls, digests, keep=False):
    """Returns the call that was struck, and None or why the point fails."""
    name, mode, k, then = point
    make, copies = WORKLOADS[name]
    box, power, what = Box(copies), None, ""
    try:
        programs = make(box)
        power = Power(box.dir) if mode in POWER else None
        shim = Shim(box, mode, k, calls, power)
        (perform_beside_sync if mode in STOP else perform)(box, programs, shim)
        what = shim.left()[1]
        if power:
            cut_power(power, programs)
        if then:
            recover(box, then, power)
        box.sync()
        box.check(programs, digests)
        return what, None
    except Broken as broken:
        return what, str(broken)
    finally:
        if power:
            power.remove()
        if keep:
            print(f"left in {box.dir}", file=sys.stderr)
        else:
            box.remove()


#   Of each kind of point: its modes, whether the recovery is struck, too, and its share in percent.
#   Of failures that stay, which keep programs waiting, there are few.
KINDS = ((KILLS, [0], 30), (POWER, [0], 20), (STOP, [0], 5), (FAILURES, [0], 15), (LASTING, [0], 5),
         (("half", "before-power"), range(1, DEEPEST + 1), 25))


def choose(args, calls):
    """A choice of all points, even within each kind, in random order."""
    random.seed(args.seed)

    def pick(modes, thens, points):
        every = [(name, mode, k, then) for name in calls for mode in modes
                 for k in range(1, calls[name] + 1) for then in thens]
        return random.sample(every, min(len(every), points))

    if args.mode:
        return pick(args.mode, [0], args.points)
    chosen = [point for modes, thens, share in KINDS for point in pick(modes, thens, args.points * share // 100)]
    random.shuffle(chosen)
    return chosen


def repeat(point, calls):
    name, mode, k, then = point
    return (f"ARTEL_BIN={BIN} tests/fault/step.py --workload {name} --mode {mode} --k {k}"
            + (f" --then {then}" if then else "") + (f" --calls {calls}" if calls else ""))


def measure_all(args):
    """What measure() says of each workload, and whether one fails left alone."""
    measured, bad = {}, False
    for name in args.workload or WORKLOADS:
        try:
            measured[name] = measure(name, args.calls)
        except Broken as broken:
            print(f"FAIL step {name} left alone: {broken}", flush=True)
            bad = True
    return measured, bad


def run_all(args):
    measured, is_bad = measure_all(args)
    points = choose(args, {name: calls for name, (calls, _) in measured.items()})
    with ThreadPoolExecutor(args.jobs) as pool:
        results = pool.map(lambda point: strike(point, args.calls, measured[point[0]][1]), points)
        return report(points, results, lambda point: f"{point[0]} {point[1]}" + (" and sync" if point[3] else ""),
                      lambda point: repeat(point, args.calls), args.seed) or is_bad


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--workload", action="append", choices=WORKLOADS)
    parser.add_argument("--mode", action="append", choices=KILLS + POWER + STOP + FAILURES + LASTING)
    parser.add_argument("--calls", default="")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2 * os.cpu_count())
    parser.add_argument("--k", type=int)
    parser.add_argument("--then", type=int, default=0)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    if not args.k:
        return run_all(args)
    _, digests = measure(args.workload[0], args.calls)
    what, why = strike((args.workload[0], args.mode[0], args.k, args.then), args.calls, digests, args.keep)
    print(f"FAIL {what}: {why}" if why else f"PASS {what}")
    return bool(why)


if __name__ == "__main__":
    sys.exit(main())
