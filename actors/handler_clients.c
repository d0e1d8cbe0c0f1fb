//  handler_clients.c - what clients ask of the handler, one function a message.

#include "handler_self.h"

#include "batch.h"
#include "bounds.h"
#include "errors.h"
#include "trace.h"

enum { MAX_ASKERS = 1024, MAX_WAITING = 1024, LONGEST_WAIT_MS = 1 << 30 };

typedef artel_handler_self_t self_t;
typedef artel_handler_entry_t entry_t;
typedef artel_handler_turn_t turn_t;

static void
s_tell_opened(self_t *self, const artel_peer_t *peer, artel_id_t writer, int code, const char *text)
{
    artel_handler_reply(self, peer, &(artel_msg_t) { .id = ARTEL_MSG_RUN_OPENED, .run_opened = {
        .writer = writer, .code = code, .text = artel_str(text) } });
}

static void
s_refuse(self_t *self, const turn_t *turn, artel_id_t writer, uint64_t counter, int code, const char *text)
{
    artel_handler_reply(self, &turn->peer, &(artel_msg_t) { .id = ARTEL_MSG_REFUSED, .refused = {
        writer, counter, code, artel_str(text) } });
}

static void
s_ask_writer(self_t *self, const artel_msg_t *msg)
{
    artel_wire_send(&self->wire, self->writer, "writer", msg);
}

//  Batches.

//  Register the artifact_sends of a batch, to be answered when it is durable; who is not
//  answered polls, and learns all the same.
static void
s_note_xids(self_t *self, entry_t *entry, const artel_msg_batch_t *head)
{
    size_t n = head->xids.len / sizeof(artel_id_t);
    size_t room = MAX_WAITING - entry->n_waiting, answered = n < room ? n : room;
    artel_handler_wait_t *more = realloc(entry->waiting, (entry->n_waiting + answered) * sizeof *more);
    if (more)
        entry->waiting = more;
    for (size_t i = 0; i < n; i++) {
        artel_id_t xid;
        memcpy(xid.at, head->xids.at + i * sizeof xid, sizeof xid);
        artel_xids_add(self->xids, xid);
        if (more && i < answered)
            entry->waiting[entry->n_waiting++] = (artel_handler_wait_t) { xid, head->counter };
    }
}

//  Have what was passed made durable, unless that is asked for already.
static void
s_ask_durable(self_t *self, entry_t *entry)
{
    if (entry->asked >= entry->passed)
        return;
    entry->asked = entry->passed;
    s_ask_writer(self, &(artel_msg_t) { .id = ARTEL_MSG_FLUSH, .flush = {
        entry->writer, entry->passed, ARTEL_TO_DURABLE } });
}

static void
s_pass_on(self_t *self, entry_t *entry, turn_t *turn)
{
    const artel_msg_batch_t *head = &turn->msg.batch;
    bool wanted = head->xids.len > 0;
    entry->passed = head->counter;
    if (wanted)
        s_note_xids(self, entry, head);
    artel_trace_batch("handler", "writer", zmq_msg_data(&turn->frame), zmq_msg_size(&turn->frame));
    artel_wire_forward(self->writer, &turn->frame);
    zmq_msg_init(&turn->frame);
    if (wanted)
        s_ask_durable(self, entry);
}

//  Why a batch cannot be taken at all; NULL if it can.
static const char *
s_fault(const entry_t *entry, const turn_t *turn)
{
    const artel_msg_batch_t *head = &turn->msg.batch;
    if (!artel_str_equal(head->run, artel_str(entry->run)))
        return "batch: run is not the one its writer was opened for";
    if (head->xids.len % sizeof(artel_id_t) != 0)
        return "batch: xids is not a multiple of 16 bytes";
    if (zmq_msg_size(&turn->frame) > ARTEL_MAX_MESSAGE)
        return "batch: it has more than 300 KiB";
    return NULL;
}

