#!/usr/bin/env bash
# tests/fault/seeds.sh [NAME...]: do the suites catch what they are there for?
# Each seeds/NAME.patch breaks a promise (-DARTEL_SEED=NAME builds the tree so) and says
# which command must find that, and by which invariant or test. First the same commands
# must find nothing in the tree as it is. Ends with "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
seeds=tests/fault/seeds
build=$PWD/build/seeds
export ARTEL_BIN=$build/bin
passed=0 failed=0

pass() { echo "PASS $*"; passed=$((passed + 1)); }
fail() { echo "FAIL $*"; failed=$((failed + 1)); }

# field NAME PATCH...: what the lines "NAME: ..." of the patches say.
field() { sed -n "s/^$1: //p" "${@:2}"; }

# make SEED COMMANDS: builds what the commands run, with the fault; "": without one.
make() {
    local targets=()
    ! grep -q tests/fault/ <<<"$2" || targets+=(artel-cli arteld step work honest hostile flood)
    mapfile -t -O ${#targets[@]} targets < <(grep -o 'test_[a-z_]*' <<<"$2" | sort -u)
    cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DARTEL_SEED="$1" >"$build/log" 2>&1 \
        && cmake --build "$build" -j"$(nproc)" --target "${targets[@]}" >>"$build/log" 2>&1
}

# try COMMAND: what it says, plain; whether all is well.
try() {
    local status
    timeout 120 bash -c "$1" 2>&1 </dev/null | sed 's/\x1b\[[0-9;]*m//g' >"$build/said"
    status=${PIPESTATUS[0]}
    [ "$status" = 0 ] && ! grep -qE '^(FAIL|\[FAIL\]) ' "$build/said"
}

# catches COMMAND INVARIANT: the failure by which the command caught it; a crash is none.
catches() {
    if try "$1"; then
        grep -m1 '^SKIP ' "$build/said"
    else
        grep -m1 -E "^FAIL .*: ($2): |^\[FAIL\] ($2): \(" "$build/said"
    fi
}

# unbroken COMMANDS: whether each finds nothing in the tree as it is.
unbroken() {
    make "" "$1" || { fail "unbroken: it does not build"; cat "$build/log"; return 1; }
    while read -r command; do
        if try "$command"; then
            pass "unbroken: $command"
        else
            fail "unbroken: $command"
            sed 's/^/    /' "$build/said"
        fi
    done <<<"$1"
    [ "$failed" = 0 ]
}

# sow PATCH: builds with the fault and has each of its commands catch it.
sow() {
    local name=${1##*/} commands invariants how i
    name=${name%.patch}
    mapfile -t commands < <(field 'Caught by' "$1")
    mapfile -t invariants < <(field Breaks "$1")
    if ! make "$name" "${commands[*]}"; then
        fail "$name: it does not build"
        grep -m1 -A9 -i error "$build/log"
        return
    fi
    for i in "${!commands[@]}"; do
        how=$(catches "${commands[i]}" "${invariants[i]}")
        case $how in
            SKIP*) echo "SKIP $name: ${how#SKIP }" ;;
            '') fail "$name: no \"${invariants[i]}\" from ${commands[i]}"; tail -5 "$build/said" | sed 's/^/    /' ;;
            *) pass "$name: ${how#*FAIL* }" ;;
        esac
    done
}

mkdir -p "$build"
patches=("${@/%/.patch}")
[ $# -gt 0 ] || patches=($(cd $seeds && ls -- *.patch))
patches=("${patches[@]/#/$seeds/}")
if unbroken "$(field 'Caught by' "${patches[@]}" | sort -u)"; then
    for patch in "${patches[@]}"; do
        sow "$patch"
    done
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
