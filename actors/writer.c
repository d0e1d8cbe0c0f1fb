//  writer.c - the actor that appends batches to journals.
//
//  It takes batches as they come, and serves their journals in turns: it appends
//  what waits for one with one write, so much at most, and says `accepted`. What waits for the disk it hands to the syncer;
//  what is durable it tells the sender. After a failure it refuses that journal's
//  later batches until the handler resets it, so that order survives. It never
//  looks at a record.

#include "writer_self.h"

#include "errors.h"
#include "handover.h"
#include "idmap.h"

typedef artel_writer_self_t self_t;
typedef artel_writer_entry_t entry_t;

enum {
    TURN_BATCHES = 64, TURN_BYTES = 256 * 1024,     //  of one journal, in one turn; one batch at least
    MESSAGES = 256,                                 //  of the handler, before the next turn
};

static void
s_drop_waiting(entry_t *entry)
{
    for (artel_waiting_t *batch; (batch = TAILQ_FIRST(&entry->waiting)); free(batch)) {
        TAILQ_REMOVE(&entry->waiting, batch, next);
        zmq_msg_close(&batch->msg);
    }
}

static void
s_entry_free(void **entry_p)
{
    entry_t *entry = *entry_p;
    s_drop_waiting(entry);
    artel_journal_close(&entry->journal);
    free(entry);
    *entry_p = NULL;
}

artel_writer_entry_t *
artel_writer_entry(artel_writer_self_t *self, artel_id_t writer)
{
    return zhashx_lookup(self->entries, writer.at);
}

void
artel_writer_tell_handler(artel_writer_self_t *self, const artel_msg_t *msg)
{
    artel_wire_send(&self->wire, self->handler, "handler", msg);
}

void
artel_writer_give_job(artel_writer_self_t *self, const artel_sync_job_t *job,
                      const artel_writer_entry_t *entry)
{
    artel_sync_job_t full = *job;
    full.writer = entry->writer;
    full.journal = entry->journal;
    memcpy(full.run, entry->run, sizeof full.run);
    artel_hand_over(full.journal);
    artel_wire_put(self->syncer_sock, &full, sizeof full);
}

//  Appending.

static void
s_refuse(self_t *self, entry_t *entry, uint64_t counter, int code)
{
    entry->failed = true;
    artel_writer_note_failure(self, entry);
    char text[256];
    snprintf(text, sizeof text, "the journal of run %s: %s", entry->run, artel_error_code_text(code));
    artel_writer_tell_handler(self, &(artel_msg_t) { .id = ARTEL_MSG_REFUSED, .refused = {
        entry->writer, counter, code, artel_str(text) } });
}

static void
s_accepted(self_t *self, entry_t *entry)
{
    artel_writer_tell_handler(self, &(artel_msg_t) { .id = ARTEL_MSG_ACCEPTED, .accepted = {
        .writer = entry->writer, .accepted = artel_journal_accepted(entry->journal),
        .durable = artel_journal_durable(entry->journal) } });
    artel_writer_grown(self, entry);
    if (!entry->dirty_since) {
        entry->dirty_since = entry->grown_at;
        TAILQ_INSERT_TAIL(&self->dirty, entry, dirty);
    }
    bool waited_for = entry->sync_at && artel_journal_accepted(entry->journal) >= entry->sync_at;
    if (waited_for)
        entry->sync_at = 0;
    if (waited_for || artel_journal_dirty_bytes(entry->journal) > ARTEL_SYNC_BYTES)
        artel_writer_sync(self, entry, waited_for);
}

//  The batches of a journal's turn, as frames.
static size_t
s_frames(const entry_t *entry, artel_journal_frame_t *ret)
{
    size_t n = 0, bytes = 0;
    artel_waiting_t *batch;
    TAILQ_FOREACH(batch, &entry->waiting, next) {
        size_t size = zmq_msg_size(&batch->msg);
        bytes += size;
        if (n == TURN_BATCHES || (n && bytes > TURN_BYTES))
            break;
        ret[n++] = (artel_journal_frame_t) { batch->counter, zmq_msg_data(&batch->msg), size };
    }
    return n;
}

//  The first n of those that wait are in the journal.
static void
s_drop_appended(entry_t *entry, size_t n)
{
    for (artel_waiting_t *batch; n; n--, free(batch)) {
        batch = TAILQ_FIRST(&entry->waiting);
        entry->ended = batch->ends;
        entry->next_step = batch->next_step;
        TAILQ_REMOVE(&entry->waiting, batch, next);
        zmq_msg_close(&batch->msg);
    }
}

