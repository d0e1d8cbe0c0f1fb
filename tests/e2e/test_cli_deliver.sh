#!/usr/bin/env bash
# artel status, sync, doctor: what is where, and how it gets on.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/cli.bash"
export ARTEL_DIR=$work/state

# Where there is nothing yet, reading finds nothing and says where it looked, and nothing is made there.
while read -r command; do
    code "artel $command without a state directory" 4 artel $command
    same 'prints nothing' '' "$out"
    has 'and says which' "$err" "there is no state directory $ARTEL_DIR"
done <<'END'
runs ls
show some
history some
artifact ls
artifact get some -o out
artifact rm some:v0
artifact verify
gc
status --json
sync --json
END
[ ! -e state ] && pass 'none of them makes it' || fail 'none of them makes it' "$(ls state)"
mkdir -m 700 state
code 'an empty one has no runs' 0 artel runs ls
has 'and its name is said' "$err" "no runs in $ARTEL_DIR"
code 'status of nothing' 0 artel status --json
same 'has no row' '' "$out"
code 'sync of nothing is done' 0 artel sync
rmdir state
code 'the directory is made by what writes' 0 artel log <<<'{"a":0}'
same 'mode 0700' 700 "$(stat -c %a state)"

mkfifo pipe
artel log --run live --json <pipe >live.out &
live=$!
exec 9>pipe
echo '{"a":1}' >&9
until_true 10 grep -q accepted live.out
row=$(artel status --json)
same 'a running program has a row' 'live store live' "$(jq -r '"\(.run) \(.sink) \(.state)"' <<<"$row")"
same 'with these keys' 'accepted,age,bytes,delivered,error,lost,oldest,refused,run,sink,state,undelivered,writer' \
    "$(jq -r 'keys | join(",")' <<<"$row")"
until_true 10 artel show live >/dev/null 2>&1    # it is delivered once it is durable
has 'show says so as well' "$(artel show live)" 'its program runs'
code 'sync does not wait for it' 0 artel sync
kill -KILL $live; wait $live 2>/dev/null
exec 9>&-
same 'a killed one is dead' dead "$(artel status --json | jq -r 'select(.run=="live").state')"
has 'doctor warns of it' "$(artel doctor)" "its program is dead, 'artel sync' delivers it"
code 'sync ends and delivers it' 0 artel sync --json
same 'and says so' '1 true' "$(jq -r '"\(.journals) \(.delivered)"' <<<"$out")"
same 'then nothing is left' '' "$(artel status --json)"
has 'which status says to people' "$(artel status)" 'everything accepted is delivered'
code 'sync again is done' 0 artel sync

# A store that cannot take anything: what is accepted waits, and nothing hangs.
sqlite3 state/catalogue.db "UPDATE meta SET value = 99 WHERE key = 'major'"
start=$SECONDS
echo '{"b":1}' | artel log --run late --timeout 1 >/dev/null 2>err
same 'log says that it is not delivered' 5 "$?"
has 'and what delivers it' "$(cat err)" 'artel sync'
echo x >f
code 'put is queued at once' 5 $leaving artel artifact put late f --json
has 'with the reason' "$(jq -r .error <<<"$out")" 'a newer artel made its catalogue'
[ $((SECONDS - start)) -lt 15 ] && pass 'neither waits for ever' || fail 'neither waits for ever' $((SECONDS - start))
code 'status counts it' 0 artel status --json --sink "other=store:$work/other"
[ "$(jq -s 'map(.undelivered) | add' <<<"$out")" -ge 5 ] && pass 'as undelivered' || fail 'as undelivered' "$out"
has 'and names what is wrong' "$(jq -rs '.[0].error' <<<"$out")" 'its catalogue cannot be read'
code 'sync says that it is not done' 5 artel sync --timeout 1
code 'doctor finds it wrong' 1 artel doctor --json
same 'the catalogue, that is' 'wrong' "$(jq -r 'select(.check=="catalogue").verdict' <<<"$out")"
code 'looking fails with a sentence' 1 artel runs ls
has 'that says why' "$err" 'made by a newer version of artel'
sqlite3 state/catalogue.db "UPDATE meta SET value = 1 WHERE key = 'major'"
code 'then sync delivers' 0 artel sync
same 'the rows' '{"_step":0,"b":1}' "$(artel history late --json)"
same 'and the artifact' v0 "$(artel artifact ls late --json | jq -r .version)"

