//  lane.h - one journal on its way to one sink.
//
//  A lane knows how far its sink has come and reads on from there. While it is
//  open it holds the sink's lock on the journal: whoever has it delivers. No
//  socket; one thread.

#ifndef ARTEL_LANE_H
#define ARTEL_LANE_H

#include "bounds.h"
#include "outcomes.h"
#include "reader.h"

#include <sys/queue.h>

typedef enum {
    ARTEL_LANE_NEW,             //  not open
    ARTEL_LANE_ASKING,          //  open; the sink was asked where it stands
    ARTEL_LANE_READY,           //  open; batches may be sent
    ARTEL_LANE_DRAINING,        //  open; one failed, the rest must be answered first
} artel_lane_state_t;

//  Where it stands among the lanes of its sink (turns.h).
typedef enum {
    ARTEL_TURN_NONE,
    ARTEL_TURN_READY,           //  wants to be opened, or to send
    ARTEL_TURN_IDLE,            //  open, with nothing to send and nothing on its way
    ARTEL_TURN_WAITING,         //  until retry_at
} artel_turn_t;

typedef struct artel_lane {
    artel_lane_state_t state;
    bool known;                 //  the sink has said where it stands
    bool gone;                  //  the journal was not there when it was last to be opened
    void *owner;                //  whose lane it is; not the lane's business
    artel_journal_reader_t *reader;
    artel_outcomes_t *outcomes;
    uint64_t delivered;         //  the sink has everything up to here
    uint64_t sent;              //  last batch handed to the backend
    uint64_t lost;              //  batches before it that could not be read, of those read for
    uint64_t lost_to;           //  ... up to this one
    uint64_t on_way[ARTEL_DELIVER_WINDOW];  //  batches sent, and neither taken nor answered, in order
    unsigned n_on_way;
    unsigned asks;              //  questions for the position that are not answered
    unsigned failures;          //  in a row
    artel_turn_t turn;
    unsigned delay;             //  (WAITING) in which queue
    int64_t retry_at;           //  (WAITING) ms, monotonic
    TAILQ_ENTRY(artel_lane) link;
} artel_lane_t;

//  Take the sink's lock and open the journal. ARTEL_ELOCKED: another process delivers it. ARTEL_ENOENT:
//  somebody has removed it.
int
artel_lane_open(artel_lane_t *lane, const char *state, const char *run, artel_id_t writer,
                const char *sink);

//  The sink's answer: everything up to counter is there. Go on behind it.
void
artel_lane_start(artel_lane_t *lane, uint64_t counter);

//  The next batch to send, if there is one up to committed: 1, 0, or a code of the reader.
//  All that is committed is there; what cannot be read of it is passed. Behind a 0 where
//  there should have been one, close the lane.
int
artel_lane_next(artel_lane_t *lane, uint64_t committed, uint64_t *ret_counter, const void **ret_data,
                size_t *ret_len);

//  The backend holds everything up to counter by itself. Returns how many batches that takes from the way.
unsigned
artel_lane_taken(artel_lane_t *lane, uint64_t counter);

//  The sink has everything up to counter. Returns how many batches that answers.
unsigned
artel_lane_answered(artel_lane_t *lane, uint64_t counter);

//  The journal is gone: what the sink has not of what is committed is lost.
void
artel_lane_give_up(artel_lane_t *lane, uint64_t committed);

//  Close what is open; the lock is free for others.
void
artel_lane_close(artel_lane_t *lane);

#endif
