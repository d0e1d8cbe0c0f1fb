#!/usr/bin/env python3
"""flow.py - programs that log faster than the disk takes, and clients and services that stand still.

Usage: flow.py [SECONDS [CASE...]]      how long a flood lasts (3); only these cases

A service whose writes take 0.1 s each: every program goes on, a call waits as long as queue_ms
says and no longer, what finds no room by then is refused and counted, and everything else is
there, once and in order. Programs that are stopped (SIGSTOP) in the middle of sending keep no
other waiting; a service that is stopped keeps nobody longer than the deadlines. A peer that heeds
no credit takes nothing from an honest program. All the while the service's memory stays within
128 MiB.
"""
import os
import re
import signal
import subprocess
import sys
import threading
import time

from box import BIN, PROGRAM_S, Broken, case
from hostile import Place, attack, judge_p99, p99, quiet_p99

QUEUE_MS, GRACE_MS = 200, 1000
PATIENT_MS = 30000
OPEN_S = 5                      # after which artel_open gives up a service that says nothing
ROW_BYTES, ALL_ROWS = 20000, 1000000
MEMORY_MIB, CREDIT_MIB = 128, 32
GREEDIER_RUNS = 16              # of the one peer (hostile.c)
SANITIZED = "-fsanitize" in os.environ.get("ARTEL_CFLAGS", "")


def strike(mode, call, first, **more):
    """The environment of a program whose calls are struck (step.c), from the first-th on."""
    return {"LD_PRELOAD": f"{BIN}/libstep.so", "STEP_MODE": mode, "STEP_CALLS": call, "STEP_K": str(first), **more}


def slow(ms, first=1):
    """Of a service that takes so much longer for each write to a journal."""
    return strike("slow", "pwritev", first, STEP_MS=str(ms))


class Flood:
    """The program flood.c."""

    def __init__(self, place, run, seconds, queue_ms=QUEUE_MS, rows=5000, env=None):
        self.box, self.run, self.queue_ms = place.box, run, queue_ms
        self.process = place.box.start([f"{BIN}/flood", run, str(seconds), str(queue_ms),
                                        str(ROW_BYTES), str(rows)], env)

    def await_begun(self):
        if (line := self.process.stdout.readline()) != "begun\n":
            raise Broken("alone", f"{self.run}: {line}{self.process.communicate()[0]}")

    def await_stopped(self):
        """It stops itself, in the middle of what it was told to be struck in."""
        hung = threading.Timer(PROGRAM_S, self.process.kill)
        hung.start()
        came = os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WSTOPPED | os.WNOWAIT)
        hung.cancel()
        if came.si_code != os.CLD_STOPPED:
            raise Broken("alone", f"{self.run} has ended and did not stop: the test tests nothing")

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def finish(self):
        """Learn what it says, and judge it; nothing that was refused is uncounted."""
        code, out, err = self.box.finish(self.process, 120)
        if code != 0 or "error" in out:
            raise Broken("alone", f"{self.run} ended with {code}: {out}{err}")
        self.logged, self.full, self.slowest_ms = (
            int(re.search(rf"^{what} (\d+)$", out, re.M)[1]) for what in ("logged", "full", "slowest"))
        flush = re.search(r"^flush (\w+): (\d*)", out, re.M)
        if flush[1] != ("ARTEL_EFULL" if self.full else "ARTEL_OK") or (self.full and int(flush[2]) != self.full):
            raise Broken("counted", f"{self.run} had {self.full} rows refused, and its flush says {flush[0]}")
        if "closed ARTEL_OK" not in out:
            raise Broken("over", f"{self.run}: {out}")

    def check_waits(self):
        """Of one that was not stopped itself."""
        if self.slowest_ms > self.queue_ms + GRACE_MS:
            raise Broken("ends", f"a log call of {self.run} took {self.slowest_ms} ms, queue_ms being {self.queue_ms}")
        if self.full and self.slowest_ms < self.queue_ms:
            raise Broken("room", f"{self.run} was refused rows after no more than {self.slowest_ms} ms")

    def check_full(self):
        if not self.full:
            raise Broken("alone", f"{self.run} found room for all: the test tests nothing")

    def check_rows(self):
        steps = [step for (step,) in self.box.query(
            self.box.state, "SELECT step FROM history WHERE run = ? ORDER BY row", self.run)]
        if steps != list(range(self.logged)):
            raise Broken("kept", f"{self.run} has {len(steps)} rows, not {self.logged} in order")


def worker(place):
    return int(subprocess.run(["pgrep", "-P", str(place.process.pid)], check=True, capture_output=True).stdout)


