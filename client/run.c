//  run.c - logging in a run, and ending it.

#include "about.h"
#include "actor.h"
#include "client.h"
#include "errors.h"
#include "fds.h"
#include "link.h"
#include "rank.h"
#include "values.h"

enum { START_RECORDS = 2 };     //  that a run begins with (start.c)

artel_claim_t
artel_run_leave_rank(artel_run_t *run)
{
    artel_claim_t claim = { .rank = run->rank, .fd = run->claim };
    memcpy(claim.run, run->id, sizeof claim.run);
    run->claim = -1;
    return claim;
}

void
artel_claim_end(const artel_t *client, const artel_claim_t *claim)
{
    artel_rank_release(client->dir, claim->run, claim->rank, claim->fd);
}

void
artel_run_free(artel_run_t *run)
{
    artel_claim_t claim = artel_run_leave_rank(run);
    artel_claim_end(run->client, &claim);
    artel_fd_close(run->presence);
    artel_targets_unref(run->targets);
    artel_outbox_done(&run->outbox);
    artel_about_done(run);
    free(run);
}

const char *
artel_run_id(const artel_run_t *run)
{
    return run ? run->id : "";
}

//  Logging.

//  Why a row was refused, told with the run's name. why may say it already.
static int
s_refuse_row(artel_run_t *run, int rc, const char *why)
{
    artel_notes_t *notes = &run->client->notes;
    char dead[sizeof run->dead_why];
    if (rc == ARTEL_EFULL)
        return artel_warn(notes, rc, "run %s: a record was dropped: 8 MiB wait for the journal and there was no "
                          "room within %d ms", run->id, run->client->queue_ms);
    if (*artel_run_dead_why(run, dead, sizeof dead))
        return artel_warn(notes, rc, "run %s: a record was dropped: %s", run->id, dead);
    if (rc == ARTEL_ENOSPC || rc == ARTEL_EIO)
        return artel_warn(notes, rc, "run %s: a record was dropped: the queue is full and the journal in %s "
                          "takes nothing: %s", run->id, run->client->dir, artel_error_code_text(rc));
    return artel_fail(notes, rc, "run %s: %s", run->id, *why ? why : artel_error_code_text(rc));
}

//  One row of any of the three kinds; step counts for history.
static int
s_log(artel_run_t *run, artel_msg_id_t id, int64_t step, const artel_value_t *values, size_t n)
{
    artel_outbox_t *outbox = &run->outbox;
    pthread_mutex_lock(&outbox->lock);
    int rc = run->finished ? ARTEL_ECLOSED : artel_outbox_wait(outbox, run->client->queue_ms);
    if (rc == 0)
        rc = id == ARTEL_MSG_HISTORY ? artel_outbox_history(outbox, step, values, n)
             : artel_outbox_set(outbox, id, values, n);
    pthread_mutex_unlock(&outbox->lock);
    if (rc == 0)
        artel_link_nudge(run->client);
    return rc;
}

static int
s_log_checked(artel_run_t *run, artel_msg_id_t id, int64_t step, const artel_value_t *values, size_t n)
{
    char why[256] = "";
    int rc = artel_run_enter(run);
    if (rc != 0)
        return rc;
    rc = artel_values_check(values, n, why, sizeof why);
    if (rc == 0)
        rc = s_log(run, id, step, values, n);
    if (rc == 0)
        return 0;
    if (!*why && (rc == ARTEL_EINVAL || rc == ARTEL_ELIMIT))
        artel_values_explain(values, n, why, sizeof why);
    return s_refuse_row(run, rc, why);
}

int
artel_run_log(artel_run_t *run, const char *key, int64_t step, double value)
{
    artel_value_t row = { .key = key, .type = ARTEL_TYPE_DOUBLE, .f64 = value };
    int rc = artel_run_enter(run);
    if (rc == 0)
        rc = s_log(run, ARTEL_MSG_HISTORY, step, &row, 1);
    if (rc == 0 || rc == ARTEL_EFORKED || !run)
        return rc;
    char why[256] = "";
    if (rc == ARTEL_EINVAL || rc == ARTEL_ELIMIT)
        artel_values_explain(&row, 1, why, sizeof why);
    return s_refuse_row(run, rc, why);
}

