//  link_send.c - what the link sends: batches, flushes, questions.

#include "link_self.h"

#include "bounds.h"
#include "trace.h"

enum {
    MAX_POLLS = ARTEL_MAX_PARKED - 4,   //  parked at once
    SHORT_POLL_MS = 100,        //  while more asks than that want their turn
    MAX_FRAMES = 32,
};

void
artel_link_send(artel_link_self_t *self, const artel_msg_t *msg)
{
    artel_wire_send(&self->wire, self->node, "handler", msg);
}

//  Take what may be sent from the outbox, sealing the open batch if it is time.
static size_t
s_take_frames(artel_run_t *run, bool seal, zmq_msg_t *ret)
{
    size_t n = 0;
    pthread_mutex_lock(&run->outbox.lock);
    if (seal)
        (void) artel_outbox_seal(&run->outbox); //  out of memory: it is tried again
    while (n < MAX_FRAMES && artel_outbox_next(&run->outbox, run->credit, &ret[n]))
        n++;
    pthread_mutex_unlock(&run->outbox.lock);
    return n;
}

//  Whether there was anything.
static bool
s_send_batches(artel_link_self_t *self, artel_run_t *run, bool seal)
{
    zmq_msg_t frames[MAX_FRAMES];
    size_t n, sum = 0;
    do {
        n = s_take_frames(run, seal, frames);
        for (size_t i = 0; i < n; i++) {
            artel_trace_batch("client", "handler", zmq_msg_data(&frames[i]), zmq_msg_size(&frames[i]));
            artel_wire_forward(self->node, &frames[i]);
        }
        sum += n;
    } while (n == MAX_FRAMES);
    return sum > 0;
}

//  A flush follows the batches it is about.
static void
s_send_flush(artel_link_self_t *self, artel_run_t *run)
{
    if (run->flush_sent >= run->flush_wanted)
        return;
    pthread_mutex_lock(&run->outbox.lock);
    const artel_sealed_t *unsent = run->outbox.unsent;
    bool ready = run->outbox.counter > run->flush_wanted && (!unsent || unsent->counter > run->flush_wanted);
    pthread_mutex_unlock(&run->outbox.lock);
    if (!ready)
        return;
    run->flush_sent = run->flush_wanted;
    artel_link_send(self, &(artel_msg_t) { .id = ARTEL_MSG_FLUSH, .flush = {
        run->writer, run->flush_wanted, run->flush_level } });
}

//  A run whose exit is accepted is closed; once it is delivered it is forgotten.
static bool
s_is_forgotten(artel_link_self_t *self, artel_run_t *run)
{
    pthread_mutex_lock(&run->outbox.lock);
    uint64_t last = artel_outbox_last(&run->outbox), dropped = run->outbox.dropped;
    pthread_mutex_unlock(&run->outbox.lock);
    if (run->state != ARTEL_RUN_OPEN || !run->exited || run->accepted < last)
        return false;
    if (!run->close_sent)
        artel_link_send(self, &(artel_msg_t) { .id = ARTEL_MSG_RUN_CLOSE, .run_close = { run->writer } });
    run->close_sent = true;
    if (run->delivered < last || run->jobs)
        return false;
    self->client->dropped += dropped - run->told_dropped;
    return true;
}

static void
s_send_open(artel_link_self_t *self, artel_run_t *run)
{
    run->state = ARTEL_RUN_OPENING;
    artel_link_send(self, &(artel_msg_t) { .id = ARTEL_MSG_RUN_OPEN, .run_open = {
        artel_str(run->id), run->writer, run->resumes, run->world, run->rank } });
}

//  Whether records came to a run that may not send them: its program is not to
//  wake us for each.
static bool
s_has_news(artel_run_t *run)
{
    pthread_mutex_lock(&run->outbox.lock);
    bool news = run->outbox.logged != run->seen;
    run->seen = run->outbox.logged;
    pthread_mutex_unlock(&run->outbox.lock);
    return news;
}

