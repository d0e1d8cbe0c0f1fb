#!/usr/bin/env bash
# Every seeded fault still applies to the tree, and says who catches it by what
# (that they do is what seeds.sh proves).
cd "$(dirname "$0")/../.." || exit 1
for seed in tests/fault/seeds/*.patch; do
    name=${seed##*/}
    caught=$(grep -c '^Caught by: .' "$seed") breaks=$(grep -c '^Breaks: .' "$seed")
    if ! said=$(patch -p1 --fuzz=0 --forward --dry-run --input="$seed" 2>&1); then
        echo "FAIL seed ${name%.patch}: it does not apply any more: $(tr "\n" " " <<<"$said")"
    elif [ "$caught" = 0 ] || [ "$caught" != "$breaks" ]; then
        echo "FAIL seed ${name%.patch}: it lacks a line \"Caught by: COMMAND\" or \"Breaks: INVARIANT\""
    else
        echo "PASS seed ${name%.patch}"
    fi
done
