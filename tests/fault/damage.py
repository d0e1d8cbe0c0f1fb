#!/usr/bin/env python3
"""damage.py - damages closed and dead journals, and checks what becomes of them.

Usage:
    damage.py --points N [--seed S]
    damage.py --kind K --journal closed|dead --at A [--keep]

A journal of several segments that nobody has delivered yet is damaged at a place: bytes
are flipped or zeroed, a segment is cut, or two are exchanged. `artel status`, `doctor`
and `artifact verify` look at it, then `artel sync` delivers it. Whatever was damaged, no
command crashes or hangs, what is delivered is what was logged, in order and once, what
is missing is said, and what lies behind the damage arrives.
"""
import argparse
import fcntl
import json
import os
import random
import re
import shutil
import struct
import sys

from box import ARTEL, Box, Broken, row_of_work, work

ROWS, CHUNK = 9000, 60
HEADER = 40             # of a frame
BATCH = 2


def flip(data, at):
    data[at] ^= 1 << at % 8


def zero(data, at):
    data[at:at + 512] = bytes(len(data[at:at + 512]))


def noise(data, at):
    data[at:at + 4096] = random.Random(at).randbytes(len(data[at:at + 4096]))


def cut(data, at):
    del data[at:]


KINDS = {"flip": flip, "zero": zero, "noise": noise, "cut": cut}


class Hold:
    """The catalogue's lock, as a program would hold it: nothing is delivered meanwhile."""

    def __init__(self, box):
        self.file = open(f"{box.state}/catalogue.lock", "w+b")
        fcntl.fcntl(self.file, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))

    def release(self):
        self.file.close()


def make(kind):
    """A box with a journal that is closed, or whose program was killed, and not delivered."""
    box = Box()
    os.makedirs(box.state, 0o700)
    box.run([ARTEL, "sync"])
    hold = Hold(box)
    program = work("run-1", ROWS, CHUNK, 0)
    process = box.start(program.command)
    if kind == "dead":
        out = ""
        while f"acked {ROWS}\n" not in out:
            out += process.stdout.readline()
        process.kill()
        box.finish(process)
        program.note(out)
    else:
        program.note(box.finish(process)[1])
    hold.release()
    if program.acked != ROWS or not os.listdir(f"{box.state}/pending"):
        raise Broken("alone", f"{program.acked} rows are acknowledged, and this waits: {os.listdir(box.state)}")
    return box


def segments(box):
    writer = os.listdir(f"{box.state}/runs/run-1")[0]
    folder = f"{box.state}/runs/run-1/{writer}"
    return sorted(f"{folder}/{name}" for name in os.listdir(folder) if name.endswith(".seg"))


def frames(data):
    """(offset, end, kind, counter) of each frame of a segment that is whole (docs/store.md)."""
    at = 16
    while at + HEADER <= len(data):
        size, kind, _, _, counter = struct.unpack_from("<IBBHQ", data, at)
        if kind == 0:
            break
        yield at, at + HEADER + size, kind, counter
        at += (HEADER + size + 7) // 8 * 8


class Journal:
    """What a template box holds, read while it is whole: damage is then done to copies."""

    def __init__(self, kind):
        self.kind, self.box = kind, make(kind)
        self.sizes = [os.path.getsize(path) for path in segments(self.box)]

    def places(self):
        return sum(self.sizes)

    def where(self, at):
        for i, size in enumerate(self.sizes):
            if at < size:
                return i, at
            at -= size
        raise ValueError("behind the end")

    def copy(self):
        box = Box()
        shutil.rmtree(box.dir)
        shutil.copytree(self.box.dir, box.dir)
        return box


class Loss:
    """What a damage costs: batches of which something behind tells, batches of which nothing does, and their rows."""

    def __init__(self, gone, last):
        self.seen = {counter for counter, _ in gone if counter <= last}
        self.unseen = {counter for counter, _ in gone if counter > last}
        self.rows = {int(row) for _, payload in gone for row in re.findall(rb"row (\d+)", payload)}


def damage(box, segment, at, kind):
    """Damages the journal; returns what is lost."""
    gone, last = [], 0
    for i, path in enumerate(segments(box)):
        with open(path, "rb") as file:
            before = bytearray(file.read())
        after = bytearray(before)
        if i == segment:
            KINDS[kind](after, at)
            with open(path, "wb") as file:
                file.write(after)
        for start, end, what, counter in frames(before):
            if after[start:end] == before[start:end]:
                last = max(last, counter)
            elif what == BATCH:
                gone.append((counter, before[start:end]))
    return Loss(gone, last)


