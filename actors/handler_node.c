//  handler_node.c - what writer and sender tell the handler, one function a message.

#include "handler_self.h"

#include "errors.h"

typedef artel_handler_self_t self_t;
typedef artel_handler_entry_t entry_t;

//  An entry goes when the writer has closed its journal and the sender is done
//  with all of it: the two tell it in any order.
static void
s_drop_if_over(self_t *self, entry_t *entry)
{
    if (!entry->open && !entry->opening && entry->closed && entry->retired >= entry->accepted) {
        artel_id_t writer = entry->writer;
        zhashx_delete(self->entries, writer.at);
    }
}

//  A share of what is left, so that the sum stays bounded; one batch at least.
static void
s_grant(self_t *self, entry_t *entry)
{
    uint64_t share = self->credit_left / 8;
    if (share > ARTEL_CREDIT)
        share = ARTEL_CREDIT;
    if (share < ARTEL_MAX_MESSAGE)
        share = ARTEL_MAX_MESSAGE;
    entry->credit = share;
    self->credit_left -= share < self->credit_left ? share : self->credit_left;
}

static void
s_on_run_opened(self_t *self, const artel_msg_t *msg)
{
    entry_t *entry = artel_handler_entry(self, msg->run_opened.writer);
    if (!entry || !entry->opening)
        return;
    artel_msg_t up = *msg;
    entry->opening = false;
    entry->open = msg->run_opened.code == 0;
    if (entry->open) {
        entry->closed = false;
        entry->dead = 0;
        entry->passed = entry->accepted = msg->run_opened.accepted;
        entry->durable = msg->run_opened.durable;
        entry->next_step = msg->run_opened.next_step;
        s_grant(self, entry);
        up.run_opened.credit = entry->credit;
    }
    artel_handler_reply(self, &entry->peer, &up);
    if (!entry->open && !entry->passed) {       //  it never was
        artel_id_t writer = entry->writer;
        zhashx_delete(self->entries, writer.at);
    }
}

static void
s_on_accepted(self_t *self, const artel_msg_t *msg)
{
    entry_t *entry = artel_handler_entry(self, msg->accepted.writer);
    if (!entry)
        return;
    entry->accepted = msg->accepted.accepted;
    artel_handler_tell_marks(self, entry);
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
            artel_handler_reply(self, &entry->peer, &(artel_msg_t) {
                .id = ARTEL_MSG_ARTIFACT_SEND_RESPONSE,
                .artifact_send_response = { entry->waiting[i].xid } });
    }
    entry->n_waiting = kept;
}

void
artel_handler_tell_dead(artel_handler_self_t *self, const artel_handler_entry_t *entry)
{
    if (entry->dead)
        artel_handler_reply(self, &entry->peer, &(artel_msg_t) { .id = ARTEL_MSG_REFUSED, .refused = {
            .writer = entry->writer, .code = entry->dead, .text = artel_str(entry->dead_why) } });
}

static void
s_on_durable(self_t *self, const artel_msg_t *msg)
{
    entry_t *entry = artel_handler_entry(self, msg->durable.writer);
    if (!entry)
        return;
    if (msg->durable.code != 0) {               //  never to be durable; accepted it stays
        entry->dead = msg->durable.code;
        snprintf(entry->dead_why, sizeof entry->dead_why, "%.*s", (int) msg->durable.text.len,
                 msg->durable.text.at ? msg->durable.text.at : "");
        artel_handler_tell_dead(self, entry);
        return;
    }
    entry->durable = msg->durable.counter;
    s_respond_sends(self, entry);
    artel_handler_tell_marks(self, entry);
}

//  The writer drops what it gets for this journal until our reset; the client
//  sends again what was not accepted.
static void
s_on_refused(self_t *self, const artel_msg_t *msg)
{
    entry_t *entry = artel_handler_entry(self, msg->refused.writer);
    if (!entry)
        return;
    entry->passed = entry->accepted;
    artel_wire_send(&self->wire, self->writer, "writer", &(artel_msg_t) {
        .id = ARTEL_MSG_RESET, .reset = { entry->writer } });
    artel_handler_reply(self, &entry->peer, msg);
}

static void
s_on_closed(self_t *self, const artel_msg_t *msg)
{
    entry_t *entry = artel_handler_entry(self, msg->closed.writer);
    if (!entry)
        return;
    entry->closed = true;
    artel_handler_close(self, entry);           //  unasked: its program has died
    s_drop_if_over(self, entry);
}