//  The next batch of its writer. What is over the credit is dropped unread; the marks say what
//  the credit is.
static void
s_take_batch(self_t *self, entry_t *entry, turn_t *turn)
{
    const artel_msg_batch_t *head = &turn->msg.batch;
    size_t size = zmq_msg_size(&turn->frame);
    bool room = !entry->resetting && artel_credit_has_room(&self->credit, &entry->account, size);
    int rc = !room ? ARTEL_EAGAIN : self->foreign ? artel_batch_check(zmq_msg_data(&turn->frame), size) : 0;
    if (rc == 0)
        rc = artel_credit_take(&self->credit, &entry->account, size, artel_now_ms());
    if (rc == 0) {
        s_pass_on(self, entry, turn);
        return;
    }
    artel_handler_tell_marks(self, entry);
    s_refuse(self, turn, head->writer, head->counter, rc, rc == ARTEL_EPROTO ? "batch: a record in it is not "
             "well-formed" : "too much is on its way to the journals");
}

static void
s_on_batch(self_t *self, turn_t *turn)
{
    const artel_msg_batch_t *head = &turn->msg.batch;
    entry_t *entry = artel_handler_entry(self, head->writer);
    if (!entry || !entry->open) {
        s_refuse(self, turn, head->writer, head->counter, ARTEL_ECLOSED, "no run_open came before it");
        return;
    }
    const char *fault = s_fault(entry, turn);
    if (fault)
        s_refuse(self, turn, head->writer, head->counter, ARTEL_EPROTO, fault);
    else if (head->counter == entry->passed + 1)
        s_take_batch(self, entry, turn);
    else if (head->counter <= entry->accepted || head->counter > entry->passed)
        artel_handler_tell_marks(self, entry);  //  again, or a gap: where we stand
}

//  Greetings.

static void
s_on_hello(self_t *self, turn_t *turn)
{
    bool ok = turn->msg.hello.version == ARTEL_WIRE_VERSION;
    artel_handler_reply(self, &turn->peer, &(artel_msg_t) { .id = ARTEL_MSG_WELCOME, .welcome = {
        .version = ARTEL_WIRE_VERSION, .code = ok ? 0 : ARTEL_EVERSION,
        .text = artel_str(ok ? "" : "it speaks another version of the protocol"),
        .state = artel_str(self->state), .sinks = artel_str(self->wanted), .pid = (uint64_t) getpid() } });
}

//  Runs.

static entry_t *
s_entry_new(self_t *self, const artel_msg_run_open_t *open)
{
    entry_t *entry = calloc(1, sizeof *entry);
    if (!entry)
        return NULL;
    entry->writer = open->writer;
    memcpy(entry->run, open->run.at, open->run.len);
    zhashx_insert(self->entries, entry->writer.at, entry);
    return entry;
}

//  Why a run_open cannot be granted; NULL if it can. The run becomes a folder's name.
static const char *
s_open_fault(const artel_msg_run_open_t *open, const entry_t *entry)
{
    if (!artel_is_run_id(open->run.at, open->run.len))
        return "run_open: run is not 1 to 63 letters, digits, '_' and '-'";
    if (open->resume > ARTEL_RESUMES_MUST)
        return "run_open: resume is not 0, 1 or 2";
    if (open->world > ARTEL_MAX_WORLD)
        return "run_open: world is over 65536 ranks";
    if (entry && !artel_str_equal(open->run, artel_str(entry->run)))
        return "run_open: its writer is another run's";
    return NULL;
}

//  Have the writer open the journal. ARTEL_ELIMIT, ARTEL_ENOMEM.
static int
s_open(self_t *self, entry_t *entry, turn_t *turn)
{
    if (self->n_open >= ARTEL_MAX_OPEN_RUNS)
        return ARTEL_ELIMIT;
    if (!entry && !(entry = s_entry_new(self, &turn->msg.run_open)))
        return ARTEL_ENOMEM;
    entry->peer = turn->peer;
    entry->opening = true;
    self->n_open++;
    s_ask_writer(self, &turn->msg);
    return 0;
}

