//  cmd_daemon_stop.c - artel daemon stop: end the service, and wait until it has.

#include "artel.h"
#include "command.h"
#include "daemon.h"
#include "json.h"
#include "service.h"
#include "term.h"

#include <czmq.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

enum { TIMEOUT_MS = 10000, STEP_MS = 20 };

//  Who is the service. One that has just become that has not said so yet. As artel_service_holder.
static int
s_find(const char *dir, int64_t end, int *ret_pid)
{
    int held;
    while ((held = artel_service_holder(dir, ret_pid)) > 0 && *ret_pid == 0 && zclock_mono() < end)
        zclock_sleep(STEP_MS);
    return held;
}

//  Wait until pid is the service no more. One that is about to end is not seen any more. As artel_service_holder.
static int
s_await(const char *dir, int pid, int64_t end, int *ret_pid)
{
    int held;
    while ((held = artel_service_holder(dir, ret_pid)) > 0 && (*ret_pid == pid || *ret_pid == 0)
           && zclock_mono() < end)
        zclock_sleep(STEP_MS);
    return held;
}

static int
s_report(const artel_args_t *args, const char *dir, int pid)
{
    if (artel_args_has(args, "json"))
        return artel_daemon_print(json_pack("{s:o s:b s:o}", "dir", artel_json_text(dir), "stopped", pid != 0,
                                            "pid", pid ? json_integer(pid) : json_null()));
    if (artel_args_has(args, "quiet"))
        return 0;
    if (pid)
        printf("pid %d has stopped\n", pid);
    else
        printf("no service runs over %s\n", dir);
    return 0;
}

static int
s_fail(const char *dir, int code)
{
    artel_complain("%s/service: %s", dir, artel_error_text(code));
    return ARTEL_EXIT_FAILED;
}

static int
s_stop(const artel_args_t *args, const char *dir, int pid, int timeout_ms)
{
    int holder = 0;
    if (kill(pid, SIGTERM) != 0 && errno != ESRCH) {
        artel_complain("pid %d cannot be told to stop: %s", pid, strerror(errno));
        return ARTEL_EXIT_FAILED;
    }
    int held = s_await(dir, pid, zclock_mono() + timeout_ms, &holder);
    if (held == 0)
        return s_report(args, dir, pid);
    if (held < 0)
        return s_fail(dir, held);
    if (holder == pid || holder == 0)
        artel_complain("pid %d was told to stop, and has not within %g s; 'kill -KILL %d' loses nothing that was "
                       "accepted", pid, timeout_ms / 1000.0, pid);
    else
        artel_complain("pid %d has stopped, but was followed by pid %d: stop what starts it again", pid, holder);
    return ARTEL_EXIT_FAILED;
}

static int
s_find_and_stop(const artel_args_t *args, const char *dir, int timeout_ms)
{
    int pid = 0, held = s_find(dir, zclock_mono() + timeout_ms, &pid);
    if (held < 0)
        return s_fail(dir, held);
    if (held == 0)
        return s_report(args, dir, 0);
    if (pid)
        return s_stop(args, dir, pid, timeout_ms);
    artel_complain("%s is served by a process that is not seen from here: stop it where it was started", dir);
    return ARTEL_EXIT_FAILED;
}

static int
s_run(const artel_args_t *args)
{
    artel_daemon_t daemon;
    int timeout_ms, rc = artel_args_ms(args, "timeout", TIMEOUT_MS, &timeout_ms);
    if (rc != 0)
        return rc;
    rc = artel_daemon_find(args, &daemon);
    if (rc == 0)
        rc = s_find_and_stop(args, daemon.dir, timeout_ms);
    artel_daemon_done(&daemon);
    return rc;
}

static const artel_option_t s_options[] = {
    { "timeout", 't', "SECONDS", "how long to wait until it has stopped (10)" },
    { 0 },
};

const artel_command_t artel_cmd_daemon_stop = {
    .name = "daemon stop", .operands = "", .min = 0, .max = 0,
    .brief = "stop the service",
    .about =
        "Sends SIGTERM to the service of the state directory and waits until it has finished what\n"
        "is under way and given its lock back. If none runs there is nothing to do, which is no\n"
        "error. Programs that log through it go on: their records wait in memory for the next one.\n"
        "What was accepted is in journals, and is delivered by the next service or 'artel sync'.",
    .options = s_options,
    .examples = "artel daemon stop\n"
                "artel daemon stop --timeout 60 && artel sync",
    .run = s_run,
};
