# trees.bash - round trips of folders through put and get; sourced by their tests.

# What arrived as a link has the same text; what was a link and is none now led out
# of the folder, and has the content of what it led to; everything else is equal, with its
# executable bit.
same_tree() {
    local before=$1 after=$2 line link
    while IFS= read -r line; do
        case $line in
        "File "*" is a symbolic link while file "*) ;;
        *) echo "$line" ;;
        esac
    done < <(diff -r --no-dereference "$before" "$after" 2>&1)
    while IFS= read -r -d '' link; do
        [ -L "$after/$link" ] && continue
        case $(realpath -- "$before/$link")/ in
        "$(realpath -- "$before")"/*) echo "$link stayed inside, but is no link" ;;
        esac
        diff -r "$(realpath -- "$before/$link")" "$after/$link" 2>&1
    done < <(cd "$before" && find . -type l -print0)
    cmp <(cd "$before" && find -L . -type f -perm /111 -print0 2>/dev/null | sort -z) \
        <(cd "$after" && find -L . -type f -perm /111 -print0 2>/dev/null | sort -z) 2>&1
}

# round NAME FOLDER [OPTION...]: put FOLDER, get it, compare, remove the copy
round() {
    local name=$1 folder=$2 why
    shift 2
    why=$(artel artifact put round "$folder" --quiet "$@" 2>&1 >/dev/null) || { fail "$name" "put: $why"; return; }
    why=$(artel artifact get round -o back 2>&1 >/dev/null) || { fail "$name" "get: $why"; return; }
    why=$(same_tree "$folder" back | head -5)
    same "$name" '' "$why"
    rm -rf back
}

# refused NAME FOLDER PART...: put fails with one sentence that has every PART; nothing is stored
refused() {
    local name=$1 folder=$2 part
    shift 2
    code "$name is refused" 1 artel artifact put refused "$folder" --json
    for part in "$@"; do has "$name is named" "$err" "$part"; done
    same "$name: nothing is stored in part" '' "$(artel artifact ls refused --json --quiet)"
}
