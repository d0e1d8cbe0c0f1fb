//  handler.c - the actor every client talks to.
//
//  It checks the heads of batches, keeps per writer how far they have come, and
//  passes them on unopened. It answers polls, and parks those that are not
//  ready. Completions are served before the clients' socket, so that no flood
//  of polls can starve them. It never waits for a client, a disk or a sink.

#include "handler_self.h"

#include "errors.h"
#include "idmap.h"

enum {
    MAX_TURN = 64,
    RCVHWM = 4, SNDHWM = 1000,          //  messages queued for or from a client, ipc
    HANDSHAKE_MS = 1000,
    BACKLOG = 1024,
};

static void
s_entry_free(void **entry_p)
{
    artel_handler_entry_t *entry = *entry_p;
    free(entry->account.costs);
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

void
artel_handler_reply(artel_handler_self_t *self, const artel_peer_t *peer, const artel_msg_t *msg)
{
    if (peer->size)
        artel_wire_reply(&self->wire, self->clients, peer, msg);
}

artel_handler_entry_t *
artel_handler_entry(artel_handler_self_t *self, artel_id_t writer)
{
    return zhashx_lookup(self->entries, writer.at);
}

void
artel_handler_close(artel_handler_self_t *self, artel_handler_entry_t *entry)
{
    self->n_open -= entry->open;
    entry->open = false;
}

void
artel_handler_drop(artel_handler_self_t *self, artel_handler_entry_t *entry)
{
    artel_id_t writer = entry->writer;
    artel_credit_done(&self->credit, &entry->account);
    zhashx_delete(self->entries, writer.at);
}

void
artel_handler_tell_marks(artel_handler_self_t *self, artel_handler_entry_t *entry)
{
    const artel_handler_trouble_t *trouble = &self->troubles[entry->stands_in ? entry->sink : self->sinks->primary];
    artel_handler_reply(self, &entry->peer, &(artel_msg_t) { .id = ARTEL_MSG_ACCEPTED, .accepted = {
        entry->writer, entry->accepted, entry->durable, entry->delivered, trouble->code,
        artel_str(trouble->text), artel_credit_tell(&self->credit, &entry->account, artel_now_ms()),
        entry->lost } });
}

void
artel_handler_answer_poll(void *arg, const artel_peer_t *peer,
                          const artel_msg_artifact_poll_response_t *response)
{
    artel_handler_self_t *self = arg;
    artel_msg_t msg = { .id = ARTEL_MSG_ARTIFACT_POLL_RESPONSE, .artifact_poll_response = *response };
    if (response->state == ARTEL_POLL_PENDING) {
        int sink = artel_sinks_find(self->sinks, response->sink.at, response->sink.len);
        msg.artifact_poll_response.status = self->troubles[sink].code;
        msg.artifact_poll_response.text = artel_str(self->troubles[sink].text);
    }
    artel_handler_reply(self, peer, &msg);
}

static int
s_read_pipe(void *arg)
{
    return artel_actor_read_pipe(((artel_handler_self_t *) arg)->pipe);
}

static int
s_read_writer(void *arg)
{
    artel_handler_self_t *self = arg;
    artel_wire_drain(&self->wire, self->writer, UINT32_MAX, artel_handler_from_node, self);
    return 0;
}

static int
s_read_sender(void *arg)
{
    artel_handler_self_t *self = arg;
    artel_wire_drain(&self->wire, self->sender, UINT32_MAX, artel_handler_from_node, self);
    return 0;
}

//  Read the message, of a batch only the head: what a client may send, or NULL.
static artel_handler_fn *
s_understand(artel_handler_self_t *self, artel_handler_turn_t *turn)
{
    size_t used, size = zmq_msg_size(&turn->frame);
    msgpack_zone_clear(&self->wire.zone);
    if (artel_msg_unpack(zmq_msg_data(&turn->frame), size, &self->wire.zone, &turn->msg, &used) != 0
        || (used != size && turn->msg.id != ARTEL_MSG_BATCH))
        return NULL;
    return artel_handler_from_client(turn->msg.id);
}

//  Do what one message asks; whether it was a batch.
static bool
s_serve(artel_handler_self_t *self, artel_handler_turn_t *turn)
{
    artel_handler_fn *fn = s_understand(self, turn);
    if (!fn) {
        artel_handler_reply(self, &turn->peer, &(artel_msg_t) { .id = ARTEL_MSG_ERROR, .error = {
            ARTEL_EPROTO, artel_str("not a message that a client may send") } });
        return false;
    }
    fn(self, turn);
    return turn->msg.id == ARTEL_MSG_BATCH;
}

//  Batches are taken while there are any. After anything else completions have
//  their turn; and to look here for more would take as long as to answer a poll.
static int
s_read_clients(void *arg)
{
    artel_handler_self_t *self = arg;
    artel_handler_turn_t turn;
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
    artel_handler_self_t *self = arg;
    int64_t now = artel_now_ms();
    int64_t next = artel_xids_expire(self->xids, now, artel_handler_answer_poll, self);
    return next < 0 ? -1 : (int) (next - now);
}

//  Of other processes' messages few are queued, as many bytes as the credit says; who does not
//  greet is dropped; and another user's are refused, should they get into the socket's folder.
static int
s_guard_clients(zsock_t *clients)
{
    uid_t uid = geteuid();
    zsock_set_rcvhwm(clients, RCVHWM);
    zsock_set_sndhwm(clients, SNDHWM);
    zsock_set_handshake_ivl(clients, HANDSHAKE_MS);
    zsock_set_backlog(clients, BACKLOG);
    if (zmq_setsockopt(zsock_resolve(clients), ZMQ_IPC_FILTER_UID, &uid, sizeof uid) != 0)
        return artel_error_of_errno(errno);
    return 0;
}

static int
s_open(artel_handler_self_t *self, const artel_handler_args_t *args)
{
    self->writer = args->writer;
    self->sender = args->sender;
    self->sinks = args->sinks;
    self->state = args->state;
    self->wanted = args->wanted;
    self->foreign = strncmp(args->clients, "ipc:", 4) == 0;
    self->entries = artel_idmap_new(s_entry_free);
    self->askers = artel_idmap_new(s_free);
    STAILQ_INIT(&self->adopts);
    self->xids = artel_xids_new(args->sinks);
    int rc = artel_wire_init(&self->wire, "handler");
    if (rc == 0 && !self->xids)
        rc = ARTEL_ENOMEM;
    if (rc == 0 && !(self->clients = artel_sock_new(ZMQ_ROUTER)))
        rc = ARTEL_EMFILE;
    if (rc == 0 && self->foreign)
        rc = s_guard_clients(self->clients);
    if (rc == 0 && zsock_bind(self->clients, "%s", args->clients) < 0)
        rc = artel_error_of_errno(errno);
    return rc;
}

static void
s_close(artel_handler_self_t *self)
{
    zsock_destroy(&self->clients);
    zsock_destroy(&self->writer);
    zsock_destroy(&self->sender);
    zhashx_destroy(&self->entries);
    zhashx_destroy(&self->askers);
    for (artel_handler_adopt_t *adopt; (adopt = STAILQ_FIRST(&self->adopts)); free(adopt))
        STAILQ_REMOVE_HEAD(&self->adopts, next);
    artel_xids_destroy(&self->xids);
    artel_wire_done(&self->wire);
}

void
artel_handler(zsock_t *pipe, void *arg)
{
    artel_handler_args_t *args = arg;
    artel_actor_enter(&args->start);
    artel_handler_self_t self = { .pipe = pipe };
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
