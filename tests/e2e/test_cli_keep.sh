#!/usr/bin/env bash
# artel artifact verify, artel gc: what is kept is whole, and what is garbage goes.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/cli.bash"
export ARTEL_DIR=$work/state
put() { artel artifact put "$@" --json; }

echo one >f
mkdir set; echo a >set/a; echo b >set/b
put set set >/dev/null
put model f --alias best >/dev/null
echo two >f
put model f >/dev/null
second=$work/second
put copied set --sink "store,copy=store:$second" >/dev/null

code 'verify of everything is clean' 0 artel artifact verify
has 'and says what was read' "$out" '4 versions, '
code 'verify by name is clean' 0 artel artifact verify set model:v0 model:best --json
same 'as one object' '3 0' "$(jq -r '"\(.versions) \(.damaged)"' <<<"$out")"
code 'verify of an unknown name' 4 artel artifact verify nothing
has 'says which' "$out$err" 'nothing'
code 'verify of another sink' 0 artel artifact verify --sink "copy=store:$second"
mkdir -m 700 empty
code 'verify of nothing at all is clean' 0 artel artifact verify --dir "$work/empty"
code 'and gc has nothing to do there' 0 artel gc --dir "$work/empty"

# What a killed program left is not damage.
mkdir junk; head -c 100000 /dev/urandom >junk/small; truncate -s 2G junk/x
artel artifact put killed junk >/dev/null 2>&1 &
until_true 10 has_read $!
kill -KILL $!; wait $! 2>/dev/null
same 'a killed put has no version' '' "$(artel artifact ls killed --json --quiet)"
code 'what a killed put left is no damage' 0 artel artifact verify
code 'nor after sync' 0 artel sync
code 'still not' 0 artel artifact verify

# Nothing that was used is garbage; what is removed is.
head -c 3000000 /dev/urandom >big
artel artifact put big big >/dev/null
artel artifact put keep f >/dev/null
code 'gc with everything in use' 0 artel gc
code 'leaves it whole' 0 artel artifact verify
before=$(du -sk state/blobs | cut -f1)
artel artifact rm big:v0 >/dev/null
code 'gc --dry-run says what would go' 0 artel gc --dry-run --json
same 'and removes nothing' "$before" "$(du -sk state/blobs | cut -f1)"
code 'gc removes it' 0 artel gc --json
after=$(du -sk state/blobs | cut -f1)
[ $((before - after)) -gt 2900 ] && pass 'the bytes of what was removed' || fail 'the bytes of what was removed' "$before $after"
code 'and nothing else' 0 artel artifact verify
code 'all of it can still be fetched' 0 artel artifact get keep -o kept

# holding KIND COMMAND...: like code's, while another program has the blobs (0: as one that stores, 1: as gc)
holding() {
    local kind=$1 holder
    shift
    mkfifo go
    python3 -c 'import fcntl, struct, sys
file = open("state/blobs/LOCK", "r+b")
fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", int(sys.argv[1]), 0, 0, 0, 0))
open("held", "w").close()
sys.stdin.read()' "$kind" <go &
    holder=$!
    exec 8>go
    until_true 10 test -e held
    SECONDS=0
    "$@"
    exec 8>&-
    wait $holder
    rm -f go held
    who="python3 (pid $holder)"
}
holding 0 code 'gc does not wait for ever for a program that stores' 1 artel gc --timeout 0.5
has 'it says who that is' "$err" "$who"
[ $SECONDS -lt 5 ] && pass 'and ends in time' || fail 'and ends in time' "$SECONDS s"
holding 1 code 'put --timeout ends also if gc has the store' 1 artel artifact put late f --timeout 0.5
has 'and says so' "$err" "'artel gc' had the store"
[ $SECONDS -lt 8 ] && pass 'that ends in time too' || fail 'that ends in time too' "$SECONDS s"
code 'nothing of it is stored' 4 artel artifact get late -o nowhere
code 'then gc goes on' 0 artel gc

head -c 3000000 /dev/urandom >big.bin
put damaged big.bin >/dev/null
loose=$(find state/blobs -type f -size +2000k -newer big.bin | grep -v pack | head -1)
printf 'XXXXXXXXXXXXXXXX' | dd of="$loose" bs=1 seek=1500000 conv=notrunc status=none
code 'verify finds a flipped byte' 1 artel artifact verify
has 'and names the artifact' "$out" 'damaged'
has 'and the file' "$out" 'big.bin'
code 'verify of another artifact does not' 0 artel artifact verify set
code 'get of what is damaged fails' 1 artel artifact get damaged -o bigout
has 'and names the file' "$err" 'big.bin'
[ ! -e bigout/big.bin ] && pass 'and writes nothing wrong' || fail 'and writes nothing wrong' 'it is there'
rm "$loose"
code 'verify finds a missing file' 1 artel artifact verify damaged --json
same 'as one object a line' '["damage"] 1' \
    "$(jq -c 'if .damage then keys else .damaged end' <<<"$out" | paste -sd' ')"
pack=$(find state/blobs/packs -type f -name '*.pack' | head -1)
printf 'XXXX' | dd of="$pack" bs=1 seek=40 conv=notrunc status=none
code 'verify finds a damaged pack' 1 artel artifact verify --quiet
[ -n "$out" ] && pass 'and says what of it' || fail 'and says what of it' 'nothing'
finish