static void
s_on_retired(self_t *self, const artel_msg_t *msg)
{
    entry_t *entry = artel_handler_entry(self, msg->retired.writer);
    if (!entry)
        return;
    entry->retired = msg->retired.counter;
    s_drop_if_over(self, entry);
}

static void
s_note_trouble(artel_handler_trouble_t *trouble, const artel_msg_delivered_t *msg)
{
    trouble->code = msg->code;
    snprintf(trouble->text, sizeof trouble->text, "%.*s", (int) msg->text.len,
             msg->text.at ? msg->text.at : "");
}

//  A journal's way to a sink, or why it does not go on there.
static void
s_on_delivered(self_t *self, const artel_msg_t *msg)
{
    const artel_msg_delivered_t *delivered = &msg->delivered;
    int sink = artel_sinks_find(self->sinks, delivered->sink.at, delivered->sink.len);
    if (sink < 0)
        return;
    artel_handler_trouble_t *trouble = &self->troubles[sink];
    bool news = trouble->code != delivered->code;
    s_note_trouble(trouble, delivered);
    entry_t *entry = artel_handler_entry(self, delivered->writer);
    if (!entry || (size_t) sink != self->sinks->primary)
        return;
    news |= delivered->counter > entry->delivered;
    if (delivered->counter > entry->delivered)
        entry->delivered = delivered->counter;
    if (news)
        artel_handler_tell_marks(self, entry);
}

static void
s_on_artifact_done(self_t *self, const artel_msg_t *msg)
{
    artel_xids_done(self->xids, &msg->artifact_done);
    artel_xids_release(self->xids, msg->artifact_done.xid, artel_handler_answer_poll, self);
}

static void
s_on_resolved(self_t *self, const artel_msg_t *msg)
{
    artel_handler_asker_t asker;
    if (!artel_handler_take_asker(self, msg->resolved.token, &asker))
        return;
    artel_msg_t up = *msg;
    up.resolved.token = asker.token;
    artel_handler_reply(self, &asker.peer, &up);
}

static void
s_on_adopted(self_t *self, const artel_msg_t *msg)
{
    artel_handler_asker_t asker;
    if (!artel_handler_take_asker(self, msg->adopted.token, &asker))
        return;
    artel_msg_t up = *msg;
    up.adopted.token = asker.token;
    artel_handler_reply(self, &asker.peer, &up);
    self->adopting = 0;
    artel_handler_adopt_next(self);
}

static void
s_on_recalled(self_t *self, const artel_msg_t *msg)
{
    const artel_msg_recalled_t *r = &msg->recalled;
    artel_handler_asker_t asker;
    if (!artel_handler_take_asker(self, r->token, &asker))
        return;
    artel_handler_answer_poll(self, &asker.peer, &(artel_msg_artifact_poll_response_t) { .xid = r->xid,
        .state = r->known ? ARTEL_POLL_READY : ARTEL_POLL_UNKNOWN,
        .sink = artel_str(self->sinks->at[asker.sink].name),
        .status = r->status, .version = r->version, .fresh = r->fresh, .text = r->text });
}

void
artel_handler_from_node(void *arg, const artel_msg_t *msg, zmq_msg_t *frame)
{
    static void (*const table[])(self_t *, const artel_msg_t *) = {
        [ARTEL_MSG_RUN_OPENED] = s_on_run_opened,
        [ARTEL_MSG_ACCEPTED] = s_on_accepted,
        [ARTEL_MSG_REFUSED] = s_on_refused,
        [ARTEL_MSG_DURABLE] = s_on_durable,
        [ARTEL_MSG_CLOSED] = s_on_closed,
        [ARTEL_MSG_RETIRED] = s_on_retired,
        [ARTEL_MSG_DELIVERED] = s_on_delivered,
        [ARTEL_MSG_ARTIFACT_DONE] = s_on_artifact_done,
        [ARTEL_MSG_RESOLVED] = s_on_resolved,
        [ARTEL_MSG_ADOPTED] = s_on_adopted,
        [ARTEL_MSG_RECALLED] = s_on_recalled,
    };
    (void) frame;
    if (msg->id < sizeof table / sizeof *table && table[msg->id])
        table[msg->id](arg, msg);
}
