//  run.c - starting a run, logging in it, ending it.

#include "actor.h"
#include "bounds.h"
#include "client.h"
#include "errors.h"
#include "fds.h"
#include "link.h"
#include "presence.h"
#include "utf8.h"
#include "values.h"

#include <errno.h>
#include <unistd.h>

enum { START_MS = 5000, START_RECORDS = 2 };

void
artel_run_free(artel_run_t *run)
{
    artel_fd_close(run->presence);
    artel_outbox_done(&run->outbox);
    free(run->about.project);
    free(run->about.name);
    free(run->about.group);
    free(run->about.job_type);
    free(run->about.notes);
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

static int64_t
s_next_step(artel_run_t *run, int64_t step)
{
    int64_t now = step == ARTEL_AUTO_STEP ? run->next_step : step;
    run->next_step = now < INT64_MAX ? now + 1 : now;
    return now;
}

//  One row of any of the three kinds; step counts for history.
static int
s_log(artel_run_t *run, artel_msg_id_t id, int64_t step, const artel_value_t *values, size_t n)
{
    artel_outbox_t *outbox = &run->outbox;
    pthread_mutex_lock(&outbox->lock);
    int rc = run->finished ? ARTEL_ECLOSED : artel_outbox_wait(outbox, run->client->queue_ms);
    if (rc == 0 && id != ARTEL_MSG_HISTORY)
        rc = artel_outbox_set(outbox, id, values, n);
    else if (rc == 0) {
        int64_t before = run->next_step;
        rc = artel_outbox_history(outbox, s_next_step(run, step), values, n);
        if (rc != 0)
            run->next_step = before;
    }
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

//  The record `run`.

static int
s_check_tags(artel_t *client, const char *const *tags, size_t *ret_n)
{
    size_t n = 0;
    for (; tags && tags[n]; n++) {
        size_t len = strnlen(tags[n], ARTEL_MAX_NAME + 1);
        if (len == 0 || len > ARTEL_MAX_NAME || !artel_is_utf8(tags[n], len))
            return artel_fail(&client->notes, ARTEL_EINVAL, "tag \"%.140s\" must be 1 to %d bytes of UTF-8",
                              tags[n], ARTEL_MAX_NAME);
        if (n == ARTEL_MAX_ALIASES)
            return artel_fail(&client->notes, ARTEL_ELIMIT, "a run has at most %d tags", ARTEL_MAX_ALIASES);
    }
    *ret_n = n;
    return 0;
}

//  Queue the record; the outbox's lock is held, or nobody else knows the run yet.
static int
s_put_about(artel_run_t *run, const char *const *tags, size_t n)
{
    artel_str_t strs[ARTEL_MAX_ALIASES];
    for (size_t i = 0; i < n; i++)
        strs[i] = artel_str(tags[i]);
    const artel_run_about_t *about = &run->about;
    uint64_t counter;
    return artel_outbox_add(&run->outbox, &(artel_msg_t) { .id = ARTEL_MSG_RUN, .run = {
        .run = artel_str(run->id), .project = artel_str(about->project), .name = artel_str(about->name),
        .group = artel_str(about->group), .job_type = artel_str(about->job_type),
        .notes = artel_str(about->notes), .tags = { strs, n }, .at_ms = artel_wall_ms(),
        .hidden = about->hidden } }, &counter);
}

int
artel_run_tags(artel_run_t *run, const char *const *tags)
{
    size_t n;
    int rc = artel_run_enter(run);
    if (rc == 0)
        rc = s_check_tags(run->client, tags, &n);
    if (rc != 0)
        return rc;
    pthread_mutex_lock(&run->outbox.lock);
    rc = run->finished ? ARTEL_ECLOSED : artel_outbox_wait(&run->outbox, run->client->queue_ms);
    if (rc == 0)
        rc = s_put_about(run, tags, n);
    pthread_mutex_unlock(&run->outbox.lock);
    if (rc != 0)
        return s_refuse_row(run, rc, "");
    artel_link_nudge(run->client);
    return 0;
}

//  Starting.

static int
s_refuse_option(artel_t *client, const char *what, const char *value, const char *rule)
{
    return artel_fail(&client->notes, ARTEL_EINVAL, "a run's %s can't be \"%.140s\": %s", what, value, rule);
}

//  A text option of at most max bytes, copied; empty is as NULL.
static int
s_take_text(artel_t *client, const char *what, const char *text, size_t max, char **ret)
{
    size_t len = text ? strnlen(text, max + 1) : 0;
    if (len == 0)
        return 0;
    if (len > max || !artel_is_utf8(text, len))
        return s_refuse_option(client, what, text, len > max ? "it is too long" : "it is not UTF-8");
    *ret = strdup(text);
    return *ret ? 0 : ARTEL_ENOMEM;
}

//  "20250131-140502-k3q9x7": sorts by time, and two of one second differ.
static void
s_make_id(char *ret, size_t size)
{
    static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
    artel_id_t random = artel_id_new();
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    size_t n = strftime(ret, size, "%Y%m%d-%H%M%S-", &tm);
    for (size_t i = 0; i < 6; i++)
        ret[n++] = letters[random.at[i] & 31];
    ret[n] = 0;
}

static int
s_take_id(artel_run_t *run, const char *given)
{
    static const char legal[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    const char *id = given ? given : getenv("ARTEL_RUN_ID");
    if (!id || (!given && !*id)) {
        s_make_id(run->id, sizeof run->id);
        return 0;
    }
    size_t len = strlen(id);
    if (len == 0 || len > ARTEL_MAX_RUN_ID || strspn(id, legal) != len)
        return s_refuse_option(run->client, "id", id, "it is 1 to 63 letters, digits, '_' and '-'");
    memcpy(run->id, id, len + 1);
    return 0;
}

//  A run that is resumed keeps the name it has.
static int
s_take_about(artel_run_t *run, const artel_run_options_t *o)
{
    artel_t *client = run->client;
    artel_run_about_t *about = &run->about;
    const char *project = o->project && *o->project ? o->project : getenv("ARTEL_PROJECT");
    const char *name = o->name && *o->name ? o->name : o->resume == ARTEL_RESUME_NEVER ? run->id : NULL;
    about->hidden = o->hidden != 0;
    int rc = s_take_text(client, "project", project && *project ? project : "default", ARTEL_MAX_NAME,
                         &about->project);
    if (rc == 0)
        rc = s_take_text(client, "name", name, ARTEL_MAX_NAME, &about->name);
    if (rc == 0)
        rc = s_take_text(client, "group", o->group, ARTEL_MAX_NAME, &about->group);
    if (rc == 0)
        rc = s_take_text(client, "job_type", o->job_type, ARTEL_MAX_NAME, &about->job_type);
    if (rc == 0)
        rc = s_take_text(client, "notes", o->notes, ARTEL_MAX_STRING, &about->notes);
    return rc;
}

//  The records every writer begins with.
static int
s_put_start(artel_run_t *run, const artel_run_options_t *o)
{
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    uint64_t counter;
    size_t n;
    int rc = s_check_tags(run->client, o->tags, &n);
    if (rc == 0)
        rc = s_put_about(run, o->tags, n);
    return rc != 0 ? rc : artel_outbox_add(&run->outbox, &(artel_msg_t) { .id = ARTEL_MSG_RUN_START,
        .run_start = { .resume = (uint64_t) o->resume, .host = artel_str(host), .pid = (uint64_t) getpid(),
                       .program = artel_str(program_invocation_short_name), .at_ms = artel_wall_ms() } },
        &counter);
}

//  A service is to know whether we will come back for our journal.
static int
s_say_present(artel_run_t *run)
{
    artel_t *client = run->client;
    int rc = artel_presence_begin(client->dir, run->id, run->writer, &run->presence);
    return rc == 0 ? 0 : artel_fail(&client->notes, rc, "run %s was not started: its file in %s/clients: %s", run->id,
                                    client->dir, artel_error_code_text(rc));
}

static int
s_new_run(artel_t *client, const artel_run_options_t *o, artel_run_t **ret)
{
    artel_run_t *run = calloc(1, sizeof *run);
    if (!run)
        return ARTEL_ENOMEM;
    run->client = client;
    run->presence = -1;
    run->writer = artel_id_new();
    run->resumes = (artel_resumes_t) o->resume;
    int rc = s_take_id(run, o->id);
    int made = artel_outbox_init(&run->outbox, run->id, run->writer);
    if (rc == 0)
        rc = made;
    if (rc == 0)
        rc = s_take_about(run, o);
    if (rc == 0)
        rc = s_put_start(run, o);
    if (rc == 0 && client->service)
        rc = s_say_present(run);
    if (rc == 0)
        *ret = run;
    else
        artel_run_free(run);
    return rc;
}

static void
s_unlink(artel_t *client, const artel_run_t *run)
{
    for (artel_run_t **at = &client->runs; *at; at = &(*at)->next)
        if (*at == run) {
            *at = run->next;
            return;
        }
}

static int
s_tell_not_started(const artel_run_t *run, int rc)
{
    static const struct { int code; const char *text; } reasons[] = {
        { ARTEL_EEXIST, "a run of this id exists; resume it (ARTEL_RESUME_ALLOW), or take another id" },
        { ARTEL_ENOENT, "it is to be resumed, and there is no run of this id" },
        { ARTEL_ETIMEOUT, "the node has not opened its journal within 5 s" },
    };
    char trouble[300];
    const char *why = *run->open_why ? run->open_why : artel_error_code_text(rc);
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].code == rc)
            why = reasons[i].text;
    return artel_fail(&run->client->notes, rc, "run %s was not started in %s: %s%s", run->id, run->client->dir, why,
                      artel_client_trouble(run->client, trouble, sizeof trouble));
}

//  Add the run, and wait until its journal is open. A run nobody waits for any
//  longer stays, to be closed if it opens after all.
static int
s_open_run(artel_t *client, artel_run_t *run)
{
    artel_deadline_t deadline = artel_deadline(START_MS);
    pthread_mutex_lock(&client->lock);
    bool closed = client->closing, in_time = true;
    if (!closed) {
        run->next = client->runs;
        client->runs = run;
    }
    artel_link_wake(client);
    while (!closed && in_time && run->state != ARTEL_RUN_OPEN && run->state != ARTEL_RUN_FAILED
           && !client->stopped)
        in_time = artel_wait(&client->changed, &client->lock, deadline);
    int rc = run->state == ARTEL_RUN_OPEN ? 0 : run->state == ARTEL_RUN_FAILED ? run->open_code
             : in_time ? ARTEL_ECLOSED : ARTEL_ETIMEOUT;
    run->abandoned = rc == ARTEL_ETIMEOUT;
    if (rc != 0 && !run->abandoned)
        s_unlink(client, run);
    pthread_mutex_unlock(&client->lock);
    return rc;
}

//  What of options the program's header knew; the rest is zero.
static int
s_take_options(artel_t *client, const artel_run_options_t *options, artel_run_options_t *ret)
{
    *ret = (artel_run_options_t) { 0 };
    if (options && options->size < sizeof options->size)
        return artel_fail(&client->notes, ARTEL_EINVAL, "artel_run_start: options.size is %zu; set it to "
                          "sizeof (artel_run_options_t)", options->size);
    if (options)
        memcpy(ret, options, options->size < sizeof *ret ? options->size : sizeof *ret);
    if (ret->resume < ARTEL_RESUME_NEVER || ret->resume > ARTEL_RESUME_MUST)
        return artel_fail(&client->notes, ARTEL_EINVAL, "artel_run_start: resume %d is none of ARTEL_RESUME_*",
                          ret->resume);
    return 0;
}

int
artel_run_start(artel_t *self, const artel_run_options_t *given, artel_run_t **ret)
{
    artel_run_options_t options;
    artel_run_t *run;
    int rc = artel_client_enter(self);
    if (rc == 0 && !ret)
        rc = ARTEL_EINVAL;
    if (rc == 0)
        rc = s_take_options(self, given, &options);
    if (rc != 0)
        return rc;
    rc = s_new_run(self, &options, &run);
    if (rc == ARTEL_ENOMEM)
        return artel_fail(&self->notes, rc, "a run was not started: out of memory");
    if (rc != 0)
        return rc;
    rc = s_open_run(self, run);
    if (rc == 0) {
        *ret = run;
        return 0;
    }
    s_tell_not_started(run, rc);
    if (!run->abandoned)
        artel_run_free(run);
    return rc;
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
    rc = run->jobs || run->exited ? 0 : ARTEL_ENOMEM;
    pthread_mutex_unlock(&client->lock);
    artel_link_wake(client);
    return rc == 0 ? 0 : artel_fail(&client->notes, rc, "the end of a run was not logged: out of memory");
}