//  Append what a turn may of one journal; the next turn is at the end.
static void
s_append(self_t *self, entry_t *entry)
{
    artel_journal_frame_t frames[TURN_BATCHES];
    size_t n = s_frames(entry, frames);
    int rc = entry->journal ? artel_journal_append(entry->journal, frames, n) : ARTEL_ECLOSED;
    TAILQ_REMOVE(&self->turns, entry, turn);
    if (rc == 0) {
        s_drop_appended(entry, n);
        s_accepted(self, entry);
    } else {
        s_refuse(self, entry, frames[0].counter, rc);
        s_drop_waiting(entry);
    }
    if (!TAILQ_EMPTY(&entry->waiting))
        TAILQ_INSERT_TAIL(&self->turns, entry, turn);
}

//  All of one journal that waits.
static void
s_append_rest(self_t *self, entry_t *entry)
{
    while (!TAILQ_EMPTY(&entry->waiting))
        s_append(self, entry);
}

//  All of the journals of a run.
static void
s_append_run(self_t *self, artel_str_t run)
{
    entry_t *entry = TAILQ_FIRST(&self->turns);
    for (entry_t *next; entry; entry = next) {
        next = TAILQ_NEXT(entry, turn);
        if (artel_str_equal(run, artel_str(entry->run)))
            s_append_rest(self, entry);
    }
}

void
artel_writer_sync(artel_writer_self_t *self, artel_writer_entry_t *entry, bool urgent)
{
    if (!entry->journal || entry->undurable || !self->syncer)
        return;
    entry->again |= entry->syncing > 0;
    if (entry->syncing && (!urgent || entry->urgent))
        return;
    entry->again = false;
    entry->syncing++;
    entry->urgent |= urgent;
    if (entry->dirty_since)
        TAILQ_REMOVE(&self->dirty, entry, dirty);
    entry->dirty_since = 0;
    artel_writer_give_job(self, &(artel_sync_job_t) { .op = ARTEL_SYNC_SYNC, .urgent = urgent }, entry);
}

void
artel_writer_close(artel_writer_self_t *self, artel_writer_entry_t *entry)
{
    if (!self->syncer)
        return;
    artel_writer_give_job(self, &(artel_sync_job_t) { .op = ARTEL_SYNC_CLOSE }, entry);
    entry->journal = NULL;
}

//  The messages of the handler, one function each; a batch is taken whole.

static void
s_on_batch(self_t *self, const artel_msg_t *head, zmq_msg_t *frame)
{
    entry_t *entry = artel_writer_entry(self, head->batch.writer);
    if (!entry || entry->failed || entry->closing)
        return;                                 //  the handler knows, or will reset us
    artel_waiting_t *batch = malloc(sizeof *batch);
    if (!batch) {
        s_append_rest(self, entry);
        if (!entry->failed)
            s_refuse(self, entry, head->batch.counter, ARTEL_ENOMEM);
        return;
    }
    batch->counter = head->batch.counter;
    batch->ends = head->batch.ends;
    batch->next_step = head->batch.next_step;
    zmq_msg_init(&batch->msg);
    zmq_msg_move(&batch->msg, frame);
    if (TAILQ_EMPTY(&entry->waiting))
        TAILQ_INSERT_TAIL(&self->turns, entry, turn);
    TAILQ_INSERT_TAIL(&entry->waiting, batch, next);
}

void
artel_writer_answer_open(artel_writer_self_t *self, const artel_writer_entry_t *entry)
{
    artel_writer_tell_handler(self, &(artel_msg_t) { .id = ARTEL_MSG_RUN_OPENED, .run_opened = {
        .writer = entry->writer, .accepted = artel_journal_accepted(entry->journal),
        .durable = artel_journal_durable(entry->journal), .next_step = entry->next_step } });
}

void
artel_writer_refuse_open(artel_writer_self_t *self, const artel_writer_entry_t *entry, int code,
                         const char *why, uint64_t accepted)
{
    char text[256];
    snprintf(text, sizeof text, "the journal of run %s: %s", entry->run, why);
    artel_writer_tell_handler(self, &(artel_msg_t) { .id = ARTEL_MSG_RUN_OPENED, .run_opened = {
        .writer = entry->writer, .code = code, .text = artel_str(text), .accepted = accepted } });
}

