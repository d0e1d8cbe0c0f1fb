//  link_answers.c - what the node answers, one function a message.

#include "link_self.h"

#include "actor.h"
#include "errors.h"

enum {
    BACKOFF_MS = 50,            //  after a refusal, doubling
    MAX_BACKOFF_MS = 1000,
    ASK_AGAIN_MS = 100,         //  about an artifact that nobody knows yet
};

//  Whoever waits is woken when the lock is free: it would wait for that first.
static void
s_changed(artel_link_self_t *self)
{
    self->changed = true;
}

static void
s_accept(artel_run_t *run, uint64_t counter)
{
    pthread_mutex_lock(&run->outbox.lock);
    artel_sealed_t *left = artel_outbox_accept(&run->outbox, counter);
    pthread_mutex_unlock(&run->outbox.lock);
    artel_sealed_free(left);
    if (counter > run->accepted) {
        run->accepted = counter;
        run->backoff_ms = 0;
    }
}

//  Send again what was sent and not accepted.
static void
s_rewind(artel_run_t *run, int code)
{
    pthread_mutex_lock(&run->outbox.lock);
    artel_outbox_rewind(&run->outbox);
    run->outbox.refused = code;
    pthread_mutex_unlock(&run->outbox.lock);
    run->flush_sent = 0;
}

//  Not to be tried so soon again as it was this time.
static void
s_back_off(artel_run_t *run)
{
    run->backoff_ms = run->backoff_ms ? run->backoff_ms * 2 : BACKOFF_MS;
    if (run->backoff_ms > MAX_BACKOFF_MS)
        run->backoff_ms = MAX_BACKOFF_MS;
    run->retry_at = artel_now_ms() + run->backoff_ms;
}

//  Whether a journal that was open once is to be asked for again: another process has it for
//  a moment, a disk is full. What can't pass is the end of it.
static bool
s_may_pass(const artel_run_t *run, int64_t code)
{
    return run->was_open && code != ARTEL_ECLOSED && code != ARTEL_EEXIST && code != ARTEL_ENOENT
           && code != ARTEL_EVERSION && code != ARTEL_ECORRUPT && code != ARTEL_EINVAL && code != ARTEL_ELOST;
}

static void
s_copy(char *ret, size_t size, artel_str_t text)
{
    snprintf(ret, size, "%.*s", (int) text.len, text.at ? text.at : "");
}

//  The primary sink takes nothing, or does again: told once, and kept for those who wait for
//  it. That it is busy is no trouble.
static void
s_note_trouble(artel_link_self_t *self, const artel_run_t *run, const artel_msg_accepted_t *marks)
{
    char *trouble = self->client->trouble;
    if (marks->code == ARTEL_EAGAIN)
        return;
    bool news = marks->code != 0 && !*trouble;
    self->client->put_off = marks->code == ARTEL_EPENDING;
    s_copy(trouble, sizeof self->client->trouble, marks->code ? marks->text : (artel_str_t) { 0 });
    if (!news)
        return;
    self->told = (int) marks->code;
    snprintf(self->told_text, sizeof self->told_text, "sink %s takes nothing (%s); what is accepted is safe, and it is "
             "tried again", artel_targets_first(self->client->targets, run->targets)->name, trouble);
}

//  Of the journal some cannot be read any more; a node that began anew counts anew.
static void
s_note_lost(artel_link_self_t *self, artel_run_t *run, uint64_t lost)
{
    if (lost > run->lost_here) {
        run->lost += lost - run->lost_here;
        self->told = ARTEL_ELOST;
        snprintf(self->told_text, sizeof self->told_text, "run %s: its journal is damaged, and %llu batches of it are "
                 "lost; `artel status` names them", run->id, (unsigned long long) run->lost);
    }
    run->lost_here = lost;
}

static void
s_on_accepted(artel_link_self_t *self, const artel_msg_t *msg)
{
    const artel_msg_accepted_t *marks = &msg->accepted;
    artel_run_t *run = artel_client_run(self->client, marks->writer);
    if (!run)
        return;
    s_note_trouble(self, run, marks);
    if (marks->credit)                          //  an older service's holds until run_opened
        run->credit = marks->credit;
    s_accept(run, marks->accepted);
    run->durable = marks->durable > run->durable ? marks->durable : run->durable;
    run->delivered = marks->delivered > run->delivered ? marks->delivered : run->delivered;
    s_note_lost(self, run, marks->lost);
    s_changed(self);
}

//  Nothing more of this run will be accepted, though what was is delivered; or, without a
//  code, it may be again.
static void
s_die(artel_run_t *run, int code, artel_str_t why)
{
    run->dead = code;
    s_copy(run->dead_why, sizeof run->dead_why, why);
    pthread_mutex_lock(&run->outbox.lock);
    artel_outbox_end(&run->outbox, run->dead);
    pthread_mutex_unlock(&run->outbox.lock);
}

