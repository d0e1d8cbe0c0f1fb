#!/usr/bin/env python3
"""ranks.py - several processes, one run: linked programs, and clients of a service.

Usage: ranks.py [ROUNDS [SEED]]

Each rank is an `artel log --rank N --world M`, fed row by row. Whoever comes first makes the
run; it ends with its last rank or its owner; who crashes, fails, is late or never comes is
told by rank. In each round eight ranks run at once and four of them are killed.
"""
import json
import os
import random
import signal
import subprocess
import sys
import time

from box import ARTEL, BIN, Box, Broken

WORLD, ROWS = 8, 400
FOUND_S = 10            # a service has found who died
WAIT_S = 30


class Rank:
    """One process of the run "r"; its row i has the step i and the value 1000 * rank + i."""

    def __init__(self, box, rank, world=WORLD, *options):
        words = ["--rank", str(rank), "--world", str(world)] if world else []
        self.rank, self.sent, self.acked = rank, 0, 0
        self.process = subprocess.Popen(
            [ARTEL, "log", "--json", "--run", "r", *words, *options], env=box.env, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def log(self, rows):
        """False if the process is gone."""
        try:
            for _ in range(rows):
                self.process.stdin.write(json.dumps({"_step": self.sent, "v": 1000 * self.rank + self.sent}) + "\n")
                self.sent += 1
            return True
        except BrokenPipeError:
            return False

    def note(self, line):
        """A last line without its end was not acknowledged."""
        if line.endswith("\n"):
            self.acked = json.loads(line).get("accepted", self.acked)

    def await_accepted(self):
        while self.acked < self.sent:
            line = self.process.stdout.readline()
            if not line:
                raise Broken("lives", f"rank {self.rank} ended: {self.process.stderr.read()}")
            self.note(line)

    def end(self, sig=None):
        """Returns (code, stderr)."""
        if sig:
            self.process.send_signal(sig)
        try:
            out, err = self.process.communicate(timeout=WAIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Broken("ends", f"rank {self.rank} hung") from None
        for line in out.splitlines(keepends=True):
            self.note(line)
        if "Sanitizer" in err or "runtime error" in err:
            raise Broken("lives", f"a sanitizer spoke: {err[:2000]}")
        return self.process.returncode, err


class Node:
    """What the ranks go through: nothing, or a service."""

    def __init__(self, box, service):
        self.service = box.start([f"{BIN}/arteld", "--no-restart"]) if service else None
        if self.service and "serving" not in self.service.stderr.readline():
            raise Broken("alone", "the service did not start")

    def stop(self):
        if not self.service:
            return
        self.service.terminate()
        code, _, err = Box.finish(self.service)
        if code != 0:
            raise Broken("lives", f"the service ended with {code}: {err}")


def state_of(box):
    found = box.query(box.state, "SELECT state, exit_code FROM runs WHERE run = 'r'")
    return found[0] if found else None


def expect_state(box, state, code, limit_s=WAIT_S):
    """Delivery takes its time; what is wrong stays wrong."""
    end = time.monotonic() + limit_s
    while (found := state_of(box)) != (state, code):
        if time.monotonic() > end:
            raise Broken("state", f"the run is {found}, not {(state, code)}")
        time.sleep(0.02)


def show(box):
    code, out, err = box.run([ARTEL, "show", "r"])
    if code != 0:
        raise Broken("shown", f"artel show exits {code}: {err}")
    return out


def expect_shown(box, *parts):
    page = show(box)
    lines = [" ".join(line.split()) for line in page.splitlines()]
    for head, tail in parts:
        if not any(line.startswith(head) and line.endswith(tail) for line in lines):
            raise Broken("shown", f"artel show has no line '{head} ... {tail}':\n{page}")


def expect_ended(rank, wanted, sig=None):
    code, err = rank.end(sig)
    if code != wanted:
        raise Broken("lives", f"rank {rank.rank} exits {code}, not {wanted}: {err}")


def adopt(box, node):
    """A service finds who died by itself."""
    if not node.service:
        box.sync()


def await_delivered(box):
    end = time.monotonic() + WAIT_S
    while left := os.listdir(f"{box.state}/pending"):
        if time.monotonic() > end:
            raise Broken("over", f"still pending: {left}")
        time.sleep(0.02)


def check_rows(box, ranks):
    """All that was accepted, nothing that was not sent, each once, in order, under its rank."""
    if (runs := box.query(box.state, "SELECT run, world FROM runs")) != [("r", WORLD)]:
        raise Broken("state", f"not one run of {WORLD}: {runs}")
    for rank in ranks:
        found = box.query(box.state, "SELECT step, value FROM history WHERE run = 'r' AND rank = ? ORDER BY row",
                          rank.rank)
        if found != [(i, 1000 * rank.rank + i) for i in range(len(found))]:
            raise Broken("once", f"rank {rank.rank} has rows twice, out of order, or another's: {found}")
        if not rank.acked <= len(found) <= rank.sent:
            raise Broken("kept", f"rank {rank.rank}: {len(found)} rows of {rank.acked} accepted and {rank.sent} sent")
    total = box.query(box.state, "SELECT count(*), max(row) + 1 FROM history")[0]
    if total[0] != total[1]:
        raise Broken("order", f"rows are not numbered without a gap: {total}")


def at_once(box, _):
    ranks = [Rank(box, i) for i in range(WORLD)]
    for rank in ranks:
        rank.log(ROWS)
    for rank in ranks:
        expect_ended(rank, 0)
    expect_state(box, "finished", 0)
    check_rows(box, ranks)
    out = box.run([ARTEL, "history", "r", "--rank", "3", "--csv"])[1].splitlines()
    if out != ["_step,_rank,v"] + [f"{i},3,{3000 + i}" for i in range(ROWS)]:
        raise Broken("shown", f"artel history --rank 3 prints {out[:3]}")
    return f"{WORLD * ROWS} rows"


def late_and_never(box, _):
    for i in (2, 0):
        rank = Rank(box, i, 4)
        rank.log(10)
        expect_ended(rank, 0)
    late = Rank(box, 3, 4)
    late.log(1)
    late.await_accepted()
    expect_state(box, "running", None)
    expect_ended(late, 0)
    expect_state(box, "running", None)
    expect_shown(box, ("rank 2 artel,", "finished"), ("rank 3 artel,", "finished"), ("not come 1", ""))
    expect_ended(Rank(box, -1, 0), 0)           # somebody takes the run on, and ends it
    expect_state(box, "finished", 0)
    return "told by rank"


def badly(box, node):
    ranks = [Rank(box, i, 4) for i in range(4)]
    for rank in ranks:
        rank.log(20)
        rank.await_accepted()
    expect_ended(ranks[0], 0)
    expect_ended(ranks[1], 130, signal.SIGINT)
    expect_ended(ranks[2], -9, signal.SIGKILL)
    start = time.monotonic()
    adopt(box, node)
    deadline = start + FOUND_S
    while not box.query(box.state, "SELECT 1 FROM writers WHERE rank = 2 AND crashed"):
        if time.monotonic() > deadline:
            raise Broken("state", "nobody found the dead rank within 10 s")
        time.sleep(0.02)
    took = time.monotonic() - start
    expect_state(box, "running", None)          # rank 3 is at it
    expect_ended(ranks[3], 0)
    expect_state(box, "crashed", 130)
    expect_shown(box, ("rank 0 artel,", "finished"), ("rank 1 artel,", "exit 130"), ("rank 2 artel,", "crashed"),
                 ("rank 3 artel,", "finished"))
    again = Rank(box, 2, 4)
    again.log(1)
    again.await_accepted()
    expect_state(box, "running", None)
    expect_ended(again, 0)
    expect_state(box, "failed", 130)
    return f"the dead one was found in {took:.1f} s"


def mismatch(box, _):
    one = Rank(box, 0, 4)
    one.log(1)
    one.await_accepted()
    code, err = Rank(box, 1, 8).end()
    if code != 2 or "4 ranks" not in err or "rank 1 of 8" not in err:
        raise Broken("said", f"exits {code}: {err}")
    code, err = Rank(box, 4, 4).end()
    if code != 2 or "rank 4 of 4" not in err:
        raise Broken("said", f"exits {code}: {err}")
    code, _, err = box.run([ARTEL, "log", "--run", "r", "--rank", "1"])
    if code != 2 or "--world" not in err:
        raise Broken("said", f"exits {code}: {err}")
    expect_ended(one, 0)
    return "refused"


def killed(box, node):
    ranks = [Rank(box, i) for i in range(WORLD)]
    dying = random.sample(ranks, WORLD // 2)
    for rank in dying:
        rank.dies_at = random.randrange(0, ROWS, 10)
    for sent in range(0, ROWS, 10):
        for rank in ranks:
            if rank in dying and rank.dies_at == sent:
                rank.await_accepted()
            rank.log(10)
            if rank in dying and rank.dies_at == sent:
                rank.process.kill()
    for rank in ranks:
        code, err = rank.end()
        if code != (-9 if rank in dying else 0):
            raise Broken("lives", f"rank {rank.rank} exits {code}: {err}")
    adopt(box, node)
    await_delivered(box)
    came = [rank for rank in dying if box.query(box.state, "SELECT 1 FROM writers WHERE rank = ?", rank.rank)]
    expect_state(box, *(("crashed", -1) if came else ("running", None)), 0)
    check_rows(box, ranks)
    return f"{len(came)} had come and left {sum(rank.acked for rank in came)} rows"


def report(name, function, service):
    box = Box()
    try:
        node = Node(box, service)
        text = function(box, node)
        node.stop()
        print(f"PASS {name}: {text}", flush=True)
    except Broken as broken:
        print(f"FAIL {name}: {broken}", flush=True)
    finally:
        box.remove()


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    random.seed(seed)
    for service in (False, True):
        how = "through a service" if service else "linked"
        report(f"eight ranks at once make one run, {how}", at_once, service)
        report(f"a rank that is late is awaited, one that never comes is named, {how}", late_and_never, service)
        report(f"a rank that fails and one that is killed are told by rank, {how}", badly, service)
        report(f"a rank of another world is refused, {how}", mismatch, service)
        for i in range(1 if service else rounds):
            report(f"eight ranks, four of them killed (seed {seed}, round {i + 1}), {how}", killed, service)


main()
