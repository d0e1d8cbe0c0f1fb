#!/usr/bin/env bash
# artel artifact put, get, ls, rm.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/cli.bash"
export ARTEL_DIR=$work/state
put() { artel artifact put "$@" --json; }
field() { jq -r ".$1"; }

mkdir -p in/sub
echo one >in/a.txt; echo two >in/sub/b.txt; echo weights >w.bin

code 'put of a folder is committed' 0 artel artifact put set in --json
same 'it prints one object on one line' 1 "$(wc -l <<<"$out")"
same 'with these keys' 'bytes,digest,files,name,new,state,type,version' \
    "$(jq -r 'keys | join(",")' <<<"$out")"
same 'name, type, version, state, files, bytes, new' 'set artifact v0 committed 2 8 true' \
    "$(jq -r '"\(.name) \(.type) \(.version) \(.state) \(.files) \(.bytes) \(.new)"' <<<"$out")"
same 'the digest is 64 hex digits' 64 "$(field digest <<<"$out" | tr -d '\n' | tr -cd 0-9a-f | wc -c)"
same 'nothing is said on stderr' '' "$err"
same 'the state directory was made with mode 0700' 700 "$(stat -c %a state)"
digest=$(field digest <<<"$out")

mkdir -m 700 empty
same 'a directory that is there already is taken, too' committed \
    "$(artel artifact put set in --dir empty --json | jq -r .state)"

again=$(put set in)
same 'equal content makes no new version' "v0 false committed $digest" \
    "$(jq -r '"\(.version) \(.new) \(.state) \(.digest)"' <<<"$again")"
echo three >in/c.txt
same 'other content makes the next' 'v1 true' "$(put set in | jq -r '"\(.version) \(.new)"')"
same 'several paths make one artifact' '3 files' \
    "$(put both in/sub w.bin in/a.txt | jq -r '"\(.files) files"')"
artel artifact get both -o both >/dev/null
same 'what is in a folder goes to the top, a file under its base name' 'a.txt b.txt w.bin' \
    "$(ls both | paste -sd' ')"
code 'two files of one name are refused' 1 artel artifact put twice in/a.txt in/a.txt --json
has 'by name' "$err" 'a.txt'
same 'and the object says failed' 'failed null' "$(jq -r '"\(.state) \(.version)"' <<<"$out")"
same 'and no version is there' '' "$(artel artifact ls twice --json)"
code 'a path that is not there is refused' 1 artel artifact put gone nowhere --json
has 'by name as well' "$err" 'nowhere'

put model w.bin --type model --alias best --alias prod --metadata '{"acc": 0.5, "n": 9007199254740993}' \
    --description 'the first' >/dev/null
row=$(artel artifact ls model --json)
same 'ls has the keys of put' 'model model v0 committed 1 8' \
    "$(jq -r '"\(.name) \(.type) \(.version) \(.state) \(.files) \(.bytes)"' <<<"$row")"
same 'and aliases' 'best,latest,prod' "$(jq -r '.aliases | join(",")' <<<"$row")"
has 'and metadata, exactly' "$row" '"n":9007199254740993'
same 'and the description' 'the first' "$(field description <<<"$row")"
echo more >>w.bin
same 'without --type it is of the type it was' model "$(put model w.bin --alias best | jq -r .type)"
code 'another type is refused' 1 artel artifact put model in/a.txt --type dataset
has 'with both named' "$err" "'model', not 'dataset'"
same 'an alias moves to the version that takes it' 'v0 prod v1 best,latest' \
    "$(artel artifact ls model --json | jq -r '"\(.version) \(.aliases | join(","))"' | paste -sd' ')"
same 'versions come oldest first' 'v0,v1' "$(artel artifact ls model --json | jq -r .version | paste -sd,)"
same 'ls without a name lists all' 'both,model,model,set,set' \
    "$(artel artifact ls --json | jq -r .name | sort | paste -sd,)"
code 'an unknown name is no error' 0 artel artifact ls unknown --json
same 'and has no row' '' "$out"
has 'for people it is a table' "$(artel artifact ls model)" 'VERSION'

code 'metadata that is no object is a usage error' 2 artel artifact put m w.bin --metadata '[1]'
code 'so is a bad name' 2 artel artifact put a:b w.bin
code 'so is a bad alias' 2 artel artifact put m w.bin --alias a/b
code 'so are bad links' 2 artel artifact put m w.bin --links some
same 'and nothing was made' '' "$(artel artifact ls m --json)"

code 'get without a version fetches the latest' 0 artel artifact get model -o out --json
same 'and says which' 'model v1 out' "$(jq -r '"\(.name) \(.version) \(.dir)"' <<<"$out")"
cmp -s w.bin out/w.bin && pass 'the bytes are the same' || fail 'the bytes are the same' "$(ls out)"
artel artifact get model:v0 -o out0 >/dev/null
same 'get by number' 'weights' "$(cat out0/w.bin)"
artel artifact get model:prod -o outp >/dev/null
same 'get by alias' 'weights' "$(cat outp/w.bin)"
echo mine >out/other; echo old >out/w.bin
artel artifact get model:latest -o out >/dev/null
same 'other files stay' mine "$(cat out/other)"
cmp -s w.bin out/w.bin && pass 'what has the same name is replaced' \
    || fail 'what has the same name is replaced' "$(cat out/w.bin)"
