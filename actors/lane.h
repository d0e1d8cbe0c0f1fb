//  lane.h - one journal on its way to one sink.
//
//  A lane knows how far its sink has come and reads on from there. It holds the
//  sink's lock on the journal: whoever has it delivers. No socket; one thread.

#ifndef ARTEL_LANE_H
#define ARTEL_LANE_H

#include "bounds.h"
#include "outcomes.h"
#include "reader.h"

typedef enum {
    ARTEL_LANE_NEW,             //  nothing opened yet
    ARTEL_LANE_ASKING,          //  the sink was asked where it stands
    ARTEL_LANE_READY,           //  batches may be sent
    ARTEL_LANE_WAITING,         //  until retry_at, then again from NEW
} artel_lane_state_t;

typedef struct {
    artel_lane_state_t state;
    artel_journal_reader_t *reader;
    artel_outcomes_t *outcomes;
    uint64_t delivered;         //  the sink has everything up to here
    uint64_t sent;              //  last batch handed to the backend
    unsigned in_flight;         //  batches sent and not answered
    unsigned failures;          //  in a row
    int64_t retry_at;           //  ms, monotonic
} artel_lane_t;

//  Take the sink's lock and open the journal. ARTEL_ELOCKED: another process delivers it.
int
artel_lane_open(artel_lane_t *lane, const char *state, const char *run, artel_id_t writer,
                const char *sink);

//  The sink's answer: everything up to counter is there.
void
artel_lane_start(artel_lane_t *lane, uint64_t counter);

//  The next batch to send, if there is one: 1, 0, or a code of the reader.
int
artel_lane_next(artel_lane_t *lane, uint64_t *ret_counter, const void **ret_data, size_t *ret_len);

//  Give up for now; try again after a delay that doubles from 50 ms to 10 s.
void
artel_lane_back_off(artel_lane_t *lane, int64_t now);

//  Close what is open; the lock is free for others.
void
artel_lane_close(artel_lane_t *lane);

#endif
