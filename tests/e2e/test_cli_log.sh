#!/usr/bin/env bash
# artel log: rows of JSON into a run; and how they come out again.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/cli.bash"
export ARTEL_DIR=$work/state
log() { artel log "$@"; }
rows() { artel history "$1" --json; }

printf '{"loss":0.5}\n{"loss":0.25,"epoch":1}\n{"loss":0.125}\n' | log --json --project demo >out.json
same 'the first line is the run' run "$(head -1 out.json | jq -r 'keys[0]')"
same 'then comes what is accepted' '{"accepted":3}' "$(tail -1 out.json)"
run=$(head -1 out.json | jq -r .run)
same 'the rows come back' '{"_step":0,"loss":0.5}
{"_step":1,"loss":0.25,"epoch":1}
{"_step":2,"loss":0.125}' "$(rows "$run")"
same 'the run is finished in its project' 'demo finished 0 3 2' \
    "$(artel runs ls --json | jq -r '"\(.project) \(.state) \(.exit) \(.rows) \(.last_step)"')"

cat >typed.in <<'END'
{"i":9007199254740993,"min":-9223372036854775808,"f":0.1,"whole":2.0,"t":true,"n":null,"s":"größe \"日本\" \u0001","e":1e300}
{"x":NaN,"y":Infinity,"z":-Infinity,"word":"NaN","text":"xNaN, \"NaN\""}
{"a":{"b":1,"c":{"d":2.5}},"_step":100}
{"s":"","after":1}
END
log --run typed <typed.in >/dev/null
cat >typed.out <<'END'
{"_step":0,"i":9007199254740993,"min":-9223372036854775808,"f":0.1,"whole":2.0,"t":true,"s":"größe \"日本\" \u0001","e":1e+300}
{"_step":1,"x":"NaN","y":"Infinity","z":"-Infinity","word":"NaN","text":"xNaN, \"NaN\""}
{"_step":100,"a.b":1,"a.c.d":2.5}
{"_step":101,"s":"","after":1}
END
same 'types are kept exactly' "$(cat typed.out)" "$(rows typed)"
same 'in the store, too' 'i|int,min|int,t|bool,whole|double,x|double' \
    "$(sqlite3 state/catalogue.db "SELECT DISTINCT key, type FROM history WHERE run = 'typed'
       AND key IN ('i', 'min', 't', 'whole', 'x') ORDER BY key" | paste -sd,)"
rows typed | log --run copy >/dev/null
same 'what history prints, log reads' "$(rows typed)" "$(rows copy)"

cat >bad.in <<'END'
{"a":1}
not json
[1]
{"a":[1,2]}

{"a":2,"_step":"x"}
{}
{"a":99999999999999999999}
{"a":1,"a":2}
{"b":{"c":1},"b.c":2}
{"a":3}
END
status=0
log --run bad --json <bad.in >bad.out 2>bad.err || status=$?
same 'refused lines give the exit status 3' 3 "$status"
same 'each is named by its number' '2 3 4 6 7 8 9 10' \
    "$(sed -n 's/^artel: line \([0-9]*\):.*/\1/p' bad.err | paste -sd' ')"
has 'and counted' "$(cat bad.err)" '8 lines refused'
has 'a list is refused by its key' "$(cat bad.err)" "line 4: 'a' is a list"
has 'a step must be an integer' "$(cat bad.err)" "line 6: '_step' must be an integer"
has 'a key twice is refused' "$(cat bad.err)" "line 10: 'b.c' is there twice"
same 'the other lines are logged' '{"_step":0,"a":1}
{"_step":1,"a":3}' "$(rows bad)"
same 'and counted as accepted' '{"accepted":2}' "$(tail -1 bad.out)"
same 'the run itself is finished' finished "$(artel runs ls --json | jq -r 'select(.run=="bad").state')"

{ printf '{"s":"'; head -c 1500000 /dev/zero | tr '\0' x; printf '"}\n{"a":1}'; } >long.in
status=0
log --run long <long.in >/dev/null 2>long.err || status=$?
same 'a line over 1 MiB is refused, the others are logged' '3 {"_step":0,"a":1}' "$status $(rows long)"
has 'by its number' "$(cat long.err)" 'line 1: it is over 1 MiB long'

