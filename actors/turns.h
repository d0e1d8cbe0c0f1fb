//  turns.h - the lanes of one sink: who sends next, who waits, who may be closed.
//
//  A sink that fails is tried again after a delay that doubles from 50 ms to
//  10 s, with one batch at a time, and so is each lane that failed. Nothing here
//  costs more than a few steps, however many lanes there are. No socket; one thread.

#ifndef ARTEL_TURNS_H
#define ARTEL_TURNS_H

#include "lane.h"

enum { ARTEL_TURN_DELAYS = 9 };         //  50 ms << 0 to << 8, the last cut to 10 s

typedef TAILQ_HEAD(artel_lanes, artel_lane) artel_lanes_t;

typedef struct {
    artel_lanes_t ready, idle;          //  oldest first
    artel_lanes_t waiting[ARTEL_TURN_DELAYS];   //  by delay, and so each by time
    unsigned n_ready;
    unsigned open, max_open;            //  lanes that hold descriptors
    unsigned busy;                      //  batches and first questions not answered
    unsigned failures;                  //  of the sink, in a row
    int64_t retry_at;                   //  nothing before this, ms monotonic
} artel_turns_t;

void
artel_turns_init(artel_turns_t *self, unsigned max_open);

//  Move a lane; READY goes to the end of the queue.
void
artel_turns_move(artel_turns_t *self, artel_lane_t *lane, artel_turn_t to);

//  The lane whose turn it is, or NULL if nobody wants one or the sink takes no more now.
artel_lane_t *
artel_turns_next(artel_turns_t *self, int64_t now);

//  Make room for one more open lane; false if all are busy. The lane to close first,
//  if one must be, is in *ret_close.
bool
artel_turns_make_room(artel_turns_t *self, artel_lane_t **ret_close);

//  A lane has failed, and waits; at most as long as `longest` failures would make it.
void
artel_turns_lane_failed(artel_turns_t *self, artel_lane_t *lane, int64_t now, unsigned longest);

//  The sink has failed, or it works.
void
artel_turns_sink_failed(artel_turns_t *self, int64_t now);
void
artel_turns_sink_works(artel_turns_t *self);

//  Make the lanes whose time has come ready. Returns when there is something to
//  do next (ms, monotonic), or -1.
int64_t
artel_turns_wake(artel_turns_t *self, int64_t now);

#endif
