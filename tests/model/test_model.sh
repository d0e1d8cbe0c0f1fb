#!/usr/bin/env bash
# The exchange (exchange.pml) holds its four properties, and each mutant breaks
# the one it should.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
command -v spin >/dev/null || { echo "SKIP model: spin is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

# build OPTION...: the verifier of the model with these mutations.
build() {
    spin -a "$@" "$here/exchange.pml" >spin.log 2>&1 \
        && gcc -O2 -w -DNFAIR=6 -o pan pan.c || { cat spin.log; exit 1; }
}

# check PROPERTY: "ERRORS STATES" of an exhaustive search; nothing if it was cut short.
check() {
    local fair=
    [ "$1" = term ] && fair=-f
    ./pan -m1000000 -a $fair -N "$1" >pan.log 2>&1
    grep -qE 'max search depth too small|out of memory|Search not completed' pan.log \
        && ! grep -q 'errors: [1-9]' pan.log && return
    sed -nE 's/.*errors: ([0-9]+).*/\1/p; s/^ *([0-9]+) states, stored.*/\1/p' pan.log | xargs
}

holds() {
    read -r errors states <<<"$(check "$2")"
    if [ "${errors:-}" = 0 ] && [ "${states:-0}" -gt "$3" ]; then
        echo "PASS $1 holds $2 ($states states)"
    else
        echo "FAIL $1 holds $2: ${errors:-no} errors, ${states:-no} states"
        cat pan.log
    fi
}

breaks() {
    build "-D$1"
    read -r errors _ <<<"$(check "$2")"
    if [ "${errors:-0}" -gt 0 ]; then
        echo "PASS the mutant $1 breaks $2"
    else
        echo "FAIL the mutant $1 breaks $2: it holds"
    fi
}

build
for property in once truth nolost term; do
    holds "the exchange" $property 10000
done
build -DSPURIOUS
for property in once truth nolost; do
    holds "with timers that fire at any time, the exchange" $property 100000
done
while read -r mutant property; do
    breaks "$mutant" "$property"
done <<'END'
UNFAIR term
ACKFIRST nolost
NOREDISPATCH term
NODEDUP once
POSITIONONLY term
NORECALL term
SURMISE truth
END
