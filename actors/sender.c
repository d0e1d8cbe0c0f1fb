//  sender.c - the actor that reads journals and hands their batches to backends.
//
//  Payloads reach it only through the disk: recovery, sync and live delivery are
//  one code path. Order is kept per writer; each sink has a window and a
//  position of its own, so a slow one delays no other. It records outcomes
//  before it reports artifact_done, and waits for no disk and no sink.

#include "sender.h"

#include "errors.h"
#include "idmap.h"
#include "lane.h"
#include "pending.h"
#include "wire.h"

//  One journal and its way to each sink.
typedef struct {
    char run[ARTEL_MAX_RUN_ID + 1];
    artel_id_t writer;
    uint64_t committed;         //  last batch the writer accepted
    bool closed;                //  nothing comes any more
    artel_lane_t lanes[ARTEL_MAX_SINKS];
} entry_t;

typedef struct {
    zsock_t *pipe;              //  $TERM
    zsock_t *handler;           //  PAIR: questions in, completions out
    zsock_t *writer;            //  PAIR: notices in
    zsock_t *backends[ARTEL_MAX_SINKS];
    const char *state;
    const artel_sinks_t *sinks;
    unsigned in_flight[ARTEL_MAX_SINKS];    //  batches with each backend
    artel_wire_t wire;
    zhashx_t *entries;          //  writer id -> entry_t
} self_t;

static void
s_entry_free(void **entry_p)
{
    entry_t *entry = *entry_p;
    for (size_t i = 0; i < ARTEL_MAX_SINKS; i++)
        artel_lane_close(&entry->lanes[i]);
    free(entry);
    *entry_p = NULL;
}

static void
s_tell_handler(self_t *self, const artel_msg_t *msg)
{
    artel_wire_send(&self->wire, self->handler, "handler", msg);
}

static void
s_ask(self_t *self, size_t sink, const artel_msg_t *msg)
{
    artel_wire_send(&self->wire, self->backends[sink], self->sinks->at[sink].kind, msg);
}

static void
s_back_off(self_t *self, entry_t *entry, size_t sink)
{
    self->in_flight[sink] -= entry->lanes[sink].in_flight;
    artel_lane_back_off(&entry->lanes[sink], artel_now_ms());
}

//  Open a lane and ask its sink where it stands; that answer wins.
static void
s_open_lane(self_t *self, entry_t *entry, size_t sink)
{
    artel_lane_t *lane = &entry->lanes[sink];
    int rc = artel_lane_open(lane, self->state, entry->run, entry->writer,
                             self->sinks->at[sink].name);
    if (rc != 0 && rc != ARTEL_ELOCKED) {
        s_back_off(self, entry, sink);
        return;
    }
    if (rc == ARTEL_ELOCKED)                    //  another process delivers: ask only how far
        s_back_off(self, entry, sink);
    else
        lane->state = ARTEL_LANE_ASKING;
    s_ask(self, sink, &(artel_msg_t) { .id = ARTEL_MSG_POSITION_GET, .position_get = {
        artel_str(entry->run), entry->writer } });
}

//  Hand out what the window has room for.
static void
s_pump_lane(self_t *self, entry_t *entry, size_t sink)
{
    artel_lane_t *lane = &entry->lanes[sink];
    while (lane->sent < entry->committed && self->in_flight[sink] < ARTEL_DELIVER_WINDOW) {
        artel_msg_t msg = { .id = ARTEL_MSG_DELIVER, .deliver = {
            .run = artel_str(entry->run), .writer = entry->writer, .after = lane->sent } };
        const void *data;
        int rc = artel_lane_next(lane, &msg.deliver.counter, &data, &msg.deliver.batch.len);
        if (rc <= 0) {                          //  accepted, but not to be read: again later
            s_back_off(self, entry, sink);
            return;
        }
        msg.deliver.batch.at = data;
        self->in_flight[sink]++;
        s_ask(self, sink, &msg);
    }
}

static void
s_advance(self_t *self, entry_t *entry, size_t sink)
{
    artel_lane_t *lane = &entry->lanes[sink];
    if (lane->state == ARTEL_LANE_NEW && lane->delivered < entry->committed)
        s_open_lane(self, entry, sink);
    else if (lane->state == ARTEL_LANE_READY)
        s_pump_lane(self, entry, sink);
}

static void
s_advance_all(self_t *self, size_t sink)
{
    for (entry_t *e = zhashx_first(self->entries); e; e = zhashx_next(self->entries))
        s_advance(self, e, sink);
}

//  Whether the journal wanted no sink that this node does not have.
static bool
s_has_all_sinks(self_t *self, const char *wanted)
{
    artel_sinks_t sinks;
    char why[64];
    if (artel_sinks_parse(wanted, &sinks, why, sizeof why) != 0)
        return false;
    bool all = true;
    for (size_t i = 0; all && i < sinks.n; i++)
        all = artel_sinks_find(self->sinks, sinks.at[i].name, strlen(sinks.at[i].name)) >= 0;
    artel_sinks_done(&sinks);
    return all;
}

