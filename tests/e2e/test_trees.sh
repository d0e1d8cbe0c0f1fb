#!/usr/bin/env bash
# Folders arrive exactly, or are refused with a sentence that names what cannot be kept.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/cli.bash"
. "$here/trees.bash"
chmod 755 "$work"
cp "$ARTEL_BIN/artel" "$work/artel"
export ARTEL_DIR=$work/state

# /usr/include has names that differ only in case, and links that leave the folder.
round '/usr/include arrives whole' /usr/include
round '/usr/share/doc arrives whole' /usr/share/doc

mkdir -p odd/empty odd/deep odd/links/sub
: >odd/nothing
echo 1 >'odd/a b'; echo 2 >$'odd/new\nline'; echo 3 >'odd/größe 日本'; echo 4 >odd/Case; echo 5 >odd/case
echo 6 >$'odd/\001\033[31m'; echo 7 >'odd/back\slash'; echo 8 >odd/-x; echo 9 >odd/.hidden; echo 10 >'odd/"quote"'
echo 11 >"odd/$(printf 'n%.0s' {1..255})"
echo 12 >"odd/$(printf 'é%.0s' {1..127})"
deep=odd/deep
for _ in {1..40}; do deep=$deep/down; done
mkdir -p "$deep"; echo 13 >"$deep/bottom"
echo '#!/bin/sh' >odd/run; chmod 755 odd/run
truncate -s 64M odd/sparse; echo end >>odd/sparse
ln odd/case odd/hard
ln -s ../case odd/links/file; ln -s sub odd/links/folder; ln -s ../links odd/links/sub/up; ln -s nowhere odd/links/dangling
echo 14 >odd/links/sub/leaf
round 'odd names, links, empty and sparse files arrive exactly' odd
size=$(du -sk state/blobs | cut -f1)
[ "$size" -lt 500000 ] && pass 'equal content is stored once' || fail 'equal content is stored once' "$size kB"

mkdir outside; echo out >outside/file; mkdir outside/more; echo more >outside/more/file
mkdir leaving; ln -s ../outside/file leaving/file; ln -s "$work/outside" leaving/folder
artel artifact put leaving leaving >/dev/null
artel artifact get leaving -o left >/dev/null
same 'a link that leaves the folder is followed' 'out more' "$(cat left/file left/folder/more/file | paste -sd' ')"
same 'and no link any more' '' "$(find left -type l)"
artel artifact put kept leaving --links keep >/dev/null
artel artifact get kept -o kept >/dev/null
same 'unless all links are kept' "../outside/file $work/outside" "$(readlink kept/file kept/folder | paste -sd' ')"
artel artifact put followed odd/links --links follow 2>err >/dev/null && fail 'following all refuses what loops' 'stored' \
    || pass 'following all refuses what loops'
rm odd/links/sub/up odd/links/dangling
artel artifact put followed odd/links --links follow >/dev/null
artel artifact get followed -o followed >/dev/null
same 'and otherwise follows all' '5 14' "$(cat followed/file followed/folder/leaf | paste -sd' ')"

bad() { rm -rf bad; mkdir bad; echo good >bad/good; }
bad; mkfifo bad/pipe
refused 'a FIFO' bad "'pipe' is a FIFO"
bad; ln -s loop bad/loop
refused 'a link that loops' bad "'loop' is a link that loops"
bad; ln -s b bad/a; ln -s a bad/b
refused 'a ring of links' bad "is a link that loops"
bad; ln -s ../not/there bad/gone
refused 'a link that dangles outside' bad "'gone' is a link to something that does not exist"
bad; echo x >$'bad/\xff\xfe'
refused 'a name that is not UTF-8' bad '\xff\xfe' 'not UTF-8'
bad; ln -s /dev/null bad/null
refused 'a link to a device' bad "'null' is a link to a socket, FIFO or device"
refused 'a device' /dev/null 'null'
bad; mkdir bad/inner; ln -s "$work/state" bad/inner/store
refused 'the state directory' bad "where artel keeps its data"
python=$(command -v python3 || true)
if [ -n "$python" ]; then
    bad; (cd bad && "$python" -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")')
    refused 'a socket' bad "'sock' is a socket"
else
    echo 'SKIP a socket: no python3 to make one'
fi

# A file that grows all the time while it is read.
bad; truncate -s 200M bad/grows
while :; do echo x >>bad/grows; done &
writer=$!
refused 'a file that changes while it is read' bad "'grows' changed while it was read"
kill $writer; wait $writer 2>/dev/null
bad

# What is unreadable; root can read everything, so somebody else tries.
echo secret >bad/secret; chmod 600 bad/secret; chmod 755 bad
mkdir bad/closed; chmod 700 bad/closed
mkdir -m 777 others
nobody() {
    if [ "$(id -u)" = 0 ]; then
        HOME=$work/others ARTEL_DIR=$work/others/state setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
    else
        "$@"
    fi
}
[ "$(id -u)" = 0 ] || chmod 0 bad/secret
nobody "$work/artel" artifact put refused "$work/bad" >/dev/null 2>err && fail 'an unreadable file is refused' stored \
    || pass 'an unreadable file is refused'
has 'by name' "$(cat err)" "'secret' cannot be read"
rm -f bad/secret
[ "$(id -u)" = 0 ] || chmod 0 bad/closed
nobody "$work/artel" artifact put refused "$work/bad" >/dev/null 2>err && fail 'an unreadable folder is refused' stored \
    || pass 'an unreadable folder is refused'
has 'by its name' "$(cat err)" "'closed' cannot be read"
rm -rf bad/closed
nobody "$work/artel" artifact put good "$work/bad" >/dev/null 2>err && pass 'what is left is stored' \
    || fail 'what is left is stored' "$(cat err)"
mkdir -m 500 locked
[ "$(id -u)" != 0 ] || chown 65534 locked
nobody "$work/artel" artifact get good -o "$work/locked/out" >/dev/null 2>err && fail 'a folder that cannot be made is a failure' made \
    || pass 'a folder that cannot be made is a failure'
has 'that names it' "$(cat err)" 'locked/out'

# Getting writes nothing outside.
echo safe >outside/file
mkdir trap; ln -s "$work/outside" trap/folder
mkdir -p tree/folder; echo evil >tree/folder/file
artel artifact put tree tree >/dev/null
code 'get does not write through a link' 1 artel artifact get tree -o trap
same 'what it leads to is untouched' safe "$(cat outside/file)"
finish
