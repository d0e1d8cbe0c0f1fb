//  cmd_sync.c - artel sync: deliver what programs left that ended.
//
//  A signal may end it at any time: what is not delivered waits in its journal.

#include "bar.h"
#include "command.h"
#include "human.h"
#include "journals.h"
#include "reach.h"
#include "term.h"

#include <inttypes.h>
#include <stdlib.h>

enum { TIMEOUT_MS = 3600 * 1000, CLOSE_MS = 1000 };

static int
s_report(const artel_args_t *args, const artel_session_t *session, int rc, uint64_t journals)
{
    char why[512];
    if (artel_args_has(args, "json"))
        printf("{\"journals\":%" PRIu64 ",\"delivered\":%s}\n", journals, rc == 0 ? "true" : "false");
    else if (rc == 0 && !artel_args_has(args, "quiet"))
        printf("%s delivered\n", journals ? artel_human_things(journals, "journal", ARTEL_HUMAN_BUFFER)
                                          : "everything is");
    if (rc == 0)
        return 0;
    artel_session_why(session, rc, why, sizeof why);
    artel_complain("%s", why);
    return artel_reach_exit(rc);
}

//  With every sink that is asked for or that a journal left behind wants.
static int
s_sync(const artel_args_t *args, const char *state, int timeout_ms)
{
    const char *list = artel_args_text(args, "sink");
    char *wanted = artel_journals_wanted(state, list ? list : getenv("ARTEL_SINKS"));
    if (!wanted)
        return ARTEL_EXIT_FAILED;
    artel_session_t session = { .client = NULL };
    int rc = artel_session_open(args, wanted, &session);
    free(wanted);
    if (rc != 0)
        return rc;
    uint64_t journals = 0;
    artel_bar_t *bar = artel_bar_new(args, "delivering", 0);
    rc = artel_sync(session.client, timeout_ms, &journals);
    artel_bar_end(&bar);
    rc = s_report(args, &session, rc, journals);
    artel_session_close(&session, CLOSE_MS, true);
    return rc;
}

static int
s_run(const artel_args_t *args)
{
    char *state;
    int timeout_ms, rc = artel_args_ms(args, "timeout", TIMEOUT_MS, &timeout_ms);
    if (rc == 0)
        rc = artel_reach_state(args, &state);
    if (rc != 0)
        return rc;
    rc = s_sync(args, state, timeout_ms);
    free(state);
    return rc;
}

static const artel_option_t s_options[] = {
    { "timeout", 't', "SECONDS", "how long to wait for delivery (3600)" },
    { 0 },
};

const artel_command_t artel_cmd_sync = {
    .name = "sync", .operands = "", .min = 0, .max = 0,
    .brief = "deliver what ended programs left, and wait for it",
    .about =
        "Programs that died get an end in their journals and are from then on crashed. Everything\n"
        "accepted is delivered to every sink it was meant for, and to those of --sink. It exits\n"
        "0 when nothing accepted is undelivered, 1 if something was damaged and is lost ('artel\n"
        "status' names it). Programs that still run are not waited for, and what was never accepted\n"
        "is no error. On a directory that another machine made it does nothing; run it there.",
    .options = s_options,
    .examples = "artel sync\n"
                "artel sync --timeout 60 || artel status",
    .run = s_run,
};
