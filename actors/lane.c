//  lane.c - one journal on its way to one sink.

#include "lane.h"

#include "errors.h"

#include <string.h>

int
artel_lane_open(artel_lane_t *lane, const char *state, const char *run, artel_id_t writer,
                const char *sink)
{
    int rc = artel_outcomes_open(state, run, writer, sink, &lane->outcomes);
    if (rc == 0)
        rc = artel_journal_reader_open(state, run, writer, &lane->reader);
    lane->gone = rc == ARTEL_ENOENT;
    if (rc != 0)
        artel_lane_close(lane);
    return rc;
}

void
artel_lane_start(artel_lane_t *lane, uint64_t counter)
{
    lane->state = ARTEL_LANE_READY;
    lane->known = true;
    lane->delivered = lane->sent = counter;
    lane->n_on_way = 0;
    artel_journal_reader_seek(lane->reader, counter);
}

//  What lies behind a hole is still good. In the last segment it looks like the end so far.
static int
s_read(artel_lane_t *lane, uint64_t *ret_counter, const void **ret_data, size_t *ret_len)
{
    int rc = artel_journal_reader_next(lane->reader, ret_counter, ret_data, ret_len);
    if (rc != ARTEL_ECORRUPT && rc != 0)
        return rc;
    artel_journal_reader_salvage(lane->reader);
    return artel_journal_reader_next(lane->reader, ret_counter, ret_data, ret_len);
}

//  What lies between the last batch and this counter is missing; it may have been before.
static void
s_count_lost(artel_lane_t *lane, uint64_t to)
{
    uint64_t from = lane->sent > lane->lost_to ? lane->sent : lane->lost_to;
    if (to <= from)
        return;
    lane->lost += to - from;
    lane->lost_to = to;
}

int
artel_lane_next(artel_lane_t *lane, uint64_t committed, uint64_t *ret_counter, const void **ret_data,
                size_t *ret_len)
{
    if (lane->n_on_way == ARTEL_DELIVER_WINDOW || lane->sent >= committed)
        return 0;
    int rc = s_read(lane, ret_counter, ret_data, ret_len);
    if (rc > 0 && *ret_counter > committed)
        return 0;
    if (rc > 0) {
        s_count_lost(lane, *ret_counter - 1);
        lane->sent = lane->on_way[lane->n_on_way++] = *ret_counter;
    }
    return rc;
}

unsigned
artel_lane_taken(artel_lane_t *lane, uint64_t counter)
{
    unsigned n = 0;
    while (n < lane->n_on_way && lane->on_way[n] <= counter)
        n++;
    lane->n_on_way -= n;
    memmove(lane->on_way, lane->on_way + n, lane->n_on_way * sizeof lane->on_way[0]);
    return n;
}

unsigned
artel_lane_answered(artel_lane_t *lane, uint64_t counter)
{
    if (counter > lane->delivered)
        lane->delivered = counter;
    return artel_lane_taken(lane, counter);
}

void
artel_lane_give_up(artel_lane_t *lane, uint64_t committed)
{
    if (committed <= lane->delivered)
        return;
    lane->sent = lane->delivered;
    s_count_lost(lane, committed);
    lane->sent = lane->delivered = committed;
}

void
artel_lane_close(artel_lane_t *lane)
{
    artel_journal_reader_close(&lane->reader);
    artel_outcomes_close(&lane->outcomes);
    lane->state = ARTEL_LANE_NEW;
    lane->n_on_way = 0;
}
