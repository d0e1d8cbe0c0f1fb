#!/usr/bin/env bash
# What arteld is told: flags before the environment, that before its file; and what it says.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/cli.bash"
unset ARTEL_DIR ARTEL_ENDPOINT XDG_CONFIG_HOME XDG_CONFIG_DIRS
export XDG_RUNTIME_DIR=$work/run
mkdir -m 700 run
service=
trap '[ -z "$service" ] || kill -KILL "$service" 2>/dev/null; rm -rf "$work"' EXIT

# config FOLDER LINE...: a configuration in it
config() {
    mkdir -p "$1/artel"
    printf '%s\n' "${@:2}" >"$1/artel/arteld.ini"
}
says() { grep -q "$1" said 2>/dev/null; }

# serve COMMAND...: until it serves; the directory is left in $dir
serve() {
    rm -f said                              # what the one before had to say
    "$@" --no-restart 2>said &
    service=$!
    until_true 20 says ' serving ' || fail "it serves" "$(cat said)"
    dir=$(sed -n 's/.* serving \(.*\) at .*/\1/p' said)
}
stop() { kill -TERM "$service"; wait "$service"; service=; }

# At each place, and each before the next.
config "$work/all" "state = $work/of-all"
export XDG_CONFIG_DIRS=$work/nowhere:$work/all
serve arteld
same 'a file in XDG_CONFIG_DIRS is read' "$work/of-all" "$dir"
stop
config "$HOME/.config" '# ours' '[arteld]' "state = $work/of-home   ; a comment"
serve arteld
same 'one in ~/.config goes before it' "$work/of-home" "$dir"
stop
config "$work/xdg" "state = $work/of-xdg"
serve env XDG_CONFIG_HOME="$work/xdg" arteld
same 'XDG_CONFIG_HOME is that of the user' "$work/of-xdg" "$dir"
stop
echo "state = $work/of-flag" >given.ini
serve arteld --config given.ini
same '--config is the only one' "$work/of-flag" "$dir"
stop
serve env ARTEL_DIR="$work/of-environment" arteld --config given.ini
same 'the environment goes before the file' "$work/of-environment" "$dir"
stop
serve env ARTEL_DIR="$work/of-environment" arteld --config given.ini --state "$work/of-option"
same 'a flag before both' "$work/of-option" "$dir"
stop

# Each key.
export ARTEL_DIR=$work/keys
cat >keys.ini <<END
sinks = store,copy=store:$work/copy
trace = $work/of-file.trace
END
sinks_of() { artel log --run "$1" --json <<<'{"a":1}' >/dev/null 2>&1; until_true 10 [ -e "$2/catalogue.db" ]; }
serve arteld --config keys.ini
sinks_of one "$work/copy" && pass 'sinks are where it delivers' || fail 'sinks are where it delivers' "$(ls)"
[ -s of-file.trace ] && pass 'trace is where it traces' || fail 'trace is where it traces' "$(ls)"
stop
rm of-file.trace
serve env ARTEL_SINKS="store,other=store:$work/other" ARTEL_TRACE="$work/of-environment.trace" arteld --config keys.ini
sinks_of two "$work/other" && pass 'ARTEL_SINKS goes before them' || fail 'ARTEL_SINKS goes before them' "$(ls)"
same 'and ARTEL_TRACE before trace' 'of-environment.trace' "$(ls -- *.trace)"
stop

# What it says, and how much of it.
serve arteld --config /dev/null
same 'a line has time, level and text' 1 \
    "$(grep -cE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z arteld: info: serving ' said)"
hasnot 'debug is left out' "$(cat said)" 'arteld: debug: '
code 'an error is one' 1 arteld --no-restart --log-level error
has 'and said at every level' "$err" 'arteld: error: another service serves'

# Told to end while it waits for the one that serves.
for how in '' --no-restart; do
    # shellcheck disable=SC2086
    arteld $how --log-level debug --config /dev/null 2>waits &
    waits=$!
    until_true 2 grep -q "debug: waiting for $ARTEL_DIR" waits
    kill -TERM $waits
    wait $waits
    same "told to end while it waits it ends with 0 $how" 0 $?
    has 'and says what it waited for' "$(cat waits)" "Terminated: not waiting any longer for $ARTEL_DIR"
done
stop
rm -f said
(ulimit -S -n 1000; exec arteld --no-restart --log-level debug --config /dev/null) 2>said &
service=$!
until_true 20 says ' serving '
has 'unless it is asked for' "$(cat said)" 'arteld: debug: up to '
stop
echo 'log_level = debug' >level.ini
rm -f said
(ulimit -S -n 1000; exec arteld --no-restart --config level.ini) 2>said &
service=$!
until_true 20 says ' serving '
has 'in the file as well' "$(cat said)" 'arteld: debug: up to '
stop
rm -f said
arteld --no-restart --log-level warning 2>said &
service=$!
until_true 20 artel daemon status >/dev/null 2>&1 && pass 'it serves with warnings only' || fail 'it serves with warnings only' "$(cat said)"
stop
same 'and is silent' '' "$(cat said)"
code 'a level that is none is a usage error' 2 arteld --log-level loud
has 'that names those there are' "$err" 'error, warning, info or debug, not "loud"'

# wrong NAME SENTENCE LINE...: a file of these lines is refused with the sentence
wrong() {
    printf '%s\n' "${@:3}" >wrong.ini
    code "$1 is a usage error" 2 arteld --no-restart --config wrong.ini
    same 'that names file, line and key' "arteld: wrong.ini:$2" "$err"
}
wrong 'an unknown key' '2: sink: there is no such key, only state, sinks, drain, log_level and trace' '' 'sink = store'
wrong 'an unknown section' '2: [artel]: there is no such section, only [arteld]' '[artel]' 'drain = 1'
wrong 'a relative directory' '1: state = here: it must be an absolute path' 'state = here'
wrong 'a sink that is none' "1: sinks = store,nonsense: sink 'nonsense': $(arteld --no-restart --sink nonsense 2>&1 | sed "s/.*sink 'nonsense': //")" 'sinks = store,nonsense'
wrong 'a drain that is none' '3: drain = soon: it must be a number of seconds, 0 to 86400' '# one' '# two' 'drain = soon'
wrong 'a level that is none in the file' '1: log_level = loud: it must be error, warning, info or debug' 'log_level = loud'
wrong 'a relative trace' '1: trace = t: it must be an absolute path' 'trace = t'
wrong 'a key that is there twice' '2: drain: it is there twice' 'drain = 1' 'drain = 2'
wrong 'a line that is no pair' '2: must be "key = value" or [arteld]' 'drain = 1' 'drain'
wrong 'a line without end' '1: the line is too long' "sinks = $(head -c 5000 /dev/zero | tr '\0' x)"
code 'a wrong value is one also behind a flag' 2 arteld --config wrong.ini --sink store
code 'a file that is not there is a usage error' 2 arteld --config nowhere.ini
same 'that names it' 'arteld: nowhere.ini: No such file or directory' "$err"
finish
