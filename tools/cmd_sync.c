//  cmd_sync.c - artel sync: deliver what programs left that ended.
//
//  A signal may end it at any time: what is not delivered waits in its journal.

#include "actor.h"
#include "also.h"
#include "bar.h"
#include "command.h"
#include "human.h"
#include "journals.h"
#include "reach.h"
#include "retire.h"
#include "service.h"
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

//  Deliver through a session and close it. ARTEL_EPENDING is only told if it is the last word.
static int
s_deliver(const artel_args_t *args, artel_session_t *session, int timeout_ms, bool last, uint64_t *journals)
{
    uint64_t found = 0;
    artel_bar_t *bar = artel_bar_new(args, "delivering", 0);
    int rc = artel_sync(session->client, timeout_ms, &found);
    artel_bar_end(&bar);
    if (found > *journals)
        *journals = found;
    int code = rc == ARTEL_EPENDING && !last ? ARTEL_EXIT_PENDING : s_report(args, session, rc, *journals);
    artel_session_close(session, CLOSE_MS, true);
    return code;
}

//  With a node of our own, that has every sink that is asked for or that a journal left behind wants.
static int
s_sync_linked(const artel_args_t *args, const char *state, int timeout_ms, uint64_t journals)
{
    const char *list = artel_args_text(args, "sink");
    char *wanted = artel_journals_wanted(state, list ? list : getenv("ARTEL_SINKS"));
    if (!wanted)
        return ARTEL_EXIT_FAILED;
    artel_session_t session = { .client = NULL };
    int rc = artel_session_link(args, wanted, &session);
    free(wanted);
    return rc != 0 ? rc : s_deliver(args, &session, timeout_ms, true, &journals);
}

//  What --to asks of each journal.
typedef struct {
    const char *state;
    const artel_sinks_t *sinks;
} sends_t;

static int
s_send_one(void *arg, const char *run, artel_id_t writer)
{
    static const struct { int code; const char *text; } reasons[] = {
        { ARTEL_ELOCKED, "it is still being written: sync it when it has ended" },
        { ARTEL_ENOENT, "its rows were removed by gc, and cannot go anywhere" },
        { ARTEL_EEXIST, "it goes to another sink of that name: give this one a name of its own, as NAME=KIND:PLACE" },
        { ARTEL_ELIMIT, "it goes to as many sinks as it may" },
    };
    const sends_t *sends = arg;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sends->sinks->n; i++)
        rc = artel_also_add(sends->state, run, writer, &sends->sinks->at[i]);
    const char *why = artel_error_text(rc);
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].code == rc)
            why = reasons[i].text;
    if (rc != 0)
        artel_complain("run %s: %s", run, why);
    return rc;
}

//  The runs that are named, or all.
static int
s_send_runs(const artel_args_t *args, sends_t *sends)
{
    int rc = args->n ? 0 : artel_journal_each(sends->state, s_send_one, sends);
    for (size_t i = 0; rc == 0 && i < args->n; i++) {
        rc = artel_journal_each_of(sends->state, args->operands[i], s_send_one, sends);
        if (rc == ARTEL_EINVAL)
            artel_complain("there is no run %s", args->operands[i]);
    }
    return artel_reach_exit(rc);
}

//  Have runs go to more sinks than they were to.
static int
s_send(const artel_args_t *args, const char *state)
{
    const char *list = artel_args_text(args, "to");
    char why[512];
    artel_sinks_t sinks;
    if (!list && args->n) {
        artel_complain("say with --to where run %s is to go", args->operands[0]);
        return ARTEL_EXIT_USAGE;
    }
    if (!list)
        return 0;
    if (artel_sinks_parse(list, &sinks, why, sizeof why) != 0) {
        artel_complain("%s", why);
        return ARTEL_EXIT_USAGE;
    }
    int rc = s_send_runs(args, &(sends_t) { state, &sinks });
    artel_sinks_done(&sinks);
    return rc;
}

//  A service that is named says itself where its state directory is.
static bool
s_is_named(void)
{
    const char *endpoint = getenv("ARTEL_ENDPOINT");
    return endpoint && *endpoint;
}

//  A service alone can end the journals it holds; but it may lack a sink that one of them
//  wants, and what it leaves we deliver ourselves.
static int
s_sync(const artel_args_t *args, const char *state, int timeout_ms)
{
    bool named = s_is_named();
    uint64_t journals = 0;
    int pid;
    if (!named && artel_service_holder(state, &pid) <= 0)
        return s_sync_linked(args, state, timeout_ms, journals);
    int64_t until = artel_now_ms() + timeout_ms;
    artel_session_t session = { .client = NULL };
    int rc = artel_session_open(args, NULL, &session);
    if (rc == 0)
        rc = s_deliver(args, &session, timeout_ms, named, &journals);
    if (rc != ARTEL_EXIT_PENDING || named)
        return rc;
    int64_t left = until - artel_now_ms();
    return s_sync_linked(args, state, left > 0 ? (int) left : 0, journals);
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
    unsetenv("WANDB_MODE");                     //  what was offline until now
    if (!s_is_named())
        rc = artel_reach_check(state);
    if (rc == 0)
        rc = s_send(args, state);
    if (rc == 0)
        rc = s_sync(args, state, timeout_ms);
    free(state);
    return rc;
}

static const artel_option_t s_options[] = {
    { "to", 0, "LIST", "have the runs named, or all that have ended, go to these sinks, too" },
    { "timeout", 't', "SECONDS", "how long to wait for delivery (3600)" },
    { 0 },
};

const artel_command_t artel_cmd_sync = {
    .name = "sync", .operands = "[RUN...]", .min = 0, .max = -1,
    .brief = "deliver what ended programs left, and wait for it",
    .about =
        "Programs that died get an end in their journals and are from then on crashed. Everything\n"
        "accepted is delivered to every sink it was meant for, and to those of --sink. It exits\n"
        "0 when nothing accepted is undelivered, 1 if something was damaged and is lost ('artel\n"
        "status' names it). Programs that still run are not waited for, and what was never accepted\n"
        "is no error. On a directory that another machine made it does nothing; run it there. Where\n"
        "there is none it makes none, and exits 4. With --to, runs that went to other sinks until\n"
        "now go there, too, from their first row on.",
    .options = s_options,
    .examples = "artel sync\n"
                "artel sync --timeout 60 || artel status\n"
                "artel sync first second --to wandb",
    .run = s_run,
};
