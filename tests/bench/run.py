"""Builds and measures the figures and their floors; start it through tools/bench.

A figure and its floor are programs (tests/bench/figure_NAME.c, floor_NAME.c) that
print one number. They run in turns, so that what else the machine does meets
both, each in a fresh directory on the disk of the checkout. What is compared are
medians.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, "build", "bench")
TIMEOUT_S = 120                         # of one run, beside what it is told to take
SETTLE_S = 3                            # most to wait for the disk before one


@dataclass
class Figure:
    name: str
    unit: str
    goal: str                           # of the ratio, or of the value:
    of: str = "ratio"                   # "value" above the floor's, or "itself"
    make_input: object = None           # makes what both read, once; its path is an argument
    floors: tuple = ((),)               # arguments of the floor's runs; the largest median counts
    figures: tuple = ((),)              # arguments of the figure's runs; the last is the value
    idle_goal: str = ""                 # of the first, if there are three; the second is part of it
    beside: tuple = ()                  # what the second number of the figure is, and its goal
    floor: str = ""                     # another figure whose floor this is
    lasts_s: int = 0                    # what a run of the figure is told to take; its last argument
    digits: int = 1


def make_folder(top):
    path = os.path.join(top, "10k")
    os.mkdir(path)
    for i in range(10000):
        with open(os.path.join(path, f"file-{i:05}.bin"), "wb") as out:
            out.write(os.urandom(1024))
    return path


def make_large(top):
    path = os.path.join(top, "1g")
    with open(path, "wb") as out:
        for _ in range(1024):
            out.write(os.urandom(1024 * 1024))
    return path


FIGURES = [
    Figure("log_scalar", "ns/call", "<= 3"),
    Figure("log_accepted", "rows/s", ">= 0.3", digits=0),
    Figure("history_delivered", "rows/s", ">= 0.5", digits=0),
    Figure("artifact_1k", "us", "<= 3", digits=0),
    Figure("artifact_10k_files", "ms", "<= 3", make_input=make_folder),
    Figure("artifact_1g", "s", "<= 1.3", make_input=make_large, floors=(("sha",), ("copy",)),
           digits=3),
    Figure("poll_rtt", "us", "<= 1.5", digits=2),
    Figure("memory", "MiB", "<= 96", of="value", figures=(("idle",), ("dirty",), ("load",)),
           idle_goal="<= 8"),
    Figure("ipc_accepted", "rows/s", ">= 0.5", digits=0),
    Figure("ipc_64_clients", "rows/s", ">= 0.8", digits=0, beside=("slowest / mean", ">= 0.5")),
    Figure("ipc_accept_latency", "us", "<= 2", digits=2),
    Figure("ipc_artifact_1k", "us", "<= 3", floor="artifact_1k", digits=0),
    Figure("linked_64_programs", "rows/s", ">= 0.6", digits=0, beside=("longest wait, s", "<= 2")),
    Figure("service_idle", "MiB", "<= 64", of="itself", beside=("% of a core", "<= 1.5")),
    Figure("service_flood", "MiB", "<= 128", of="itself", beside=("in the second half", "<= 16"), lasts_s=8),
]


class Failed(Exception):
    pass


def holds(value, goal):
    sign, limit = goal.split()
    return value <= float(limit) if sign == "<=" else value >= float(limit)


def settle(place):
    """Wait until the disk does nothing any more: what was written or deleted before
    (file systems discard deleted blocks behind one's back) is not the next run's."""
    os.sync()
    device = os.stat(place).st_dev
    inflight = f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/inflight"
    quiet, deadline = 0, time.monotonic() + SETTLE_S
    while os.path.exists(inflight) and quiet < 10 and time.monotonic() < deadline:
        time.sleep(0.01)
        with open(inflight) as numbers:
            quiet = quiet + 1 if set(numbers.read().split()) == {"0"} else 0


def run_once(top, program, arguments, timeout_s):
    """The numbers that a program prints, run in a directory of its own."""
    place = tempfile.mkdtemp(dir=top)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ARTEL_")}
    settle(place)
    try:
        done = subprocess.run([os.path.join(BUILD, "bin", program), place, *arguments],
                              env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise Failed(f"{program} did not end within {timeout_s} s")
    finally:
        shutil.rmtree(place)
    if done.returncode != 0:
        raise Failed(f"{program} ended with {done.returncode}: {done.stderr.strip()}")
    return [float(number) for number in done.stdout.split()]


def measure(figure, top, runs):
    """The values of each of the floor's and the figure's ways to run, in turns."""
    given = [figure.make_input(top)] if figure.make_input else []
    plan = [("floor_" + (figure.floor or figure.name), args) for args in figure.floors]
    lasts = (str(figure.lasts_s),) if figure.lasts_s else ()
    plan += [("figure_" + figure.name, args + lasts) for args in figure.figures]
    values = {step: [] for step in plan}
    for i in range(runs):
        for step in plan if i % 2 == 0 else reversed(plan):
            values[step].append(run_once(top, step[0], given + list(step[1]), TIMEOUT_S + figure.lasts_s))
    for path in given:
        shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
    columns = [values[step] for step in plan]
    return columns[:len(figure.floors)], columns[len(figure.floors):]


def worst(numbers, goal):
    return max(numbers) if goal.startswith("<=") else min(numbers)


def judge(figure, floors, figures):
    """One line of the table, as a dict in the order of its JSON."""
    seconds = [run[1] for run in figures[-1] if figure.beside]
    floors, figures = ([[run[0] for run in column] for column in side] for side in (floors, figures))
    floor = max(floors, key=statistics.median)
    base = statistics.median(floor)
    above = base if figure.of == "value" else 0     # memory is counted from the bare program
    value = statistics.median(figures[-1]) - above
    ratio = value / base
    line = {"name": figure.name, "value": value, "unit": figure.unit, "floor": base,
            "ratio": ratio, "goal": figure.goal,
            "ok": holds(ratio if figure.of == "ratio" else value, figure.goal),
            "value_min": min(figures[-1]) - above, "value_max": max(figures[-1]) - above,
            "floor_min": min(floor), "floor_max": max(floor)}
    if figure.idle_goal:
        line["idle"] = statistics.median(figures[0]) - above
        line["idle_dirty"] = statistics.median(figures[1]) - above
        line["idle_goal"] = figure.idle_goal
        line["ok"] = line["ok"] and holds(line["idle"], figure.idle_goal)
    if figure.beside:
        what, goal = figure.beside
        line["beside"] = what
        line["beside_worst"] = worst(seconds, goal)
        line["beside_goal"] = goal
        line["ok"] = line["ok"] and holds(line["beside_worst"], goal)
    return line


def failed_line(figure, why):
    return {"name": figure.name, "value": None, "unit": figure.unit, "floor": None,
            "ratio": None, "goal": figure.goal, "ok": False, "error": why}


ROW = "{:<19} {:>10} {:<8} {:>10} {:>7}  {:<7} {:<4} {:>21}  {:>21}"


def show(figure, line, out):
    if "error" in line:
        print(ROW.format(line["name"], "-", line["unit"], "-", "-", line["goal"], "no", "", ""),
              line["error"], sep="\n    ", file=out, flush=True)
        return
    number = lambda x: f"{x:.{figure.digits}f}"
    spread = lambda what: f"{number(line[what + '_min'])} - {number(line[what + '_max'])}"
    print(ROW.format(line["name"], number(line["value"]), line["unit"], number(line["floor"]),
                     f"{line['ratio']:.2f}", line["goal"], "yes" if line["ok"] else "no",
                     spread("value"), spread("floor")), file=out, flush=True)
    if figure.idle_goal:
        print(ROW.format("  idle", number(line["idle"]), line["unit"], "", "", line["idle_goal"],
                         "yes" if holds(line["idle"], figure.idle_goal) else "no", "", ""),
              ROW.format("  of it dirty", number(line["idle_dirty"]), line["unit"], "", "", "", "", "", ""),
              sep="\n", file=out, flush=True)
    if figure.beside:
        print(ROW.format("  " + line["beside"], f"{line['beside_worst']:.2f}", "worst", "", "",
                         line["beside_goal"], "yes" if holds(line["beside_worst"], line["beside_goal"])
                         else "no", "", ""), file=out, flush=True)


def parse():
    parser = argparse.ArgumentParser(
        prog="tools/bench", description="Measure the figures of docs/performance.md.",
        epilog="Ends with 0 if every figure measured reaches its goal, 1 if one does not, 2 if "
               "called wrongly. The goal is for the ratio value / floor; that of memory is for "
               "the value, MiB above the bare program, and those of service_* are for the value "
               "itself. A second number of a figure is shown below it: the worst of all runs.")
    parser.add_argument("--json", action="store_true",
                        help="print a line of JSON for each figure; the table goes to stderr")
    parser.add_argument("--only", metavar="NAME,NAME", help="only these figures: "
                        + ", ".join(f.name for f in FIGURES))
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="runs of each (5)")
    flood = next(f for f in FIGURES if f.name == "service_flood")
    parser.add_argument("--flood", type=int, default=flood.lasts_s, metavar="SECONDS",
                        help=f"how long the programs of service_flood log ({flood.lasts_s})")
    args = parser.parse_args()
    names = args.only.split(",") if args.only else [f.name for f in FIGURES]
    for name in set(names) - {f.name for f in FIGURES}:
        parser.error(f"there is no figure '{name}'")
    if args.runs < 1:
        parser.error("--runs takes a number from 1")
    if args.flood < 2:
        parser.error("--flood takes a number from 2")
    flood.lasts_s = args.flood
    return args, [f for f in FIGURES if f.name in names]


def build(figures):
    programs = ["floor_" + (figure.floor or figure.name) for figure in figures]
    programs += ["figure_" + figure.name for figure in figures] + ["arteld"]
    steps = (["cmake", "-S", TOP, "-B", BUILD, "-DCMAKE_BUILD_TYPE=Release", "-DARTEL_BENCH=ON"],
             ["cmake", "--build", BUILD, "-j", str(os.cpu_count()), "--target", *programs])
    for step in steps:
        done = subprocess.run(step, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            sys.exit(done.stdout + "tools/bench: it does not build")


def measure_all(figures, runs, as_json):
    """Print a line for each figure as it is known; whether all are ok."""
    table = sys.stderr if as_json else sys.stdout
    print(ROW.format("figure", "value", "unit", "floor", "ratio", "goal", "ok",
                     "value min - max", "floor min - max"), file=table, flush=True)
    all_ok = True
    top = tempfile.mkdtemp(prefix="run-", dir=BUILD)
    try:
        for figure in figures:
            try:
                line = judge(figure, *measure(figure, top, runs))
            except Failed as why:
                line = failed_line(figure, str(why))
            show(figure, line, table)
            if as_json:
                print(json.dumps(line), flush=True)
            all_ok = all_ok and line["ok"]
    finally:
        shutil.rmtree(top, ignore_errors=True)
    return all_ok


def interrupted(signum, _frame):
    sys.exit(128 + signum)              # by way of every finally


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    options, chosen = parse()
    build(chosen)
    sys.exit(0 if measure_all(chosen, options.runs, options.json) else 1)
