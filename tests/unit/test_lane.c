//  One journal on its way to one sink.

#include "actors.h"
#include "lane.h"

TestSuite(lane, .init = s_begin, .fini = s_end, .timeout = 30);

static const void *s_data;
static size_t s_len;

//  The counter of the next batch that is committed, or what else the lane says.
static int64_t
s_next_of(artel_lane_t *lane, uint64_t committed)
{
    uint64_t counter = 0;
    int rc = artel_lane_next(lane, committed, &counter, &s_data, &s_len);
    return rc > 0 ? (int64_t) counter : rc;
}

static int64_t
s_next(artel_lane_t *lane)
{
    return s_next_of(lane, UINT64_MAX);
}

Test(lane, goes_on_behind_what_the_sink_has)
{
    artel_lane_t lane = { 0 };
    s_make_journal("r", s_id, "store", 5, true);
    cr_assert_eq(artel_lane_open(&lane, s_state, "r", s_id, "store"), 0);
    artel_lane_start(&lane, 3);
    cr_assert_eq(lane.delivered, 3);
    cr_assert_eq(s_next(&lane), 4);
    cr_assert_eq(s_next(&lane), 5);
    cr_assert_eq(lane.sent, 5);
    cr_assert_eq(s_next(&lane), 0);
    artel_lane_close(&lane);
    cr_assert_eq(lane.state, ARTEL_LANE_NEW);
}

Test(lane, counts_what_is_on_its_way_and_what_an_answer_answers)
{
    artel_lane_t lane = { 0 };
    s_make_journal("r", s_id, "store", 5, true);
    cr_assert_eq(artel_lane_open(&lane, s_state, "r", s_id, "store"), 0);
    artel_lane_start(&lane, 0);
    for (int i = 1; i <= 4; i++)
        cr_assert_eq(s_next(&lane), i);
    cr_assert_eq(artel_lane_answered(&lane, 1), 1);
    cr_assert_eq(artel_lane_answered(&lane, 1), 0, "again");
    cr_assert_eq(artel_lane_answered(&lane, 3), 2, "two at once");
    cr_assert_eq(lane.n_on_way, 1);
    cr_assert_eq(lane.delivered, 3);
    artel_lane_close(&lane);
}

Test(lane, takes_no_more_than_the_window)
{
    artel_lane_t lane = { 0 };
    s_make_journal("r", s_id, "store", ARTEL_DELIVER_WINDOW + 1, true);
    cr_assert_eq(artel_lane_open(&lane, s_state, "r", s_id, "store"), 0);
    artel_lane_start(&lane, 0);
    for (int i = 1; i <= ARTEL_DELIVER_WINDOW; i++)
        cr_assert_eq(s_next(&lane), i);
    cr_assert_eq(s_next(&lane), 0);
    artel_lane_answered(&lane, 1);
    cr_assert_eq(s_next(&lane), ARTEL_DELIVER_WINDOW + 1);
    artel_lane_close(&lane);
}

Test(lane, is_one_processs_at_a_time_also_within_a_process)
{
    artel_lane_t a = { 0 }, b = { 0 };
    s_make_journal("r", s_id, "store", 1, true);
    cr_assert_eq(artel_lane_open(&a, s_state, "r", s_id, "store"), 0);
    cr_assert_eq(artel_lane_open(&b, s_state, "r", s_id, "store"), ARTEL_ELOCKED);
    cr_assert_eq(artel_lane_open(&b, s_state, "r", s_id, "copy"), 0, "another sink");
    artel_lane_close(&b);
    artel_lane_close(&a);
    cr_assert_eq(artel_lane_open(&b, s_state, "r", s_id, "store"), 0);
    artel_lane_close(&b);
}

Test(lane, of_no_journal_cannot_be_opened)
{
    artel_lane_t lane = { 0 };
    cr_assert_eq(artel_lane_open(&lane, s_state, "r", s_id, "store"), ARTEL_ENOENT);
    cr_assert_null(lane.reader);
    cr_assert_null(lane.outcomes);
}

//  Three batches of a journal that is closed, and a byte flipped in its only segment.
static void
s_make_damaged(long from_end)
{
    artel_journal_t *journal = s_create("r", s_id, "store");
    for (uint64_t i = 1; i <= 3; i++)
        s_append(journal, (batch_t) { .writer = s_id, .counter = i, .padding = 1000 });
    artel_journal_close(&journal);
    char id[ARTEL_ID_TEXT];
    artel_hex(s_id.at, sizeof s_id.at, id);
    char *path = artel_format("%s/runs/r/%s/00000001.seg", s_state, id);
    FILE *file = fopen(path, "r+");
    cr_assert_not_null(file, "%s", path);
    fseek(file, -from_end, SEEK_END);
    int byte = fgetc(file);
    fseek(file, -from_end, SEEK_END);
    fputc(byte ^ 1, file);
    fclose(file);
    free(path);
}

Test(lane, passes_a_hole_and_says_by_the_counter_that_there_is_one)
{
    artel_lane_t lane = { 0 };
    s_make_damaged(1700);
    cr_assert_eq(artel_lane_open(&lane, s_state, "r", s_id, "store"), 0);
    artel_lane_start(&lane, 0);
    cr_assert_eq(s_next_of(&lane, 3), 1);
    cr_assert_eq(s_next_of(&lane, 3), 3, "also in the last segment: it is committed");
    cr_assert_eq(lane.lost, 1);
    artel_lane_start(&lane, 1);                 //  the sink failed, and is sent it again
    artel_lane_close(&lane);
    cr_assert_eq(artel_lane_open(&lane, s_state, "r", s_id, "store"), 0);
    artel_lane_start(&lane, 1);
    cr_assert_eq(s_next_of(&lane, 3), 3);
    cr_assert_eq(lane.lost, 1, "one hole is counted once");
    artel_lane_close(&lane);
}

Test(lane, behind_a_hole_gives_nothing_that_is_not_committed)
{
    artel_lane_t lane = { 0 };
    s_make_damaged(1700);
    cr_assert_eq(artel_lane_open(&lane, s_state, "r", s_id, "store"), 0);
    artel_lane_start(&lane, 0);
    cr_assert_eq(s_next_of(&lane, 1), 1);
    cr_assert_eq(s_next_of(&lane, 1), 0, "it may still be written");
    cr_assert_eq(s_next_of(&lane, 2), 0);
    cr_assert_eq(lane.sent, 1);
    artel_lane_close(&lane);
}

Test(lane, of_a_journal_that_grows_sees_what_is_new)
{
    artel_lane_t lane = { 0 };
    artel_journal_t *journal = s_create("r", s_id, "store");
    s_append(journal, (batch_t) { .writer = s_id, .counter = 1 });
    cr_assert_eq(artel_lane_open(&lane, s_state, "r", s_id, "store"), 0);
    artel_lane_start(&lane, 0);
    cr_assert_eq(s_next(&lane), 1);
    cr_assert_eq(s_next(&lane), 0);
    s_append(journal, (batch_t) { .writer = s_id, .counter = 2 });
    cr_assert_eq(s_next(&lane), 2);
    artel_lane_close(&lane);
    artel_journal_close(&journal);
}
