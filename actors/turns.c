//  turns.c - the lanes of one sink, in queues.

#include "turns.h"

enum { FIRST_MS = 50, LONGEST_MS = 10000 };

static int64_t
s_delay_ms(unsigned failures)
{
    int64_t delay = (int64_t) FIRST_MS << failures;
    return delay < LONGEST_MS ? delay : LONGEST_MS;
}

void
artel_turns_init(artel_turns_t *self, unsigned max_open)
{
    *self = (artel_turns_t) { .max_open = max_open };
    TAILQ_INIT(&self->ready);
    TAILQ_INIT(&self->idle);
    for (size_t i = 0; i < ARTEL_TURN_DELAYS; i++)
        TAILQ_INIT(&self->waiting[i]);
}

static artel_lanes_t *
s_queue(artel_turns_t *self, const artel_lane_t *lane)
{
    switch (lane->turn) {
    case ARTEL_TURN_READY: return &self->ready;
    case ARTEL_TURN_IDLE: return &self->idle;
    case ARTEL_TURN_WAITING: return &self->waiting[lane->delay];
    default: return NULL;
    }
}

void
artel_turns_move(artel_turns_t *self, artel_lane_t *lane, artel_turn_t to)
{
    artel_lanes_t *queue = s_queue(self, lane);
    if (queue)
        TAILQ_REMOVE(queue, lane, link);
    self->n_ready -= lane->turn == ARTEL_TURN_READY;
    lane->turn = to;
    self->n_ready += to == ARTEL_TURN_READY;
    queue = s_queue(self, lane);
    if (queue)
        TAILQ_INSERT_TAIL(queue, lane, link);
}

artel_lane_t *
artel_turns_next(artel_turns_t *self, int64_t now)
{
    unsigned window = self->failures ? 1 : ARTEL_DELIVER_WINDOW;
    if (self->busy >= window || now < self->retry_at)
        return NULL;
    return TAILQ_FIRST(&self->ready);
}

bool
artel_turns_make_room(artel_turns_t *self, artel_lane_t **ret_close)
{
    *ret_close = NULL;
    if (self->open < self->max_open)
        return true;
    *ret_close = TAILQ_FIRST(&self->idle);
    return *ret_close != NULL;
}

void
artel_turns_lane_failed(artel_turns_t *self, artel_lane_t *lane, int64_t now, unsigned longest)
{
    artel_turns_move(self, lane, ARTEL_TURN_NONE);
    lane->delay = lane->failures < longest ? lane->failures : longest;
    if (lane->delay >= ARTEL_TURN_DELAYS)
        lane->delay = ARTEL_TURN_DELAYS - 1;
    lane->failures++;
    lane->retry_at = now + s_delay_ms(lane->delay);
    artel_turns_move(self, lane, ARTEL_TURN_WAITING);
}

//  What fails together is one failure.
void
artel_turns_sink_failed(artel_turns_t *self, int64_t now)
{
    if (now < self->retry_at)
        return;
    unsigned n = self->failures < ARTEL_TURN_DELAYS ? self->failures : ARTEL_TURN_DELAYS - 1;
    self->failures++;
    self->retry_at = now + s_delay_ms(n);
}

static void
s_wake_all(artel_turns_t *self)
{
    artel_lane_t *lane;
    for (size_t i = 0; i < ARTEL_TURN_DELAYS; i++)
        while ((lane = TAILQ_FIRST(&self->waiting[i])))
            artel_turns_move(self, lane, ARTEL_TURN_READY);
}

//  After an outage nobody waits out a delay that was the sink's fault. One failure
//  is none: it may be the fault of a single lane.
void
artel_turns_sink_works(artel_turns_t *self)
{
    if (self->failures > 1)
        s_wake_all(self);
    self->failures = 0;
    self->retry_at = 0;
}

static int64_t
s_sooner(int64_t a, int64_t b)
{
    return a < 0 || b < a ? b : a;
}

int64_t
artel_turns_wake(artel_turns_t *self, int64_t now)
{
    int64_t next = -1;
    for (size_t i = 0; i < ARTEL_TURN_DELAYS; i++) {
        artel_lane_t *lane;
        while ((lane = TAILQ_FIRST(&self->waiting[i])) && lane->retry_at <= now)
            artel_turns_move(self, lane, ARTEL_TURN_READY);
        if (lane)
            next = s_sooner(next, lane->retry_at);
    }
    if (self->n_ready && now < self->retry_at)
        next = s_sooner(next, self->retry_at);
    return next;
}
