//  The handler's table of xids, and the polls parked in it.

#include <criterion/criterion.h>

#include "errors.h"
#include "xids.h"

static artel_xids_t *s_xids;
static artel_sinks_t s_sinks;
static const artel_peer_t s_a = { 5, { 0, 0, 0, 0, 1 } }, s_b = { 5, { 0, 0, 0, 0, 2 } };
static const artel_str_t s_primary, s_copy = { "copy", 4 };

//  What was answered last, and how often.
static unsigned s_answers;
static artel_peer_t s_peer;
static artel_msg_artifact_poll_response_t s_last;

static void
s_answer(void *arg, const artel_peer_t *peer, const artel_msg_artifact_poll_response_t *response)
{
    (void) arg;
    s_answers++;
    s_peer = *peer;
    s_last = *response;
}

static void
s_setup(void)
{
    char why[256];
    cr_assert_eq(artel_sinks_parse("store,copy=store:/x", &s_sinks, why, sizeof why), 0);
    s_xids = artel_xids_new(&s_sinks);
}

static void
s_teardown(void)
{
    artel_xids_destroy(&s_xids);
    artel_sinks_done(&s_sinks);
}

TestSuite(xids, .init = s_setup, .fini = s_teardown, .timeout = 30);

static artel_id_t
s_xid(unsigned n)
{
    artel_id_t xid = { { 0 } };
    memcpy(xid.at, &n, sizeof n);
    return xid;
}

static void
s_done(unsigned n, artel_str_t sink, int64_t version)
{
    artel_xids_done(s_xids, &(artel_msg_artifact_done_t) { .xid = s_xid(n), .sink = sink, .version = version });
}

Test(xids, one_that_never_passed_is_unknown)
{
    cr_assert_eq(artel_xids_poll(s_xids, s_xid(1), s_primary).state, ARTEL_POLL_UNKNOWN);
    s_done(1, s_primary, 3);
    cr_assert_eq(artel_xids_poll(s_xids, s_xid(1), s_primary).state, ARTEL_POLL_UNKNOWN,
                 "nobody here sent it");
}

Test(xids, each_sink_has_an_outcome_of_its_own)
{
    artel_xids_add(s_xids, s_xid(1));
    s_done(1, s_copy, 7);
    cr_assert_eq(artel_xids_poll(s_xids, s_xid(1), s_primary).state, ARTEL_POLL_PENDING);
    artel_msg_artifact_poll_response_t r = artel_xids_poll(s_xids, s_xid(1), s_copy);
    cr_assert_eq(r.state, ARTEL_POLL_READY);
    cr_assert_eq(r.version, 7);
}

Test(xids, a_sink_the_node_has_not_is_an_answer_and_no_wait)
{
    artel_xids_add(s_xids, s_xid(1));
    artel_msg_artifact_poll_response_t r = artel_xids_poll(s_xids, s_xid(1), artel_str("other"));
    cr_assert_eq(r.state, ARTEL_POLL_READY);
    cr_assert_eq(r.status, ARTEL_ENOENT);
    cr_assert_not(artel_xids_park(s_xids, &s_a, s_xid(1), artel_str("other"), 10));
}

Test(xids, why_it_was_refused_is_kept)
{
    artel_xids_add(s_xids, s_xid(1));
    artel_xids_done(s_xids, &(artel_msg_artifact_done_t) { .xid = s_xid(1), .sink = artel_str("store"),
        .status = ARTEL_EREFUSED, .version = -1, .text = artel_str("no blob") });
    artel_msg_artifact_poll_response_t r = artel_xids_poll(s_xids, s_xid(1), s_primary);
    cr_assert_eq(r.status, ARTEL_EREFUSED);
    cr_assert(artel_str_equal(r.text, artel_str("no blob")));
}

