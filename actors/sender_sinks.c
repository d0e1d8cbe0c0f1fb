//  sender_sinks.c - lanes and backends: opening, sending, answers, failures.

#include "sender_self.h"

#include "errors.h"

enum { LOCKED_FAILURES = 4 };   //  who waits for another process's lock looks within 0.8 s

typedef artel_sender_self_t self_t;
typedef artel_sender_entry_t entry_t;

void
artel_sender_ask(artel_sender_self_t *self, size_t sink, const artel_msg_t *msg)
{
    artel_wire_send(&self->wire, self->backends[sink], self->sinks->at[sink].kind, msg);
}

//  Of the sinks that a journal wants the one whose marks are its writer's.
static size_t
s_first(const self_t *self, unsigned wanted)
{
    size_t i = 0;
    if (!wanted || wanted & 1u << self->sinks->primary)
        return self->sinks->primary;
    while (!(wanted & 1u << i))
        i++;
    return i;
}

//  How far a journal has come, and whether its sink goes on.
static void
s_tell_delivered(self_t *self, const entry_t *entry, size_t sink)
{
    const artel_sender_trouble_t *trouble = &self->troubles[sink];
    artel_sender_tell_handler(self, &(artel_msg_t) { .id = ARTEL_MSG_DELIVERED, .delivered = {
        .writer = entry->writer, .sink = artel_str(self->sinks->at[sink].name),
        .counter = entry->lanes[sink].delivered, .code = trouble->code,
        .text = artel_str(trouble->text), .lost = entry->lanes[sink].lost,
        .stands_in = sink != self->sinks->primary && entry->knows_sinks && sink == entry->first } });
}

static void
s_ask_position(self_t *self, entry_t *entry, size_t sink)
{
    entry->lanes[sink].asks++;
    artel_sender_ask(self, sink, &(artel_msg_t) { .id = ARTEL_MSG_POSITION_GET, .position_get = {
        artel_str(entry->run), entry->writer } });
}

static void
s_close_lane(self_t *self, artel_lane_t *lane, size_t sink)
{
    artel_turns_t *turns = &self->turns[sink];
    turns->open -= lane->state != ARTEL_LANE_NEW;
    turns->busy -= lane->n_on_way + (lane->state == ARTEL_LANE_ASKING);
    artel_lane_close(lane);
}

void
artel_sender_close_lanes(artel_sender_self_t *self, artel_sender_entry_t *entry)
{
    for (size_t i = 0; i < self->sinks->n; i++) {
        s_close_lane(self, &entry->lanes[i], i);
        artel_turns_move(&self->turns[i], &entry->lanes[i], ARTEL_TURN_NONE);
    }
}

bool
artel_sender_learn_sinks(artel_sender_self_t *self, artel_sender_entry_t *entry)
{
    artel_journal_reader_t *reader = NULL;
    if (entry->knows_sinks)
        return true;
    int rc = artel_journal_reader_open(self->state, entry->run, entry->writer, &reader);
    if (rc != 0 && rc != ARTEL_ENOENT)
        return false;
    const char *list = reader ? artel_journal_reader_sinks(reader) : "";    //  if it is gone any may have had it
    entry->wanted = artel_sinks_wanted(self->sinks, list, &entry->missing);
    entry->first = s_first(self, entry->wanted);
    entry->knows_sinks = rc == 0;
    artel_journal_reader_close(&reader);
    for (size_t i = 0; i < self->sinks->n; i++)
        if ((entry->wanted & 1u << i) && !self->backends[i]) {
            entry->wanted &= ~(1u << i);
            entry->missing++;
        }
    return true;
}

//  Whether a lane has something to open for, or to send.
static bool
s_has_more(const entry_t *entry, size_t sink)
{
    const artel_lane_t *lane = &entry->lanes[sink];
    if (entry->knows_sinks && !(entry->wanted & 1u << sink))
        return false;
    if (lane->state == ARTEL_LANE_NEW)
        return !lane->known || lane->delivered < entry->committed;
    return lane->state == ARTEL_LANE_READY && lane->sent < entry->committed;
}

//  What a lane wants next.
static void
s_requeue(self_t *self, entry_t *entry, size_t sink)
{
    artel_lane_t *lane = &entry->lanes[sink];
    bool more = s_has_more(entry, sink);
    artel_turn_t to = more ? ARTEL_TURN_READY
                      : lane->state == ARTEL_LANE_READY && lane->delivered == lane->sent ? ARTEL_TURN_IDLE
                      : ARTEL_TURN_NONE;
    if (lane->turn != to || more)
        artel_turns_move(&self->turns[sink], lane, to);
}

void
artel_sender_advance(artel_sender_self_t *self, artel_sender_entry_t *entry, size_t sink)
{
    artel_lane_t *lane = &entry->lanes[sink];
    if (!self->backends[sink])
        s_tell_delivered(self, entry, sink);
    else if (lane->turn != ARTEL_TURN_WAITING && lane->turn != ARTEL_TURN_READY)
        s_requeue(self, entry, sink);
}

