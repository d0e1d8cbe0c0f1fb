//  client.c - opening and closing a client: its node, its link, its end.

#include "client.h"

#include "actor.h"
#include "connect.h"
#include "errors.h"
#include "fds.h"
#include "guard.h"
#include "guest.h"
#include "link.h"
#include "trace.h"

#include <sys/eventfd.h>
#include <unistd.h>

enum { QUEUE_MS = 10000, STOP_MS = 1000 };

int
artel_client_enter(const artel_t *self)
{
    if (!self)
        return ARTEL_EINVAL;
    return self->generation == artel_fork_generation() ? 0 : ARTEL_EFORKED;
}

int
artel_run_enter(const artel_run_t *run)
{
    return run ? artel_client_enter(run->client) : ARTEL_EINVAL;
}

artel_t *
artel_client_ref(artel_t *self)
{
    atomic_fetch_add(&self->refs, 1);
    return self;
}

void
artel_client_unref(artel_t *self)
{
    if (atomic_fetch_sub(&self->refs, 1) != 1)
        return;
    for (artel_run_t *run = self->runs, *next; run; run = next) {
        next = run->next;
        artel_run_free(run);
    }
    artel_targets_unref(self->targets);
    artel_jobs_done(&self->jobs);
    artel_notes_done(&self->notes);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    if (self->wake_fd >= 0)
        close(self->wake_fd);
    free(self->dir);
    free(self);
}

artel_run_t *
artel_client_run(artel_t *self, artel_id_t writer)
{
    artel_run_t *run = self->runs;
    while (run && !artel_id_equal(run->writer, writer))
        run = run->next;
    return run;
}

bool
artel_client_has_accepted(artel_t *self, artel_id_t writer, uint64_t counter)
{
    const artel_run_t *run = artel_client_run(self, writer);
    return !run || run->accepted >= counter;
}

int
artel_client_never_accepts(artel_t *self, artel_id_t writer, uint64_t counter)
{
    const artel_run_t *run = artel_client_run(self, writer);
    return run && run->accepted < counter ? run->dead : 0;
}

const char *
artel_client_why_not(const artel_t *self, const artel_targets_t *born, const char *sink)
{
    return self->service && !self->welcomed ? NULL : artel_targets_why_not(self->targets, born, sink);
}

const char *
artel_run_dead_why(artel_run_t *run, char *ret, size_t size)
{
    pthread_mutex_lock(&run->client->lock);
    snprintf(ret, size, "%s", run->dead_why);
    pthread_mutex_unlock(&run->client->lock);
    return ret;
}

const char *
artel_client_host(const artel_t *self)
{
    return self->service ? "the service" : "the program";
}

//  What of options the program's header knew; the rest is zero.
static int
s_take_options(const artel_options_t *options, artel_options_t *ret)
{
    *ret = (artel_options_t) { 0 };
    if (options && options->size < sizeof options->size) {
        artel_open_failed("artel_open: options.size is %zu; set it to sizeof (artel_options_t)",
                          options->size);
        return ARTEL_EINVAL;
    }
    if (options)
        memcpy(ret, options, options->size < sizeof *ret ? options->size : sizeof *ret);
    if (!ret->sinks)
        ret->sinks = getenv("ARTEL_SINKS");
    return 0;
}

artel_t *
artel_client_new(const artel_options_t *options)
{
    artel_t *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->generation = artel_fork_generation();
    self->refs = 1;
    self->queue_ms = options->queue_ms < 0 ? 0 : options->queue_ms ? options->queue_ms : QUEUE_MS;
    artel_notes_init(&self->notes, options->log, options->log_arg);
    artel_jobs_init(&self->jobs);
    pthread_mutex_init(&self->lock, NULL);
    artel_cond_init(&self->changed);
    TAILQ_INIT(&self->asks.queue);
    self->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return self;
}

