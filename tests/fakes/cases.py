"""Cases of a suite in Python: functions that raise, and a line PASS or FAIL each."""
import sys
import traceback


class Failed(Exception):
    pass


def equal(wanted, found, what="it"):
    if wanted != found:
        raise Failed(f"{what} is {found!r}, not {wanted!r}")


def true(found, what):
    if not found:
        raise Failed(what)


def run(cases):
    """Runs (name, function) pairs; the program's status is 1 if one failed."""
    failed = 0
    for name, case in cases:
        try:
            case()
            print(f"PASS {name}", flush=True)
        except Exception as bad:
            failed += 1
            where = "" if isinstance(bad, Failed) else "".join(traceback.format_exception(bad)[-3:])
            print(f"FAIL {name}: {bad}"[:3000], where, flush=True)
    sys.exit(failed > 0)