//  A lane that cannot go on now.
static void
s_put_off(self_t *self, artel_lane_t *lane, size_t sink, unsigned longest)
{
    s_close_lane(self, lane, sink);
    artel_turns_lane_failed(&self->turns[sink], lane, artel_now_ms(), longest);
}

//  Open a lane and ask its sink where it stands; that answer wins. If another
//  process delivers, or the journal is gone, only ask.
static void
s_open_lane(self_t *self, entry_t *entry, size_t sink)
{
    artel_lane_t *lane = &entry->lanes[sink];
    artel_turns_t *turns = &self->turns[sink];
    if (!artel_sender_learn_sinks(self, entry)) {
        s_put_off(self, lane, sink, UINT32_MAX);
        return;
    }
    if (!s_has_more(entry, sink)) {
        s_requeue(self, entry, sink);
        artel_sender_retire(self, entry);
        return;
    }
    int rc = artel_lane_open(lane, self->state, entry->run, entry->writer, self->sinks->at[sink].name);
    if (rc != 0) {
        s_put_off(self, lane, sink, rc == ARTEL_ELOCKED ? LOCKED_FAILURES : UINT32_MAX);
        if (rc == ARTEL_ELOCKED || lane->gone)
            s_ask_position(self, entry, sink);
        return;
    }
    lane->state = ARTEL_LANE_ASKING;
    turns->open++;
    turns->busy++;
    artel_turns_move(turns, lane, ARTEL_TURN_NONE);
    s_ask_position(self, entry, sink);
}

//  Hand out one batch.
static void
s_send_one(self_t *self, entry_t *entry, size_t sink)
{
    artel_lane_t *lane = &entry->lanes[sink];
    artel_msg_t msg = { .id = ARTEL_MSG_DELIVER, .deliver = {
        .run = artel_str(entry->run), .writer = entry->writer, .after = lane->sent } };
    const void *data;
    int rc = artel_lane_next(lane, entry->committed, &msg.deliver.counter, &data, &msg.deliver.batch.len);
    if (rc > 0) {
        msg.deliver.batch.at = data;
        self->turns[sink].busy++;
        artel_sender_ask(self, sink, &msg);
        s_requeue(self, entry, sink);
    } else if (lane->n_on_way) {                //  it is put off when all is answered
        lane->state = ARTEL_LANE_DRAINING;
        artel_turns_move(&self->turns[sink], lane, ARTEL_TURN_NONE);
        s_ask_position(self, entry, sink);
    } else {                                    //  durable, but not to be read: again later
        s_put_off(self, lane, sink, UINT32_MAX);
    }
}

//  A lane that wants to be opened when all open ones are busy goes to the end.
static bool
s_may_open(self_t *self, artel_lane_t *lane, size_t sink)
{
    artel_turns_t *turns = &self->turns[sink];
    artel_lane_t *close;
    if (!artel_turns_make_room(turns, &close)) {
        artel_turns_move(turns, lane, ARTEL_TURN_READY);
        return false;
    }
    if (close) {
        s_close_lane(self, close, sink);
        artel_turns_move(turns, close, ARTEL_TURN_NONE);
    }
    return true;
}

void
artel_sender_pump(artel_sender_self_t *self, size_t sink)
{
    artel_turns_t *turns = &self->turns[sink];
    int64_t now = artel_now_ms();
    artel_lane_t *lane;
    for (unsigned passed = 0; passed <= turns->n_ready && (lane = artel_turns_next(turns, now)); ) {
        if (lane->state == ARTEL_LANE_READY)
            s_send_one(self, lane->owner, sink);
        else if (s_may_open(self, lane, sink))
            s_open_lane(self, lane->owner, sink);
        else
            passed++;
    }
}

//  A sink that does not go on: told, and tried again.
static void
s_sink_failed(self_t *self, entry_t *entry, size_t sink, int64_t code, artel_str_t text)
{
    artel_sender_trouble_t *trouble = &self->troubles[sink];
    trouble->code = code;
    snprintf(trouble->text, sizeof trouble->text, "%.*s", (int) text.len, text.at ? text.at : "");
    artel_turns_sink_failed(&self->turns[sink], artel_now_ms());
    s_tell_delivered(self, entry, sink);
}

//  The messages of a backend, one function each.

//  How far the sink has come, also if this lane is not open: then another process
//  delivers the journal, or it is gone, or it was put off. That a sink can say it does not mean
//  that it takes more.
static void
s_take_position(self_t *self, entry_t *entry, size_t sink, uint64_t counter)
{
    artel_lane_t *lane = &entry->lanes[sink];
    if (lane->state == ARTEL_LANE_ASKING) {
        artel_lane_start(lane, counter);
        self->turns[sink].busy--;
    } else {
        self->turns[sink].busy -= artel_lane_answered(lane, counter);
        lane->known = true;
        if (lane->gone)
            artel_lane_give_up(lane, entry->committed);
    }
    s_tell_delivered(self, entry, sink);
}

