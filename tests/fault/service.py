#!/usr/bin/env python3
"""service.py - strikes a service, or a program that logs through one, and checks what is left.

Usage:
    service.py --points N [--workload W]... [--mode M]... [--seed S] [--jobs J]
    service.py --workload W --mode M --k K [--then J] [--keep]

A point is a workload, a mode (step.c) and k. Of the workload "service" arteld is
struck at its k-th call while two programs log through it, and is started again at
once; with --then the second one is killed at its own J-th call too. Of "client" it is
the program. Nothing that was acknowledged may be lost or be there twice; programs that
were not struck see no error but what the struck service told them; every wait ends in
time, and the next service answers within 2 s.
"""
import argparse
import os
import random
import signal
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from box import ARTEL, BIN, Box, Broken, report, work
from step import KILLS, LASTING, Shim

RESTART_S = 2
PROGRAMS_S = 40
FAILURES = ("fail:EIO", "fail:EINTR", "short")


def programs():
    return [work("run-1", 60, 10, 3), work("run-2", 60, 10, 0, level=2)]


class Service:
    """arteld over a box."""

    def __init__(self, box, env=None):
        self.box, self.started = box, time.monotonic()
        self.process = box.start([f"{BIN}/arteld", "--no-restart", "--drain", "5"], env)

    def answers(self):
        folder = f"{self.box.dir}/artel"
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(f"{folder}/{name}") == 0:
                    return True
        return False

    def is_dead(self):
        return self.process.poll() is not None

    def await_answer(self):
        """Whether it answers; not if it died."""
        while not self.is_dead():
            if self.answers():
                return True
            if time.monotonic() - self.started > RESTART_S:
                raise Broken("soon", f"the service does not answer within {RESTART_S} s")
            time.sleep(0.005)
        return False

    def bury(self):
        """It died, and only of SIGKILL or with a sentence."""
        code, _, err = self.box.finish(self.process)
        if code not in (-9, 1):
            raise Broken("lives", f"arteld ended with {code}: {err[-500:]}")

    def stop(self):
        """The code it ends with at SIGTERM."""
        if not self.is_dead():
            self.process.send_signal(signal.SIGTERM)
        return self.box.finish(self.process, 10)[0]


def start_service(box, env=None):
    """A service that answers. One that is struck while it starts is followed by a sound one."""
    service = Service(box, env)
    if not service.await_answer():
        service.bury()
        service = Service(box)
        if not service.await_answer():
            service.bury()
            raise Broken("lives", "a service that nobody struck died")
    return service


def attend(box, service, processes, second):
    """Start the service again as often as it dies, until the programs are done."""
    end = time.monotonic() + PROGRAMS_S
    while any(process.poll() is None for process in processes) and time.monotonic() < end:
        if service.is_dead():
            service.bury()
            service = start_service(box, second)
            second = None
        time.sleep(0.002)
    return service


def play(box, first=None, second=None, client=None):
    """The programs' lives over a service; env of the first and the second service, and of the first program."""
    service = start_service(box, first)
    all_of_them = programs()
    processes = [box.start(program.command, client if i == 0 else None) for i, program in enumerate(all_of_them)]
    service = attend(box, service, processes, second)
    for program, process in zip(all_of_them, processes):
        code, out, _ = box.finish(process)
        program.note(out)
        program.killed = code == -9
    return service, all_of_them


def settle(box, service, all_of_them, lenient):
    """Whatever became of the struck service, a sound one delivers the rest."""
    if (code := service.stop()) not in (0, -9, 1):
        raise Broken("lives", f"the struck service ended with {code} at SIGTERM")
    service = start_service(box)
    box.sync()
    if (code := service.stop()) != 0:
        raise Broken("lives", f"a sound service ended with {code} at SIGTERM")
    for program in all_of_them:
        if not program.killed and not lenient and (program.errors or not program.closed):
            raise Broken("alone", f"{program.run} was not struck, and saw {program.errors}, closed: {program.closed}")
    box.check(all_of_them)


def measure(workload):
    box = Box()
    try:
        shim = Shim(box, "count", 0)
        struck = {"first": shim.env} if workload == "service" else {"client": shim.env}
        service, all_of_them = play(box, **struck)
        settle(box, service, all_of_them, False)
        return shim.left()[0]
    finally:
        box.remove()


def strike(point, keep=False):
    """Returns the call that was struck, and None or why the point fails."""
    workload, mode, k, then = point
    box, what = Box(), ""
    try:
        shim = Shim(box, mode, k)
        struck = {"first": shim.env} if workload == "service" else {"client": shim.env}
        if then:
            struck["second"] = Shim(box, "before" if then % 2 else "after", then).env
        service, all_of_them = play(box, **struck)
        what = shim.left()[1]
        settle(box, service, all_of_them, mode not in KILLS)
        return what, None
    except Broken as broken:
        return what, str(broken)
    finally:
        if keep:
            print(f"left in {box.dir}", file=sys.stderr)
        else:
            box.remove()


def choose(args, calls):
    """Kills of the service, kills of two services in a row, kills of a program, calls that fail."""
    random.seed(args.seed)

    def pick(workload, modes, share, thens):
        if workload not in calls:
            return []
        modes = [mode for mode in modes if mode in (args.mode or modes)]
        every = [(workload, mode, k, then) for mode in modes for k in range(1, calls[workload] + 1) for then in thens]
        return random.sample(every, min(len(every), args.points * share // 100))

    chosen = (pick("service", KILLS, 50, [0]) + pick("service", ["half"], 15, range(1, 60))
              + pick("client", KILLS, 20, [0]) + pick("service", FAILURES, 10, [0]) + pick("service", LASTING, 5, [0]))
    random.shuffle(chosen)
    return chosen


def repeat(point):
    workload, mode, k, then = point
    return (f"ARTEL_BIN={BIN} tests/fault/service.py --workload {workload} --mode {mode} --k {k}"
            + (f" --then {then}" if then else ""))


def run_all(args):
    points = choose(args, {workload: measure(workload) for workload in args.workload or ("service", "client")})
    with ThreadPoolExecutor(args.jobs) as pool:
        return report(points, pool.map(strike, points),
                      lambda point: f"{point[0]} {point[1]}" + (" twice" if point[3] else ""), repeat, args.seed)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--workload", action="append", choices=("service", "client"))
    parser.add_argument("--mode", action="append", choices=KILLS + FAILURES + LASTING)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--k", type=int)
    parser.add_argument("--then", type=int, default=0)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    if not args.k:
        return run_all(args)
    what, why = strike((args.workload[0], args.mode[0], args.k, args.then), args.keep)
    print(f"FAIL {what}: {why}" if why else f"PASS {what}")
    return bool(why)


if __name__ == "__main__":
    sys.exit(main())