seq 1 20000 | sed 's/.*/{"v":&,"w":0.5}/' | log --run many --json >many.out
same 'many rows are all accepted' '{"accepted":20000}' "$(tail -1 many.out)"
[ "$(grep -c accepted many.out)" -gt 1 ] && pass 'block by block' || fail 'block by block' "$(tail -1 many.out)"
same 'and all there, in order' "$(seq 1 20000 | md5sum)" "$(rows many | jq .v | md5sum)"

# Rows are accepted as they come, not at the end.
mkfifo pipe
artel log --run live --json <pipe >live.out &
exec 9>pipe
echo '{"a":1}' >&9
until_true 10 grep -q '{"accepted":1}' live.out && pass 'a row is accepted before the next comes' \
    || fail 'a row is accepted before the next comes' "$(cat live.out)"
echo '{"a":2}' >&9
until_true 10 grep -q '{"accepted":2}' live.out && pass 'and so is the next' || fail 'and so is the next' "$(cat live.out)"
kill -INT $!
status=0
wait $! || status=$?
exec 9>&-
same 'SIGINT ends it with 130' 130 "$status"
same 'as failed, with what was accepted' 'failed 130 2' \
    "$(artel runs ls --json | jq -r 'select(.run=="live") | "\(.state) \(.exit) \(.rows)"')"

artel log --run dead --json <pipe >dead.out &
exec 9>pipe
printf '{"a":1}\n{"a":2}\n' >&9
until_true 10 grep -q '{"accepted":2}' dead.out
kill -KILL $!
wait $! 2>/dev/null
exec 9>&-
code 'after SIGKILL artel sync delivers' 0 artel sync
same 'what was accepted' '{"_step":0,"a":1}
{"_step":1,"a":2}' "$(rows dead)"
same 'and the run is crashed' crashed "$(artel runs ls --json | jq -r 'select(.run=="dead").state')"

echo '{"more":1}' | log --run dead >/dev/null
same 'a run that is there goes on, with the next step' '{"_step":2,"more":1}' "$(rows dead | tail -1)"
same 'and nothing else is new' 3 "$(rows dead | wc -l)"
[ "$(artel gc --json | jq .journals)" -ge 2 ] && pass 'gc takes its journals' || fail 'gc takes its journals' 'it did not'
echo '{"more":2}' | log --run dead >/dev/null
same 'but not its step' '{"_step":3,"more":2}' "$(rows dead | tail -1)"
same 'and is finished again' finished "$(artel runs ls --json | jq -r 'select(.run=="dead").state')"

# Nobody has looked at this one yet when it is resumed.
artel log --run killed --json <pipe >killed.out &
exec 9>pipe
printf '{"_step":41,"a":1}\n{"a":2}\n' >&9
until_true 10 grep -q '{"accepted":2}' killed.out
kill -KILL $!
wait $! 2>/dev/null
exec 9>&-
echo '{"a":3}' | log --run killed >/dev/null
code 'a killed run is resumed before anybody syncs it' 0 artel sync
same 'its steps go on' '41 42 43' "$(rows killed | jq -s -r 'sort_by(.a) | map(._step) | join(" ")')"

seq 1 5000 | sed 's/.*/{"v":&}/' | log --run deaf --json | head -1 >/dev/null
same 'a reader that goes away stops nothing' 5000 "$(artel runs ls --json | jq -r 'select(.run=="deaf").rows')"
: | log --run empty >/dev/null
same 'no input is a run without rows' 'finished 0' \
    "$(artel runs ls --json | jq -r 'select(.run=="empty") | "\(.state) \(.rows)"')"
artel log --run closed <&- >/dev/null
same 'a closed standard input is no input' 0 "$(artel runs ls --json | jq -r 'select(.run=="closed").rows')"
code 'a bad run id is a usage error' 2 artel log --run 'a b'
has 'and says why' "$err" 'a b'
has 'for people it is one line' "$(echo '{"a":1}' | log --run people)" 'run people: 1 row delivered'
same '--quiet prints nothing' '' "$(echo '{"a":1}' | log --run quiet --quiet 2>&1)"
echo '{"a":1,"_timestamp":1700000000.5}' | log --run timed >/dev/null
same '_timestamp is printed on request' '{"_step":0,"_timestamp":1700000000.5,"a":1}' \
    "$(artel history timed --time --json)"
same 'and otherwise not' '{"_step":0,"a":1}' "$(rows timed)"
finish
