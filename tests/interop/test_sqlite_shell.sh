#!/usr/bin/env bash
# The catalogue, read with the sqlite3 shell, says what the command line says:
# runs, rows, values, artifacts, aliases, entries. So does that of a second store,
# and the questions in docs/store.md can be asked as they stand there.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../e2e/cli.bash"
export ARTEL_DIR=$work/state ARTEL_SINKS=store,copy=store:$work/copy

# What there is to see: two projects, every type of value, artifacts with
# versions and aliases, one of them removed, a folder with all kinds of entries.
artel log --run first --project digits >/dev/null <<'ROWS'
{"loss": 2.5, "ok": true, "n": 9223372036854775807, "text": "a \"b\" \\ ü", "bad": NaN}
{"loss": 1.25, "up": Infinity, "down": -Infinity, "n": -9223372036854775808, "zero": -0.0}
{"loss": 0.1, "ok": false, "_step": 7}
ROWS
seq 1 3000 | sed 's/.*/{"x": &, "half": &.5}/' | artel log --run second --project words >/dev/null
mkdir -p in/sub in/empty
echo one >in/a.txt
echo two >"in/sub/b c.txt"
ln -s a.txt in/link
chmod +x in/a.txt
artel artifact put set in --alias raw --type data >/dev/null
echo three >in/a.txt
artel artifact put set in --alias best --metadata '{"acc": 0.5}' --type data >/dev/null
artel artifact put model in/a.txt --project words >/dev/null
echo four >in/a.txt
artel artifact put model in/a.txt >/dev/null
artel artifact get set:best -o out >/dev/null
code 'what the second store has not got yet is delivered' 0 artel sync

python3 - "$work" <<'PYTHON' || failures=1
import hashlib, json, math, os, subprocess, sys

work, failed = sys.argv[1], 0


def check(name, wanted, found):
    """Equal, and not both of them empty."""
    global failed
    if wanted == found and wanted:
        print(f"PASS {name}")
    else:
        failed += 1
        print(f"FAIL {name}: {wanted!r} against {found!r}"[:2000])


def output(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, check=True, timeout=60).stdout


def artel(*words):
    return [json.loads(line) for line in output("artel", *words, "--json").splitlines()]


def shell(sql, store="state"):
    rows = output("sqlite3", "-readonly", "-json", f"{work}/{store}/catalogue.db", sql)
    return json.loads(rows) if rows.strip() else []


def runs(store="state"):
    return shell("SELECT run, project, name, state, rows, last_step FROM runs ORDER BY created_ms, id", store)


# JSON has no words for NaN and infinities; the command line writes texts.
VALUES = """SELECT row, step, key, type, CASE WHEN type <> 'double' THEN value
              WHEN value IS NULL THEN 'NaN' WHEN value = 9e999 THEN 'Infinity'
              WHEN value = -9e999 THEN '-Infinity' ELSE printf('%!.17g', value) END AS value
            FROM history WHERE run = '{}' ORDER BY row"""


def value(cell):
    if cell["type"] == "bool":
        return bool(cell["value"])
    if cell["type"] == "double" and cell["value"] not in ("NaN", "Infinity", "-Infinity"):
        return float(cell["value"])
    return cell["value"]


def history(run, store="state"):
    rows = {}
    for cell in shell(VALUES.format(run), store):
        rows.setdefault(cell["row"], {"_step": cell["step"]})[cell["key"]] = value(cell)
    return [rows[i] for i in sorted(rows)]


def typed(rows):
    return [[(key, type(v).__name__, v) for key, v in sorted(row.items())] for row in rows]


def versions(store="state"):
    return [[v["name"], v["type"], f"v{v['version']}", v["digest"], v["files"], v["bytes"], v["run"]]
            for v in shell("SELECT * FROM artifact_versions ORDER BY name, version", store)]


def aliases(store="state"):
    return [[a["name"], a["alias"], f"v{a['version']}"] for a in shell(
        "SELECT name, alias, version FROM aliases l JOIN artifacts a ON a.id = l.artifact ORDER BY 1, 2", store)]


def contents(store="state"):
    return sorted(v[:2] + v[3:] for v in versions(store))


def named(store):
    digests = {(v[0], v[2]): v[3] for v in versions(store)}
    return [[name, alias, digests[name, version]] for name, alias, version in aliases(store) if alias != "latest"]


def listed():
    return [[v[k] for k in ("name", "type", "version", "digest", "files", "bytes", "run")]
            for v in artel("artifact", "ls")]


def listed_aliases():
    return sorted([v["name"], a, v["version"]] for v in artel("artifact", "ls") for a in v["aliases"])


keys = ("run", "project", "name", "state", "rows", "last_step")
check("the same runs", [{k: r[k] for k in keys} for r in artel("runs", "ls", "--all")], runs())
check("those that put made are hidden", [r["run"] for r in artel("runs", "ls")],
      [r["run"] for r in shell("SELECT run FROM runs WHERE NOT hidden ORDER BY created_ms, id")])
for run in ("first", "second"):
    check(f"the same rows and types of the {run} run", typed(artel("history", run)), typed(history(run)))
check("a minus zero keeps its sign", -1.0, math.copysign(1, artel("history", "first")[1]["zero"]))
check("the same artifacts", listed(), versions())
check("the same aliases", listed_aliases(), aliases())

kinds = {}
for entry in shell("SELECT * FROM artifact_entries WHERE name = 'set' AND version = 1"):
    kinds[entry["path"]] = [entry["kind"], entry["digest"] or entry["target"], entry["exec"]]
found = {}
for folder, folders, files in os.walk(f"{work}/out"):
    for name in folders + files:
        path = f"{folder}/{name}"
        if os.path.islink(path):
            found[os.path.relpath(path, f"{work}/out")] = ["link", os.readlink(path), None]
        elif os.path.isfile(path):
            with open(path, "rb") as file:
                digest = hashlib.sha256(file.read()).hexdigest()
            found[os.path.relpath(path, f"{work}/out")] = ["file", digest, int(os.access(path, os.X_OK))]
        elif not os.listdir(path):
            found[os.path.relpath(path, f"{work}/out")] = ["dir", None, None]
check("the same entries as are fetched", found, kinds)

check("a second store has the same runs", runs(), runs("copy"))
check("and rows", typed(history("first") + history("second")),
      typed(history("first", "copy") + history("second", "copy")))
# Its versions are numbered in the order in which they came there.
check("and artifacts", contents(), contents("copy"))
check("and aliases", named("state"), named("copy"))

output("artel", "artifact", "rm", "model:v1")
check("the same artifacts after one is removed", listed(), versions())
check("and latest is the one before", ["model", "latest", "v0"], [a for a in listed_aliases() if a[0] == "model"][0])
check("and the same aliases", listed_aliases(), aliases())
sys.exit(failed > 0)
PYTHON

sed -n '/^Some questions:/,/^###/s/^    //p' "$here/../../docs/store.md" >questions.sql
code 'the questions of docs/store.md can be asked' 0 sqlite3 -readonly -bail state/catalogue.db '.read questions.sql'
has 'and are answered' "$out" '0.1'
same 'there are seven of them' 7 "$(grep -c ';$' questions.sql)"
code 'the file is whole' 0 sqlite3 -readonly state/catalogue.db 'PRAGMA integrity_check; PRAGMA foreign_key_check'
same 'as SQLite says' ok "$out"
finish