int
artel_open(const artel_options_t *given, artel_t **ret)
{
    artel_options_t options;
    int rc = ret ? s_take_options(given, &options) : ARTEL_EINVAL;
    if (rc != 0)
        return rc;
    rc = artel_guest_enter();
    if (rc == ARTEL_ECLOSED)
        artel_open_failed("the program is exiting");
    else if (rc != 0)
        artel_open_failed("fewer than 64 file descriptors are left, and running out of them would end "
                          "the program; close some, or raise the limit (ulimit -n)");
    if (rc != 0)
        return rc;
    artel_t *self = artel_client_new(&options);
    if (!self)
        return ARTEL_ENOMEM;
    (void) artel_trace_open();                  //  told by the link
    rc = artel_connect(self, &options);
    if (rc != 0) {
        if (artel_client_stop(self, STOP_MS))
            artel_client_unref(self);
        return rc;
    }
    artel_guard_add(self);
    *ret = self;
    return 0;
}

//  Nobody waits any more: what is not done now is not going to be.
static void
s_say_stopped(artel_t *self, int ms)
{
    if (!artel_lock_soon(&self->lock, ms))
        return;
    self->stopped = true;
    artel_asks_end(self);
    pthread_cond_broadcast(&self->changed);
    for (artel_run_t *run = self->runs; run; run = run->next)
        if (artel_lock_soon(&run->outbox.lock, ms)) {
            run->outbox.closed = true;
            pthread_cond_broadcast(&run->outbox.room);
            pthread_mutex_unlock(&run->outbox.lock);
        }
    pthread_mutex_unlock(&self->lock);
}

//  Whether it is our turn to stop it; if not, somebody else has or is about to.
static bool
s_may_stop(artel_t *self, int ms, bool *ret_stopped)
{
    artel_deadline_t deadline = artel_deadline(ms);
    *ret_stopped = false;
    if (!artel_lock_soon(&self->lock, ms))
        return true;                            //  in a thread that holds it, exiting
    bool others = self->stopping;
    self->stopping = true;
    while (others && !self->stopped && artel_wait(&self->changed, &self->lock, deadline))
        continue;
    *ret_stopped = self->stopped;
    pthread_mutex_unlock(&self->lock);
    return !others;
}

bool
artel_client_stop(artel_t *self, int ms)
{
    bool stopped;
    if (!s_may_stop(self, ms, &stopped))
        return stopped;
    artel_jobs_stop(self, ms);
    bool stuck = artel_actor_stop(&self->link, ms) != 0;
    artel_node_stop(&self->node, ms);
    s_say_stopped(self, ms);
    artel_jobs_wait(&self->jobs, ms);
    return !stuck;
}

//  The runs that are left, ended as their program's own end would.
static void
s_finish_runs(artel_t *self)
{
    for (artel_run_t *run = self->runs; run; run = run->next) {
        pthread_mutex_lock(&run->outbox.lock);
        run->finished = true;
        pthread_mutex_unlock(&run->outbox.lock);
        if (!run->ending)
            artel_run_end(run);
    }
}

//  What close has to tell of the runs that are left. The lock is held.
typedef struct {
    uint64_t unaccepted;        //  records that are nowhere but in memory
    uint64_t dropped;           //  records dropped and not told
    unsigned pending;           //  runs not delivered
    bool open;                  //  one of them may still be
    char run[64];               //  one of them
    char why[400];              //  why the journal took nothing, or ""
} rest_t;

static void
s_note_pending(const artel_run_t *run, uint64_t unaccepted, rest_t *rest)
{
    rest->pending++;
    rest->unaccepted += unaccepted;
    memcpy(rest->run, run->id, sizeof rest->run);
    if (unaccepted && (run->dead || run->refused))
        snprintf(rest->why, sizeof rest->why, "%s",
                 run->dead ? run->dead_why : artel_error_code_text(run->refused));
}

