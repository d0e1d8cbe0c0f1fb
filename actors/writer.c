//  writer.c - the actor that appends batches to journals.
//
//  It takes batches as they come, appends all that wait for one journal with one
//  write, and says `accepted`. What waits for the disk it hands to the syncer.
//  After a failure it refuses that journal's later batches until the handler
//  resets it, so that order survives. It never parses a record.

#include "writer.h"

#include "bounds.h"
#include "errors.h"
#include "idmap.h"
#include "journal.h"
#include "syncer.h"
#include "wire.h"

enum { MAX_FRAMES = 64, MAX_TURN = 256 };

//  One journal and what waits for it.
typedef struct {
    char run[ARTEL_MAX_RUN_ID + 1];
    artel_id_t writer;
    artel_journal_t *journal;   //  NULL while the syncer opens or closes it
    artel_resumes_t resumes;    //  whether it may join an existing run
    bool failed;                //  refusing until reset
    bool syncing;               //  a SYNC is with the syncer
    bool sync_again;            //  somebody asked meanwhile
    bool closing;               //  CLOSE follows when the SYNC is back
    int64_t dirty_since;        //  when the oldest unsynced byte came, 0: none
    size_t n;                   //  frames gathered in this turn
    zmq_msg_t msgs[MAX_FRAMES];
    uint64_t counters[MAX_FRAMES];
} entry_t;

typedef struct {
    zsock_t *pipe;              //  $TERM
    zsock_t *handler;           //  PAIR: batches and requests in, marks out
    zsock_t *sender;            //  PAIR: notices out
    zsock_t *syncer_sock;       //  PAIR: jobs
    zactor_t *syncer;
    artel_wire_t wire;
    zhashx_t *entries;          //  writer id -> entry_t
    entry_t *touched[MAX_TURN]; //  entries with gathered frames
    size_t n_touched;
    uint64_t adopt_count;       //  journals found by the adoption under way
} self_t;

static void
s_entry_free(void **entry_p)
{
    entry_t *entry = *entry_p;
    artel_journal_close(&entry->journal);
    free(entry);
    *entry_p = NULL;
}

static void
s_tell_handler(self_t *self, const artel_msg_t *msg)
{
    artel_wire_send(&self->wire, self->handler, "handler", msg);
}

static void
s_give_job(self_t *self, artel_sync_op_t op, const entry_t *entry)
{
    artel_sync_job_t job = { .op = op, .writer = entry->writer, .journal = entry->journal,
                             .resumes = entry->resumes };
    memcpy(job.run, entry->run, sizeof job.run);
    zmq_send(zsock_resolve(self->syncer_sock), &job, sizeof job, ZMQ_DONTWAIT);
}

static void
s_sync(self_t *self, entry_t *entry)
{
    if (!entry->journal)
        return;
    entry->sync_again = entry->syncing;
    if (entry->syncing)
        return;
    entry->syncing = true;
    entry->dirty_since = 0;
    s_give_job(self, ARTEL_SYNC_SYNC, entry);
}

static void
s_refuse(self_t *self, entry_t *entry, uint64_t counter, int code)
{
    entry->failed = true;
    char text[256];
    snprintf(text, sizeof text, "the journal of run %s: %s", entry->run, artel_error_code_text(code));
    s_tell_handler(self, &(artel_msg_t) { .id = ARTEL_MSG_REFUSED, .refused = {
        entry->writer, counter, code, artel_str(text) } });
}

//  Tell both neighbours how far the journal has come.
static void
s_report(self_t *self, const entry_t *entry)
{
    uint64_t accepted = artel_journal_accepted(entry->journal);
    artel_wire_send(&self->wire, self->sender, "sender", &(artel_msg_t) {
        .id = ARTEL_MSG_COMMITTED, .committed = { artel_str(entry->run), entry->writer, accepted } });
    s_tell_handler(self, &(artel_msg_t) { .id = ARTEL_MSG_ACCEPTED, .accepted = {
        entry->writer, accepted, artel_journal_durable(entry->journal), 0 } });
}

//  Append what was gathered for one journal.
static void
s_append(self_t *self, entry_t *entry)
{
    artel_journal_frame_t frames[MAX_FRAMES];
    for (size_t i = 0; i < entry->n; i++)
        frames[i] = (artel_journal_frame_t) { entry->counters[i], zmq_msg_data(&entry->msgs[i]),
                                              zmq_msg_size(&entry->msgs[i]) };
    int rc = entry->journal ? artel_journal_append(entry->journal, frames, entry->n) : ARTEL_ECLOSED;
    if (rc != 0) {
        s_refuse(self, entry, entry->counters[0], rc);
    } else {
        s_report(self, entry);
        if (!entry->dirty_since)
            entry->dirty_since = artel_now_ms();
        if (artel_journal_dirty_bytes(entry->journal) > ARTEL_SYNC_BYTES && !entry->syncing)
            s_sync(self, entry);
    }
    for (size_t i = 0; i < entry->n; i++)
        zmq_msg_close(&entry->msgs[i]);
    entry->n = 0;
}

