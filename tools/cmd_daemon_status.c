//  cmd_daemon_status.c - artel daemon status: whether a service is there, and for whom.

#include "command.h"
#include "daemon.h"
#include "listing.h"
#include "term.h"

static const artel_column_t s_columns[] = {
    { "dir", "DIRECTORY", NULL, false, false },
    { "serving", "SERVING", NULL, false, false },
    { "pid", "PID", NULL, true, false },
    { "since", "SINCE", artel_show_time, false, false },
    { "runs", "RUNS", artel_show_count, true, false },
    { "pending", "PENDING", artel_show_count, true, false },
    { "socket", "SOCKET", NULL, false, false },
    { 0 },
};

static int
s_show(const artel_args_t *args, artel_daemon_t *daemon)
{
    artel_listing_t *listing = artel_listing_new(args, s_columns);
    if (!listing) {
        artel_complain("out of memory");
        return ARTEL_EXIT_FAILED;
    }
    artel_daemon_look(daemon);
    artel_listing_add(listing, artel_daemon_row(daemon));
    int rc = artel_listing_end(&listing);
    if (rc != 0 || daemon->serving)
        return rc;
    artel_complain("%s%s", daemon->why, daemon->taken ? "" : "; 'artel daemon start' starts one");
    return ARTEL_EXIT_NOT_FOUND;
}

static int
s_run(const artel_args_t *args)
{
    artel_daemon_t daemon;
    int rc = artel_daemon_find(args, &daemon);
    if (rc == 0)
        rc = s_show(args, &daemon);
    artel_daemon_done(&daemon);
    return rc;
}

const artel_command_t artel_cmd_daemon_status = {
    .name = "daemon status", .operands = "", .min = 0, .max = 0,
    .brief = "whether the service runs and answers",
    .about =
        "One row: whether a service of the state directory answers, its pid, since when it runs, how\n"
        "many runs programs have open through it, how many journals are not delivered everywhere,\n"
        "and its socket. It exits 0 if it serves and 4 if it does not, and then says why; the key\n"
        "error has that sentence. 'artel status' says what is not delivered.",
    .examples = "artel daemon status\n"
                "artel daemon status --json | jq .pid\n"
                "artel daemon status --quiet >/dev/null || artel daemon start",
    .run = s_run,
};