code 'get of what is not there' 4 artel artifact get model:v9 -o x
has 'is a sentence' "$err" 'there is no artifact model:v9'
code 'get without a folder is a usage error' 2 artel artifact get model
code 'a folder without -o is one, too' 2 artel artifact get model out
same 'that says how it was meant' "artel: 'out' is one argument too many; did you mean -o out?" "$err"
code 'get of a bad name is a usage error' 2 artel artifact get a:b:c -o x
[ ! -e x ] && pass 'and makes no folder' || fail 'and makes no folder' "$(ls -d x)"

artel artifact 
code 'rm refuses a version with an alias' 1 artel artifact rm model:v0
has 'which it names' "$err" 'prod'
code 'rm --force removes it' 0 artel artifact rm model:v0 --force --json
same 'and says so' 'model v0 true' "$(jq -r '"\(.name) \(.version) \(.removed)"' <<<"$out")"
code 'it is gone' 4 artel artifact get model:v0 -o x
code 'rm of the latest' 0 artel artifact rm set:v1
same 'moves latest to the newest that is left' 'v0 latest' \
    "$(artel artifact ls set --json | jq -r '"\(.version) \(.aliases | join(","))"')"
same 'a number is never used again' v2 "$(put set in | jq -r .version)"
code 'rm wants a number' 2 artel artifact rm set:latest
code 'rm of what is not there' 4 artel artifact rm set:v77

same 'runs ls leaves out what put made for itself' '' "$(artel runs ls --json)"
same 'unless all are asked for' 'put' "$(artel runs ls --all --json | jq -r .job_type | sort -u)"

second=$work/second
code 'put to two stores' 0 artel artifact put two in --sink "store,copy=store:$second" --json
same 'both have it' "$(artel artifact ls two --json | jq -r .digest)" \
    "$(artel artifact ls two --sink "copy=store:$second" --json | jq -r .digest)"
code 'get from the second' 0 artel artifact get two -o two --sink "copy=store:$second"
diff -r in two >/dev/null && pass 'gives the same files' || fail 'gives the same files' "$(diff -r in two)"

same 'put without --json is one line' 1 "$(artel artifact put words w.bin | wc -l)"
has 'that says unchanged' "$(artel artifact put words w.bin)" '(unchanged)'

truncate -s 4G sparse
artel artifact put sparse sparse --json >put.json 2>put.err &
until_true 10 has_read $!
kill -INT $!
status=0
wait $! || status=$?
same 'SIGINT while files are read ends put with 130' '130 failed' "$status $(jq -r .state put.json)"
has 'and says so' "$(cat put.err)" 'stopped by a signal, and nothing is stored'
same 'with nothing stored' '' "$(artel artifact ls sparse --json --quiet)"

# A store that another program holds makes put wait: the bar shows, then is gone.
sqlite3 state/catalogue.db 'BEGIN IMMEDIATE' '.shell touch held; sleep 2.5' 'COMMIT' &
until_true 5 test -e held
echo slow >slow.txt
TERM=xterm script -qec 'artel artifact put slow slow.txt' /dev/null </dev/null >bar.log
wait $!
has 'work over a second shows a bar on a terminal' "$(cat bar.log)" 'waiting for the store'
has 'on one line that is erased' "$(tail -c 300 bar.log)" $'\r\e[K'
updates=$(grep -o 'waiting for the store' bar.log | wc -l)
[ "$updates" -le 30 ] && pass 'at most ten times a second' || fail 'at most ten times a second' "$updates"
sqlite3 state/catalogue.db 'BEGIN IMMEDIATE' '.shell touch held2; sleep 1.5' 'COMMIT' &
until_true 5 test -e held2
echo slow2 >slow.txt
artel artifact put slow slow.txt 2>bar.log >/dev/null
wait $!
same 'and none where there is no terminal' '' "$(cat bar.log)"
sqlite3 state/catalogue.db 'BEGIN IMMEDIATE' '.shell touch held3; sleep 2' 'COMMIT' &
until_true 5 test -e held3
echo slow3 >slow.txt
SECONDS=0
code 'what is not committed in time is queued' 5 $leaving artel artifact put slow slow.txt --timeout 0.5 --json
same 'and the object says so' 'queued null' "$(jq -r '"\(.state) \(.version)"' <<<"$out")"
has 'and what to do' "$err" 'artel sync'
[ $SECONDS -lt 5 ] && pass 'it does not wait much longer' || fail 'it does not wait much longer' "$SECONDS s"
wait
code 'artel sync delivers it' 0 artel sync
same 'and then it is there' v2 "$(artel artifact ls slow --json | tail -1 | jq -r .version)"
finish
