#!/usr/bin/env bash
# arteld: one service for the programs of a machine, which outlives them and is outlived by none of
# their records.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/cli.bash"
. "$here/service.bash"
me=$here/test_service.sh

# A program that linked a node while there was no service keeps it from nothing.
mkfifo linked
timeout 60 artel log --run linked --json <linked >linked.out 2>&1 &
linked=$!
exec 8>linked
echo '{"a":1}' >&8
until_true 10 grep -q accepted linked.out

start_service
same 'its socket is in a folder of our own' 700 "$(stat -c %a run/artel)"
same 'which is ours alone, too' 700 "$(stat -c %a run/artel/*)"
code 'a second service is refused' 1 arteld
has 'with the one that holds the directory' "$err" "another service serves $ARTEL_DIR already (pid $serving)"

code 'a program finds it' 0 artel artifact put model "$me" --json
same 'and its artifact is committed' 'v0 committed' "$(jq -r '"\(.version) \(.state)"' <<<"$out")"
echo '{"loss":0}' | artel log --run first >first.out 2>&1
same 'a run is finished' finished "$(state_of first)"
echo '{"a":2}' >&8
exec 8>&-
wait $linked
same 'the program that linked a node went on' 0 $?
same 'and delivered by itself' 2 "$(artel history linked --json | wc -l)"

# Killed in the middle, again and again: the next one is there, nothing is lost, nothing there twice.
slow_rows 30 | timeout 60 artel log --run killed --json >killed.out 2>killed.err &
log=$!
for n in 1 2 3 4 5; do
    until_true 10 grep -q "\"accepted\":${n}[0-9]\{3\}" killed.out
    kill -KILL "$(worker)"
    until_true 10 answers
done
wait $log
same 'a program does not notice that the service is killed' 0 $?
has 'but is told' "$(cat killed.err)" 'is gone; records are kept in memory'
same 'all was accepted' '{"accepted":30000}' "$(tail -1 killed.out)"
complete killed 30000 && pass 'and is there once' || fail 'and is there once' "$(artel history killed --csv | tail -2)"
has 'the parent tells of it' "$(cat service.log)" 'died: Killed; starting it again'

# The whole of it gone, with its parent; the next is started by hand.
slow_rows 10 | timeout 60 artel log --run orphan --json >orphan.out 2>orphan.err &
log=$!
until_true 10 grep -q '"accepted":[0-9]\{4\}' orphan.out
pid=$(worker)
kill_service "$serving"
until_true 10 eval "! kill -0 $pid 2>/dev/null" && pass 'no worker outlives its parent' || fail 'no worker outlives its parent' "$pid"
[ -S "$(echo run/artel/*)" ] && pass 'its socket is left over' || fail 'its socket is left over' "$(ls run/artel)"
start_service
wait $log
same 'the next service goes on with the program' 0 $?
complete orphan 10000 && pass 'all rows once' || fail 'all rows once' "$(artel history orphan --csv | tail -2)"

