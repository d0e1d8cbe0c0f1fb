"""logger.py - a program that logs, fed row by row: artel log with a pipe at each end.

What it was acknowledged is known line by line, so it can be killed at any state of that.
"""
import json
import subprocess

from box import ARTEL, Broken

WAIT_S = 30


class Logger:
    """Row i has the step i and the value `base` + i."""

    def __init__(self, box, run, *options, base=0, extra=None):
        self.run, self.base, self.sent, self.acked = run, base, 0, 0
        self.process = subprocess.Popen(
            [ARTEL, "log", "--json", "--run", run, *options], env={**box.env, **(extra or {})}, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        box.started.append(self.process)

    def __str__(self):
        return f"the program of run {self.run}"

    def log(self, rows):
        """What a program that is gone does not read was not sent to it."""
        try:
            for _ in range(rows):
                self.process.stdin.write(json.dumps({"_step": self.sent, "v": self.base + self.sent}) + "\n")
                self.sent += 1
        except BrokenPipeError:
            pass

    def note(self, line):
        """A last line without its end was not acknowledged."""
        if line.endswith("\n"):
            self.acked = json.loads(line).get("accepted", self.acked)

    def await_accepted(self):
        while self.acked < self.sent:
            line = self.process.stdout.readline()
            if not line:
                raise Broken("lives", f"{self} ended: {self.process.stderr.read()}")
            self.note(line)

    def end(self, sig=None):
        """Close its input, or send a signal. Returns (code, stderr)."""
        if sig:
            self.process.send_signal(sig)
        try:
            out, err = self.process.communicate(timeout=WAIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Broken("ends", f"{self} hung") from None
        for line in out.splitlines(keepends=True):
            self.note(line)
        if "Sanitizer" in err or "runtime error" in err:
            raise Broken("lives", f"a sanitizer spoke: {err[:2000]}")
        return self.process.returncode, err

    def expect_end(self, wanted, sig=None):
        code, err = self.end(sig)
        if code != wanted:
            raise Broken("lives", f"{self} exits {code}, not {wanted}: {err}")
        return err

    def check(self, found):
        """All that was accepted, nothing that was not sent, each once and in order."""
        if found != [(i, self.base + i) for i in range(len(found))]:
            raise Broken("once", f"{self} has rows twice, out of order, or another's: {found}")
        if not self.acked <= len(found) <= self.sent:
            raise Broken("kept", f"{self}: {len(found)} rows of {self.acked} accepted and {self.sent} sent")