//  Once everything is everywhere the journal is no longer pending.
static void
s_retire(self_t *self, entry_t *entry)
{
    if (!entry->closed)
        return;
    for (size_t i = 0; i < self->sinks->n; i++)
        if (entry->lanes[i].delivered < entry->committed)
            return;
    artel_journal_reader_t *reader;
    if (artel_journal_reader_open(self->state, entry->run, entry->writer, &reader) == 0) {
        if (s_has_all_sinks(self, artel_journal_reader_sinks(reader)))
            artel_pending_finish(self->state, entry->run, entry->writer, entry->committed);
        artel_journal_reader_close(&reader);
    }
    zhashx_delete(self->entries, entry->writer.at);
}

static void
s_tell_delivered(self_t *self, const entry_t *entry, size_t sink)
{
    s_tell_handler(self, &(artel_msg_t) { .id = ARTEL_MSG_DELIVERED, .delivered = {
        .writer = entry->writer, .sink = artel_str(self->sinks->at[sink].name),
        .counter = entry->lanes[sink].delivered } });
}

//  The messages of writer and handler, one function each.

static void
s_on_committed(self_t *self, const artel_msg_t *msg)
{
    entry_t *entry = zhashx_lookup(self->entries, msg->committed.writer.at);
    if (!entry && (entry = calloc(1, sizeof *entry))) {
        entry->writer = msg->committed.writer;
        snprintf(entry->run, sizeof entry->run, "%.*s", (int) msg->committed.run.len,
                 msg->committed.run.at);
        zhashx_insert(self->entries, entry->writer.at, entry);
    }
    if (!entry)
        return;
    entry->committed = msg->committed.counter;
    for (size_t i = 0; i < self->sinks->n; i++)
        s_advance(self, entry, i);
}

static void
s_on_closed(self_t *self, const artel_msg_t *msg)
{
    entry_t *entry = zhashx_lookup(self->entries, msg->closed.writer.at);
    if (!entry)
        return;
    entry->closed = true;
    s_retire(self, entry);
}

static void
s_on_resolve(self_t *self, const artel_msg_t *msg)
{
    int sink = artel_sinks_find(self->sinks, msg->resolve.sink.at, msg->resolve.sink.len);
    if (sink >= 0)
        s_ask(self, (size_t) sink, msg);
    else
        s_tell_handler(self, &(artel_msg_t) { .id = ARTEL_MSG_RESOLVED, .resolved = {
            .token = msg->resolve.token, .code = ARTEL_ENOENT,
            .text = artel_str("the node has no sink of this name") } });
}

static void (*const s_handlers[])(self_t *, const artel_msg_t *) = {
    [ARTEL_MSG_COMMITTED] = s_on_committed,
    [ARTEL_MSG_CLOSED] = s_on_closed,
    [ARTEL_MSG_RESOLVE] = s_on_resolve,
};

//  The messages of a backend.

static void
s_back_position(self_t *self, size_t sink, const artel_msg_t *msg)
{
    entry_t *entry = zhashx_lookup(self->entries, msg->position.writer.at);
    if (!entry)
        return;
    artel_lane_t *lane = &entry->lanes[sink];
    if (msg->position.code != 0) {
        if (lane->state == ARTEL_LANE_ASKING)
            s_back_off(self, entry, sink);
        return;
    }
    if (lane->state == ARTEL_LANE_ASKING)
        artel_lane_start(lane, msg->position.counter);
    else if (lane->state == ARTEL_LANE_WAITING && lane->delivered < msg->position.counter)
        lane->delivered = msg->position.counter;
    s_tell_delivered(self, entry, sink);
    s_advance(self, entry, sink);
    s_retire(self, entry);
}

static void
s_back_delivered(self_t *self, size_t sink, const artel_msg_t *msg)
{
    entry_t *entry = zhashx_lookup(self->entries, msg->delivered.writer.at);
    if (!entry || entry->lanes[sink].state != ARTEL_LANE_READY)
        return;                                 //  an answer from before a retry
    artel_lane_t *lane = &entry->lanes[sink];
    if (msg->delivered.code != 0) {
        s_back_off(self, entry, sink);
        return;
    }
    lane->failures = 0;
    lane->delivered = msg->delivered.counter;
    if (lane->in_flight) {
        lane->in_flight--;
        self->in_flight[sink]--;
    }
    s_tell_delivered(self, entry, sink);
    s_advance(self, entry, sink);
    s_retire(self, entry);
    s_advance_all(self, sink);                  //  the window has room for others
}

static void
s_back_artifact_done(self_t *self, size_t sink, const artel_msg_t *msg)
{
    const artel_msg_artifact_done_t *done = &msg->artifact_done;
    entry_t *entry = zhashx_lookup(self->entries, done->writer.at);
    if (entry && entry->lanes[sink].outcomes) {
        artel_outcome_t outcome = { .counter = done->counter, .xid = done->xid,
            .status = done->status, .version = done->version, .fresh = done->fresh };
        snprintf(outcome.text, sizeof outcome.text, "%.*s", (int) done->text.len,
                 done->text.at ? done->text.at : "");
        artel_outcomes_add(entry->lanes[sink].outcomes, &outcome);
    }
    artel_msg_t up = *msg;
    up.artifact_done.sink = artel_str(self->sinks->at[sink].name);
    s_tell_handler(self, &up);
}

