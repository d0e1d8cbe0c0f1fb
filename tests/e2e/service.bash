# service.bash - a service for the tests of the command line; sourced after cli.bash.
# Whatever was started is gone when the test ends.
export ARTEL_DIR=$work/state XDG_RUNTIME_DIR=$work/run
mkdir -m 700 "$XDG_RUNTIME_DIR"
unset ARTEL_ENDPOINT
serving=

# Kill the service of a pid, its worker with it.
kill_service() {
    [ -z "$1" ] || kill -KILL "$1" 2>/dev/null
    [ -z "$1" ] || wait "$1" 2>/dev/null
}
trap 'kill_service "$serving"; jobs -p | xargs -r kill -KILL 2>/dev/null
      chmod -R u+rwx "$work" 2>/dev/null; rm -rf "$work"' EXIT

# answers: somebody listens at the socket of this runtime directory
answers() { python3 - "$XDG_RUNTIME_DIR"/artel/* <<'END'
import socket, sys
sys.exit(socket.socket(socket.AF_UNIX).connect_ex(sys.argv[1]) != 0)
END
}

# start_service [OPTION...]: in the background; its pid is left in $serving, what it says in service.log
start_service() {
    arteld "$@" 2>>service.log 7>&- 8>&- 9>&- &
    serving=$!
    until_true 10 answers || fail 'the service answers' "$(cat service.log)"
}

# stop_service: at SIGTERM; its exit code
stop_service() {
    local got=0
    kill -TERM "$serving"
    wait "$serving" || got=$?
    serving=
    return $got
}

worker() { pgrep -P "$serving"; }

# rows N: so many rows of JSON, slowly: N thousand of them in about N / 10 seconds
slow_rows() {
    local i
    for ((i = 0; i < $1; i++)); do
        seq -f '{"loss":%.0f}' $((i * 1000)) $((i * 1000 + 999))
        sleep 0.1
    done
}

# complete RUN N: the run has N rows, loss and step counting from 0
complete() { artel history "$1" --csv | awk -F, -v n="$2" 'NR > 1 && ($1 != NR - 2 || $2 != NR - 2) { bad++ }
    END { exit bad || NR != n + 1 }'; }

state_of() { artel runs ls --all --json | jq -r "select(.run == \"$1\").state"; }
is_state() { [ "$(state_of "$1")" = "$2" ]; }