//  Nor durable.
static void
s_on_undurable(artel_link_self_t *self, artel_run_t *run, const artel_msg_refused_t *why)
{
    s_die(run, (int) why->code, why->text);
    self->told = run->dead;
    snprintf(self->told_text, sizeof self->told_text, "run %s: %s; what it has may not survive a power loss, and it "
             "takes no more: start %s again when the disk is well", run->id, run->dead_why,
             artel_client_host(self->client));
}

//  The next service has the run's journal no more, or not as it was.
static void
s_on_lost_journal(artel_link_self_t *self, artel_run_t *run, int code, artel_str_t why)
{
    s_die(run, code, why);
    run->state = ARTEL_RUN_FAILED;
    self->told = run->dead;
    snprintf(self->told_text, sizeof self->told_text, "run %s takes no more records: %s", run->id, run->dead_why);
}

//  For the first time: the run goes on with the steps of those before us.
static void
s_begin(artel_run_t *run, int64_t next_step)
{
    if (run->was_open)
        return;
    run->was_open = true;
    run->targets = artel_targets_ref(run->client->targets);
    pthread_mutex_lock(&run->outbox.lock);
    run->outbox.next_step = next_step;
    pthread_mutex_unlock(&run->outbox.lock);
}

//  The journal is open, be it for the first time or by the next service, whose disk may be
//  well; one whose is not says so at once.
static void
s_opened(artel_link_self_t *self, artel_run_t *run, const artel_msg_run_opened_t *opened)
{
    s_die(run, 0, (artel_str_t) { 0 });
    run->state = ARTEL_RUN_OPEN;
    s_begin(run, opened->next_step);
    run->durable = opened->durable > run->durable ? opened->durable : run->durable;
    run->credit = opened->credit;
    s_accept(run, opened->accepted);
    s_rewind(run, 0);
    if (!run->abandoned)
        return;
    artel_link_send(self, &(artel_msg_t) { .id = ARTEL_MSG_RUN_CLOSE, .run_close = { run->writer } });
    run->state = ARTEL_RUN_FAILED;
}

static void
s_on_run_opened(artel_link_self_t *self, const artel_msg_t *msg)
{
    const artel_msg_run_opened_t *opened = &msg->run_opened;
    artel_run_t *run = artel_client_run(self->client, opened->writer);
    if (!run)
        return;
    run->open_code = (int) opened->code;
    s_copy(run->open_why, sizeof run->open_why, opened->text);
    if (opened->code == 0 && opened->accepted < run->accepted) {
        s_on_lost_journal(self, run, ARTEL_ELOST, artel_str("batches that were accepted are not in it any more"));
    } else if (opened->code == 0) {
        s_opened(self, run, opened);
    } else if (s_may_pass(run, opened->code)) {
        run->state = ARTEL_RUN_NEW;
        s_back_off(run);
    } else if (run->was_open) {
        s_accept(run, opened->accepted);        //  before somebody ended it
        s_on_lost_journal(self, run, run->open_code, opened->text);
    } else {
        run->state = ARTEL_RUN_FAILED;
    }
    s_changed(self);
}

//  There was no room for the batch: it comes again.
static void
s_on_crowd(artel_run_t *run)
{
    s_back_off(run);
    s_rewind(run, 0);
}

//  The node took nothing from this batch on.
static void
s_on_rejection(artel_link_self_t *self, artel_run_t *run, int code)
{
    s_back_off(run);
    run->refused = code;
    run->refusals++;
    s_rewind(run, code);
    self->told = code;
    snprintf(self->told_text, sizeof self->told_text, "run %s: its journal takes no more records: %s; they "
             "are kept in memory (up to 8 MiB) and tried again", run->id, artel_error_code_text(code));
}

static void
s_on_refused(artel_link_self_t *self, const artel_msg_t *msg)
{
    artel_run_t *run = artel_client_run(self->client, msg->refused.writer);
    if (!run)
        return;
    if (msg->refused.counter == 0)
        s_on_undurable(self, run, &msg->refused);
    else if (msg->refused.code == ARTEL_ECLOSED && !run->close_sent)
        run->state = ARTEL_RUN_NEW;             //  the node forgot it: open it again
    else if (msg->refused.code == ARTEL_EAGAIN)
        s_on_crowd(run);
    else if (msg->refused.code != ARTEL_ECLOSED && !run->dead)
        s_on_rejection(self, run, (int) msg->refused.code);
    s_changed(self);
}

//  Whoever wants to know more polls.
static void
s_on_artifact_send_response(artel_link_self_t *self, const artel_msg_t *msg)
{
    (void) self;
    (void) msg;
}

