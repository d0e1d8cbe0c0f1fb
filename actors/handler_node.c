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
    if (!entry->open && !entry->opening && entry->closed && entry->retired >= entry->accepted)
        artel_handler_drop(self, entry);
}

//  Nothing that was passed is with the writer any more.
static void
s_forget_passed(self_t *self, entry_t *entry)
{
    artel_credit_give(&self->credit, &entry->account, UINT64_MAX);
    entry->resetting = false;
}

//  The marks of a journal that has been opened.
static void
s_begin(self_t *self, entry_t *entry, artel_msg_run_opened_t *opened)
{
    int64_t now = artel_now_ms();
    s_forget_passed(self, entry);
    entry->closed = false;
    entry->dead = 0;
    entry->passed = entry->accepted = opened->accepted;
    entry->asked = 0;
    entry->durable = opened->durable;
    entry->next_step = opened->next_step;
    artel_credit_begin(&self->credit, &entry->account, now);
    opened->credit = artel_credit_tell(&self->credit, &entry->account, now);
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
    self->n_open -= !entry->open;
    if (entry->open)
        s_begin(self, entry, &up.run_opened);
    artel_handler_reply(self, &entry->peer, &up);
    if (!entry->open && !entry->passed)         //  it never was
        artel_handler_drop(self, entry);
}

static void
s_on_accepted(self_t *self, const artel_msg_t *msg)
{
    entry_t *entry = artel_handler_entry(self, msg->accepted.writer);
    if (!entry)
        return;
    artel_credit_give(&self->credit, &entry->account, msg->accepted.accepted - entry->accepted);
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

//  The writer drops what it gets for this journal until our reset, and sends that back when it
//  has dropped it all. Then the client is told, and sends again what was not accepted.
static void
s_on_refused(self_t *self, const artel_msg_t *msg)
{
    const artel_msg_refused_t *refused = &msg->refused;
    entry_t *entry = artel_handler_entry(self, refused->writer);
    if (!entry)
        return;
    entry->passed = entry->accepted;
    if (entry->asked > entry->accepted)
        entry->asked = entry->accepted;
    entry->resetting = true;
    artel_wire_send(&self->wire, self->writer, "writer", &(artel_msg_t) { .id = ARTEL_MSG_RESET, .reset = {
        refused->writer, refused->counter, refused->code, refused->text } });
}

static void
s_on_reset(self_t *self, const artel_msg_t *msg)
{
    const artel_msg_reset_t *reset = &msg->reset;
    entry_t *entry = artel_handler_entry(self, reset->writer);
    if (!entry)
        return;
    s_forget_passed(self, entry);
    artel_handler_reply(self, &entry->peer, &(artel_msg_t) { .id = ARTEL_MSG_REFUSED, .refused = {
        reset->writer, reset->counter, reset->code, reset->text } });
}

static void
s_on_closed(self_t *self, const artel_msg_t *msg)
{
    entry_t *entry = artel_handler_entry(self, msg->closed.writer);
    if (!entry)
        return;
    entry->closed = true;
    s_forget_passed(self, entry);
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
    if (news && delivered->code == ARTEL_EPENDING)      //  nothing will change that by itself: who is parked asks again
        (void) artel_xids_expire(self->xids, INT64_MAX, artel_handler_answer_poll, self);
    entry_t *entry = artel_handler_entry(self, delivered->writer);
    if (!entry || (!delivered->stands_in && (entry->stands_in || (size_t) sink != self->sinks->primary)))
        return;
    entry->stands_in = delivered->stands_in;
    entry->sink = (size_t) sink;
    news |= delivered->counter > entry->delivered;
    if (delivered->counter > entry->delivered)
        entry->delivered = delivered->counter;
    entry->lost = delivered->lost;
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
        [ARTEL_MSG_RESET] = s_on_reset,
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
