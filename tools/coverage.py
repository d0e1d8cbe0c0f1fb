#!/usr/bin/env python3
"""coverage.py - which lines the tests of a coverage build have run.

Usage:
    tools/coverage.py build/coverage                 a line a folder
    tools/coverage.py build/coverage --spots 30      and the 30 longest runs of lines that nothing ran

The build is that of the preset coverage; tools/test --preset coverage runs the tests and
then this. A source that is compiled twice (the library is) counts once. What a process
did that was killed, or that ended with _exit, is not counted: gcov writes at exit.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDERS = ("msgs", "actors", "client", "tools")


def data_files(build):
    for folder, _, names in os.walk(build):
        for name in names:
            if name.endswith(".gcda"):
                yield os.path.abspath(os.path.join(folder, name))


def read(build):
    """{path: {line: (how often it ran, function)}} of all sources in FOLDERS."""
    sources, files = {}, sorted(data_files(build))
    with tempfile.TemporaryDirectory() as elsewhere:
        out = subprocess.run(["gcov", "--json-format", "--stdout", *files], cwd=elsewhere, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    for text in out.splitlines():
        for file in json.loads(text)["files"] if text.startswith("{") else []:
            path = os.path.relpath(file["file"], ROOT)
            if not path.startswith(tuple(folder + "/" for folder in FOLDERS)):
                continue
            lines = sources.setdefault(path, {})
            for line in file["lines"]:
                number, count = line["line_number"], line["count"]
                before = lines.get(number, (0, ""))[0]
                lines[number] = (before + count, line.get("function_name", ""))
    return sources


def print_folders(sources):
    folders = {}
    for path, lines in sources.items():
        for name in (os.path.dirname(path), "all"):
            ran, total = folders.get(name, (0, 0))
            folders[name] = (ran + sum(count > 0 for count, _ in lines.values()), total + len(lines))
    for name in sorted(folders, key=lambda name: (name == "all", name)):
        ran, total = folders[name]
        print(f"{name:18} {ran:6} of {total:6} lines  {100 * ran / total:5.1f} %")


def spots(sources):
    """(length, path, first, last, function) of runs of lines with code that never ran."""
    for path, lines in sources.items():
        run = []
        for number in [*sorted(lines), None]:
            if number is not None and lines[number][0] == 0 and (not run or lines[number][1] == lines[run[0]][1]):
                run.append(number)
                continue
            if run:
                yield len(run), path, run[0], run[-1], lines[run[0]][1]
            run = [number] if number is not None and lines[number][0] == 0 else []


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--spots", type=int, default=0)
    args = parser.parse_args()
    sources = read(args.build)
    if not sources:
        sys.exit(f"coverage.py: there is nothing in {args.build}; tools/test --preset coverage fills it")
    print_folders(sources)
    for length, path, first, last, function in sorted(spots(sources), reverse=True)[:args.spots]:
        print(f"{length:4} {path}:{first}-{last} {function}")


if __name__ == "__main__":
    main()
