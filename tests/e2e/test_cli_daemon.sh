#!/usr/bin/env bash
# artel daemon run, start, status, stop: the service as people handle it.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/cli.bash"
unset ARTEL_ENDPOINT
export ARTEL_DIR=$work/state XDG_RUNTIME_DIR=$work/run
mkdir -m 700 run

# Whatever is left of services: the process that serves dies with its supervisor.
end_services() {
    local lock pid
    for lock in "$work"/*/service; do
        pid=$(cat "$lock" 2>/dev/null)
        [ "$(cat "/proc/${pid:-none}/comm" 2>/dev/null)" = arteld ] && kill -KILL "$pid"
    done
}
trap 'end_services; chmod -R u+rwx "$work" 2>/dev/null; rm -rf "$work"' EXIT

holder() { cat state/service; }
worker() { pgrep -P "$(holder)"; }
is_gone() { [ ! -d "/proc/$1" ]; }
serves() { [ "$(artel daemon status --json 2>/dev/null | jq -r .serving)" = true ]; }
now() { date +%s%N; }

code 'status without a directory is not found' 4 artel daemon status --json
same 'one row' '1 false' "$(wc -l <<<"$out") $(jq -r .serving <<<"$out")"
same 'with these keys' dir,error,pending,pid,runs,serving,since,socket "$(jq -r 'keys | join(",")' <<<"$out")"
has 'and what to do' "$err" "'artel daemon start' starts one"
[ -e state ] && fail 'looking makes nothing' "$(ls -a state)" || pass 'looking makes nothing'
code 'stop without a service is no error' 0 artel daemon stop
same 'and says so' "no service runs over $work/state" "$out"
same 'as a row as well' 'false null' "$(artel daemon stop --json | jq -r '"\(.stopped) \(.pid)"')"
code 'a timeout that is none is a usage error' 2 artel daemon start --timeout soon

missing=
for option in $(arteld --help | grep -o -- ' --[a-z-]*' | sort -u); do
    grep -qF -- "\\-\\-$(sed 's/^--//; s/-/\\-/g' <<<"$option")" "$here/../../docs/man/arteld.1" || missing="$missing $option"
done
same 'the manual of arteld has every option' '' "$missing"

# What the caller has open is not the service's.
exec 8>held
code 'start' 0 artel daemon start
pid=$(holder)
same 'says who serves' "pid $pid serves $work/state" "$out"
same 'and nothing else' '' "$err"
worker=$(worker)
same 'without a terminal, in a session of its own' "$pid ?" "$(ps -o sid=,tty= -p "$worker" | xargs)"
same 'with /dev/null and its log' "/dev/null /dev/null $work/state/arteld.log" \
    "$(readlink "/proc/$pid/fd/0" "/proc/$pid/fd/1" "/proc/$pid/fd/2" | xargs)"
hasnot 'and nothing of who started it' "$(readlink /proc/"$pid"/fd/* /proc/"$worker"/fd/*)" held
exec 8>&-
has 'the log says where' "$(cat state/arteld.log)" "serving $work/state at $work/run/artel/"
same 'only for its user' 600 "$(stat -c %a state/arteld.log)"
code 'status is 0' 0 artel daemon status --json
same 'it serves, nothing is open' "true $pid 0 0 null" \
    "$(jq -r '"\(.serving) \(.pid) \(.runs) \(.pending) \(.error)"' <<<"$out")"
[ -S "$(jq -r .socket <<<"$out")" ] && pass 'its socket is one' || fail 'its socket is one' "$out"
since=$(date -d "$(jq -r .since <<<"$out")" +%s)
[ $(($(date +%s) - since)) -le 60 ] && pass 'it began just now' || fail 'it began just now' "$out"
has 'people get a table' "$(artel daemon status)" "$work/state  yes"
code 'start again is no error' 0 artel daemon start --json
same 'and starts none' "false $pid" "$(jq -r '"\(.started) \(.pid)"' <<<"$out")"

mkfifo pipe
artel log --run live --json <pipe >live.out &
live=$!
exec 9>pipe
echo '{"a":1}' >&9
until_true 20 grep -q accepted live.out
same 'a program over it is counted, with its journal' '1 1' \
    "$(artel daemon status --json | jq -r '"\(.runs) \(.pending)"')"
exec 9>&-
wait $live
same 'until it is over' '0 0' "$(artel daemon status --json | jq -r '"\(.runs) \(.pending)"')"
same 'what it logged is there' '{"_step":0,"a":1}' "$(artel history live --json)"

kill -KILL "$worker"
until_true 20 serves && [ "$(worker)" != "$worker" ] && pass 'one that dies is followed by another' \
    || fail 'one that dies is followed by another' "$(cat state/arteld.log)"
same 'under the same pid' "$pid" "$(holder)"

doctor() { artel doctor --json | jq -r 'select(.check == "service") | "\(.verdict) \(.text)"'; }
has 'doctor finds it' "$(doctor)" "ok pid $pid answers at $work/run/artel/"

# One that hangs has a socket, and does not answer.
worker=$(worker)
kill -STOP "$worker"
code 'a service that hangs does not serve' 4 artel daemon status --json
same 'which is seen' "false $pid" "$(jq -r '"\(.serving) \(.pid)"' <<<"$out")"
has 'with the reason' "$err" "pid $pid is the service, but: the service at ipc://"
code 'start does not call that started' 1 artel daemon start --timeout 0
has 'but says why' "$err" 'has not answered within 5 s'
has 'doctor finds it wrong, and says what to do' "$(doctor)" "has not answered within 5 s; 'artel daemon stop' ends it"
began=$(now)
code 'stop does not wait for ever' 1 artel daemon stop --timeout 0.5
[ $((($(now) - began) / 1000000)) -ge 500 ] && pass 'but as long as it is told' || fail 'but as long as it is told' "$began"
has 'and says what may be done' "$err" "kill -KILL $pid"
kill -CONT "$worker"
code 'stop' 0 artel daemon stop --json
same 'waits until nobody serves' "0" "$(artel daemon stop --json | jq -rs 'map(select(.stopped)) | length')"
code 'status says so' 4 artel daemon status
has 'doctor says what starts one' "$(doctor)" "ok none runs, so each program delivers by itself; 'artel daemon start'"
until_true 10 is_gone "$pid" && is_gone "$worker" && pass 'nothing of it is left' || fail 'nothing of it is left' "$pid $worker"

code 'start --json' 0 artel daemon start --json
same 'says that it started one' "true true $(holder)" "$(jq -r '"\(.started) \(.serving) \(.pid)"' <<<"$out")"
pid=$(holder)
code 'stop --json' 0 artel daemon stop --json
same 'says whom it stopped' "true $pid" "$(jq -r '"\(.stopped) \(.pid)"' <<<"$out")"
[ -z "$(find run -type s)" ] && pass 'the socket is gone with it' || fail 'the socket is gone with it' "$(find run)"

# Many at once start one.
for i in 1 2 3 4; do artel daemon start --json >"many.$i" 2>&1 & starts[i]=$!; done
codes=
for i in 1 2 3 4; do wait "${starts[i]}"; codes="$codes $?"; done
same 'of many starts at once all succeed' ' 0 0 0 0' "$codes"
same 'with one service' "$(holder)" "$(cat many.* | jq -r .pid | sort -u)"
same 'which one of them started' 1 "$(cat many.* | jq -s 'map(select(.started)) | length')"
code 'and none takes its place when it is stopped' 0 artel daemon stop

# One that has died twice is started again after a pause, in which there is a service to stop as well.
artel daemon start --quiet
pid=$(holder)
for n in 1 2; do
    until_true 20 serves
    kill -KILL "$(worker)"
    until_true 20 eval "[ \"\$(grep -c 'starting it again' state/arteld.log)\" -ge $((n + 1)) ]"
done
code 'stop between a death and the next start' 0 artel daemon stop
same 'stops what would start it' "pid $pid has stopped" "$out"
until_true 10 is_gone "$pid" && pass 'so that nothing does' || fail 'so that nothing does' "$pid"

# The log does not fill the disk.
head -c 2000000 /dev/zero | tr '\0' '\n' >>state/arteld.log
code 'start with a long log' 0 artel daemon start --quiet
[ "$(stat -c %s state/arteld.log.1)" -ge 2000000 ] && pass 'turns it over' || fail 'turns it over' "$(ls -l state)"
same 'and goes on in a new one' 1 "$(grep -c . state/arteld.log)"
kill -KILL "$(worker)"
until_true 20 grep -q 'starting it again' state/arteld.log && pass 'and so does its supervisor' \
    || fail 'and so does its supervisor' "$(tail -3 state/arteld.log state/arteld.log.1)"
until_true 20 serves
artel daemon stop --quiet

# What keeps it from starting is told.
code 'sinks that are none are a usage error' 2 artel daemon start --sink 'store,nonsense'
has 'with the end of the log' "$err" "sink 'nonsense'"
hasnot 'of this start' "$err" 'serving'
touch file
code 'a directory that is a file fails' 1 artel daemon start --dir file
has 'which is said' "$err" "$work/file"
mkdir elsewhere
cp "$(command -v artel)" elsewhere/
code 'without an arteld it fails' 1 env PATH=/usr/bin:/bin elsewhere/artel daemon start
has 'which is said as well' "$err" 'arteld cannot be run: No such file or directory'
code 'run says the same' 1 env PATH=/usr/bin:/bin elsewhere/artel daemon run
same 'on stderr' 'artel: arteld cannot be run: No such file or directory' "$err"
code 'else that of PATH is taken' 0 elsewhere/artel daemon start --quiet
artel daemon stop --quiet

# In the foreground.
artel daemon run --json --sink "store,copy=store:$work/copy" >run.out 2>run.err &
run=$!
until_true 20 serves && pass 'run serves' || fail 'run serves' "$(cat run.err)"
echo '{"b":2}' | artel log --run both >/dev/null 2>&1
copied() { artel history both --json --sink "copy=store:$work/copy" 2>/dev/null; }
is_copied() { [ -n "$(copied)" ]; }
until_true 20 is_copied
same 'it delivers where it is told' '{"_step":0,"b":2}' "$(copied)"
kill -TERM $run
wait $run
same 'until SIGTERM' 0 "$?"
same 'prints one row' "$work/state" "$(jq -r .dir run.out)"
finish
