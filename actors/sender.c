//  sender.c - the actor that reads journals and hands their batches to backends.
//
//  Payloads reach it only through the disk: recovery, sync and live delivery are
//  one code path. Order is kept per writer; each sink has a window and a
//  position of its own, so a slow one delays no other. It records outcomes
//  before it reports artifact_done, and waits for no sink.

#include "sender_self.h"

#include "errors.h"
#include "idmap.h"
#include "pending.h"

enum {
    NOTED_EVERY = 64,           //  notices after which the writer gets room for as many
    MAX_OPEN = 64,              //  lanes that hold descriptors, of all sinks
    LONGEST_WAIT_MS = 1 << 30,
};

typedef artel_sender_self_t self_t;
typedef artel_sender_entry_t entry_t;

static void
s_entry_free(void **entry_p)
{
    entry_t *entry = *entry_p;
    for (size_t i = 0; i < ARTEL_MAX_SINKS; i++)
        artel_lane_close(&entry->lanes[i]);
    free(entry);
    *entry_p = NULL;
}

void
artel_sender_tell_handler(artel_sender_self_t *self, const artel_msg_t *msg)
{
    artel_wire_send(&self->wire, self->handler, "handler", msg);
}

//  The adoption.

//  Why it is over: its own failure, or what keeps a sink from going on; "" if neither.
static const char *
s_why(const self_t *self)
{
    const char *why = self->adoption.text;
    for (size_t i = 0; !*why && i < self->sinks->n; i++)
        why = self->troubles[i].text;
    return why;
}

//  Whether a journal is where it is wanted, but for some sinks, as far as this node can help.
static bool
s_is_delivered(self_t *self, entry_t *entry, unsigned except)
{
    for (size_t i = 0; i < self->sinks->n; i++)
        if ((entry->wanted & ~except & 1u << i) && entry->lanes[i].delivered < entry->committed)
            return false;
    return true;
}

//  Whether all that has still to leave waits for sinks that take nothing before somebody does something about it.
static bool
s_leaves_in_vain(self_t *self)
{
    unsigned put_off = 0;
    for (size_t i = 0; i < self->sinks->n; i++)
        put_off |= self->troubles[i].code == ARTEL_EPENDING ? 1u << i : 0;
    for (entry_t *entry = put_off ? zhashx_first(self->entries) : NULL; entry; entry = zhashx_next(self->entries))
        if (entry->closed && !s_is_delivered(self, entry, put_off))
            return false;
    return put_off != 0;
}

static void
s_check_adoption(self_t *self, bool expired)
{
    artel_sender_adoption_t *adoption = &self->adoption;
    if (!adoption->token || (!expired && (!adoption->searched || (self->leaving && !s_leaves_in_vain(self)))))
        return;
    uint64_t left = self->leaving + adoption->stuck;
    int64_t code = adoption->code ? adoption->code : left || !adoption->searched ? ARTEL_EPENDING
                   : adoption->lost ? ARTEL_ELOST : 0;
    artel_sender_tell_handler(self, &(artel_msg_t) { .id = ARTEL_MSG_ADOPTED, .adopted = {
        .token = adoption->token, .journals = adoption->journals, .undelivered = left, .code = code,
        .text = artel_str(s_why(self)), .lost = adoption->lost } });
    adoption->token = 0;
}

void
artel_sender_retire(artel_sender_self_t *self, artel_sender_entry_t *entry)
{
    if (!entry->closed || !artel_sender_learn_sinks(self, entry) || !s_is_delivered(self, entry, 0))
        return;
    artel_sender_close_lanes(self, entry);
    self->leaving--;
    if (entry->missing)
        self->adoption.stuck++;
    else if (entry->ended || entry->committed == 0)
        artel_pending_finish(self->state, entry->run, entry->writer, entry->committed);
    artel_sender_tell_handler(self, &(artel_msg_t) { .id = ARTEL_MSG_RETIRED,
        .retired = { entry->writer, entry->committed } });
    artel_id_t writer = entry->writer;
    zhashx_delete(self->entries, writer.at);
    s_check_adoption(self, false);
}

//  The messages of writer and handler, one function each.

static entry_t *
s_entry(self_t *self, artel_str_t run, artel_id_t writer)
{
    entry_t *entry = zhashx_lookup(self->entries, writer.at);
    if (!entry && (entry = calloc(1, sizeof *entry))) {
        entry->writer = writer;
        snprintf(entry->run, sizeof entry->run, "%.*s", (int) run.len, run.at);
        for (size_t i = 0; i < ARTEL_MAX_SINKS; i++)
            entry->lanes[i].owner = entry;
        zhashx_insert(self->entries, entry->writer.at, entry);
    }
    return entry;
}