//  Send what a run has; whether it had any.
static bool
s_pump_run(artel_link_self_t *self, artel_run_t *run, int64_t now, bool seal)
{
    if (self->state != ARTEL_LINK_UP || run->retry_at > now)
        return s_has_news(run);
    if (run->state == ARTEL_RUN_NEW)
        s_send_open(self, run);
    if (run->state != ARTEL_RUN_OPEN || run->dead)
        return false;
    bool any = s_send_batches(self, run, seal);
    s_send_flush(self, run);
    return any;
}

bool
artel_link_send_runs(artel_link_self_t *self, int64_t now, bool seal)
{
    bool any = false;
    for (artel_run_t **at = &self->client->runs; *at; ) {
        artel_run_t *run = *at;
        any |= s_pump_run(self, run, now, seal);
        if (self->state == ARTEL_LINK_UP && s_is_forgotten(self, run)) {
            *at = run->next;
            run->next = self->over;
            self->over = run;
            pthread_cond_broadcast(&self->client->changed);
        } else {
            at = &run->next;
        }
    }
    return any;
}

//  The sooner of a wait and the time until `at`, unless that has come.
static int64_t
s_sooner(int64_t wait, int64_t at, int64_t now)
{
    return at > now && (wait < 0 || at - now < wait) ? at - now : wait;
}

int
artel_link_next_retry(const artel_link_self_t *self, int64_t now)
{
    int64_t wait = -1;
    const artel_ask_t *ask;
    for (const artel_run_t *run = self->client->runs; run; run = run->next)
        wait = s_sooner(wait, run->retry_at, now);
    TAILQ_FOREACH(ask, &self->client->asks.queue, entry)
        wait = s_sooner(wait, ask->ask_at, now);
    return (int) wait;
}

//  A cancel is answered for the primary sink; one that was it under the service before is asked after instead.
static void
s_send_poll(artel_link_self_t *self, artel_ask_t *ask)
{
    artel_asks_t *asks = &self->client->asks;
    uint64_t wait_ms = asks->queued > MAX_POLLS ? SHORT_POLL_MS : ARTEL_POLL_PARK_MS;
    ask->in_flight = true;
    asks->in_flight++;
    if (ask->cancel && strcmp(ask->sink, artel_targets_primary(self->client->targets)->name) == 0)
        artel_link_send(self, &(artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_CANCEL, .artifact_cancel = {
            ask->future->xid } });
    else
        artel_link_send(self, &(artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_POLL, .artifact_poll = {
            ask->future->xid, artel_str(ask->sink), wait_ms } });
    ask->cancel = false;
}

//  Whether the node can know of the artifact.
static bool
s_is_sent(const artel_link_self_t *self, const artel_future_t *future)
{
    return future->counter && artel_client_has_accepted(self->client, future->writer, future->counter);
}

//  Poll for the oldest asks: artifacts are done in about the order they were sent.
static void
s_send_polls(artel_link_self_t *self, int64_t now)
{
    artel_asks_t *asks = &self->client->asks;
    artel_ask_t *ask, *next;
    for (ask = TAILQ_FIRST(&asks->queue); ask && asks->in_flight < MAX_POLLS; ask = next) {
        next = TAILQ_NEXT(ask, entry);
        if (!ask->in_flight && ask->ask_at <= now && s_is_sent(self, ask->future))
            s_send_poll(self, ask);
    }
}

static void
s_send_requests(artel_link_self_t *self)
{
    for (artel_request_t *r = self->client->requests; r; r = r->next) {
        if (r->sent)
            continue;
        r->sent = true;
        *(r->msg.id == ARTEL_MSG_ADOPT ? &r->msg.adopt.token : &r->msg.resolve.token) = r->token;
        artel_link_send(self, &r->msg);
    }
}

void
artel_link_send_questions(artel_link_self_t *self, int64_t now)
{
    if (self->state != ARTEL_LINK_UP)
        return;
    s_send_polls(self, now);
    s_send_requests(self);
}
