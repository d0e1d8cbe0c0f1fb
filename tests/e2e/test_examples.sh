#!/usr/bin/env bash
# The examples and the README's program, run as a reader would.
set -uo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export ARTEL_DIR=$work/state LD_LIBRARY_PATH=$ARTEL_LIB PATH=$ARTEL_BIN:$PATH
unset ARTEL_SINKS ARTEL_PROJECT ARTEL_TRACE

check() {                   # check NAME COMMAND...: one case
    local name=$1
    shift
    if "$@" >"$work/out" 2>&1; then
        echo "PASS $name"
    else
        echo "FAIL $name: $* (status $?)"
        cat "$work/out"
    fi
}

readme_program() {          # what README shows is hello.c without its head comment
    sed -n '/^```c$/,/^```$/p' "$source/README.md" | sed '1d;$d' >"$work/readme.c"
    sed '1,/^$/d' "$source/docs/examples/hello.c" | diff - "$work/readme.c"
}

compiled_by_hand() {
    cc ${ARTEL_CFLAGS:-} -I"$source/client" "$work/readme.c" -o "$work/hello" -L"$ARTEL_LIB" -lartel && "$work/hello"
}

hello_rows() {
    local run
    run=$(artel runs ls --json | sed -n 's/.*"run": *"\([^"]*\)".*/\1/p' | head -1)
    [ "$(artel history "$run" --json | wc -l)" = 100 ]
}

train_model() {
    example_train && artel artifact get char-model -o "$work/model" && [ -s "$work/model/model.bin" ]
}

check the_program_in_the_readme_is_hello_c readme_program
check the_program_in_the_readme_compiles_and_runs compiled_by_hand
check its_hundred_rows_are_in_the_store hello_rows
check train_logs_a_model_that_comes_back train_model
