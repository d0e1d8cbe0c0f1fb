//  handler.c - the actor every client talks to.
//
//  It checks the heads of batches, keeps per writer how far they have come, and
//  passes them on unopened. It answers polls, and parks those that are not
//  ready. Completions are served before the clients' socket, so that no flood
//  of polls can starve them. It never waits for a client, a disk or a sink.

#include "handler.h"

#include "bounds.h"
#include "errors.h"
#include "idmap.h"
#include "trace.h"
#include "wire.h"
#include "xids.h"

enum { MAX_TURN = 64 };

//  An artifact_send whose response waits until its batch is durable.
typedef struct {
    artel_id_t xid;
    uint64_t counter;
} waiting_t;

//  One writer of one run: a client's, or an adopted journal.
typedef struct {
    artel_id_t writer;
    artel_peer_t peer;                          //  size 0: nobody listens
    bool open;                                  //  its journal is
    uint64_t passed;                            //  last batch given to the writer
    uint64_t accepted, durable;
    uint64_t delivered[ARTEL_MAX_SINKS];
    uint64_t adopting;                          //  token of the adopt that found it, or 0
    waiting_t *waiting;
    size_t n_waiting;
} entry_t;

//  An adopt that waits until what was found is delivered.
typedef struct {
    artel_peer_t peer;
    uint64_t token;                             //  0: none is under way
    int64_t until;
    bool found_all;                             //  the scan is over
    uint64_t journals;
    int64_t code;
} adoption_t;

typedef struct {
    zsock_t *pipe;              //  $TERM
    zsock_t *clients;           //  ROUTER: [peer][message], both ways
    zsock_t *writer;            //  PAIR: batches out, marks in
    zsock_t *sender;            //  PAIR: questions out, completions in
    const artel_sinks_t *sinks;
    artel_wire_t wire;
    zhashx_t *entries;          //  writer id -> entry_t
    artel_xids_t *xids;
    zhashx_t *asking;           //  token (as an id) -> artel_peer_t of a resolve
    adoption_t adoption;
} self_t;

//  One message in hand. A handler that keeps the frame empties it.
typedef struct {
    artel_peer_t peer;
    zmq_msg_t frame;
    artel_msg_t msg;            //  points into frame
} turn_t;

static void
s_entry_free(void **entry_p)
{
    entry_t *entry = *entry_p;
    free(entry->waiting);
    free(entry);
    *entry_p = NULL;
}

static void
s_free(void **value_p)
{
    free(*value_p);
    *value_p = NULL;
}

static void
s_reply(self_t *self, const artel_peer_t *peer, const artel_msg_t *msg)
{
    if (peer->size)
        artel_wire_reply(&self->wire, self->clients, peer, msg);
}

static entry_t *
s_entry(self_t *self, artel_id_t writer)
{
    entry_t *entry = zhashx_lookup(self->entries, writer.at);
    if (!entry && (entry = calloc(1, sizeof *entry))) {
        entry->writer = writer;
        zhashx_insert(self->entries, writer.at, entry);
    }
    return entry;
}

//  Tell a client how far its writer has come; later answers replace this one.
static void
s_tell_marks(self_t *self, const entry_t *entry)
{
    s_reply(self, &entry->peer, &(artel_msg_t) { .id = ARTEL_MSG_ACCEPTED, .accepted = {
        entry->writer, entry->accepted, entry->durable,
        entry->delivered[self->sinks->primary] } });
}

static void
s_tell_opened(self_t *self, const entry_t *entry, int64_t code, artel_str_t text)
{
    s_reply(self, &entry->peer, &(artel_msg_t) { .id = ARTEL_MSG_RUN_OPENED, .run_opened = {
        entry->writer, entry->accepted, entry->durable, ARTEL_CREDIT, code, text } });
}

//  The adoption under way: answered when everything found is delivered to
//  every sink, or when its time is over.

static uint64_t
s_undelivered(self_t *self)
{
    uint64_t n = 0;
    for (entry_t *e = zhashx_first(self->entries); e; e = zhashx_next(self->entries))
        for (size_t i = 0; e->adopting && i < self->sinks->n; i++)
            if (e->delivered[i] < e->accepted) {
                n++;
                break;
            }
    return n;
}

