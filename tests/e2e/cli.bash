# cli.bash - what the tests of the command line share; sourced by them.
# Each check prints "PASS name" or "FAIL name: why".
set -u
export LC_ALL=C.UTF-8 TZ=UTC
unset ARTEL_DIR ARTEL_PROJECT ARTEL_SINKS ARTEL_TRACE ARTEL_RUN_ID NO_COLOR COLUMNS
PATH=$ARTEL_BIN:$PATH
work=$(mktemp -d "${TMPDIR:-/tmp}/artel-cli.XXXXXX")
trap 'chmod -R u+rwx "$work" 2>/dev/null; rm -rf "$work"' EXIT
export HOME=$work/home
mkdir "$HOME"
cd "$work" || exit 1
failures=0

pass() { printf 'PASS %s\n' "$1"; }
fail() { printf 'FAIL %s: %s\n' "$1" "$(tr '\n' '~' <<<"$2")"; failures=$((failures + 1)); }

# same NAME EXPECTED ACTUAL
same() { if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "expected <$2>, got <$3>"; fi; }

# has NAME TEXT PART: PART is somewhere in TEXT
has() { case $2 in *"$3"*) pass "$1" ;; *) fail "$1" "no <$3> in <$2>" ;; esac; }

# hasnot NAME TEXT PART
hasnot() { case $2 in *"$3"*) fail "$1" "<$3> is in <$2>" ;; *) pass "$1" ;; esac; }

# code NAME EXPECTED COMMAND...: the exit code; output is left in $out and $err
code() {
    local name=$1 expected=$2 got=0
    shift 2
    timeout 60 "$@" >"$work/.out" 2>"$work/.err" </dev/null || got=$?
    out=$(cat "$work/.out") err=$(cat "$work/.err")
    same "$name" "$expected" "$got"
    [ "$got" = "$expected" ] || printf '    stdout: %s\n    stderr: %s\n' "$out" "$err"
}

# Before a command that leaves behind a thread waiting for a held store: what it holds is no leak.
leaving='env ASAN_OPTIONS=detect_leaks=0'

# until_true SECONDS COMMAND...: wait until it succeeds
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do [ $SECONDS -lt $end ] || return 1; sleep 0.05; done
}

# has_read PID: it has read 20 MB of something
has_read() { [ "$(awk '/^rchar/ { print $2 }' "/proc/$1/io" 2>/dev/null || echo 0)" -gt 20000000 ]; }

finish() { [ "$failures" = 0 ]; }
