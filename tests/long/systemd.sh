#!/usr/bin/env bash
# The user unit under a live systemd: a manager of the user nobody, in namespaces and a cgroup of its own. Run by
# .ci/run as
#   ARTEL_BIN=... ARTEL_RESULTS=... tests/suite long-systemd tests/long/systemd.sh
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../e2e/cli.bash"
manager=/lib/systemd/systemd
cgroups=$(findmnt -nro TARGET -t cgroup2 | head -1)
group=$cgroups/artel-$$

#  as_nobody COMMAND...: as the user of the manager, with its directories
as_nobody() {
    setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all \
        env -i PATH="$PATH" HOME="$HOME" XDG_RUNTIME_DIR="$work/run" SYSTEMD_LOG_TARGET=console "$@"
}
ctl() { as_nobody systemctl --user "$@"; }
pid() { ctl show -P MainPID artel; }
answers() { as_nobody artel daemon status >/dev/null 2>&1; }
is_manager_up() { ctl is-system-running 2>/dev/null | grep -qx running; }
is_up_again() { local now; now=$(pid) && [ "$now" != 0 ] && [ "$now" != "$1" ] && answers; }

#  What the rest of this file runs in the namespaces.
inside() {
    mount -t cgroup2 none /sys/fs/cgroup && mount -t tmpfs none /run && mkdir -p /run/systemd/system || exit 1
    as_nobody $manager --user >"$work/manager.log" 2>&1 &
    until_true 10 is_manager_up || { fail 'the manager is up' "$(cat "$work/manager.log")"; return 1; }
    ctl start artel
    same 'systemd starts the unit' 0 $?
    until_true 10 answers && pass 'and it answers' || fail 'and it answers' "$(ctl status artel)"
    for n in 1 2 3; do
        was=$(pid)
        ctl kill -s KILL artel
        until_true 10 is_up_again "$was" && pass "killed, it is started again ($n)" ||
            fail "killed, it is started again ($n)" "$(ctl status artel)"
    done
    same 'by systemd' 3 "$(ctl show -P NRestarts artel)"
    was=$(pid)
    ctl kill -s TERM artel
    until_true 10 is_up_again "$was" && pass 'and also at its own SIGTERM' || fail 'and at SIGTERM' "$(ctl status artel)"
    ctl stop artel
    same 'it is stopped with' 'inactive success' "$(ctl is-active artel) $(ctl show -P Result artel)"
    printf '[Service]\nExecStart=\nExecStart="%s" --no-restart --nonsense\n' "$ARTEL_BIN/arteld" |
        as_nobody sh -c 'mkdir "$HOME/.config/systemd/user/artel.service.d" && cat >"$HOME/.config/systemd/user/artel.service.d/x.conf"'
    ctl daemon-reload
    ctl start artel
    until_true 10 eval 'ctl is-failed -q artel' && pass 'a wrong option leaves it failed' ||
        fail 'a wrong option leaves it failed' "$(ctl status artel)"
    same 'with 2, and not started again' '2 0' "$(ctl show -P ExecMainStatus artel) $(ctl show -P NRestarts artel)"
    finish
}

if [ "$(id -u)" != 0 ] || [ ! -x $manager ] || [ -z "$cgroups" ] || ! mkdir "$group" 2>/dev/null; then
    echo 'SKIP the unit under a live systemd: needs root, systemd and a cgroup to make'
    exit 0
fi
trap 'find "$group" -depth -type d -exec rmdir {} \; ; rm -rf "$work"' EXIT
mkdir -p "$HOME/.config/systemd/user" run
sed "s,@ARTELD@,$ARTEL_BIN/arteld," "$here/../../tools/arteld/artel.service.in" >"$HOME/.config/systemd/user/artel.service"
chown -R 65534 "$work" "$group"
chmod 700 run
export work here group manager
(
    echo "$BASHPID" >"$group/cgroup.procs"
    exec timeout -k 5 100 unshare -m -C -p --fork --kill-child --mount-proc bash -c "$(declare -f); failures=0; inside"
)