static void
s_back_resolved(self_t *self, size_t sink, const artel_msg_t *msg)
{
    (void) sink;
    s_tell_handler(self, msg);
}

static void (*const s_backs[])(self_t *, size_t, const artel_msg_t *) = {
    [ARTEL_MSG_POSITION] = s_back_position,
    [ARTEL_MSG_DELIVERED] = s_back_delivered,
    [ARTEL_MSG_ARTIFACT_DONE] = s_back_artifact_done,
    [ARTEL_MSG_RESOLVED] = s_back_resolved,
};

static void
s_take(void *arg, const artel_msg_t *msg, zmq_msg_t *frame)
{
    (void) frame;
    if (msg->id < sizeof s_handlers / sizeof *s_handlers && s_handlers[msg->id])
        s_handlers[msg->id](arg, msg);
}

static int
s_read_pipe(void *arg)
{
    return artel_actor_read_pipe(((self_t *) arg)->pipe);
}

static int
s_read_handler(void *arg)
{
    self_t *self = arg;
    artel_wire_drain(&self->wire, self->handler, UINT32_MAX, s_take, self);
    return 0;
}

static int
s_read_writer(void *arg)
{
    self_t *self = arg;
    artel_wire_drain(&self->wire, self->writer, UINT32_MAX, s_take, self);
    return 0;
}

//  What a drain of one backend needs: the sender, and which sink it is.
typedef struct {
    self_t *self;
    size_t sink;
} back_t;

static void
s_take_back(void *arg, const artel_msg_t *msg, zmq_msg_t *frame)
{
    (void) frame;
    back_t *back = arg;
    if (msg->id < sizeof s_backs / sizeof *s_backs && s_backs[msg->id])
        s_backs[msg->id](back->self, back->sink, msg);
}

//  One reader serves all backends: a drain of an empty socket costs little.
static int
s_read_backends(void *arg)
{
    self_t *self = arg;
    for (size_t i = 0; i < self->sinks->n; i++)
        artel_wire_drain(&self->wire, self->backends[i], UINT32_MAX, s_take_back,
                         &(back_t) { self, i });
    return 0;
}

//  Wake the lanes whose time has come; how long until the next.
static int
s_tick(void *arg)
{
    self_t *self = arg;
    int64_t now = artel_now_ms(), wait = -1;
    for (entry_t *e = zhashx_first(self->entries); e; e = zhashx_next(self->entries))
        for (size_t i = 0; i < self->sinks->n; i++) {
            artel_lane_t *lane = &e->lanes[i];
            if (lane->state == ARTEL_LANE_WAITING && lane->retry_at <= now) {
                lane->state = ARTEL_LANE_NEW;
                s_advance(self, e, i);
            }
            if (lane->state == ARTEL_LANE_WAITING && (wait < 0 || lane->retry_at - now < wait))
                wait = lane->retry_at > now ? lane->retry_at - now : 0;
        }
    return (int) wait;
}

static int
s_open(self_t *self, const artel_sender_args_t *args)
{
    self->handler = args->handler;
    self->writer = args->writer;
    self->state = args->state;
    self->sinks = args->sinks;
    memcpy(self->backends, args->backends, sizeof self->backends);
    self->entries = artel_idmap_new(s_entry_free);
    return artel_wire_init(&self->wire, "sender");
}

static void
s_close(self_t *self)
{
    zhashx_destroy(&self->entries);
    zsock_destroy(&self->handler);
    zsock_destroy(&self->writer);
    for (size_t i = 0; i < self->sinks->n; i++)
        zsock_destroy(&self->backends[i]);
    artel_wire_done(&self->wire);
}

static void
s_run(self_t *self)
{
    artel_reader_t readers[3 + ARTEL_MAX_SINKS] = {
        { .sock = self->pipe, .fn = s_read_pipe },
        { .sock = self->handler, .fn = s_read_handler },
        { .sock = self->writer, .fn = s_read_writer },
    };
    for (size_t i = 0; i < self->sinks->n; i++)
        readers[3 + i] = (artel_reader_t) { .sock = self->backends[i], .fn = s_read_backends };
    artel_actor_loop(readers, 3 + self->sinks->n, s_tick, self);
}

void
artel_sender(zsock_t *pipe, void *arg)
{
    artel_sender_args_t *args = arg;
    artel_actor_enter(&args->start);
    self_t self = { .pipe = pipe };
    int rc = s_open(&self, args);
    args->start.rc = rc;
    zsock_signal(pipe, 0);                      //  args is the parent's again
    if (rc == 0)
        s_run(&self);
    s_close(&self);
}