static void
s_on_run_open(self_t *self, const artel_msg_t *msg)
{
    s_append_run(self, msg->run_open.run);      //  it is to know where those before it left off
    entry_t *entry = artel_writer_entry(self, msg->run_open.writer);
    if (entry) {
        if (entry->closing || entry->closed)
            artel_writer_refuse_open(self, entry, ARTEL_EAGAIN, artel_error_code_text(ARTEL_EAGAIN), 0);
        else if (entry->journal)
            artel_writer_answer_open(self, entry);
        return;                                 //  else the answer comes when it is open
    }
    entry = calloc(1, sizeof *entry);
    if (!entry) {
        artel_writer_tell_handler(self, &(artel_msg_t) { .id = ARTEL_MSG_RUN_OPENED, .run_opened = {
            .writer = msg->run_open.writer, .code = ARTEL_ENOMEM } });
        return;
    }
    entry->writer = msg->run_open.writer;
    entry->resumes = (artel_resumes_t) msg->run_open.resume;
    TAILQ_INIT(&entry->waiting);
    snprintf(entry->run, sizeof entry->run, "%.*s", (int) msg->run_open.run.len, msg->run_open.run.at);
    zhashx_insert(self->entries, entry->writer.at, entry);
    artel_writer_give_job(self, &(artel_sync_job_t) { .op = ARTEL_SYNC_OPEN, .urgent = true,
                                                      .resumes = entry->resumes,
                                                      .world = msg->run_open.world,
                                                      .rank = msg->run_open.rank }, entry);
}

static void
s_on_flush(self_t *self, const artel_msg_t *msg)
{
    entry_t *entry = artel_writer_entry(self, msg->flush.writer);
    const artel_waiting_t *last = entry ? TAILQ_LAST(&entry->waiting, artel_writer_queue) : NULL;
    if (last)
        entry->sync_at = last->counter;
    else if (entry)
        artel_writer_sync(self, entry, true);
}

//  Closed when it is durable: what is closed is the sender's whole.
void
artel_writer_finish(artel_writer_self_t *self, artel_writer_entry_t *entry)
{
    artel_writer_sync(self, entry, true);
    entry->closing = true;
    if (!entry->syncing)                        //  it cannot be made durable
        artel_writer_close(self, entry);
}

static void
s_on_run_close(self_t *self, const artel_msg_t *msg)
{
    entry_t *entry = artel_writer_entry(self, msg->run_close.writer);
    if (!entry || !entry->journal || entry->closing)
        return;
    s_append_rest(self, entry);
    artel_writer_finish(self, entry);
}

//  What was passed before the reset has been dropped by now.
static void
s_on_reset(self_t *self, const artel_msg_t *msg)
{
    entry_t *entry = artel_writer_entry(self, msg->reset.writer);
    if (!entry)
        return;
    entry->failed = false;
    artel_writer_tell_handler(self, msg);
}

//  The search goes on with the adopter; how long the asker waits is the sender's to know.
static void
s_on_adopt(self_t *self, const artel_msg_t *msg)
{
    self->token = msg->adopt.token;
    self->adopted = self->lost = 0;
    artel_writer_tell_sender(self, msg);
    int rc = artel_writer_search(self, self->token);
    if (rc != 0)
        artel_writer_tell_sender(self, &(artel_msg_t) { .id = ARTEL_MSG_ADOPTED, .adopted = {
            .token = self->token, .code = rc, .text = artel_str(artel_error_code_text(rc)) } });
}

static void (*const s_handlers[])(self_t *, const artel_msg_t *) = {
    [ARTEL_MSG_RUN_OPEN] = s_on_run_open,
    [ARTEL_MSG_FLUSH] = s_on_flush,
    [ARTEL_MSG_RUN_CLOSE] = s_on_run_close,
    [ARTEL_MSG_RESET] = s_on_reset,
    [ARTEL_MSG_ADOPT] = s_on_adopt,
};

//  A batch is known by its head alone; its records are not looked at.
static void
s_take(self_t *self, zmq_msg_t *frame)
{
    artel_msg_t msg;
    size_t used;
    msgpack_zone_clear(&self->wire.zone);
    if (artel_msg_unpack(zmq_msg_data(frame), zmq_msg_size(frame), &self->wire.zone, &msg, &used) != 0)
        return;
    if (msg.id == ARTEL_MSG_BATCH)
        s_on_batch(self, &msg, frame);
    else if (msg.id < sizeof s_handlers / sizeof *s_handlers && s_handlers[msg.id])
        s_handlers[msg.id](self, &msg);
}

