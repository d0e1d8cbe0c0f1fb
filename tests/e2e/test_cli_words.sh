#!/usr/bin/env bash
# The command line itself: words, options, help, colours; and the trace it draws.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/cli.bash"
man=$here/../../docs/man/artel.1

commands=$(artel | sed -n 's/^  \([a-z]\+\( [a-z]\+\)\?\)  .*/\1/p')
same 'bare artel lists every command' \
    'artifact get,artifact ls,artifact put,artifact rm,artifact verify,daemon run,daemon start,daemon status,daemon stop,doctor,gc,help,history,log,login,runs ls,show,status,sync,trace,version' \
    "$(sort <<<"$commands" | paste -sd,)"
code 'bare artel exits 0' 0 artel
has 'bare artel groups the commands' "$out" $'\nDeliver\n  status'
same 'bare artel gives two examples' 2 "$(sed -n '/^Examples/,/^$/p' <<<"$out" | grep -c '^  ')"

while read -r command; do
    code "artel $command --help exits 0" 0 artel $command --help
    has "artel $command --help has an example" "$out" $'\nExamples\n  '
    has "artel $command --help has the exit codes" "$out" $'\nExit codes\n  0  all that was asked for'
    same "artel help $command is the same" "$out" "$(artel help $command)"
    has "the manual has a section on artel $command" "$(cat "$man")" ".SS artel $command"
    missing=
    for option in $(sed -n 's/^  \(-[a-z],\|   \) --\([a-z-]*\).*/\2/p' <<<"$out"); do
        grep -qF -- "\\-\\-${option//-/\\-}" "$man" || missing="$missing --$option"
    done
    same "the manual has every option of artel $command" '' "$missing"
done <<<"$commands"

code 'an unknown command is a usage error' 2 artel frobnicate
same 'and one sentence' "artel: there is no command 'frobnicate'; 'artel help' lists them" "$err"
code 'a mistyped command is a usage error' 2 artel artefact put a b
same 'that suggests the nearest' "artel: there is no command 'artefact put'; did you mean 'artel artifact put'?" "$err"
code 'a command without its first word is a usage error' 2 artel put a b
has 'that suggests the whole' "$err" "did you mean 'artel artifact put'?"
code 'the beginning of a command is not the command' 2 artel hist
has 'but suggests it' "$err" "did you mean 'artel history'?"
code 'half a command is a usage error' 2 artel artifact
has 'that lists the other halves' "$err" 'put, ls, get, verify, rm'
code 'an unknown option is a usage error' 2 artel runs ls --al
same 'that suggests the nearest option' "artel: there is no option '--al'; did you mean --all?" "$err"
code 'an option without its value is a usage error' 2 artel trace x --format
code 'a switch with a value is a usage error' 2 artel version --json=yes
code 'one argument too many is a usage error' 2 artel version now
code 'too few arguments are a usage error' 2 artel trace
code 'a number that is none is a usage error' 2 artel log --timeout soon
same 'usage errors print nothing on stdout' '' "$out"

same 'options may stand before the command' '{"version":"0.1.0"}' "$(artel --json version)"
same 'and between its words' "$(artel artifact ls --help)" "$(artel artifact --help ls)"
same 'and behind -- everything is an argument' \
    'artel: --json: No such file or directory' "$(artel trace -- --json 2>&1)"
same 'artel --version is artel version' "$(artel version)" "$(artel --version)"

cat >t.trace <<'END'
{"time":1000000000,"from":"client","to":"handler","name":"artifact_send","xid":"3f2a91c0aaaaaaaaaaaaaaaaaaaaaaaa","run":"r","bytes":231}
{"time":1000100000,"from":"handler","to":"writer","name":"artifact_send","xid":"3f2a91c0aaaaaaaaaaaaaaaaaaaaaaaa","run":"r","bytes":231}
{"time":1000200000,"from":"writer","to":"sender","name":"committed","xid":"","run":"r","bytes":30}
{"time":1000300000,"from":"sender","to":"store","name":"history","xid":"","run":"r","bytes":500}
{"time":1000300000,"from":"sender","to":"store","name":"history","xid":"","run":"r","bytes":500}
{"time":1002000000,"from":"sender","to":"handler","name":"artifact_done","xid":"3f2a91c0aaaaaaaaaaaaaaaaaaaaaaaa","run":"","bytes":80}
END
cat >t.text <<'END'
       ms  client    handler   writer    sender    store
    0.000  ├────────▶│         │         │         │  artifact_send           3f2a91c0     231 B
    0.100  │         ├────────▶│         │         │  artifact_send           3f2a91c0     231 B
    0.200  │         │         ├────────▶│         │  committed                             30 B
    0.300  │         │         │         ├────────▶│  history ×2                          1.0 kB
    2.000  │         │◀────────┼─────────┤         │  artifact_done           3f2a91c0      80 B
END
same 'a trace is drawn as a diagram' "$(cat t.text)" "$(artel trace t.trace)"
has 'in ASCII where the locale is not UTF-8' "$(LC_ALL=C artel trace t.trace)" '|-------->|'
same 'no line is over 100 columns' '' "$(artel trace t.trace | grep -E '.{101}')"
same 'as JSON lines it is what it was' "$(cat t.trace)" "$(artel trace t.trace --format jsonl)"
same '--json is --format jsonl' "$(cat t.trace)" "$(artel trace - --json <t.trace)"
same 'one artifact can be looked at alone' 3 "$(artel trace t.trace --xid 3f2a --json | wc -l)"
has 'Mermaid has a line for each message' "$(artel trace t.trace -f mermaid)" \
    '    sender->>store: history x2'
code 'a trace that is not there is not found' 4 artel trace nowhere
code 'an unknown format is a usage error' 2 artel trace t.trace --format svg
{ cat t.trace; printf '{"time":1,"from":"cl'; } >torn.trace
code 'a torn line is refused, the others are drawn' 3 artel trace torn.trace
same 'and named' 'artel: line 7 is not an event' "$(head -1 <<<"$err")"
same 'the others are there' "$(cat t.text)" "$out"

hasnot 'no colour where it is not a terminal' "$(artel trace t.trace)" $'\e'
has 'colour when it is asked for' "$(artel trace t.trace --color=always)" $'\e[2m'
on_terminal() { TERM=xterm script -qec "$1" /dev/null </dev/null; }
has 'colour on a terminal' "$(on_terminal 'artel trace t.trace')" $'\e[2m'
hasnot 'not with NO_COLOR' "$(NO_COLOR=1 on_terminal 'artel trace t.trace')" $'\e'
hasnot 'not on a dumb terminal' "$(on_terminal 'TERM=dumb artel trace t.trace')" $'\e'
hasnot 'not with --color never' "$(on_terminal 'artel trace t.trace --color never')" $'\e'
code 'another --color is a usage error' 2 artel version --color=blue

artel doctor >/dev/full 2>err && fail 'a full disk behind stdout is a failure' 'exit 0' \
    || pass 'a full disk behind stdout is a failure'
has 'and said' "$(cat err)" 'results could be written: No space left on device'
artel help log | head -1 >/dev/null
same 'a reader that goes away is no noise' '' "$(artel help log 2>&1 >/dev/null | head -1)"
finish