static void
s_append_all(self_t *self)
{
    for (size_t i = 0; i < self->n_touched; i++)
        if (self->touched[i]->n)
            s_append(self, self->touched[i]);
    self->n_touched = 0;
}

//  The messages of the handler, one function each; a batch is taken whole.

static void
s_on_batch(self_t *self, const artel_msg_t *head, zmq_msg_t *frame)
{
    entry_t *entry = zhashx_lookup(self->entries, head->batch.writer.at);
    if (!entry || entry->failed)
        return;                                 //  the handler knows, or will reset us
    if (entry->n == MAX_FRAMES)
        s_append(self, entry);
    if (entry->n == 0)
        self->touched[self->n_touched++] = entry;
    zmq_msg_init(&entry->msgs[entry->n]);
    zmq_msg_move(&entry->msgs[entry->n], frame);
    entry->counters[entry->n++] = head->batch.counter;
}

static void
s_answer_open(self_t *self, const entry_t *entry, int rc)
{
    char text[256] = "";
    if (rc != 0)
        snprintf(text, sizeof text, "the journal of run %s: %s", entry->run,
                 artel_error_code_text(rc));
    s_tell_handler(self, &(artel_msg_t) { .id = ARTEL_MSG_RUN_OPENED, .run_opened = {
        .writer = entry->writer, .credit = ARTEL_CREDIT, .code = rc, .text = artel_str(text),
        .accepted = rc == 0 ? artel_journal_accepted(entry->journal) : 0,
        .durable = rc == 0 ? artel_journal_durable(entry->journal) : 0 } });
}

static void
s_on_run_open(self_t *self, const artel_msg_t *msg)
{
    entry_t *entry = zhashx_lookup(self->entries, msg->run_open.writer.at);
    if (entry) {
        if (entry->journal)
            s_answer_open(self, entry, 0);
        return;
    }
    entry = calloc(1, sizeof *entry);
    if (!entry)
        return;
    entry->writer = msg->run_open.writer;
    entry->resumes = (artel_resumes_t) msg->run_open.resume;
    snprintf(entry->run, sizeof entry->run, "%.*s", (int) msg->run_open.run.len, msg->run_open.run.at);
    zhashx_insert(self->entries, entry->writer.at, entry);
    s_give_job(self, ARTEL_SYNC_OPEN, entry);
}

static void
s_on_flush(self_t *self, const artel_msg_t *msg)
{
    entry_t *entry = zhashx_lookup(self->entries, msg->flush.writer.at);
    if (entry && entry->n)
        s_append(self, entry);
    if (entry)
        s_sync(self, entry);
}

static void
s_on_run_close(self_t *self, const artel_msg_t *msg)
{
    entry_t *entry = zhashx_lookup(self->entries, msg->run_close.writer.at);
    if (!entry)
        return;
    if (entry->n)
        s_append(self, entry);
    entry->closing = true;
    if (!entry->syncing && entry->journal) {
        s_give_job(self, ARTEL_SYNC_CLOSE, entry);
        entry->journal = NULL;
    }
}

static void
s_on_reset(self_t *self, const artel_msg_t *msg)
{
    entry_t *entry = zhashx_lookup(self->entries, msg->reset.writer.at);
    if (entry)
        entry->failed = false;
}

static void
s_on_adopt(self_t *self, const artel_msg_t *msg)
{
    self->adopt_count = 0;
    artel_sync_job_t job = { .op = ARTEL_SYNC_ADOPT, .counter = msg->adopt.token };
    zmq_send(zsock_resolve(self->syncer_sock), &job, sizeof job, ZMQ_DONTWAIT);
}

static void (*const s_handlers[])(self_t *, const artel_msg_t *) = {
    [ARTEL_MSG_RUN_OPEN] = s_on_run_open,
    [ARTEL_MSG_FLUSH] = s_on_flush,
    [ARTEL_MSG_RUN_CLOSE] = s_on_run_close,
    [ARTEL_MSG_RESET] = s_on_reset,
    [ARTEL_MSG_ADOPT] = s_on_adopt,
};

//  The jobs that come back from the syncer.

static void
s_back_open(self_t *self, const artel_sync_job_t *job)
{
    entry_t *entry = zhashx_lookup(self->entries, job->writer.at);
    if (!entry)
        return;
    entry->journal = job->journal;
    s_answer_open(self, entry, job->rc);
    if (job->rc != 0)
        zhashx_delete(self->entries, job->writer.at);
    else if (job->counter)                      //  it was there: the sender goes on with it
        s_report(self, entry);
}

static void
s_back_sync(self_t *self, const artel_sync_job_t *job)
{
    entry_t *entry = zhashx_lookup(self->entries, job->writer.at);
    if (!entry)
        return;
    entry->syncing = false;
    s_tell_handler(self, &(artel_msg_t) { .id = ARTEL_MSG_DURABLE, .durable = {
        entry->writer, job->counter, job->rc, artel_str(artel_error_code_text(job->rc)) } });
    if (entry->closing) {
        s_give_job(self, ARTEL_SYNC_CLOSE, entry);
        entry->journal = NULL;
    } else if (entry->sync_again && job->rc == 0) {
        s_sync(self, entry);
    }
}

