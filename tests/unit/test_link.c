//  The client's link, before a node that the test plays: what it sends, when, and what it makes
//  of refusals, forgotten xids, and silence.

#include "actor.h"
#include "client.h"
#include "link.h"
#include "played_node.h"

enum { MAX_BATCHES = 4096 };

static artel_t *s_client;
static atomic_int s_told;           //  sentences for the program

static void
s_count_log(void *arg, int level, const char *text)
{
    (void) arg;
    (void) level;
    (void) text;
    s_told++;
}

static void
s_setup(void)
{
    char why[64];
    s_node_start("inproc://a-node");
    s_client = artel_client_new(&(artel_options_t) { .log = s_count_log, .queue_ms = -1 });
    s_client->dir = strdup("/nowhere");
    cr_assert_eq(artel_targets_new("store,other=store:/x", &s_client->targets, why, sizeof why), 0);
    snprintf(s_client->endpoint, sizeof s_client->endpoint, "inproc://a-node");
    cr_assert_eq(artel_link_start(s_client), 0);
}

static void
s_teardown(void)
{
    artel_close(&s_client, 500);
    s_node_stop();
}

TestSuite(link, .init = s_setup, .fini = s_teardown, .timeout = 60);

static artel_run_t *
s_run(void)
{
    artel_run_t *run;
    cr_assert_eq(artel_run_start(s_client, NULL, &run), 0);
    return run;
}

//  A future of an artifact whose record is queued, as a worker leaves it.
static artel_future_t *
s_sent_future(artel_run_t *run)
{
    artel_future_t *future = artel_future_new(run);
    msgpack_sbuffer packed;
    msgpack_sbuffer_init(&packed);
    cr_assert_eq(artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_SEND, .artifact_send = {
        .xid = future->xid, .name = artel_str("m") } }, &packed), 0);
    future->record_size = packed.size;
    future->record = msgpack_sbuffer_release(&packed);
    msgpack_sbuffer_destroy(&packed);
    pthread_mutex_lock(&run->outbox.lock);
    cr_assert_eq(artel_outbox_add_packed(&run->outbox, future->record, future->record_size, &future->xid,
                                         &future->counter), 0);
    pthread_mutex_unlock(&run->outbox.lock);
    future->staged = true;
    return future;
}

static int64_t
s_now_ms(void)
{
    return artel_now_ms();
}

Test(link, sends_a_lone_record_by_itself)
{
    artel_run_t *run = s_run();
    cr_assert_eq(artel_run_log(run, "k", 0, 1), 0);
    for (int64_t end = s_now_ms() + WAIT_MS; s_node.accepted < 1 && s_now_ms() < end; )
        usleep(1000);
    cr_assert_geq(s_node.accepted, 1);
}

Test(link, gathers_the_records_of_a_millisecond_in_one_batch)
{
    artel_run_t *run = s_run();
    int64_t begin = s_now_ms();
    for (int i = 0; i < 2000; i++)
        cr_assert_eq(artel_run_log(run, "k", i, i), 0);
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), 0);
    int64_t took = s_now_ms() - begin;
    cr_assert(s_node.batches <= took + 4, "%d batches in %d ms", s_node.batches, (int) took);
}

Test(link, sends_a_refused_batch_again_byte_for_byte)
{
    artel_run_t *run = s_run();
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), 0);
    s_node.refuse = INT_MAX;                    //  the first may be over before the flush begins
    cr_assert_eq(artel_run_log(run, "k", 0, 1), 0);
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), ARTEL_ENOSPC);
    s_node.refuse = 0;
    int rc;
    while ((rc = artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS)) == ARTEL_ENOSPC)
        continue;                               //  one more was refused just before
    cr_assert_eq(rc, 0);
    cr_assert(s_node.resent);
}

Test(link, a_run_begins_with_the_step_the_node_says_and_then_counts_itself)
{
    s_node.next_step = 20;
    artel_run_t *run = s_run();
    cr_assert_eq(artel_run_log(run, "k", ARTEL_AUTO_STEP, 1), 0);
    cr_assert_eq(run->outbox.next_step, 21);
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), 0);
    s_node.forget = 1;
    s_node.next_step = 500;                     //  another program has joined
    cr_assert_eq(artel_run_log(run, "k", ARTEL_AUTO_STEP, 1), 0);
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), 0);
    cr_assert_eq(s_node.opens, 2);
    cr_assert_eq(run->outbox.next_step, 22);
}

