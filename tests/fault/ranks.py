#!/usr/bin/env python3
"""ranks.py - several processes, one run: linked programs, and clients of a service.

Usage: ranks.py [ROUNDS [SEED]]

Each rank is an `artel log --rank N --world M`, fed row by row. Whoever comes first makes the
run; it ends with its last rank or its owner; who crashes, fails, is late or never comes is
told by rank, and who claims a rank that is another's is refused. In each round eight ranks run at once and four of them are killed.
"""
import os
import random
import signal
import sys
import time

from box import ARTEL, Box, Broken, case
from logger import WAIT_S, Logger
from service import start_service

WORLD, ROWS = 8, 400
FOUND_S = 10            # a service has found who died


class Rank(Logger):
    """One process of the run "r"; its row i has the step i and the value 1000 * rank + i."""

    def __init__(self, box, rank, world=WORLD):
        self.rank = rank
        super().__init__(box, "r", "--rank", str(rank), "--world", str(world), base=1000 * rank)

    def __str__(self):
        return f"rank {self.rank}"


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


def adopt(box, service):
    """A service finds who died by itself."""
    if not service:
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
        rank.check(box.query(box.state, "SELECT step, value FROM history WHERE run = 'r' AND rank = ? ORDER BY row",
                             rank.rank))
    total = box.query(box.state, "SELECT count(*), max(row) + 1 FROM history")[0]
    if total[0] != total[1]:
        raise Broken("order", f"rows are not numbered without a gap: {total}")


def at_once(box, _):
    ranks = [Rank(box, i) for i in range(WORLD)]
    for rank in ranks:
        rank.log(ROWS)
    for rank in ranks:
        rank.expect_end(0)
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
        rank.expect_end(0)
    late = Rank(box, 3, 4)
    late.log(1)
    late.await_accepted()
    expect_state(box, "running", None)
    late.expect_end(0)
    expect_state(box, "running", None)
    expect_shown(box, ("rank 2 artel,", "finished"), ("rank 3 artel,", "finished"), ("not come 1", ""))
    Logger(box, "r").expect_end(0)              # somebody takes the run on, and ends it
    expect_state(box, "finished", 0)
    return "told by rank"


def badly(box, service):
    ranks = [Rank(box, i, 4) for i in range(4)]
    for rank in ranks:
        rank.log(20)
        rank.await_accepted()
    ranks[0].expect_end(0)
    ranks[1].expect_end(130, signal.SIGINT)
    ranks[2].expect_end(-9, signal.SIGKILL)
    start = time.monotonic()
    adopt(box, service)
    deadline = start + FOUND_S
    while not box.query(box.state, "SELECT 1 FROM writers WHERE rank = 2 AND crashed"):
        if time.monotonic() > deadline:
            raise Broken("state", "nobody found the dead rank within 10 s")
        time.sleep(0.02)
    took = time.monotonic() - start
    expect_state(box, "running", None)          # rank 3 is at it
    ranks[3].expect_end(0)
    expect_state(box, "crashed", 130)
    expect_shown(box, ("rank 0 artel,", "finished"), ("rank 1 artel,", "exit 130"), ("rank 2 artel,", "crashed"),
                 ("rank 3 artel,", "finished"))
    again = Rank(box, 2, 4)
    again.log(1)
    again.await_accepted()
    expect_state(box, "running", None)
    again.expect_end(0)
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
    one.expect_end(0)
    return "refused"


def taken(box, _):
    first = Rank(box, 1, 4)
    first.log(5)
    first.await_accepted()
    code, err = Rank(box, 1, 4).end()
    if code != 1 or "run r " not in err or "rank 1 of 4" not in err or f"(pid {first.process.pid})" not in err:
        raise Broken("said", f"the second of a rank exits {code}: {err}")
    first.process.kill()
    first.expect_end(-9)
    again = Rank(box, 1, 4)
    again.log(5)
    again.await_accepted()
    again.expect_end(0)
    return "refused while it lived, replaced when it was dead"


def killed(box, service):
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
        rank.expect_end(-9 if rank in dying else 0)
    adopt(box, service)
    await_delivered(box)
    came = [rank for rank in dying if box.query(box.state, "SELECT 1 FROM writers WHERE rank = ?", rank.rank)]
    expect_state(box, *(("crashed", -1) if came else ("running", None)), 0)
    check_rows(box, ranks)
    return f"{len(came)} had come and left {sum(rank.acked for rank in came)} rows"


def in_box(function, served):
    box = Box()
    try:
        service = start_service(box) if served else None
        text = function(box, service)
        if service and (code := service.stop()) != 0:
            raise Broken("lives", f"the service ended with {code}")
        return text
    finally:
        box.remove()


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    random.seed(seed)
    bad = []
    for served in (False, True):
        how = "through a service" if served else "linked"
        cases = [("eight ranks at once make one run", at_once),
                 ("a rank that is late is awaited, one that never comes is named", late_and_never),
                 ("a rank that fails and one that is killed are told by rank", badly),
                 ("a rank of another world is refused", mismatch),
                 ("a rank that is taken is refused until its program is dead", taken)]
        cases += [(f"eight ranks, four of them killed (seed {seed}, round {i + 1})", killed)
                  for i in range(min(rounds, 1) if served else rounds)]
        bad += [case(f"{name}, {how}", in_box, function, served) for name, function in cases]
    return any(bad)


sys.exit(main())