static void
s_check_adoption(self_t *self, bool expired)
{
    adoption_t *adoption = &self->adoption;
    if (!adoption->token || (!adoption->found_all && !expired))
        return;
    uint64_t left = s_undelivered(self);
    if (left && !expired)
        return;
    int64_t code = adoption->code ? adoption->code : left ? ARTEL_EPENDING : 0;
    s_reply(self, &adoption->peer, &(artel_msg_t) { .id = ARTEL_MSG_ADOPTED, .adopted = {
        adoption->token, adoption->journals, left, code,
        artel_str(artel_error_code_text((int) code)) } });
    adoption->token = 0;
}

//  The clients' messages, one function each.

//  Register the artifact_sends of a batch, and have it synced for them.
static void
s_note_xids(self_t *self, entry_t *entry, const artel_msg_batch_t *head)
{
    size_t n = head->xids.len / sizeof(artel_id_t);
    waiting_t *more = realloc(entry->waiting, (entry->n_waiting + n) * sizeof *more);
    if (!more)
        return;                                 //  the client polls, and learns all the same
    entry->waiting = more;
    for (size_t i = 0; i < n; i++) {
        artel_id_t xid;
        memcpy(xid.at, head->xids.at + i * sizeof xid, sizeof xid);
        entry->waiting[entry->n_waiting++] = (waiting_t) { xid, head->counter };
        artel_xids_add(self->xids, xid);
    }
}

static void
s_pass_on(self_t *self, entry_t *entry, turn_t *turn)
{
    artel_msg_batch_t head = turn->msg.batch;
    entry->passed = head.counter;
    bool wanted = head.xids.len > 0;
    if (wanted)
        s_note_xids(self, entry, &head);
    artel_trace_batch("handler", "writer", zmq_msg_data(&turn->frame), zmq_msg_size(&turn->frame));
    artel_wire_forward(self->writer, &turn->frame);
    zmq_msg_init(&turn->frame);
    if (wanted)
        artel_wire_send(&self->wire, self->writer, "writer", &(artel_msg_t) {
            .id = ARTEL_MSG_FLUSH, .flush = { entry->writer, entry->passed, ARTEL_TO_DURABLE } });
}

static void
s_on_batch(self_t *self, turn_t *turn)
{
    const artel_msg_batch_t *head = &turn->msg.batch;
    entry_t *entry = zhashx_lookup(self->entries, head->writer.at);
    if (!entry || !entry->open) {
        s_reply(self, &turn->peer, &(artel_msg_t) { .id = ARTEL_MSG_REFUSED, .refused = {
            head->writer, head->counter, ARTEL_ECLOSED, artel_str("no run_open came before it") } });
        return;
    }
    entry->peer = turn->peer;
    if (head->counter == entry->passed + 1)
        s_pass_on(self, entry, turn);
    else if (head->counter <= entry->accepted || head->counter > entry->passed)
        s_tell_marks(self, entry);              //  again, or a gap: where we stand
}

static void
s_on_run_open(self_t *self, turn_t *turn)
{
    entry_t *entry = s_entry(self, turn->msg.run_open.writer);
    if (!entry)
        return;
    entry->peer = turn->peer;
    if (entry->open)
        s_tell_opened(self, entry, 0, (artel_str_t) { 0 });
    else
        artel_wire_send(&self->wire, self->writer, "writer", &turn->msg);
}

static void
s_on_flush(self_t *self, turn_t *turn)
{
    entry_t *entry = zhashx_lookup(self->entries, turn->msg.flush.writer.at);
    if (!entry)
        return;
    if (turn->msg.flush.level >= ARTEL_TO_DURABLE && entry->durable < turn->msg.flush.counter)
        artel_wire_send(&self->wire, self->writer, "writer", &turn->msg);
    s_tell_marks(self, entry);
}

static void
s_send_response(void *arg, const artel_peer_t *peer, const artel_msg_artifact_poll_response_t *r)
{
    s_reply(arg, peer, &(artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_POLL_RESPONSE,
                                        .artifact_poll_response = *r });
}