def check_memory(place):
    """The most that the service ever had resident, in MiB. Sanitizers need several times as much."""
    with open(f"/proc/{worker(place)}/status", encoding="utf-8") as status:
        most = int(re.search(r"VmHWM:\s*(\d+)", status.read())[1]) // 1024
    if most > MEMORY_MIB and not SANITIZED:
        raise Broken("bounded", f"the service had {most} MiB resident")
    return most


def finish_all(place, floods):
    for flood in floods:
        flood.finish()
    most = check_memory(place)
    if "died" in place.said():
        raise Broken("lives", f"the service died: {place.said()[-500:]}")
    place.end()
    for flood in floods:
        flood.check_rows()
    return most


def slow_disk(seconds):
    place = Place(env=slow(100))
    try:
        floods = [Flood(place, f"run-{i}", seconds) for i in range(4)]
        most = finish_all(place, floods)
        for flood in floods:
            flood.check_waits()
            flood.check_full()
        logged = [flood.logged for flood in floods]
        if min(logged) * 2 * len(logged) < sum(logged):
            raise Broken("fair", f"the programs logged {logged} rows")
        return f"{logged} rows, {sum(f.full for f in floods)} refused, {most} MiB"
    finally:
        place.remove()


def patient(seconds):
    """Who waits longer than the disk takes has nothing refused."""
    place = Place(env=slow(100))
    try:
        floods = [Flood(place, f"run-{i}", seconds, queue_ms=PATIENT_MS, rows=2000) for i in range(2)]
        finish_all(place, floods)
        if any(flood.full for flood in floods):
            raise Broken("room", f"{[flood.full for flood in floods]} rows were refused")
        slowest = max(flood.slowest_ms for flood in floods)
        if slowest < 100:
            raise Broken("alone", f"nobody waited longer than {slowest} ms: the test tests nothing")
        return f"{sum(flood.logged for flood in floods)} rows, none refused, the slowest after {slowest} ms"
    finally:
        place.remove()


def stopped_clients(seconds):
    place = Place()
    try:
        quiet = quiet_p99(place)
        floods = [Flood(place, f"run-{i}", seconds, rows=1500, env=strike("stop", "send", 20 << i)) for i in range(4)]
        for flood in floods:
            flood.await_stopped()
        said = judge_p99(quiet, min(p99(place.box, place.honest(f"beside-{i}")) for i in range(2)))
        for flood in floods:
            flood.go_on()
        finish_all(place, floods)
        return said
    finally:
        place.remove()


def stopped_service(seconds):
    """The floods end before it goes on."""
    place = Place()
    try:
        floods = [Flood(place, f"run-{i}", min(seconds, OPEN_S - 1), rows=ALL_ROWS) for i in range(2)]
        for flood in floods:
            flood.await_begun()
        service = worker(place)
        os.kill(service, signal.SIGSTOP)
        start = time.monotonic()
        code, out, _ = place.box.finish(place.honest("nobody"), 20)
        took = time.monotonic() - start
        os.kill(service, signal.SIGCONT)
        if code != 1 or "ARTEL_EUNAVAIL" not in out or not OPEN_S - 1 < took < OPEN_S + 2:
            raise Broken("ends", f"a program that comes meanwhile saw {out} after {took:.1f} s")
        finish_all(place, floods)
        for flood in floods:
            flood.check_waits()
            flood.check_full()
        return f"{sum(f.logged for f in floods)} rows, {sum(f.full for f in floods)} refused"
    finally:
        place.remove()


def greedy(seconds):
    """Good batches without regard to credit, while the disk stands still once their journals are open."""
    messages = 1200 * seconds
    place = Place(env=slow(2000, GREEDIER_RUNS + 1))
    try:
        place.box.run([f"{BIN}/hostile", place.socket, "greedier", "1", str(messages)])
        most = check_memory(place)
        if most < CREDIT_MIB:
            raise Broken("alone", f"they took {most} MiB, less than they may: the test tests nothing")
        return f"{messages} batches of 100 KiB, {most} MiB"
    finally:
        place.remove()


def beside_flood(place):
    """What the honest program's p99 is beside one that heeds its credit."""
    flood = Flood(place, "flood", 3)
    flood.await_begun()
    found = max(p99(place.box, place.honest(f"beside-{i}")) for i in range(2))
    flood.finish()
    return found


def beside_greedy(seconds):
    """To heed no credit is to gain nothing."""
    return attack("greedy", 1000 * seconds, 1, beside_flood)


CASES = {"slow-disk": slow_disk, "patience": patient, "stopped-clients": stopped_clients,
         "stopped-service": stopped_service, "greedy": greedy, "beside-greedy": beside_greedy}


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    return any([case(f"flow {name}", CASES[name], seconds) for name in sys.argv[2:] or CASES])


if __name__ == "__main__":
    sys.exit(main())