def look(box, *command, codes):
    code, out, err = box.run([ARTEL, *command])
    if code not in codes:
        raise Broken("looks", f"artel {' '.join(command)} exits {code}, not {codes}: {out}{err}")
    return code, out, err


def ranges(counters):
    """[[3, 5], [9, 9]] of {3, 4, 5, 9}."""
    result = []
    for counter in sorted(counters):
        if result and result[-1][1] == counter - 1:
            result[-1][1] = counter
        else:
            result.append([counter, counter])
    return result


def delivered(box):
    rows = {}
    for row, step, key, value in box.query(box.state, "SELECT row, step, key, value FROM history ORDER BY row"):
        rows.setdefault(row, (step, {}))[1][key] = value
    return list(rows.values())


def lost_of_status(box):
    out = look(box, "status", "--json", codes=(0,))[1]
    return [r for line in out.splitlines() for r in json.loads(line)["lost"]]


def check_looks(box, loss):
    """What the commands say before anything is delivered."""
    expected = ranges(loss.seen)
    if (said := lost_of_status(box)) != expected:
        raise Broken("named", f"status says {said} are lost, and it is {expected}")
    doctor, out, _ = look(box, "doctor", codes=(0, 1))
    verify, verified, _ = look(box, "artifact", "verify", codes=(0, 1))
    named = re.findall(r"batches from (\d+) to (\d+) are missing", verified)
    if [[int(a), int(b)] for a, b in named] != expected:
        raise Broken("named", f"verify names {named}, not {expected}")
    if loss.seen and (doctor, verify) != (1, 1):
        raise Broken("named", f"doctor exits {doctor}, verify {verify}: {out}{verified}")


def check_sync(box, loss):
    """The sync that delivers what is left says that something is missing, and status remembers it."""
    code, out, err = look(box, "sync", "--timeout", "10", codes=(0, 1))
    if (code == 1) != bool(loss.seen) or (code and "are lost" not in err):
        raise Broken("syncs", f"sync exits {code}, and {loss.seen} are gone: {out}{err}")
    look(box, "sync", "--timeout", "10", codes=(0,))
    if left := os.listdir(f"{box.state}/pending"):
        raise Broken("over", f"still pending: {left}")
    if (said := lost_of_status(box)) != ranges(loss.seen):
        raise Broken("named", f"status names {said} afterwards, and {ranges(loss.seen)} are gone")


def check_rows(box, loss):
    """The rows that are there are those that were logged, without those of the batches that are gone."""
    rows = delivered(box)
    steps = [step for step, _ in rows]
    if steps != [step for step in range(ROWS) if step not in loss.rows]:
        raise Broken("kept", f"{len(steps)} rows are there, and of {ROWS} {len(loss.rows)} are lost")
    for step, row in rows:
        if row != row_of_work(step):
            raise Broken("true", f"row {step} is {row}")


def strike(journal, kind, at, keep=False):
    box = journal.copy()
    try:
        segment, offset = journal.where(at)
        loss = damage(box, segment, offset, kind)
        check_looks(box, loss)
        check_sync(box, loss)
        check_rows(box, loss)
        return None
    except Broken as broken:
        return str(broken)
    finally:
        if keep:
            print(f"left in {box.dir}", file=sys.stderr)
        else:
            box.remove()


def run_all(args):
    random.seed(args.seed)
    bad = False
    for name in ("closed", "dead"):
        journal = Journal(name)
        try:
            if len(journal.sizes) < 2:
                raise Broken("alone", f"the journal has {len(journal.sizes)} segment")
            for kind in KINDS:
                points = random.sample(range(journal.places()), args.points)
                found = [(at, why) for at in points if (why := strike(journal, kind, at))]
                for at, why in found:
                    print(f"FAIL damage {name} {kind} at {at}: {why}\n     repeat: tests/fault/damage.py "
                          f"--journal {name} --kind {kind} --at {at}", flush=True)
                if not found:
                    print(f"PASS damage {name} {kind}: {len(points)} points", flush=True)
                bad |= bool(found)
        finally:
            journal.box.remove()
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--points", type=int, default=10, help="of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--journal", choices=("closed", "dead"), default="closed")
    parser.add_argument("--at", type=int)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    if args.at is None:
        return run_all(args)
    journal = Journal(args.journal)
    why = strike(journal, args.kind, args.at, args.keep)
    journal.box.remove()
    print(f"FAIL {why}" if why else "PASS")
    return bool(why)


if __name__ == "__main__":
    sys.exit(main())