# Each journal names the sinks it is for, and sync delivers to all of them.
second=$work/second
echo '{"c":1}' | artel log --run twice --sink "store,copy=store:$second" >/dev/null 2>&1
code 'sync needs not be told the sinks' 0 artel sync
same 'the second store has the row' '{"_step":0,"c":1}' "$(artel history twice --json --sink "copy=store:$second")"
same 'and nothing is left' '' "$(artel status --json)"
code 'a bad sink is a usage error' 2 artel log --sink 'store,nonsense'
has 'that names it' "$err" "sink 'nonsense'"

code 'doctor is content' 0 artel doctor --json
same 'with all its checks' 'catalogue,clock,descriptors,file system,inodes,libraries,owner,service,space,state' \
    "$(jq -r .check <<<"$out" | sort -u | paste -sd,)"
same 'each is ok or a warning' '' "$(jq -r 'select(.verdict=="wrong").text' <<<"$out")"
chmod 755 state
has 'doctor warns of an open directory' "$(artel doctor)" 'is open to others'
chmod 700 state
cp -a state copied
head -c 100 /dev/urandom | dd of=copied/catalogue.db bs=1 seek=0 conv=notrunc status=none
rm -f copied/catalogue.db-*
code 'a damaged catalogue is wrong' 1 artel doctor --dir copied
has 'which is said' "$out" 'catalogue'

# A trace that cannot be written is told once, and nothing fails.
for trace in /nowhere/trace /dev/full; do
    code "with the trace $trace all goes on" 0 env ARTEL_TRACE=$trace artel artifact put traced copied/host
    same 'and it is told once' 1 "$(grep -c "the trace $trace (ARTEL_TRACE) can't be written" <<<"$err")"
    same 'on stderr, with nothing else' 1 "$(wc -l <<<"$err")"
done
ARTEL_TRACE=/nowhere/trace XDG_RUNTIME_DIR=$work arteld --no-restart 2>service.err &
service=$!
until_true 20 grep -q 'ARTEL_TRACE' service.err
kill "$service"
wait "$service"
same 'a service tells it too, and serves' '0 1' "$? $(grep -c 'the trace /nowhere/trace' service.err)"

# The directory is found as documented.
mkdir -p project/.artel project/deep; chmod 700 project/.artel
unset ARTEL_DIR
(cd project/deep && echo '{"d":1}' | artel log --run near >/dev/null)
same 'the nearest .artel/ is used' near "$(artel runs ls --dir project/.artel --json | jq -r .run)"
echo '{"d":1}' | artel log --run home >/dev/null
same 'else the one of the user' home "$(artel runs ls --dir "$HOME/.local/share/artel" --json | jq -r .run)"
echo '{"d":1}' | XDG_DATA_HOME=$work/xdg artel log --run xdg >/dev/null
same 'or of XDG_DATA_HOME' xdg "$(artel runs ls --dir xdg/artel --json | jq -r .run)"
echo '{"d":1}' | ARTEL_DIR=$work/env artel log --run over --dir "$work/flag" >/dev/null
same '--dir goes before ARTEL_DIR' over "$(artel runs ls --dir flag --json | jq -r .run)"
echo '{"d":1}' | ARTEL_PROJECT=theirs artel log --run mine --dir flag >/dev/null
same 'ARTEL_PROJECT names the project' theirs "$(artel runs ls --dir flag --json | jq -r 'select(.run=="mine").project')"
finish