//  It is open: where it stands.
static void
s_tell_open(self_t *self, entry_t *entry, const turn_t *turn)
{
    entry->peer = turn->peer;
    artel_handler_reply(self, &entry->peer, &(artel_msg_t) { .id = ARTEL_MSG_RUN_OPENED, .run_opened = {
        .writer = entry->writer, .accepted = entry->accepted, .durable = entry->durable,
        .credit = artel_credit_tell(&self->credit, &entry->account, artel_now_ms()),
        .next_step = entry->next_step } });
    artel_handler_tell_dead(self, entry);
}

static void
s_on_run_open(self_t *self, turn_t *turn)
{
    const artel_msg_run_open_t *open = &turn->msg.run_open;
    entry_t *entry = artel_handler_entry(self, open->writer);
    const char *fault = s_open_fault(open, entry);
    if (fault) {
        s_tell_opened(self, &turn->peer, open->writer, ARTEL_EINVAL, fault);
    } else if (entry && entry->open) {
        s_tell_open(self, entry, turn);
    } else if (entry && entry->opening) {
        entry->peer = turn->peer;               //  the answer is on its way
    } else {
        int rc = s_open(self, entry, turn);
        if (rc != 0)
            s_tell_opened(self, &turn->peer, open->writer, rc, rc == ARTEL_ELIMIT ? "too many runs are open"
                          : "out of memory");
    }
}

static void
s_on_run_close(self_t *self, turn_t *turn)
{
    entry_t *entry = artel_handler_entry(self, turn->msg.run_close.writer);
    if (!entry || !entry->open)
        return;
    artel_handler_close(self, entry);
    s_ask_writer(self, &turn->msg);
}

static void
s_on_flush(self_t *self, turn_t *turn)
{
    const artel_msg_flush_t *flush = &turn->msg.flush;
    entry_t *entry = artel_handler_entry(self, flush->writer);
    if (!entry) {
        s_refuse(self, turn, flush->writer, flush->counter, ARTEL_ECLOSED, "no run_open came before it");
        return;
    }
    if (flush->level >= ARTEL_TO_DURABLE && entry->durable < flush->counter)
        s_ask_durable(self, entry);
    artel_handler_tell_marks(self, entry);
}

//  Questions that the sender answers later. Clients' tokens may be the same, so
//  a question goes on under a token of ours.

//  A token as the key of a map of ids.
static artel_id_t
s_token_key(uint64_t token)
{
    artel_id_t key = { { 0 } };
    memcpy(key.at, &token, sizeof token);
    return key;
}

//  Our token for a question, or 0 if there are too many.
static uint64_t
s_add_asker(self_t *self, const artel_peer_t *peer, uint64_t token, artel_str_t sink)
{
    artel_handler_asker_t *asker =
        zhashx_size(self->askers) < MAX_ASKERS ? malloc(sizeof *asker) : NULL;
    if (!asker)
        return 0;
    *asker = (artel_handler_asker_t) { *peer, token, artel_sinks_find(self->sinks, sink.at, sink.len) };
    artel_id_t key = s_token_key(++self->last_token);
    zhashx_insert(self->askers, key.at, asker);
    return self->last_token;
}

bool
artel_handler_take_asker(artel_handler_self_t *self, uint64_t token, artel_handler_asker_t *ret)
{
    artel_id_t key = s_token_key(token);
    artel_handler_asker_t *asker = zhashx_lookup(self->askers, key.at);
    if (!asker)
        return false;
    *ret = *asker;
    zhashx_delete(self->askers, key.at);
    return true;
}

static void
s_on_resolve(self_t *self, turn_t *turn)
{
    uint64_t token = s_add_asker(self, &turn->peer, turn->msg.resolve.token, turn->msg.resolve.sink);
    if (!token) {
        artel_handler_reply(self, &turn->peer, &(artel_msg_t) { .id = ARTEL_MSG_RESOLVED, .resolved = {
            .token = turn->msg.resolve.token, .code = ARTEL_EAGAIN,
            .text = artel_str("too many questions are waiting") } });
        return;
    }
    turn->msg.resolve.token = token;
    artel_wire_send(&self->wire, self->sender, "sender", &turn->msg);
}