//  What is logged here is sealed by itself: a batch each.
static void
s_log_batches(artel_run_t *run, int n)
{
    static char text[ARTEL_BATCH_TARGET];
    memset(text, 'x', sizeof text - 1);
    artel_value_t row = { .key = "k", .type = ARTEL_TYPE_STRING, .string = text };
    for (int i = 0; i < n; i++)
        cr_assert_eq(artel_run_log_row(run, i, &row, 1), 0);
}

//  The node falls silent; it gets four batches more, as it granted.
static void
s_expect_four_batches(artel_run_t *run)
{
    int before = s_node.batches;
    s_node.silent = true;
    s_log_batches(run, 20);
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, 300), ARTEL_ETIMEOUT);
    cr_assert_eq(artel_close(&s_client, 300), ARTEL_ELOST);
    for (int64_t end = s_now_ms() + WAIT_MS; s_node.batches < before + 4 && s_now_ms() < end; )
        usleep(1000);
    cr_assert_eq(s_node.batches, before + 4);
}

enum { FOUR_BATCHES = 4 * (ARTEL_BATCH_TARGET + ARTEL_BATCH_COST + 512) };

Test(link, has_no_more_on_the_way_than_the_node_granted)
{
    s_node.credit = s_node.marks_credit = FOUR_BATCHES;
    artel_run_t *run = s_run();
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), 0);
    s_expect_four_batches(run);
}

Test(link, keeps_to_the_credit_that_came_last)
{
    artel_run_t *run = s_run();
    s_node.marks_credit = FOUR_BATCHES;
    cr_assert_eq(artel_run_log(run, "k", 0, 1), 0);
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), 0);
    s_expect_four_batches(run);
}

//  That the node is crowded is no failure: nobody is told, and a flush that waits goes on waiting.
Test(link, what_finds_no_room_comes_again)
{
    artel_run_t *run = s_run();
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), 0);
    int before = s_node.batches;
    s_node.crowd = 3;
    cr_assert_eq(artel_run_log(run, "k", 0, 1), 0);
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), 0);
    cr_assert_eq(s_node.batches, before + 4);
    cr_assert_eq(s_told, 0);
}

Test(link, asks_for_durable_behind_the_batches_and_again_after_a_refusal)
{
    artel_run_t *run = s_run();
    cr_assert_eq(artel_run_log(run, "k", 0, 1), 0);
    cr_assert_eq(artel_run_flush(run, ARTEL_DURABLE, WAIT_MS), 0);
    int flushes = s_node.flushes;
    cr_assert_geq(flushes, 1);
    s_node.refuse = 1;
    cr_assert_eq(artel_run_log(run, "k", 1, 1), 0);
    cr_assert_eq(artel_run_flush(run, ARTEL_DURABLE, WAIT_MS), ARTEL_ENOSPC);
    cr_assert_eq(artel_run_flush(run, ARTEL_DURABLE, WAIT_MS), 0);
    cr_assert_gt(s_node.flushes, flushes);
}

Test(link, opens_a_run_again_that_the_node_has_forgotten_and_goes_on_where_it_was)
{
    artel_run_t *run = s_run();
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), 0);
    s_node.forget = 1;
    for (int i = 0; i < 100; i++)
        cr_assert_eq(artel_run_log(run, "k", i, 1), 0);
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), 0);
    cr_assert_eq(s_node.opens, 2);
}

Test(link, asks_again_while_an_artifact_is_pending)
{
    artel_future_t *future = s_sent_future(s_run());
    s_node.pending = 3;
    cr_assert_eq(artel_future_wait(future, WAIT_MS), 0);
    cr_assert_eq(s_node.polls, 4);
    artel_version_info_t info = { .size = sizeof info };
    cr_assert_eq(artel_future_info(future, &info), 0);
    cr_assert_eq(info.version, 7);
    artel_future_destroy(&future);
}

