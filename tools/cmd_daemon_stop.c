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

//  Wait until pid holds the lock no more. Who holds it then: 0, nobody; or an error code.
static int
s_await(const char *dir, int pid, int timeout_ms)
{
    int64_t end = zclock_mono() + timeout_ms;
    int holder;
    while ((holder = artel_service_holder(dir)) == pid && zclock_mono() < end)
        zclock_sleep(STEP_MS);
    return holder;
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
s_stop(const artel_args_t *args, const char *dir, int pid, int timeout_ms)
{
    if (kill(pid, SIGTERM) != 0 && errno != ESRCH) {
        artel_complain("pid %d cannot be told to stop: %s", pid, strerror(errno));
        return ARTEL_EXIT_FAILED;
    }
    int holder = s_await(dir, pid, timeout_ms);
    if (holder == 0)
        return s_report(args, dir, pid);
    if (holder == pid)
        artel_complain("pid %d was told to stop, and has not within %g s; 'kill -KILL %d' loses nothing that was "
                       "accepted", pid, timeout_ms / 1000.0, pid);
    else if (holder > 0)
        artel_complain("pid %d has stopped, but was followed by pid %d: stop what starts it again", pid, holder);
    else
        artel_complain("%s/service: %s", dir, artel_error_text(holder));
    return ARTEL_EXIT_FAILED;
}

static int
s_find_and_stop(const artel_args_t *args, const char *dir, int timeout_ms)
{
    int pid = artel_service_holder(dir);
    if (pid > 0)
        return s_stop(args, dir, pid, timeout_ms);
    if (pid == 0)
        return s_report(args, dir, 0);
    artel_complain("%s/service: %s", dir, artel_error_text(pid));
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