//  Neither the node nor the sink knows the xid: send the artifact again, in a batch of its
//  own. A run that is over can't; as long as its journal is not delivered, the sink may yet learn.
static void
s_send_again(artel_link_self_t *self, artel_ask_t *ask)
{
    artel_future_t *future = ask->future;
    artel_run_t *run = artel_client_run(self->client, future->writer);
    if (run && (run->exited || !future->record)) {
        ask->ask_at = artel_now_ms() + ASK_AGAIN_MS;
        return;
    }
    if (!run) {
        ask->done = true;
        ask->status = ARTEL_ENOENT;
        snprintf(ask->why, sizeof ask->why, "its run is over and the node has forgotten it; `artel artifact ls` "
                 "shows whether it was delivered");
        return;
    }
    pthread_mutex_lock(&run->outbox.lock);
    if (artel_outbox_add_packed(&run->outbox, future->record, future->record_size, &future->xid,
                                &future->counter) == 0)
        (void) artel_outbox_seal(&run->outbox);
    pthread_mutex_unlock(&run->outbox.lock);
}

static void
s_note_outcome(artel_ask_t *ask, const artel_msg_artifact_poll_response_t *r)
{
    ask->done = true;
    ask->status = (int) r->status;
    ask->version = r->version;
    ask->fresh = r->fresh;
    snprintf(ask->why, sizeof ask->why, "%.*s", (int) r->text.len, r->text.at ? r->text.at : "");
    if (ask == &ask->future->primary) {
        free(ask->future->record);
        ask->future->record = NULL;
    }
}

//  A poll is answered; one still wanted goes to the end of the queue.
static void
s_answer_ask(artel_link_self_t *self, artel_ask_t *ask, const artel_msg_artifact_poll_response_t *r)
{
    artel_asks_t *asks = &self->client->asks;
    ask->in_flight = false;
    asks->in_flight--;
    ask->wanted = false;
    bool nowhere = artel_ask_why_not(ask);      //  who waits is told that
    if (nowhere)
        ask->why[0] = 0;
    else if (r->state == ARTEL_POLL_READY)
        s_note_outcome(ask, r);
    else if (r->state == ARTEL_POLL_PENDING) {
        s_copy(ask->why, sizeof ask->why, r->text);
        ask->put_off = r->status == ARTEL_EPENDING;
    }
    else if (r->state == ARTEL_POLL_UNKNOWN)
        s_send_again(self, ask);
    TAILQ_REMOVE(&asks->queue, ask, entry);
    TAILQ_INSERT_TAIL(&asks->queue, ask, entry);
    artel_ask_release(self->client, ask);
}

static void
s_on_artifact_poll_response(artel_link_self_t *self, const artel_msg_t *msg)
{
    const artel_msg_artifact_poll_response_t *r = &msg->artifact_poll_response;
    artel_ask_t *ask, *next;
    for (ask = TAILQ_FIRST(&self->client->asks.queue); ask; ask = next) {
        next = TAILQ_NEXT(ask, entry);
        if (ask->in_flight && artel_id_equal(ask->future->xid, r->xid)
            && (r->sink.len == 0 || artel_str_equal(r->sink, artel_str(ask->sink)))) {
            s_answer_ask(self, ask, r);
            break;
        }
    }
    s_changed(self);
}

static artel_request_t *
s_request(artel_link_self_t *self, uint64_t token)
{
    artel_request_t *r = self->client->requests;
    while (r && r->token != token)
        r = r->next;
    return r;
}

static void
s_on_resolved(artel_link_self_t *self, const artel_msg_t *msg)
{
    const artel_msg_resolved_t *m = &msg->resolved;
    artel_request_t *r = s_request(self, m->token);
    if (!r)
        return;
    r->code = (int) m->code;
    r->version = m->version;
    r->manifest = m->manifest;
    r->files = m->files;
    r->bytes = m->bytes;
    s_copy(r->name, sizeof r->name, m->name);
    s_copy(r->pack, sizeof r->pack, m->pack);
    s_copy(r->why, sizeof r->why, m->text);
    r->done = true;
    s_changed(self);
}

static void
s_on_adopted(artel_link_self_t *self, const artel_msg_t *msg)
{
    artel_request_t *r = s_request(self, msg->adopted.token);
    if (!r)
        return;
    r->code = (int) msg->adopted.code;
    r->journals = msg->adopted.journals;
    r->undelivered = msg->adopted.undelivered;
    r->lost = msg->adopted.lost;
    s_copy(r->why, sizeof r->why, msg->adopted.text);
    r->done = true;
    s_changed(self);
}

static void
s_on_error(artel_link_self_t *self, const artel_msg_t *msg)
{
    self->told = (int) msg->error.code;
    snprintf(self->told_text, sizeof self->told_text, "the node did not understand a message: %.*s",
             (int) msg->error.text.len, msg->error.text.at);
}

static void
s_on_welcome(artel_link_self_t *self, const artel_msg_t *msg)
{
    artel_link_welcome(self, &msg->welcome);
    s_changed(self);
}

//  A message of the replies' table without its function above doesn't compile.
static void (*const s_answers[])(artel_link_self_t *, const artel_msg_t *) = {
#define M(id, NAME, name) [id] = s_on_##name,
    ARTEL_REPLY_MSGS(M)
#undef M
};

void
artel_link_answer(artel_link_self_t *self, const artel_msg_t *msg)
{
    if (msg->id < sizeof s_answers / sizeof *s_answers && s_answers[msg->id])
        s_answers[msg->id](self, msg);
}