static void
s_on_artifact_poll(self_t *self, turn_t *turn)
{
    const artel_msg_artifact_poll_t *poll = &turn->msg.artifact_poll;
    artel_msg_artifact_poll_response_t r = artel_xids_poll(self->xids, poll->xid, poll->sink);
    uint64_t wait_ms = poll->wait_ms < ARTEL_POLL_PARK_MS ? poll->wait_ms : ARTEL_POLL_PARK_MS;
    bool parked = r.state == ARTEL_POLL_PENDING && wait_ms
                  && artel_xids_park(self->xids, &turn->peer, poll->xid, poll->sink,
                                     artel_now_ms() + (int64_t) wait_ms);
    if (!parked)
        s_send_response(self, &turn->peer, &r);
}

//  What is in the journal is delivered all the same; the answer says who won.
static void
s_on_artifact_cancel(self_t *self, turn_t *turn)
{
    artel_msg_artifact_poll_response_t r =
        artel_xids_poll(self->xids, turn->msg.artifact_cancel.xid, (artel_str_t) { 0 });
    s_send_response(self, &turn->peer, &r);
}

//  A token as the key of a map of ids.
static artel_id_t
s_token_key(uint64_t token)
{
    artel_id_t key = { { 0 } };
    memcpy(key.at, &token, sizeof token);
    return key;
}

static void
s_on_resolve(self_t *self, turn_t *turn)
{
    artel_peer_t *peer = malloc(sizeof *peer);
    if (!peer)
        return;
    *peer = turn->peer;
    artel_id_t key = s_token_key(turn->msg.resolve.token);
    zhashx_update(self->asking, key.at, peer);
    artel_wire_send(&self->wire, self->sender, "sender", &turn->msg);
}

static void
s_on_run_close(self_t *self, turn_t *turn)
{
    entry_t *entry = zhashx_lookup(self->entries, turn->msg.run_close.writer.at);
    if (entry && entry->open) {
        entry->open = false;
        artel_wire_send(&self->wire, self->writer, "writer", &turn->msg);
    }
}

static void
s_on_adopt(self_t *self, turn_t *turn)
{
    if (self->adoption.token) {                 //  one at a time
        s_reply(self, &turn->peer, &(artel_msg_t) { .id = ARTEL_MSG_ADOPTED, .adopted = {
            .token = turn->msg.adopt.token, .code = ARTEL_EAGAIN,
            .text = artel_str("another adoption is under way") } });
        return;
    }
    self->adoption = (adoption_t) { .peer = turn->peer, .token = turn->msg.adopt.token,
                                    .until = artel_now_ms() + (int64_t) turn->msg.adopt.wait_ms };
    artel_wire_send(&self->wire, self->writer, "writer", &turn->msg);
}

//  A message of the clients' table without its function above doesn't compile.
static void (*const s_from_client[])(self_t *, turn_t *) = {
#define M(id, NAME, name) [id] = s_on_##name,
    ARTEL_CLIENT_MSGS(M)
#undef M
    [ARTEL_MSG_BATCH] = s_on_batch,
};

//  The messages of writer and sender, one function each.

static void
s_back_run_opened(self_t *self, const artel_msg_t *msg)
{
    entry_t *entry = s_entry(self, msg->run_opened.writer);
    if (!entry)
        return;
    entry->open = msg->run_opened.code == 0;
    entry->passed = entry->accepted = msg->run_opened.accepted;
    entry->durable = msg->run_opened.durable;
    s_tell_opened(self, entry, msg->run_opened.code, msg->run_opened.text);
}

static void
s_back_accepted(self_t *self, const artel_msg_t *msg)
{
    entry_t *entry = s_entry(self, msg->accepted.writer);
    if (!entry)
        return;
    entry->accepted = msg->accepted.accepted;
    s_tell_marks(self, entry);
}

//  Answer the artifact_sends that are durable now.
static void
s_respond_sends(self_t *self, entry_t *entry)
{
    size_t kept = 0;
    for (size_t i = 0; i < entry->n_waiting; i++) {
        if (entry->waiting[i].counter > entry->durable)
            entry->waiting[kept++] = entry->waiting[i];
        else
            s_reply(self, &entry->peer, &(artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_SEND_RESPONSE,
                .artifact_send_response = { entry->waiting[i].xid } });
    }
    entry->n_waiting = kept;
}

