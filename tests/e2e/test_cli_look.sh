#!/usr/bin/env bash
# artel runs ls, show, history: what was logged, for people and for programs.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/cli.bash"
export ARTEL_DIR=$work/state

code 'before anything is logged there is nothing to look into' 4 artel runs ls --json
same 'and there are no rows' '' "$out"
[ ! -e state ] && pass 'looking makes nothing' || fail 'looking makes nothing' "$(ls state)"

seq 0 199 | awk '{ printf "{\"loss\":%f,\"acc\":%f,\"n\":%d,\"name\":\"s%d\"}\n", exp(-$1 / 50), 1 - exp(-$1 / 80), $1, $1 }' |
    artel log --run first-one --project demo --name 'my run' >/dev/null
printf '{"loss":1}\n{"val,\\"x\\"":2,"text":"a, \\"b\\"\\nc"}\n{"loss":"NaN"}\n' | artel log --run first-two --project other >/dev/null

table=$(artel runs ls)
same 'runs ls has these columns' 'RUN PROJECT NAME STATE CREATED ROWS LAST STEP EXIT' \
    "$(head -1 <<<"$table" | tr -s ' ' | sed 's/ *$//')"
same 'one row a run, newest last' 'first-one first-two' "$(tail -n +2 <<<"$table" | cut -d' ' -f1 | paste -sd' ')"
same 'as JSON one object a row' 2 "$(artel runs ls --json | jq -r .run | wc -l)"
same 'of one project' first-two "$(artel runs ls --project other --json | jq -r .run)"
same 'with these values' 'demo my run finished 200 199 0 false' "$(artel runs ls --json | head -1 |
    jq -r '"\(.project) \(.name) \(.state) \(.rows) \(.last_step) \(.exit) \(.hidden)"')"

same 'a run is found by its unique beginning' 3 "$(artel history first-t --json | wc -l)"
code 'not by one of several' 4 artel history first
has 'which are named' "$err" 'first-one, first-two'
code 'an unknown run is not found' 4 artel show nothing
has 'which is said' "$err" "there is no run 'nothing'"
code 'a run is not found by a wildcard' 4 artel history 'first-%'

same 'history as CSV has a heading' '_step,loss,acc,n,name' "$(artel history first-one --csv | head -1)"
same 'and a line a row' 201 "$(artel history first-one --csv | wc -l)"
same 'CSV quotes what needs it' '_step,loss,"val,""x""",text
0,1,,
1,,2,"a, ""b""
c"
2,NaN,,' "$(artel history first-two --csv)"
same 'with keys only those' '_step,n
0,0
1,1' "$(artel history first-one n --csv | head -3)"
same 'and only rows that have one' '{"_step":1,"text":"a, \"b\"\nc"}' "$(artel history first-two text --json)"
same 'the table has them, too' '_step n' "$(artel history first-one n | head -1 | tr -s ' ' | sed 's/^ //')"
hasnot 'a newline in a value breaks no table' "$(artel history first-two | wc -l)" 5

plot=$(COLUMNS=70 artel history first-one --plot loss)
same 'a plot is 18 lines high' 18 "$(wc -l <<<"$plot")"
has 'with the highest value' "$plot" '         1 ┤'
has 'the steps' "$plot" '199'
has 'and braille dots' "$plot" '⠈'
same 'as wide as the terminal' '' "$(grep -E '^.{71}' <<<"$plot")"
has 'in ASCII where the locale is not UTF-8' "$(LC_ALL=C artel history first-one --plot loss)" '*'
has 'two keys are two plots' "$(artel history first-one --plot loss --plot acc)" $'\n            acc'
has 'what is not finite is left out and said' "$(artel history first-two --plot loss)" '(1 of 2 values are not finite)'
code 'what is no number is not drawn' 4 artel history first-one --plot name
code 'only one format' 2 artel history first-one --csv --json

page=$(artel show first-one)
has 'show has the state' "$page" 'first-one  finished, exit 0'
has 'the facts' "$page" 'rows         200, last step 199'
has 'the metrics with their course' "$page" '█▇'
has 'and what is delivered' "$page" 'everything is delivered'
same 'show --json is one object' 1 "$(artel show first-one --json | wc -l)"
same 'with everything in it' '200 199 0' \
    "$(artel show first-one --json | jq -r '"\(.metrics.n.count) \(.metrics.n.max) \(.pending | length)"')"

sql() { sqlite3 state/catalogue.db "$1"; }
same 'the sqlite3 shell sees the same runs' "$(artel runs ls --json | jq -r '"\(.run)|\(.rows)|\(.state)"')" \
    "$(sql 'SELECT run, rows, state FROM runs WHERE NOT hidden ORDER BY created_ms')"
same 'the same rows' "$(artel history first-one n --csv | tail -n +2 | tr , '|')" \
    "$(sql "SELECT step, value FROM history WHERE run = 'first-one' AND key = 'n' ORDER BY row")"
echo x >f
artel artifact put model f --alias best >/dev/null
same 'the same artifacts' "$(artel artifact ls --json | jq -r '"\(.name)|\(.version)|\(.digest)|\(.files)|\(.bytes)"')" \
    "$(sql "SELECT name, 'v' || version, digest, files, bytes FROM artifact_versions")"
same 'the same aliases' 'best|0,latest|0' \
    "$(sql "SELECT l.alias, l.version FROM aliases l JOIN artifacts a ON a.id = l.artifact
       WHERE a.name = 'model' ORDER BY l.alias" | paste -sd,)"

printf '%s\n' '{"a":"\u001b[31mred"}' | artel log --run evil --name $'e\e[31mvil' >/dev/null 2>&1
hasnot 'a value cannot colour the terminal' "$(artel history evil 2>&1)" $'\e'
hasnot 'nor a name' "$(artel runs ls; artel show evil 2>&1)" $'\e'
finish