static int
s_read_handler(void *arg)
{
    self_t *self = arg;
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    for (int n = 0; n < MESSAGES && artel_wire_take(self->handler, &frame); n++)
        s_take(self, &frame);
    zmq_msg_close(&frame);
    return 0;
}

bool
artel_writer_serve(artel_writer_self_t *self)
{
    if (!TAILQ_EMPTY(&self->turns))
        s_append(self, TAILQ_FIRST(&self->turns));
    return !TAILQ_EMPTY(&self->turns);
}

//  What nobody waits for is not too late for the sender either.
static void
s_sync_all(self_t *self)
{
    for (entry_t *entry = TAILQ_FIRST(&self->dirty), *next; entry; entry = next) {
        next = TAILQ_NEXT(entry, dirty);
        artel_writer_sync(self, entry, true);
    }
}

//  What the handler has passed on is appended before we end.
static int
s_read_pipe(void *arg)
{
    self_t *self = arg;
    do
        s_read_handler(self);
    while (artel_writer_serve(self) || artel_wire_has(self->handler));
    s_sync_all(self);
    return artel_actor_read_pipe(self->pipe);
}

static int
s_open(self_t *self, const artel_writer_args_t *args)
{
    self->handler = args->handler;
    self->sender = args->sender;
    self->state = args->state;
    self->stop_by = args->stop_by;
    self->search_ms = args->search_ms;
    self->rest_ms = args->rest_ms;
    self->entries = artel_idmap_new(s_entry_free);
    TAILQ_INIT(&self->turns);
    TAILQ_INIT(&self->dirty);
    TAILQ_INIT(&self->unnoticed);
    int rc = artel_wire_init(&self->wire, "writer");
    zsock_t *end = NULL;
    if (rc == 0)
        rc = artel_sock_pair(&self->adopter_sock, &self->adopter_end);
    if (rc == 0)
        rc = artel_sock_pair(&self->syncer_sock, &end);
    if (rc != 0)
        return rc;
    artel_syncer_args_t syncer = { .start.name = "artel/syncer", .state = args->state,
                                   .sinks = args->sinks, .writer = end };
    rc = artel_actor_start(&self->syncer, artel_syncer, &syncer.start);
    if (!syncer.start.entered)
        zsock_destroy(&end);
    return rc;
}

static int
s_left_ms(const self_t *self)
{
    int64_t left = *self->stop_by - artel_now_ms();
    return left > 0 ? (int) left : 0;
}

//  What is with the syncer comes back before it ends; then the journals that are
//  left are closed with what they have. If a disk hangs they are the syncer's for ever.
static void
s_close(self_t *self)
{
    bool stuck = artel_actor_stop(&self->syncer, s_left_ms(self)) != 0;
    artel_actor_stop(&self->adopter, s_left_ms(self));
    if (self->syncer_sock && !stuck)
        artel_writer_read_syncer(self);
    if (!stuck)
        zhashx_destroy(&self->entries);
    zsock_destroy(&self->syncer_sock);
    zsock_destroy(&self->adopter_sock);
    zsock_destroy(&self->adopter_end);
    zsock_destroy(&self->handler);
    zsock_destroy(&self->sender);
    artel_wire_done(&self->wire);
}

void
artel_writer(zsock_t *pipe, void *arg)
{
    artel_writer_args_t *args = arg;
    artel_actor_enter(&args->start);
    self_t self = { .pipe = pipe };
    int rc = s_open(&self, args);
    args->start.rc = rc;
    zsock_signal(pipe, 0);                      //  args is the parent's again
    if (rc == 0)
        artel_actor_loop((artel_reader_t[]) {
            { .sock = self.syncer_sock, .fn = artel_writer_read_syncer },
            { .sock = self.sender, .fn = artel_writer_read_sender },
            { .sock = self.adopter_sock, .fn = artel_writer_read_adopter },
            { .sock = self.handler, .fn = s_read_handler },
            { .sock = self.pipe, .fn = s_read_pipe },
        }, 5, artel_writer_tick, &self);
    s_close(&self);
}