static void
s_back_durable(self_t *self, const artel_msg_t *msg)
{
    entry_t *entry = s_entry(self, msg->durable.writer);
    if (!entry)
        return;
    if (msg->durable.code != 0) {               //  never to be durable; accepted it stays
        s_reply(self, &entry->peer, &(artel_msg_t) { .id = ARTEL_MSG_REFUSED, .refused = {
            entry->writer, 0, msg->durable.code, msg->durable.text } });
        return;
    }
    entry->durable = msg->durable.counter;
    s_respond_sends(self, entry);
    s_tell_marks(self, entry);
}

static void
s_back_refused(self_t *self, const artel_msg_t *msg)
{
    entry_t *entry = s_entry(self, msg->refused.writer);
    if (!entry)
        return;
    entry->passed = entry->accepted;
    artel_wire_send(&self->wire, self->writer, "writer", &(artel_msg_t) {
        .id = ARTEL_MSG_RESET, .reset = { entry->writer } });
    s_reply(self, &entry->peer, msg);
}

//  A journal that the adoption found.
static void
s_back_committed(self_t *self, const artel_msg_t *msg)
{
    entry_t *entry = s_entry(self, msg->committed.writer);
    if (!entry)
        return;
    entry->accepted = entry->durable = msg->committed.counter;
    entry->adopting = self->adoption.token;
}

static void
s_back_adopted(self_t *self, const artel_msg_t *msg)
{
    self->adoption.found_all = true;
    self->adoption.journals = msg->adopted.journals;
    self->adoption.code = msg->adopted.code;
    s_check_adoption(self, false);
}

static void
s_back_delivered(self_t *self, const artel_msg_t *msg)
{
    entry_t *entry = s_entry(self, msg->delivered.writer);
    int sink = artel_sinks_find(self->sinks, msg->delivered.sink.at, msg->delivered.sink.len);
    if (!entry || sink < 0 || entry->delivered[sink] >= msg->delivered.counter)
        return;
    entry->delivered[sink] = msg->delivered.counter;
    if ((size_t) sink == self->sinks->primary)
        s_tell_marks(self, entry);
    s_check_adoption(self, false);
}

static void
s_back_artifact_done(self_t *self, const artel_msg_t *msg)
{
    artel_xids_done(self->xids, &msg->artifact_done);
    artel_xids_release(self->xids, msg->artifact_done.xid, s_send_response, self);
}

static void
s_back_resolved(self_t *self, const artel_msg_t *msg)
{
    artel_id_t key = s_token_key(msg->resolved.token);
    artel_peer_t *peer = zhashx_lookup(self->asking, key.at);
    if (peer)
        s_reply(self, peer, msg);
    zhashx_delete(self->asking, key.at);
}

static void (*const s_from_node[])(self_t *, const artel_msg_t *) = {
    [ARTEL_MSG_RUN_OPENED] = s_back_run_opened,
    [ARTEL_MSG_ACCEPTED] = s_back_accepted,
    [ARTEL_MSG_REFUSED] = s_back_refused,
    [ARTEL_MSG_DURABLE] = s_back_durable,
    [ARTEL_MSG_COMMITTED] = s_back_committed,
    [ARTEL_MSG_ADOPTED] = s_back_adopted,
    [ARTEL_MSG_DELIVERED] = s_back_delivered,
    [ARTEL_MSG_ARTIFACT_DONE] = s_back_artifact_done,
    [ARTEL_MSG_RESOLVED] = s_back_resolved,
};

static void
s_take_from_node(void *arg, const artel_msg_t *msg, zmq_msg_t *frame)
{
    (void) frame;
    if (msg->id < sizeof s_from_node / sizeof *s_from_node && s_from_node[msg->id])
        s_from_node[msg->id](arg, msg);
}

static int
s_read_pipe(void *arg)
{
    return artel_actor_read_pipe(((self_t *) arg)->pipe);
}

