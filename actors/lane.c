//  lane.c - one journal on its way to one sink.

#include "lane.h"

#include "errors.h"

int
artel_lane_open(artel_lane_t *lane, const char *state, const char *run, artel_id_t writer,
                const char *sink)
{
    int rc = artel_outcomes_open(state, run, writer, sink, &lane->outcomes);
    if (rc == 0)
        rc = artel_journal_reader_open(state, run, writer, &lane->reader);
    if (rc != 0)
        artel_lane_close(lane);
    return rc;
}

void
artel_lane_start(artel_lane_t *lane, uint64_t counter)
{
    lane->state = ARTEL_LANE_READY;
    lane->delivered = lane->sent = counter;
    lane->in_flight = 0;
    artel_journal_reader_seek(lane->reader, counter);
}

int
artel_lane_next(artel_lane_t *lane, uint64_t *ret_counter, const void **ret_data, size_t *ret_len)
{
    int rc = artel_journal_reader_next(lane->reader, ret_counter, ret_data, ret_len);
    if (rc == ARTEL_ECORRUPT) {                 //  what lies behind the hole is still good
        artel_journal_reader_salvage(lane->reader);
        rc = artel_journal_reader_next(lane->reader, ret_counter, ret_data, ret_len);
    }
    if (rc > 0) {
        lane->sent = *ret_counter;
        lane->in_flight++;
    }
    return rc;
}

void
artel_lane_back_off(artel_lane_t *lane, int64_t now)
{
    unsigned doublings = lane->failures < 8 ? lane->failures : 8;
    int64_t delay = 50 << doublings;
    artel_lane_close(lane);
    lane->failures++;
    lane->state = ARTEL_LANE_WAITING;
    lane->retry_at = now + (delay < 10000 ? delay : 10000);
}

void
artel_lane_close(artel_lane_t *lane)
{
    artel_journal_reader_close(&lane->reader);
    artel_outcomes_close(&lane->outcomes);
    lane->state = ARTEL_LANE_NEW;
    lane->in_flight = 0;
}