void
artel_handler_adopt_next(artel_handler_self_t *self)
{
    artel_handler_adopt_t *adopt = STAILQ_FIRST(&self->adopts);
    if (self->adopting || !adopt)
        return;
    STAILQ_REMOVE_HEAD(&self->adopts, next);
    int64_t left = adopt->until - artel_now_ms();
    self->adopting = adopt->token;
    s_ask_writer(self, &(artel_msg_t) { .id = ARTEL_MSG_ADOPT, .adopt = {
        adopt->token, left > 0 ? (uint64_t) left : 0 } });
    free(adopt);
}

//  One at a time; those that come meanwhile wait for their turn, on their own time.
static void
s_on_adopt(self_t *self, turn_t *turn)
{
    const artel_msg_adopt_t *ask = &turn->msg.adopt;
    uint64_t wait_ms = ask->wait_ms < LONGEST_WAIT_MS ? ask->wait_ms : LONGEST_WAIT_MS;
    artel_handler_adopt_t *adopt = malloc(sizeof *adopt);
    uint64_t token = adopt ? s_add_asker(self, &turn->peer, ask->token, (artel_str_t) { 0 }) : 0;
    if (!token) {
        free(adopt);
        artel_handler_reply(self, &turn->peer, &(artel_msg_t) { .id = ARTEL_MSG_ADOPTED, .adopted = {
            .token = ask->token, .code = ARTEL_EAGAIN, .text = artel_str("too many questions are waiting") } });
        return;
    }
    adopt->token = token;
    adopt->until = artel_now_ms() + (int64_t) wait_ms;
    STAILQ_INSERT_TAIL(&self->adopts, adopt, next);
    artel_handler_adopt_next(self);
}

//  Artifacts.

//  What the handler has forgotten, or never knew as it is a new one, the sink may know.
static bool
s_recall(self_t *self, const turn_t *turn, const artel_msg_artifact_poll_response_t *r)
{
    uint64_t token = r->state == ARTEL_POLL_UNKNOWN ? s_add_asker(self, &turn->peer, 0, r->sink) : 0;
    if (token)
        artel_wire_send(&self->wire, self->sender, "sender", &(artel_msg_t) { .id = ARTEL_MSG_RECALL,
            .recall = { token, r->xid, r->sink } });
    return token != 0;
}

static void
s_on_artifact_poll(self_t *self, turn_t *turn)
{
    const artel_msg_artifact_poll_t *poll = &turn->msg.artifact_poll;
    artel_msg_artifact_poll_response_t r = artel_xids_poll(self->xids, poll->xid, poll->sink);
    uint64_t wait_ms = poll->wait_ms < ARTEL_POLL_PARK_MS ? poll->wait_ms : ARTEL_POLL_PARK_MS;
    int sink = artel_sinks_find(self->sinks, r.sink.at, r.sink.len);
    bool vain = sink >= 0 && self->troubles[sink].code == ARTEL_EPENDING;
    bool parked = r.state == ARTEL_POLL_PENDING && wait_ms && !vain
                  && artel_xids_park(self->xids, &turn->peer, poll->xid, poll->sink,
                                     artel_now_ms() + (int64_t) wait_ms);
    if (!parked && !s_recall(self, turn, &r))
        artel_handler_answer_poll(self, &turn->peer, &r);
}

//  What is in the journal is delivered all the same; the answer says who won.
static void
s_on_artifact_cancel(self_t *self, turn_t *turn)
{
    artel_msg_artifact_poll_response_t r =
        artel_xids_poll(self->xids, turn->msg.artifact_cancel.xid, (artel_str_t) { 0 });
    artel_handler_answer_poll(self, &turn->peer, &r);
}

//  A message of the clients' table without its function above doesn't compile.
artel_handler_fn *
artel_handler_from_client(int id)
{
    static artel_handler_fn *const table[] = {
#define M(number, NAME, name) [number] = s_on_##name,
        ARTEL_CLIENT_MSGS(M)
#undef M
        [ARTEL_MSG_BATCH] = s_on_batch,
    };
    return (size_t) id < sizeof table / sizeof *table ? table[id] : NULL;
}
