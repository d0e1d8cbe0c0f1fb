#!/usr/bin/env bash
# docs/wire.md shows the tables of msgs/msgs_*.h: every message with its id and its fields.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

# "id NAME name" of every message, and the fields of one.
table=$(sed -e ':a;/\\$/{N;s/\\\n/ /;ba}' msgs/msgs_*.h)
messages() { grep -oE 'M\([0-9]+, [A-Z_]+, [a-z_]+\)' <<<"$table" | sed 's/^M(//; s/[,)]//g'; }
fields() {
    local own
    own=$(grep -E "^#define ARTEL_$1_FIELDS\(F\)" <<<"$table")
    [[ $own != *ARTEL_ARTIFACT_SEND_FIELDS\(F\) ]] || own=$(fields ARTIFACT_SEND | tr ' ' '\n' | sed 's/\(.*\):\(.*\)/F(\2, \1)/')
    grep -oE 'F\([a-z0-9]+, [a-z_]+\)' <<<"$own" | sed 's/F(\(.*\), \(.*\))/\2:\1/' | paste -sd' '
}

while read -r id name_upper name; do
    row="| $id | \`$name\` | \`$(fields "$name_upper")\` |"
    if grep -qF "$row" docs/wire.md; then
        echo "PASS docs/wire.md shows $name"
    else
        echo "FAIL docs/wire.md shows $name: it has no row that begins with $row"
    fi
done < <(messages)