static void
s_back_close(self_t *self, const artel_sync_job_t *job)
{
    artel_wire_send(&self->wire, self->sender, "sender", &(artel_msg_t) {
        .id = ARTEL_MSG_CLOSED, .closed = { artel_str(job->run), job->writer } });
    zhashx_delete(self->entries, job->writer.at);
}

//  A dead journal is the sender's from here on, and the handler counts it.
static void
s_back_adopt(self_t *self, const artel_sync_job_t *job)
{
    self->adopt_count++;
    artel_msg_t committed = { .id = ARTEL_MSG_COMMITTED, .committed = {
        artel_str(job->run), job->writer, job->counter } };
    artel_wire_send(&self->wire, self->sender, "sender", &committed);
    artel_wire_send(&self->wire, self->sender, "sender", &(artel_msg_t) {
        .id = ARTEL_MSG_CLOSED, .closed = { artel_str(job->run), job->writer } });
    s_tell_handler(self, &committed);
}

static void
s_back_adopted(self_t *self, const artel_sync_job_t *job)
{
    s_tell_handler(self, &(artel_msg_t) { .id = ARTEL_MSG_ADOPTED, .adopted = {
        .token = job->counter, .journals = self->adopt_count, .code = job->rc,
        .text = artel_str(artel_error_code_text(job->rc)) } });
}

static void (*const s_backs[])(self_t *, const artel_sync_job_t *) = {
    [ARTEL_SYNC_OPEN] = s_back_open,
    [ARTEL_SYNC_SYNC] = s_back_sync,
    [ARTEL_SYNC_CLOSE] = s_back_close,
    [ARTEL_SYNC_ADOPT] = s_back_adopt,
    [ARTEL_SYNC_ADOPTED] = s_back_adopted,
};

static int
s_read_pipe(void *arg)
{
    return artel_actor_read_pipe(((self_t *) arg)->pipe);
}

static int
s_read_syncer(void *arg)
{
    self_t *self = arg;
    artel_sync_job_t job;
    while (zmq_recv(zsock_resolve(self->syncer_sock), &job, sizeof job, ZMQ_DONTWAIT) == sizeof job)
        s_backs[job.op](self, &job);
    return 0;
}

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
    for (int i = 0; i < MAX_TURN && artel_wire_take(self->handler, &frame); i++)
        s_take(self, &frame);
    zmq_msg_close(&frame);
    s_append_all(self);
    return 0;
}

//  Start the fdatasync of what is older than ARTEL_SYNC_MS; how long until the next.
static int
s_tick(void *arg)
{
    self_t *self = arg;
    int64_t now = artel_now_ms(), wait = -1;
    for (entry_t *e = zhashx_first(self->entries); e; e = zhashx_next(self->entries)) {
        if (!e->dirty_since || e->syncing)
            continue;
        int64_t left = e->dirty_since + ARTEL_SYNC_MS - now;
        if (left <= 0)
            s_sync(self, e);
        else if (wait < 0 || left < wait)
            wait = left;
    }
    return (int) wait;
}

static int
s_open(self_t *self, const artel_writer_args_t *args)
{
    int rc = artel_wire_init(&self->wire, "writer");
    self->handler = args->handler;
    self->sender = args->sender;
    self->entries = artel_idmap_new(s_entry_free);
    zsock_t *end;
    if (rc == 0)
        rc = artel_sock_pair(&self->syncer_sock, &end);
    if (rc != 0)
        return rc;
    artel_syncer_args_t syncer = { .start.name = "artel/syncer", .state = args->state,
                                   .sinks = args->sinks, .writer = end };
    return artel_actor_start(&self->syncer, artel_syncer, &syncer.start);
}

//  What is still with the syncer comes back before it ends; then the journals
//  that are left are closed with what they have.
static void
s_close(self_t *self)
{
    artel_actor_stop(&self->syncer, 10000);
    if (self->syncer_sock)
        s_read_syncer(self);
    zhashx_destroy(&self->entries);
    zsock_destroy(&self->syncer_sock);
    zsock_destroy(&self->handler);
    zsock_destroy(&self->sender);
    artel_wire_done(&self->wire);
}

void
artel_writer(zsock_t *pipe, void *arg)
{
    artel_writer_args_t *args = arg;
    artel_actor_enter(&args->start);
    self_t *self = calloc(1, sizeof *self);
    self->pipe = pipe;
    int rc = s_open(self, args);
    args->start.rc = rc;
    zsock_signal(pipe, 0);                      //  args is the parent's again
    if (rc == 0)
        artel_actor_loop((artel_reader_t[]) {
            { .sock = self->syncer_sock, .fn = s_read_syncer },
            { .sock = self->handler, .fn = s_read_handler },
            { .sock = self->pipe, .fn = s_read_pipe },
        }, 3, s_tick, self);
    s_close(self);
    free(self);
}
