//  Whose turn it is among the lanes of a sink.

#include <criterion/criterion.h>

#include "turns.h"

#include <time.h>

static artel_turns_t s_turns;
static artel_lane_t s_lanes[10];

static void
s_setup(void)
{
    artel_turns_init(&s_turns, 2);
}

TestSuite(turns, .init = s_setup, .timeout = 20);

static void
s_ready(int i)
{
    artel_turns_move(&s_turns, &s_lanes[i], ARTEL_TURN_READY);
}

Test(turns, go_round)
{
    for (int i = 0; i < 3; i++)
        s_ready(i);
    for (int i = 0; i < 9; i++) {
        artel_lane_t *lane = artel_turns_next(&s_turns, 0);
        cr_assert_eq(lane, &s_lanes[i % 3]);
        artel_turns_move(&s_turns, lane, ARTEL_TURN_READY);
    }
    artel_turns_move(&s_turns, &s_lanes[1], ARTEL_TURN_NONE);
    cr_assert_eq(s_turns.n_ready, 2);
    cr_assert_eq(artel_turns_next(&s_turns, 0), &s_lanes[0]);
}

Test(turns, nobody_has_one_while_the_window_is_full)
{
    s_ready(0);
    s_turns.busy = ARTEL_DELIVER_WINDOW;
    cr_assert_null(artel_turns_next(&s_turns, 0));
    s_turns.busy--;
    cr_assert_eq(artel_turns_next(&s_turns, 0), &s_lanes[0]);
}

Test(turns, a_sink_that_failed_rests_ever_longer_and_then_gets_one_at_a_time)
{
    int64_t now = 0;
    s_ready(0);
    for (int i = 0; i < 12; i++) {
        artel_turns_sink_failed(&s_turns, now);
        artel_turns_sink_failed(&s_turns, now);         //  of the same moment
        int64_t next = artel_turns_wake(&s_turns, now);
        int64_t delay = i < 8 ? 50 << i : 10000;
        cr_assert_eq(next - now, delay, "%d: %d", i, (int) (next - now));
        cr_assert_null(artel_turns_next(&s_turns, next - 1));
        cr_assert_eq(artel_turns_next(&s_turns, next), &s_lanes[0]);
        s_turns.busy = 1;
        cr_assert_null(artel_turns_next(&s_turns, next), "one at a time");
        s_turns.busy = 0;
        now = next;
    }
    artel_turns_sink_works(&s_turns);
    s_turns.busy = 1;
    cr_assert_eq(artel_turns_next(&s_turns, now), &s_lanes[0]);
}

Test(turns, a_lane_that_failed_waits_ever_longer_and_the_others_do_not)
{
    int64_t now = 0;
    s_ready(1);
    for (int i = 0; i < 12; i++) {
        artel_turns_lane_failed(&s_turns, &s_lanes[0], now, UINT32_MAX);
        int64_t next = artel_turns_wake(&s_turns, now);
        cr_assert_eq(next - now, i < 8 ? 50 << i : 10000);
        cr_assert_eq(artel_turns_next(&s_turns, now), &s_lanes[1]);
        cr_assert_eq(artel_turns_wake(&s_turns, next), -1);
        cr_assert_eq(s_lanes[0].turn, ARTEL_TURN_READY);
        now = next;
    }
}

Test(turns, a_lane_that_waits_for_a_lock_looks_again_soon)
{
    for (int i = 0; i < 10; i++)
        artel_turns_lane_failed(&s_turns, &s_lanes[0], 0, 4);
    cr_assert_eq(artel_turns_wake(&s_turns, 0), 800);
}

Test(turns, the_first_that_is_due_is_known_among_different_delays)
{
    s_lanes[0].failures = 5;
    artel_turns_lane_failed(&s_turns, &s_lanes[0], 0, UINT32_MAX);      //  1600
    artel_turns_lane_failed(&s_turns, &s_lanes[1], 1000, UINT32_MAX);   //  1050
    artel_turns_lane_failed(&s_turns, &s_lanes[2], 1010, UINT32_MAX);   //  1060
    cr_assert_eq(artel_turns_wake(&s_turns, 1010), 1050);
    cr_assert_eq(artel_turns_wake(&s_turns, 1055), 1060);
    cr_assert_eq(artel_turns_wake(&s_turns, 1060), 1600);
    cr_assert_eq(s_turns.n_ready, 2);
}

Test(turns, after_an_outage_nobody_waits_any_longer)
{
    s_lanes[0].failures = 8;
    artel_turns_lane_failed(&s_turns, &s_lanes[0], 0, UINT32_MAX);
    artel_turns_sink_failed(&s_turns, 0);
    artel_turns_sink_works(&s_turns);
    cr_assert_eq(s_turns.n_ready, 0, "one failure is no outage");
    artel_turns_sink_failed(&s_turns, 0);
    artel_turns_sink_failed(&s_turns, 50);
    artel_turns_sink_works(&s_turns);
    cr_assert_eq(s_turns.n_ready, 1);
}

Test(turns, the_lane_idle_for_longest_makes_room)
{
    artel_lane_t *close;
    cr_assert(artel_turns_make_room(&s_turns, &close));
    cr_assert_null(close);
    s_turns.open = 2;
    cr_assert_not(artel_turns_make_room(&s_turns, &close), "both are busy");
    artel_turns_move(&s_turns, &s_lanes[4], ARTEL_TURN_IDLE);
    artel_turns_move(&s_turns, &s_lanes[3], ARTEL_TURN_IDLE);
    cr_assert(artel_turns_make_room(&s_turns, &close));
    cr_assert_eq(close, &s_lanes[4]);
}

Test(turns, ten_thousand_waiting_lanes_cost_nothing)
{
    enum { N = 10000 };
    static artel_lane_t lanes[N];
    for (int i = 0; i < N; i++) {
        lanes[i].failures = (unsigned) i % 9;
        artel_turns_lane_failed(&s_turns, &lanes[i], i / 1000, UINT32_MAX);
    }
    struct timespec a, b;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
    for (int i = 0; i < 100000; i++)
        cr_assert_eq(artel_turns_wake(&s_turns, 20), 50);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
    double ns = ((double) (b.tv_sec - a.tv_sec) * 1e9 + (double) (b.tv_nsec - a.tv_nsec)) / 100000;
    cr_assert_lt(ns, 5000, "%.0f ns a look", ns);
}
