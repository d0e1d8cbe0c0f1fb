#!/usr/bin/env bash
# What takes longer than a test may: a file of 1 GiB, 100,000 files, a sparse file of
# 4 GiB, thousands of links. Run by .ci/run as
#   ARTEL_BIN=... ARTEL_RESULTS=... tests/suite long-trees tests/long/trees.sh
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../e2e/cli.bash"
. "$here/../e2e/trees.bash"
export ARTEL_DIR=$work/state

mkdir big
head -c 1G /dev/urandom >big/random
round 'a file of 1 GiB arrives' big
mv big/random big/renamed
before=$(du -sk state/blobs | cut -f1)
round 'under another name' big
after=$(du -sk state/blobs | cut -f1)
[ $((after - before)) -lt 1000 ] && pass 'and is stored once' || fail 'and is stored once' "$((after - before)) kB more"
printf X | dd of=big/renamed bs=1 seek=777777777 conv=notrunc status=none
round 'with one byte changed it is another' big
rm -rf big state

mkdir sparse; truncate -s 4G sparse/file; echo end >>sparse/file
round 'a sparse file of 4 GiB arrives' sparse
rm -rf sparse state

mkdir many
for i in {0..999}; do mkdir many/$i; done
seq 0 99999 | awk '{ file = "many/" int($1 / 100) "/" $1 ".txt"; print "content of file " $1 > file; close(file) }'
round '100,000 files arrive' many
same 'all of them' 100000 "$(artel artifact ls round --json | tail -1 | jq .files)"
echo more >many/7/777.txt
same 'with one changed it is a new version' true "$(artel artifact put round many --json | jq .new)"
rm -rf many

mkdir links; echo x >links/target
for i in {0..4999}; do ln -s target "links/link$i"; done
round '5,000 links arrive' links
code 'verify of all of it is clean' 0 artel artifact verify
finish
