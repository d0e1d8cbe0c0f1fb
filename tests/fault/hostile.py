#!/usr/bin/env python3
"""hostile.py - peers that keep to no rule, beside an honest program.

Usage: hostile.py [MESSAGES [SEED]]

For each kind of bad message (hostile.c): the service lives, the honest program's rows
are all accepted and delivered once, and its p99 is at most 5 times what it was without
bad company; whatever got into the journals is delivered or refused. Then a thousand silent
connections, and a service that runs out of descriptors, which libzmq ends: the next is
there within 2 s and nothing accepted is lost.
"""
import os
import resource
import signal
import socket
import subprocess
import sys
import time

from box import ARTEL, BIN, Box, Broken, case, work

KINDS = ("random", "messages", "damaged", "claims", "counters", "records", "large", "questions")
ROWS = 400
TIMES, FLOOR_US = 5, 2000       # of the quiet p99; below the floor the scheduler is what is measured
RESTART_S = 2


def find_socket(box, limit=5):
    """The path of the socket that answers."""
    folder, end = f"{box.dir}/artel", time.monotonic() + limit
    while time.monotonic() < end:
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(f"{folder}/{name}") == 0:
                    return f"{folder}/{name}"
        time.sleep(0.01)
    raise Broken("soon", f"no service answers within {limit} s")


class Place:
    """A box with a service that is started again by itself should it die."""

    def __init__(self, descriptors=None, env=None):
        self.box = Box()
        self.box.env["STEP_ROOT"] = f"{self.box.dir}/"

        def limit():
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        with open(f"{self.box.dir}/log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([f"{BIN}/arteld"], env={**self.box.env, **(env or {})},
                                            preexec_fn=limit, stderr=log)
        self.socket = find_socket(self.box)

    def said(self):
        with open(f"{self.box.dir}/log", encoding="utf-8") as log:
            return log.read()

    def honest(self, run):
        return self.box.start([f"{BIN}/honest", run, str(ROWS)])

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        if (code := self.process.wait(20)) != 0:
            raise Broken("lives", f"arteld exits {code}: {self.said()[-500:]}")

    def remove(self):
        self.process.kill()
        self.process.wait()
        self.box.remove()


def p99(box, process):
    code, out, err = box.finish(process)
    if code != 0:
        raise Broken("alone", f"the honest program saw {out}{err}")
    return int(out.split("p99 ")[1].split()[0])


def quiet_p99(place):
    """What it is in peace."""
    return min(p99(place.box, place.honest(f"quiet-{i}")) for i in range(2))


def judge_p99(quiet, loud):
    if loud > TIMES * max(quiet, FLOOR_US):
        raise Broken("soon", f"p99 of the honest program is {loud} us, and was {quiet} us before")
    return f"p99 {loud} us after {quiet} us"


def check_rows(box, run):
    steps = [step for (step,) in box.query(box.state, "SELECT step FROM history WHERE run = ? ORDER BY row", run)]
    if steps != list(range(ROWS)):
        raise Broken("kept", f"{run} has {len(steps)} rows, not {ROWS} in order")


def attack(kind, messages, seed, before=quiet_p99):
    place = Place()
    try:
        quiet = before(place)
        attacker = place.box.start([f"{BIN}/hostile", place.socket, kind, str(seed), str(messages)])
        loud, n = [], 0
        while attacker.poll() is None or n == 0:
            loud.append(p99(place.box, place.honest(f"loud-{n}")))
            n += 1
        code, out, err = place.box.finish(attacker)
        if code != 0:
            raise Broken("lives", f"hostile ended with {code}: {err}")
        if "died" in place.said():
            raise Broken("lives", f"the service died: {place.said()[-500:]}")
        said = judge_p99(quiet, sorted(loud)[len(loud) // 2])
        place.box.sync()
        place.end()
        place.box.sync(10)                      # what the bad peer left, too
        if left := os.listdir(f"{place.box.state}/pending"):
            raise Broken("over", f"still pending: {left}")
        for i in range(n):
            check_rows(place.box, f"loud-{i}")
        return f"{messages} messages, {n} honest runs beside them, {said}"
    finally:
        place.remove()


def silent(connections):
    """Connections that say nothing are closed; a program that comes meanwhile is served."""
    place = Place()
    try:
        attacker = place.box.start([f"{BIN}/hostile", place.socket, "silent", "1", str(connections)])
        line = attacker.stdout.readline()
        took = p99(place.box, place.honest("beside"))
        attacker.kill()
        attacker.wait()
        if "died" in place.said():
            raise Broken("lives", f"the service died: {place.said()[-500:]}")
        place.end()
        check_rows(place.box, "beside")
        return f"{line.strip()}, p99 of the honest program {took} us"
    finally:
        place.remove()


def exhaust(descriptors):
    """libzmq ends a process whose ipc listener gets no descriptor: a new one must be there at once."""
    place = Place(descriptors)
    try:
        program = work("run-1", 4000, 10, 0)
        process = place.box.start(program.command)
        attacker = place.box.start([f"{BIN}/hostile", place.socket, "silent", "1", str(2 * descriptors)])
        attacker.stdout.readline()
        end = time.monotonic() + 20
        while "died" not in place.said():
            if time.monotonic() > end:
                raise Broken("alone", "the service did not run out of descriptors: the test tests nothing")
            time.sleep(0.01)
        attacker.kill()
        attacker.wait()
        died = time.monotonic()
        find_socket(place.box, RESTART_S)
        took = time.monotonic() - died
        code, out, _ = place.box.finish(process)
        program.note(out)
        if code != 0 or program.errors:
            raise Broken("alone", f"the program saw {program.errors}")
        place.box.sync()
        place.end()
        place.box.check([program])
        return f"back within {took * 1000:.0f} ms"
    finally:
        place.remove()


def main():
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    bad = [case(f"hostile {kind}", attack, kind, messages // (50 if kind == "large" else 1), seed) for kind in KINDS]
    bad.append(case("hostile silent", silent, 1000))
    bad.append(case("hostile exhaust", exhaust, 200))
    return any(bad)


if __name__ == "__main__":
    sys.exit(main())