//  One notice read: the writer may send another.
static void
s_note(self_t *self)
{
    if (++self->noted < NOTED_EVERY)
        return;
    artel_wire_send(&self->wire, self->writer, "writer", &(artel_msg_t) {
        .id = ARTEL_MSG_NOTED, .noted = { self->noted } });
    self->noted = 0;
}

static void
s_advance_all(self_t *self, entry_t *entry)
{
    for (size_t i = 0; i < self->sinks->n; i++)
        artel_sender_advance(self, entry, i);
}

static void
s_on_committed(self_t *self, const artel_msg_t *msg)
{
    s_note(self);
    entry_t *entry = s_entry(self, msg->committed.run, msg->committed.writer);
    if (!entry)
        return;                                 //  its mark stays, for who has memory
    if (msg->committed.counter > entry->committed)
        entry->committed = msg->committed.counter;
    s_advance_all(self, entry);
}

static void
s_on_closed(self_t *self, const artel_msg_t *msg)
{
    entry_t *entry = s_entry(self, msg->closed.run, msg->closed.writer);
    if (!entry)
        return;
    self->leaving += !entry->closed;
    entry->closed = true;
    entry->ended = msg->closed.ended;
    if (!artel_sender_learn_sinks(self, entry))
        s_advance_all(self, entry);             //  a lane learns them, or tries again
    artel_sender_retire(self, entry);
}

static void
s_on_adopt(self_t *self, const artel_msg_t *msg)
{
    uint64_t wait_ms = msg->adopt.wait_ms < LONGEST_WAIT_MS ? msg->adopt.wait_ms : LONGEST_WAIT_MS;
    self->adoption = (artel_sender_adoption_t) { .token = msg->adopt.token,
                                                 .until = artel_now_ms() + (int64_t) wait_ms };
}

static void
s_on_adopted(self_t *self, const artel_msg_t *msg)
{
    artel_sender_adoption_t *adoption = &self->adoption;
    adoption->searched = true;
    adoption->journals = msg->adopted.journals;
    adoption->lost = msg->adopted.lost;
    adoption->code = msg->adopted.code;
    snprintf(adoption->text, sizeof adoption->text, "%.*s", (int) msg->adopted.text.len,
             msg->adopted.text.at ? msg->adopted.text.at : "");
    s_check_adoption(self, false);
}

static void
s_on_resolve(self_t *self, const artel_msg_t *msg)
{
    int sink = artel_sinks_find(self->sinks, msg->resolve.sink.at, msg->resolve.sink.len);
    if (sink >= 0 && self->backends[sink]) {
        artel_sender_ask(self, (size_t) sink, msg);
        return;
    }
    artel_sender_tell_handler(self, &(artel_msg_t) { .id = ARTEL_MSG_RESOLVED, .resolved = {
        .token = msg->resolve.token, .code = sink < 0 ? ARTEL_ENOENT : self->lacks[sink].code,
        .text = artel_str(sink < 0 ? "the node has no sink of this name" : self->lacks[sink].text) } });
}

//  A sink that is not to be had knows nothing.
static void
s_on_recall(self_t *self, const artel_msg_t *msg)
{
    int sink = artel_sinks_find(self->sinks, msg->recall.sink.at, msg->recall.sink.len);
    if (sink >= 0 && self->backends[sink])
        artel_sender_ask(self, (size_t) sink, msg);
    else
        artel_sender_tell_handler(self, &(artel_msg_t) { .id = ARTEL_MSG_RECALLED, .recalled = {
            .token = msg->recall.token, .xid = msg->recall.xid } });
}