Test(link, sends_an_artifact_again_that_the_node_does_not_know_under_the_same_xid)
{
    artel_future_t *future = s_sent_future(s_run());
    s_node.unknown = 2;
    cr_assert_eq(artel_future_wait(future, WAIT_MS), 0);
    cr_assert_eq(s_node.sends, 3);
    cr_assert(s_node.same_xid);
    artel_future_destroy(&future);
}

Test(link, does_not_send_an_artifact_again_once_its_run_is_over)
{
    artel_run_t *run = s_run();
    artel_future_t *future = s_sent_future(run);
    cr_assert_eq(artel_run_finish(&run, 0), 0);
    s_node.unknown = 1000000;                   //  until the run is delivered and forgotten
    cr_assert_eq(artel_future_wait(future, WAIT_MS), ARTEL_ENOENT);
    cr_assert_eq(s_node.sends, 1);
    artel_future_destroy(&future);
}

Test(link, tells_the_node_of_a_cancel)
{
    artel_future_t *future = s_sent_future(s_run());
    s_node.pending = 1000;
    cr_assert_eq(artel_future_cancel(future), 0);
    cr_assert_eq(artel_future_wait(future, WAIT_MS), ARTEL_ECANCELED);
    for (int64_t end = s_now_ms() + WAIT_MS; s_node.cancels < 1 && s_now_ms() < end; )
        usleep(1000);
    cr_assert_eq(s_node.cancels, 1);
    artel_future_destroy(&future);
}

Test(link, closes_a_run_when_its_exit_is_accepted)
{
    artel_run_t *run = s_run();
    cr_assert_eq(artel_run_log(run, "k", 0, 1), 0);
    cr_assert_eq(artel_run_finish(&run, 0), 0);
    cr_assert_eq(artel_close(&s_client, WAIT_MS), 0);
    for (int64_t end = s_now_ms() + WAIT_MS; s_node.closes < 1 && s_now_ms() < end; )
        usleep(1000);
    cr_assert_eq(s_node.closes, 1);
}

//  How long fn took, and that it was neither early nor more than a second late.
#define TAKES(ms, call, wanted) do {                                            \
    int64_t begin_ = s_now_ms();                                                \
    int rc_ = (call);                                                           \
    int64_t took_ = s_now_ms() - begin_;                                        \
    cr_assert_eq(rc_, (wanted), "%s is %s", #call, artel_error_name(rc_));      \
    cr_assert(took_ >= (ms) - 1 && took_ < (ms) + 1000, "%s took %d ms", #call, (int) took_); \
} while (0)

Test(link, every_wait_ends_in_time_when_the_node_says_nothing)
{
    artel_run_t *run = s_run(), *other = NULL;
    artel_future_t *future = s_sent_future(run);
    s_node.silent = true;
    cr_assert_eq(artel_run_log(run, "k", 0, 1), 0);
    TAKES(200, artel_run_flush(run, ARTEL_ACCEPTED, 200), ARTEL_ETIMEOUT);
    TAKES(200, artel_run_flush(run, ARTEL_DELIVERED, 200), ARTEL_ETIMEOUT);
    TAKES(200, artel_future_wait(future, 200), ARTEL_ETIMEOUT);
    TAKES(200, artel_future_wait_sink(future, "other", 200), ARTEL_ETIMEOUT);
    TAKES(0, artel_future_wait(future, 0), ARTEL_ETIMEOUT);
    TAKES(5000, artel_run_start(s_client, NULL, &other), ARTEL_ETIMEOUT);
    cr_assert_null(other);
    TAKES(200, artel_close(&s_client, 200), ARTEL_ELOST);
    artel_future_destroy(&future);
}

Test(link, a_run_nobody_waits_for_any_more_is_closed_if_it_opens_after_all)
{
    artel_run_t *run = NULL;
    s_node.silent = true;
    cr_assert_eq(artel_run_start(s_client, NULL, &run), ARTEL_ETIMEOUT);
    s_node.silent = false;
    for (int64_t end = s_now_ms() + WAIT_MS; s_node.closes < 1 && s_now_ms() < end; )
        usleep(1000);
    cr_assert_eq(s_node.closes, 1);
    cr_assert_eq(artel_close(&s_client, WAIT_MS), 0);
}