Test(xids, a_parked_poll_is_answered_once_its_sink_is_done)
{
    artel_xids_add(s_xids, s_xid(1));
    cr_assert(artel_xids_park(s_xids, &s_b, s_xid(1), s_primary, 100));
    s_done(1, s_copy, 7);
    artel_xids_release(s_xids, s_xid(1), s_answer, NULL);
    cr_assert_eq(s_answers, 0);
    s_done(1, s_primary, 2);
    artel_xids_release(s_xids, s_xid(1), s_answer, NULL);
    artel_xids_release(s_xids, s_xid(1), s_answer, NULL);
    cr_assert_eq(s_answers, 1);
    cr_assert_eq(s_last.version, 2);
    cr_assert_eq(s_peer.at[4], 2);
    cr_assert_eq(artel_xids_expire(s_xids, 1000, s_answer, NULL), -1);
    cr_assert_eq(s_answers, 1);
}

Test(xids, polls_expire_in_the_order_of_their_times)
{
    artel_xids_add(s_xids, s_xid(1));
    artel_xids_add(s_xids, s_xid(2));
    cr_assert(artel_xids_park(s_xids, &s_a, s_xid(1), s_primary, 300));
    cr_assert(artel_xids_park(s_xids, &s_b, s_xid(2), s_primary, 100));
    cr_assert(artel_xids_park(s_xids, &s_b, s_xid(1), s_copy, 200));
    cr_assert_eq(artel_xids_expire(s_xids, 50, s_answer, NULL), 100);
    cr_assert_eq(s_answers, 0);
    cr_assert_eq(artel_xids_expire(s_xids, 100, s_answer, NULL), 200);
    cr_assert_eq(s_answers, 1);
    cr_assert_eq(s_last.state, ARTEL_POLL_PENDING);
    cr_assert(artel_id_equal(s_last.xid, s_xid(2)));
    cr_assert_eq(artel_xids_expire(s_xids, 250, s_answer, NULL), 300);
    cr_assert_eq(artel_xids_expire(s_xids, 300, s_answer, NULL), -1);
    cr_assert_eq(s_answers, 3);
}

Test(xids, a_peer_parks_so_many_polls_and_another_as_many)
{
    artel_xids_add(s_xids, s_xid(1));
    for (int i = 0; i < ARTEL_MAX_PARKED; i++)
        cr_assert(artel_xids_park(s_xids, &s_a, s_xid(1), s_primary, 100));
    cr_assert_not(artel_xids_park(s_xids, &s_a, s_xid(1), s_primary, 100));
    cr_assert(artel_xids_park(s_xids, &s_b, s_xid(1), s_primary, 100));
    s_done(1, s_primary, 1);
    artel_xids_release(s_xids, s_xid(1), s_answer, NULL);
    cr_assert_eq(s_answers, ARTEL_MAX_PARKED + 1);
    artel_xids_add(s_xids, s_xid(2));
    cr_assert(artel_xids_park(s_xids, &s_a, s_xid(2), s_primary, 100), "it may again");
}

Test(xids, what_is_ready_is_not_parked)
{
    artel_xids_add(s_xids, s_xid(1));
    s_done(1, s_primary, 1);
    cr_assert_not(artel_xids_park(s_xids, &s_a, s_xid(1), s_primary, 100));
    cr_assert_not(artel_xids_park(s_xids, &s_a, s_xid(9), s_primary, 100));
}

Test(xids, the_oldest_is_forgotten_first_but_not_one_that_is_polled)
{
    for (unsigned n = 0; n < ARTEL_MAX_XIDS; n++)
        artel_xids_add(s_xids, s_xid(n));
    cr_assert(artel_xids_park(s_xids, &s_a, s_xid(0), s_primary, 100));
    artel_xids_add(s_xids, s_xid(ARTEL_MAX_XIDS));
    cr_assert_eq(artel_xids_poll(s_xids, s_xid(0), s_primary).state, ARTEL_POLL_PENDING);
    cr_assert_eq(artel_xids_poll(s_xids, s_xid(1), s_primary).state, ARTEL_POLL_UNKNOWN);
    cr_assert_eq(artel_xids_poll(s_xids, s_xid(2), s_primary).state, ARTEL_POLL_PENDING);
    cr_assert_eq(artel_xids_poll(s_xids, s_xid(ARTEL_MAX_XIDS), s_primary).state, ARTEL_POLL_PENDING);
}

Test(xids, a_table_with_parked_polls_can_be_destroyed)
{
    artel_xids_add(s_xids, s_xid(1));
    cr_assert(artel_xids_park(s_xids, &s_a, s_xid(1), s_primary, 100));
}