static void
s_take(void *arg, const artel_msg_t *msg, zmq_msg_t *frame)
{
    static void (*const table[])(self_t *, const artel_msg_t *) = {
        [ARTEL_MSG_COMMITTED] = s_on_committed,
        [ARTEL_MSG_CLOSED] = s_on_closed,
        [ARTEL_MSG_ADOPT] = s_on_adopt,
        [ARTEL_MSG_ADOPTED] = s_on_adopted,
        [ARTEL_MSG_RESOLVE] = s_on_resolve,
        [ARTEL_MSG_RECALL] = s_on_recall,
    };
    (void) frame;
    if (msg->id < sizeof table / sizeof *table && table[msg->id])
        table[msg->id](arg, msg);
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

//  From now on no backend holds anything back.
static void
s_hurry(self_t *self)
{
    for (size_t i = 0; i < self->sinks->n; i++)
        if (self->backends[i])
            artel_sender_ask(self, i, &(artel_msg_t) { .id = ARTEL_MSG_HURRY, .hurry = { *self->drain_by } });
}

//  The writer has ended before us: what it said last, of journals it closed, is done.
static int
s_read_pipe(void *arg)
{
    self_t *self = arg;
    s_read_writer(self);
    if (self->drain_by && !self->draining)
        s_hurry(self);
    self->draining = self->drain_by != NULL;
    int rc = artel_actor_read_pipe(self->pipe);
    return self->draining ? 0 : rc;
}

//  Who cannot be reached is not waited for.
static unsigned
s_out_of_reach(const self_t *self)
{
    unsigned sinks = 0;
    for (size_t i = 0; i < self->sinks->n; i++) {
        int64_t code = self->troubles[i].code;
        sinks |= code == ARTEL_EPENDING || code == ARTEL_EUNAVAIL || code == ARTEL_EACCES || code == ARTEL_ETIMEOUT ? 1u << i : 0;
    }
    return sinks;
}

static bool
s_is_drained(self_t *self)
{
    unsigned except = s_out_of_reach(self);
    for (entry_t *entry = zhashx_first(self->entries); entry; entry = zhashx_next(self->entries))
        if (!artel_sender_learn_sinks(self, entry) || !s_is_delivered(self, entry, except))
            return false;
    return true;
}

//  One reader serves all backends: a drain of an empty socket costs little.
static int
s_read_backends(void *arg)
{
    self_t *self = arg;
    for (size_t i = 0; i < self->sinks->n; i++)
        if (self->backends[i])
            artel_wire_drain(&self->wire, self->backends[i], UINT32_MAX, artel_sender_take_back,
                             &(artel_sender_back_t) { self, i });
    return 0;
}

static int64_t
s_sooner(int64_t a, int64_t b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

//  Wake the lanes whose time has come, and use the windows that have room; how
//  long until the next.
static int
s_tick(void *arg)
{
    self_t *self = arg;
    int64_t now = artel_now_ms(), next = -1;
    for (size_t i = 0; i < self->sinks->n; i++) {
        next = s_sooner(next, artel_turns_wake(&self->turns[i], now));
        artel_sender_pump(self, i);
    }
    if (self->adoption.token) {
        s_check_adoption(self, self->adoption.until <= now);
        next = self->adoption.token ? s_sooner(next, self->adoption.until) : next;
    }
    if (self->draining && (*self->drain_by <= now || s_is_drained(self)))
        return ARTEL_TICK_OVER;
    if (self->draining)
        next = s_sooner(next, *self->drain_by);
    return next < 0 ? -1 : next > now ? (int) (next - now) : 0;
}

static int
s_open(self_t *self, const artel_sender_args_t *args)
{
    self->handler = args->handler;
    self->writer = args->writer;
    self->state = args->state;
    self->sinks = args->sinks;
    memcpy(self->backends, args->backends, sizeof self->backends);
    memcpy(self->lacks, args->lacks, sizeof self->lacks);
    self->drain_by = args->drain_by;
    self->entries = artel_idmap_new(s_entry_free);
    for (size_t i = 0; i < self->sinks->n; i++) {
        artel_turns_init(&self->turns[i], MAX_OPEN / (unsigned) self->sinks->n);
        self->troubles[i].code = self->lacks[i].code;
        snprintf(self->troubles[i].text, sizeof self->troubles[i].text, "%s",
                 self->lacks[i].text ? self->lacks[i].text : "");
    }
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
    size_t n = 0;
    artel_reader_t readers[3 + ARTEL_MAX_SINKS];
    readers[n++] = (artel_reader_t) { .sock = self->pipe, .fn = s_read_pipe };
    readers[n++] = (artel_reader_t) { .sock = self->handler, .fn = s_read_handler };
    readers[n++] = (artel_reader_t) { .sock = self->writer, .fn = s_read_writer };
    for (size_t i = 0; i < self->sinks->n; i++)
        if (self->backends[i])
            readers[n++] = (artel_reader_t) { .sock = self->backends[i], .fn = s_read_backends };
    artel_actor_loop(readers, n, s_tick, self);
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