static void
s_count_rest(artel_run_t *run, rest_t *rest)
{
    pthread_mutex_lock(&run->outbox.lock);
    uint64_t unaccepted = run->outbox.logged - run->outbox.accepted_records;
    uint64_t dropped = run->outbox.dropped - run->told_dropped;
    uint64_t last = run->dead ? run->accepted : artel_outbox_last(&run->outbox);
    pthread_mutex_unlock(&run->outbox.lock);
    if (run->dead)                              //  what its journal has not is lost
        unaccepted += dropped;
    else
        rest->dropped += dropped;
    bool delivered = run->delivered >= last && !run->jobs;
    bool failed = run->state == ARTEL_RUN_FAILED;
    if ((failed && !run->dead) || run->abandoned || (!unaccepted && delivered))
        return;
    s_note_pending(run, unaccepted, rest);
    bool stays = !unaccepted && !run->jobs
                 && (run->client->put_off || artel_client_why_not(run->client, run->targets, ""));
    rest->open |= !failed && !stays && (!run->dead || !delivered);
}

static rest_t
s_rest(artel_t *self)
{
    rest_t rest = { .dropped = self->dropped };
    for (artel_run_t *run = self->runs; run; run = run->next)
        s_count_rest(run, &rest);
    return rest;
}

const char *
artel_client_trouble(artel_t *self, char *ret, size_t size)
{
    pthread_mutex_lock(&self->lock);
    snprintf(ret, size, *self->trouble ? " (%s)" : "%s", self->trouble);
    pthread_mutex_unlock(&self->lock);
    return ret;
}

//  The code of close, and its sentence.
static int
s_judge(artel_t *self, const rest_t *rest)
{
    int rc = rest->unaccepted ? ARTEL_ELOST : rest->pending ? ARTEL_EPENDING
             : rest->dropped ? ARTEL_EFULL : 0;
    char text[sizeof rest->why + 256], trouble[300];
    if (rc == ARTEL_ELOST)
        snprintf(text, sizeof text, "%llu records, some of run %s, did not get into the journal (%s) and are lost",
                 (unsigned long long) rest->unaccepted, rest->run,
                 *rest->why ? rest->why : artel_error_code_text(ARTEL_ETIMEOUT));
    else if (rc == ARTEL_EPENDING)
        snprintf(text, sizeof text, "%s%s is in the journal (%s) but not delivered yet%s; `artel sync` delivers it",
                 rest->pending > 1 ? "more than run " : "run ", rest->run, self->dir,
                 artel_client_trouble(self, trouble, sizeof trouble));
    else if (rc == ARTEL_EFULL)
        snprintf(text, sizeof text, "%llu records were dropped, because the queue was full",
                 (unsigned long long) rest->dropped);
    if (rc != 0) {
        artel_open_failed("%s", text);
        artel_warn(&self->notes, rc, "%s", text);
    }
    return rc;
}

//  Wait until everything is delivered; what is left then.
static rest_t
s_drain(artel_t *self, artel_deadline_t deadline)
{
    pthread_mutex_lock(&self->lock);
    self->closing = true;
    if (!self->stopped)
        s_finish_runs(self);
    pthread_mutex_unlock(&self->lock);
    artel_link_wake(self);

    pthread_mutex_lock(&self->lock);
    rest_t rest = s_rest(self);
    while (!self->stopped && rest.open && artel_wait(&self->changed, &self->lock, deadline))
        rest = s_rest(self);
    pthread_mutex_unlock(&self->lock);
    return rest;
}

int
artel_close(artel_t **self_p, int timeout_ms)
{
    artel_t *self = self_p ? *self_p : NULL;
    int rc = artel_client_enter(self);
    if (self_p)
        *self_p = NULL;
    if (rc != 0)
        return rc;
    artel_deadline_t deadline = artel_deadline(timeout_ms);
    artel_guard_remove(self);
    rest_t rest = s_drain(self, deadline);
    rc = s_judge(self, &rest);
    int left = artel_deadline_left(deadline) / 3;
    bool stopped = artel_client_stop(self, left > STOP_MS ? left : STOP_MS / 3);
    artel_tell_trace(&self->notes);
    if (stopped)
        artel_client_unref(self);
    return rc;
}