static int
s_read_writer(void *arg)
{
    self_t *self = arg;
    artel_wire_drain(&self->wire, self->writer, UINT32_MAX, s_take_from_node, self);
    return 0;
}

static int
s_read_sender(void *arg)
{
    self_t *self = arg;
    artel_wire_drain(&self->wire, self->sender, UINT32_MAX, s_take_from_node, self);
    return 0;
}

//  Read the message, of a batch only the head; false if a client may not send it.
static bool
s_understood(self_t *self, turn_t *turn)
{
    size_t used, size = zmq_msg_size(&turn->frame);
    msgpack_zone_clear(&self->wire.zone);
    return artel_msg_unpack(zmq_msg_data(&turn->frame), size, &self->wire.zone, &turn->msg, &used) == 0
           && turn->msg.id < sizeof s_from_client / sizeof *s_from_client
           && s_from_client[turn->msg.id]
           && (used == size || turn->msg.id == ARTEL_MSG_BATCH);
}

//  Do what one message asks; whether it was a batch.
static bool
s_serve(self_t *self, turn_t *turn)
{
    if (!s_understood(self, turn)) {
        s_reply(self, &turn->peer, &(artel_msg_t) { .id = ARTEL_MSG_ERROR, .error = {
            ARTEL_EPROTO, artel_str("not a message that a client may send") } });
        return false;
    }
    s_from_client[turn->msg.id](self, turn);
    return turn->msg.id == ARTEL_MSG_BATCH;
}

//  Batches are taken while there are any. After anything else completions have
//  their turn; and to look here for more would take as long as to answer a poll.
static int
s_read_clients(void *arg)
{
    self_t *self = arg;
    turn_t turn;
    zmq_msg_init(&turn.frame);
    int left = MAX_TURN;
    while (left-- && artel_wire_take_from(self->clients, &turn.peer, &turn.frame)
           && s_serve(self, &turn))
        continue;
    zmq_msg_close(&turn.frame);
    return 0;
}

static int
s_tick(void *arg)
{
    self_t *self = arg;
    int64_t now = artel_now_ms();
    int64_t next = artel_xids_expire(self->xids, now, s_send_response, self);
    if (self->adoption.token) {
        s_check_adoption(self, self->adoption.until <= now);
        if (self->adoption.token && (next < 0 || self->adoption.until < next))
            next = self->adoption.until;
    }
    return next < 0 ? -1 : next > now ? (int) (next - now) : 0;
}

static int
s_open(self_t *self, const artel_handler_args_t *args)
{
    self->writer = args->writer;
    self->sender = args->sender;
    self->sinks = args->sinks;
    self->entries = artel_idmap_new(s_entry_free);
    self->asking = artel_idmap_new(s_free);
    self->xids = artel_xids_new(args->sinks);
    int rc = artel_wire_init(&self->wire, "handler");
    self->clients = artel_sock_new(ZMQ_ROUTER);
    if (rc == 0 && !self->clients)
        rc = ARTEL_EMFILE;
    if (rc == 0 && zsock_bind(self->clients, "%s", args->clients) < 0)
        rc = artel_error_of_errno(errno);
    return rc;
}

static void
s_close(self_t *self)
{
    zsock_destroy(&self->clients);
    zsock_destroy(&self->writer);
    zsock_destroy(&self->sender);
    zhashx_destroy(&self->entries);
    zhashx_destroy(&self->asking);
    artel_xids_destroy(&self->xids);
    artel_wire_done(&self->wire);
}

void
artel_handler(zsock_t *pipe, void *arg)
{
    artel_handler_args_t *args = arg;
    artel_actor_enter(&args->start);
    self_t self = { .pipe = pipe };
    int rc = s_open(&self, args);
    args->start.rc = rc;
    zsock_signal(pipe, 0);                      //  args is the parent's again
    if (rc == 0)
        artel_actor_loop((artel_reader_t[]) {
            { .sock = self.pipe, .fn = s_read_pipe },
            { .sock = self.writer, .fn = s_read_writer },
            { .sock = self.sender, .fn = s_read_sender },
            { .sock = self.clients, .fn = s_read_clients },
        }, 4, s_tick, &self);
    s_close(&self);
}
