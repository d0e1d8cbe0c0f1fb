#!/usr/bin/env bash
# The trace of one artifact logged and waited for: each message of the exchange is
# there once, and stands behind the one that caused it (docs/design.md).
set -uo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export ARTEL_DIR=$work/state PATH=$ARTEL_BIN:$PATH
unset ARTEL_SINKS ARTEL_PROJECT ARTEL_TRACE
head -c 3000 /dev/urandom >"$work/file"
ARTEL_TRACE=$work/trace artel artifact put model "$work/file" --json >"$work/put" \
    || { echo "FAIL put"; exit 1; }

# "FROM TO NAME" of the messages that carry the artifact's xid, numbered.
jq -r 'select(.xid != "") | "\(.from) \(.to) \(.name) \(.xid)"' "$work/trace" | cat -n >"$work/events"

at() {                      # the number of an event; nothing unless it is there once
    awk -v e="$*" '$2 " " $3 " " $4 == e { n++; at = $1 } END { if (n == 1) print at }' "$work/events"
}

before() {                  # before "FROM TO NAME" "FROM TO NAME"
    local first second
    first=$(at "$1") second=$(at "$2")
    if [ -n "$first" ] && [ -n "$second" ] && [ "$first" -lt "$second" ]; then
        echo "PASS '$1' comes before '$2'"
    else
        echo "FAIL '$1' comes before '$2': at ${first:-none or many} and ${second:-none or many}"
        cat "$work/events"
    fi
}

before 'client handler artifact_send' 'handler writer artifact_send'
before 'handler writer artifact_send' 'handler client artifact_send_response'
before 'handler writer artifact_send' 'sender store artifact_send'
before 'sender store artifact_send' 'store sender artifact_done'
before 'store sender artifact_done' 'sender handler artifact_done'
before 'sender handler artifact_done' 'handler client artifact_poll_response'
before 'client handler artifact_send' 'client handler artifact_poll'
before 'client handler artifact_poll' 'handler client artifact_poll_response'

if [ "$(awk '{ print $5 }' "$work/events" | sort -u | wc -l)" = 1 ]; then
    echo "PASS all of them carry one xid"
else
    echo "FAIL all of them carry one xid"
fi
if jq -e -s 'all(has("time") and has("from") and has("to") and has("name") and has("xid") and has("run") and has("bytes"))
             and all(.name != "batch")' "$work/trace" >/dev/null; then
    echo "PASS every event has its seven fields, and none is called batch"
else
    echo "FAIL every event has its seven fields, and none is called batch"
fi