static void
s_on_position(self_t *self, entry_t *entry, size_t sink, const artel_msg_t *msg)
{
    artel_lane_t *lane = &entry->lanes[sink];
    lane->asks -= lane->asks > 0;
    if (lane->asks)
        return;                                 //  the last answer counts
    bool drained = lane->state == ARTEL_LANE_DRAINING;
    if (msg->position.code == 0)
        s_take_position(self, entry, sink, msg->position.counter);
    else
        s_sink_failed(self, entry, sink, msg->position.code, msg->position.text);
    if (drained || lane->state == ARTEL_LANE_ASKING)
        s_put_off(self, lane, sink, UINT32_MAX);
    else if (lane->state == ARTEL_LANE_READY)
        s_requeue(self, entry, sink);
    artel_sender_retire(self, entry);
}

//  After a failure nothing more is sent until the backend has answered what it
//  has: the position comes behind that.
static void
s_on_delivered(self_t *self, entry_t *entry, size_t sink, const artel_msg_t *msg)
{
    artel_lane_t *lane = &entry->lanes[sink];
    const artel_msg_delivered_t *delivered = &msg->delivered;
    if (lane->state != ARTEL_LANE_READY && lane->state != ARTEL_LANE_DRAINING)
        return;
    if (delivered->code != 0) {
        if (lane->state == ARTEL_LANE_DRAINING)
            return;
        lane->state = ARTEL_LANE_DRAINING;
        artel_turns_move(&self->turns[sink], lane, ARTEL_TURN_NONE);
        s_sink_failed(self, entry, sink, delivered->code, delivered->text);
        s_ask_position(self, entry, sink);
        return;
    }
    self->turns[sink].busy -= artel_lane_answered(lane, delivered->counter);
    lane->failures = 0;
    artel_turns_sink_works(&self->turns[sink]);
    self->troubles[sink] = (artel_sender_trouble_t) { 0 };
    s_tell_delivered(self, entry, sink);
    if (lane->state == ARTEL_LANE_READY)
        s_requeue(self, entry, sink);
    artel_sender_retire(self, entry);
}

//  The backend has room for more, but the sink has nothing yet.
static void
s_on_taken(self_t *self, entry_t *entry, size_t sink, uint64_t counter)
{
    artel_lane_t *lane = &entry->lanes[sink];
    if (lane->state != ARTEL_LANE_READY && lane->state != ARTEL_LANE_DRAINING)
        return;
    self->turns[sink].busy -= artel_lane_taken(lane, counter);
    if (lane->state == ARTEL_LANE_READY)
        s_requeue(self, entry, sink);
}

//  On disk first, then told. If it cannot be written the sink still knows it.
static void
s_on_artifact_done(self_t *self, entry_t *entry, size_t sink, const artel_msg_t *msg)
{
    const artel_msg_artifact_done_t *done = &msg->artifact_done;
    if (entry && entry->lanes[sink].outcomes) {
        artel_outcome_t outcome = { .counter = done->counter, .xid = done->xid,
            .status = done->status, .version = done->version, .fresh = done->fresh };
        snprintf(outcome.text, sizeof outcome.text, "%.*s", (int) done->text.len,
                 done->text.at ? done->text.at : "");
        (void) artel_outcomes_add(entry->lanes[sink].outcomes, &outcome);
    }
    artel_msg_t up = *msg;
    up.artifact_done.sink = artel_str(self->sinks->at[sink].name);
    artel_sender_tell_handler(self, &up);
}

void
artel_sender_take_back(void *arg, const artel_msg_t *msg, zmq_msg_t *frame)
{
    (void) frame;
    artel_sender_back_t *back = arg;
    self_t *self = back->self;
    entry_t *entry = NULL;
    switch (msg->id) {
    case ARTEL_MSG_POSITION:
        if ((entry = zhashx_lookup(self->entries, msg->position.writer.at)))
            s_on_position(self, entry, back->sink, msg);
        return;
    case ARTEL_MSG_DELIVERED:
        if ((entry = zhashx_lookup(self->entries, msg->delivered.writer.at)))
            s_on_delivered(self, entry, back->sink, msg);
        return;
    case ARTEL_MSG_TAKEN:
        if ((entry = zhashx_lookup(self->entries, msg->taken.writer.at)))
            s_on_taken(self, entry, back->sink, msg->taken.counter);
        return;
    case ARTEL_MSG_ARTIFACT_DONE:
        entry = zhashx_lookup(self->entries, msg->artifact_done.writer.at);
        s_on_artifact_done(self, entry, back->sink, msg);
        return;
    case ARTEL_MSG_RESOLVED:
    case ARTEL_MSG_RECALLED:
        artel_sender_tell_handler(self, msg);
        return;
    default:
        return;
    }
}
