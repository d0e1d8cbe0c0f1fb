#!/usr/bin/env python3
"""full.py - a disk that is full, on a tmpfs of its own.

Usage: full.py [STEP_KIB]

For every amount of free space from nothing to a few MiB, in steps, a run and a put are
tried. What does not fit is refused with a sentence that says so; when there is room
again, `artel sync` delivers what was accepted, and everything goes on.
"""
import os
import subprocess
import sys
import tempfile

from box import ARTEL, Box, Broken, Program, work

SIZE_KIB = 12 * 1024
MOST_FREE_KIB = 4 * 1024


class Disk:
    """A mounted tmpfs, and a ballast file that leaves as much room as is wanted."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="artel-full-")
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_KIB}k", "tmpfs", self.path], check=True)

    def leave(self, kib):
        stat = os.statvfs(self.path)
        ballast = stat.f_bavail * stat.f_frsize - kib * 1024
        if ballast > 0:
            fd = os.open(f"{self.path}/ballast", os.O_CREAT | os.O_WRONLY)
            os.posix_fallocate(fd, 0, ballast)
            os.close(fd)

    def free(self):
        if os.path.exists(f"{self.path}/ballast"):
            os.unlink(f"{self.path}/ballast")

    def unmount(self):
        subprocess.run(["umount", "-l", self.path], check=True)
        os.rmdir(self.path)


def put(box, text):
    path = f"{box.dir}/model.txt"
    if not os.path.exists(path):
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
    return Program([ARTEL, "artifact", "put", "model", path, "--json"])


def tried(box, program):
    """Run a program that may meet a full disk: if it fails, it says why."""
    code, out, err = box.run(program.command)
    program.note(out)
    said = out + err
    if code != 0 and "no space" not in said.lower():
        raise Broken("said", f"it failed on a full disk without saying so: {said[-600:]}")
    return code == 0


def with_room(disk, kib):
    """Returns how many of the programs found room."""
    box = Box(parent=disk.path)
    try:
        programs = [work("run-1", 4000, 200, 2), put(box, "a model\n" * 60000)]
        disk.leave(kib)
        fits = sum(tried(box, program) for program in programs)
        tried(box, Program([ARTEL, "sync", "--timeout", "1"]))
        disk.free()
        box.sync()
        box.check(programs)
        later = [work("run-2", 60, 10, 1), put(box, "")]
        for program in later:
            box.perform(program)
            if program.errors or not program.closed and not program.committed:
                raise Broken("goes_on", f"{program.command[:3]} fails though there is room again: {program.errors}")
        box.check(programs + later)
        return fits
    finally:
        disk.free()
        box.remove()


def main():
    step = int(sys.argv[1]) if len(sys.argv) > 1 else 192
    try:
        disk = Disk()
    except (subprocess.CalledProcessError, OSError):
        print("SKIP full: a tmpfs cannot be mounted here (not root?)")
        return
    name = "a full disk is refused with a sentence, and loses nothing"
    counts, bad = [0, 0, 0], False
    try:
        for kib in range(0, MOST_FREE_KIB + 1, step):
            try:
                counts[with_room(disk, kib)] += 1
            except Broken as broken:
                bad = True
                print(f"FAIL {name}: with {kib} KiB free: {broken}", flush=True)
    finally:
        disk.unmount()
    if not bad and counts[0] and counts[2]:
        print(f"PASS {name}: {counts[0]} times nothing fitted, {counts[1]} times half, {counts[2]} times all")
    elif not bad:
        print(f"FAIL {name}: the sizes say nothing: {counts}")


main()