# A put that has begun when the service dies goes on with the next. The store is held so that it waits.
exec 9>state/catalogue.lock
python3 -c 'import fcntl, struct
fcntl.fcntl(9, fcntl.F_OFD_SETLKW if hasattr(fcntl, "F_OFD_SETLKW") else 38, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))'
timeout 30 artel artifact put other "$me" --json >put.out 2>put.err 9>&- &
put=$!
until_true 10 ls state/clients/* >/dev/null 2>&1
until_true 10 eval '[ -n "$(find state/blobs -newer orphan.err -type f)" ]'
kill -KILL "$(worker)"
exec 9>&-
wait $put
same 'a put goes on with the next service' 0 $?
same 'which commits it' 'v0 committed' "$(jq -r '"\(.version) \(.state)"' put.out)"

# A program that dies: its rows are delivered, and the run is known to have crashed.
mkfifo dying
artel log --run dying --json <dying >dying.out 2>&1 &
log=$!
exec 7>dying
echo '{"loss":0}' >&7
until_true 10 grep -q accepted dying.out
until_true 10 is_state dying running && pass 'a run is running' || fail 'a run is running' "$(state_of dying)"
# While the service stands still the journal stays its own.
program_of() { artel status --json | jq -r "select(.run == \"$1\").state"; }
worker=$(worker)
kill -STOP "$worker"
same 'status calls its program live' live "$(program_of dying)"
kill -KILL $log
wait $log 2>/dev/null
exec 7>&-
same 'and dead when it is, though the service has its journal' dead "$(program_of dying)"
kill -CONT "$worker"
until_true 15 is_state dying crashed && pass 'and crashed when its program died' || fail 'and crashed' "$(state_of dying)"
complete dying 1 && pass 'with what it had accepted' || fail 'with what it had accepted' "$(artel history dying --csv)"
until_true 25 eval '[ -z "$(ls state/clients)" ]' && pass 'nothing is left of it' || fail 'nothing is left of it' "$(ls state/clients)"

# What a dead linked program left is adopted. Where the runtime directory is another one no service is found.
mkfifo left
XDG_RUNTIME_DIR=$work/elsewhere artel log --run left --json <left >left.out 2>&1 &
log=$!
exec 7>left
echo '{"loss":0}' >&7
until_true 10 grep -q accepted left.out
kill -KILL $log
wait $log 2>/dev/null
exec 7>&-
until_true 15 is_state left crashed && pass 'the journal of a dead linked program is adopted' || fail 'the journal is adopted' "$(state_of left)"

XDG_RUNTIME_DIR=$work/elsewhere artel log --run later --json < <(echo '{"loss":0}'; exec sleep 60) >later.out 2>&1 &
log=$!
until_true 10 grep -q accepted later.out
kill -KILL $log
wait $log 2>/dev/null
code 'and by artel sync, through the service' 0 artel sync
same 'at once' crashed "$(state_of later)"

XDG_RUNTIME_DIR=$work/elsewhere ARTEL_SINKS=store,copy=store:$work/copy \
    artel log --run both --json < <(echo '{"loss":0}'; exec sleep 60) >both.out 2>&1 &
log=$!
until_true 10 grep -q accepted both.out
kill -KILL $log
wait $log 2>/dev/null
code 'artel sync delivers to a sink that the service has not' 0 artel sync
same 'without a word of that' '' "$err"
same 'what a dead program left for it' 1 "$(sqlite3 copy/catalogue.db "SELECT count(*) FROM history WHERE run = 'both'")"

# An endpoint that is named is the only one.
ARTEL_ENDPOINT=ipc://$(echo "$work"/run/artel/*) ARTEL_DIR=$work/nowhere artel artifact put named "$me" >/dev/null
same 'a named endpoint says where the state is' 0 $?
[ ! -e nowhere ] && pass 'and nothing is linked' || fail 'and nothing is linked' "$(ls nowhere)"
code 'a service takes no orders from a stranger' 1 env ARTEL_ENDPOINT="ipc://$work/run/artel/none" artel sync
has 'and an endpoint where nobody is is an error' "$err" 'no service listens at ipc://'
if [ "$(id -u)" = 0 ]; then
    mkdir -m 700 theirs && chown nobody theirs
    nobody="setpriv --reuid=65534 --clear-groups --inh-caps=-all env -u XDG_RUNTIME_DIR HOME=$work/theirs
        ARTEL_DIR=$work/theirs/state"
    chmod 755 "$work"; chmod 711 run run/artel; chmod 777 run/artel/*
    code 'another user is refused' 1 $nobody ARTEL_ENDPOINT="ipc://$(echo "$work"/run/artel/*)" "$ARTEL_BIN/artel" sync
    has 'with a sentence' "$err" 'where another user listens'
    chmod 700 "$work" run run/artel
else
    echo 'SKIP another user is refused: not root'
fi

stop_service
same 'SIGTERM ends it with 0' 0 $?
[ -z "$(ls run/artel)" ] && pass 'and it takes its socket with it' || fail 'it takes its socket with it' "$(ls run/artel)"
code 'without it nodes are linked again' 0 artel artifact put model "$me"
code 'and all is delivered' 0 artel sync
code 'and sound' 0 artel artifact verify

# At the end every sink gets what is left, as long as that may take. A lock on the copy's catalogue, by the
# descriptor 9, has it take nothing.
hold_copy() {
    exec 9>copy/catalogue.lock
    python3 -c 'import fcntl, struct
fcntl.fcntl(9, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))'
}
log_rows() { seq -f '{"loss":%.0f}' 1000 | artel log --run "$1" >/dev/null 2>&1 9>&-; }
copied() { sqlite3 copy/catalogue.db "SELECT count(*) FROM history WHERE run = '$1'"; }
start_service --sink "store,copy=store:$work/copy" --drain 60
hold_copy
log_rows drained
: >service.log
kill -TERM "$serving"
until_true 10 grep -q 'finishing what is under way' service.log
exec 9>&-
wait "$serving"
same 'a service that is told to end waits for its second sink, and ends with 0' 0 $?
same 'when that has everything, too' 1000 "$(copied drained)"
# Its thread waits for that lock until the process ends: with what it holds it is left behind.
ASAN_OPTIONS=detect_leaks=0 start_service --sink "store,copy=store:$work/copy" --drain 1
hold_copy
log_rows held
began=$SECONDS
stop_service
same 'a sink that takes nothing does not change that' 0 $?
[ $((SECONDS - began)) -lt 10 ] && pass 'and holds it no longer than it may' || fail 'and holds it no longer' "$((SECONDS - began)) s"
exec 9>&-
code 'what it has not taken is delivered later' 0 artel sync --sink "store,copy=store:$work/copy"
same 'and is there once' 1000 "$(copied held)"

# Without a runtime directory the socket is in /tmp, in a folder that must be ours alone.
if [ "$(id -u)" = 0 ]; then
    chmod 755 "$work"
    rm -rf /tmp/artel-65534
    $nobody "$ARTEL_BIN/arteld" 2>theirs.log &
    serving=$!
    until_true 10 grep -q 'serving' theirs.log
    same 'a user without a runtime directory has one in /tmp' '700 nobody' "$(stat -c '%a %U' /tmp/artel-65534)"
    code 'where programs find it' 0 $nobody "$ARTEL_BIN/artel" sync
    stop_service
    chmod 755 /tmp/artel-65534
    code 'a folder that others may enter is refused' 1 timeout 10 $nobody "$ARTEL_BIN/arteld"
    has 'with a sentence' "$err" 'is not ours alone'
    rm -rf /tmp/artel-65534
else
    echo 'SKIP the socket in /tmp: needs a user whose folder there nobody uses'
fi
finish
