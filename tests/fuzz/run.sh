#!/usr/bin/env bash
# tests/fuzz/run.sh SECONDS [TARGET...]: runs every fuzz target (or those named)
# for that long under ASan and UBSan, from the corpus in the tree. What it finds
# lies in build/fuzz/finds/TARGET; what makes the corpus better is added by hand.
set -uo pipefail
seconds=${1:?usage: tests/fuzz/run.sh SECONDS [TARGET...]}
shift
cd "$(dirname "$0")/../.." || exit 1
build=build/fuzz
cmake -S . -B $build -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_COMPILER=clang -DARTEL_FUZZ=ON \
    -DARTEL_SANITIZE=address,undefined -DCMAKE_C_FLAGS="-fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined" \
    >$build.log 2>&1 && cmake --build $build -j"$(nproc)" --target fuzzers >>$build.log 2>&1 \
    || { cat $build.log; echo "FAIL fuzz: it does not build"; exit 1; }

fuzz() {
    local name=$1 finds=$build/finds/$1
    mkdir -p "$finds" "$build/corpus/$name"
    if $build/bin/fuzz_"$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -max_len=65536 -malloc_limit_mb=512 -print_final_stats=1 -artifact_prefix="$finds/" \
        "$build/corpus/$name" "tests/fuzz/corpus/$name" >"$finds.log" 2>&1; then
        echo "PASS fuzz_$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$finds.log") executions"
    else
        tail -40 "$finds.log"
        echo "FAIL fuzz_$name: repeat with $build/bin/fuzz_$name $(ls -t "$finds"/* | head -1)"
    fi
}

targets=("$@")
[ $# -gt 0 ] || for source in tests/fuzz/fuzz_*.c; do
    name=${source#*/fuzz_}
    targets+=("${name%.c}")
done
for name in "${targets[@]}"; do
    while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n; done
    fuzz "$name" &
done
wait