int
artel_run_log_row(artel_run_t *run, int64_t step, const artel_value_t *values, size_t n)
{
    return s_log_checked(run, ARTEL_MSG_HISTORY, step, values, n);
}

int
artel_run_config(artel_run_t *run, const artel_value_t *values, size_t n)
{
    return s_log_checked(run, ARTEL_MSG_CONFIG, 0, values, n);
}

int
artel_run_summary(artel_run_t *run, const artel_value_t *values, size_t n)
{
    return s_log_checked(run, ARTEL_MSG_SUMMARY, 0, values, n);
}

int
artel_run_put(artel_run_t *run, const artel_msg_t *record, uint64_t *ret_counter)
{
    pthread_mutex_lock(&run->outbox.lock);
    int rc = run->finished ? ARTEL_ECLOSED : artel_outbox_wait(&run->outbox, run->client->queue_ms);
    if (rc == 0)
        rc = artel_outbox_add(&run->outbox, record, ret_counter);
    pthread_mutex_unlock(&run->outbox.lock);
    if (rc == 0)
        artel_link_nudge(run->client);
    return rc;
}

void
artel_run_progress(artel_run_t *run, uint64_t *ret_logged, uint64_t *ret_accepted)
{
    uint64_t logged = 0, accepted = 0;
    if (artel_run_enter(run) == 0) {
        pthread_mutex_lock(&run->outbox.lock);
        logged = run->outbox.logged - START_RECORDS;
        accepted = run->outbox.accepted_records;
        pthread_mutex_unlock(&run->outbox.lock);
    }
    if (ret_logged)
        *ret_logged = logged;
    if (ret_accepted)
        *ret_accepted = accepted > START_RECORDS ? accepted - START_RECORDS : 0;
}

int
artel_run_tags(artel_run_t *run, const char *const *tags)
{
    size_t n;
    int rc = artel_run_enter(run);
    if (rc == 0)
        rc = artel_about_check_tags(run->client, tags, &n);
    if (rc != 0)
        return rc;
    pthread_mutex_lock(&run->outbox.lock);
    rc = run->finished ? ARTEL_ECLOSED : artel_outbox_wait(&run->outbox, run->client->queue_ms);
    if (rc == 0)
        rc = artel_about_put(run, tags, n, false);
    pthread_mutex_unlock(&run->outbox.lock);
    if (rc != 0)
        return s_refuse_row(run, rc, "");
    artel_link_nudge(run->client);
    return 0;
}

//  Ending.

void
artel_run_end(artel_run_t *run)
{
    run->ending = true;
    if (run->jobs || run->exited)
        return;
    uint64_t counter;
    pthread_mutex_lock(&run->outbox.lock);
    run->exited = artel_outbox_add(&run->outbox, &(artel_msg_t) { .id = ARTEL_MSG_EXIT, .exit = {
        .code = run->exit_code, .at_ms = artel_wall_ms() } }, &counter) == 0;
    (void) artel_outbox_seal(&run->outbox);
    pthread_mutex_unlock(&run->outbox.lock);
}

int
artel_run_finish(artel_run_t **run_p, int exit_code)
{
    artel_run_t *run = run_p ? *run_p : NULL;
    if (run_p)
        *run_p = NULL;
    int rc = artel_run_enter(run);
    if (rc != 0)
        return rc;
    artel_t *client = run->client;
    pthread_mutex_lock(&client->lock);
    pthread_mutex_lock(&run->outbox.lock);
    run->finished = true;
    pthread_mutex_unlock(&run->outbox.lock);
    run->exit_code = exit_code;
    artel_run_end(run);
    artel_claim_t claim = artel_run_leave_rank(run);
    rc = run->jobs || run->exited ? 0 : ARTEL_ENOMEM;
    pthread_mutex_unlock(&client->lock);
    artel_claim_end(client, &claim);
    artel_link_wake(client);
    return rc == 0 ? 0 : artel_fail(&client->notes, rc, "the end of a run was not logged: out of memory");
}
