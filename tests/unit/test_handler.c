//  The handler between a client and neighbours that the test plays.

#include "actors.h"
#include "handler.h"

static zactor_t *s_handler;
static zsock_t *s_writer, *s_sender, *s_client;
static artel_sinks_t s_sinks;

static void
s_setup(void)
{
    char why[256];
    zsock_t *handler_writer, *handler_sender;
    s_begin();
    cr_assert_eq(artel_sinks_parse("store,copy=store:/x", &s_sinks, why, sizeof why), 0);
    cr_assert_eq(artel_sock_pair(&s_writer, &handler_writer), 0);
    cr_assert_eq(artel_sock_pair(&s_sender, &handler_sender), 0);
    artel_handler_args_t args = { .start.name = "artel/handler", .clients = "inproc://handler",
        .sinks = &s_sinks, .writer = handler_writer, .sender = handler_sender };
    cr_assert_eq(artel_actor_start(&s_handler, artel_handler, &args.start), 0);
    s_client = artel_sock_new(ZMQ_DEALER);
    zsock_connect(s_client, "inproc://handler");
}

static void
s_teardown(void)
{
    cr_assert_eq(artel_actor_stop(&s_handler, 2000), 0);
    zsock_destroy(&s_client);
    zsock_destroy(&s_writer);
    zsock_destroy(&s_sender);
    artel_sinks_done(&s_sinks);
    s_end();
}

TestSuite(handler, .init = s_setup, .fini = s_teardown, .timeout = 60);

static void
s_client_batch(uint64_t counter, bool with_xid)
{
    s_send_batch(s_client, (batch_t) { .writer = s_id, .counter = counter, .with_xid = with_xid });
}

//  run_open, as far as a journal that has `accepted` batches.
static void
s_open_run(uint64_t accepted)
{
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_RUN_OPEN, .run_open = {
        artel_str("r"), s_id, ARTEL_RESUMES_NEVER } });
    cr_assert_eq(s_recv(s_writer).id, ARTEL_MSG_RUN_OPEN);
    s_send(s_writer, (artel_msg_t) { .id = ARTEL_MSG_RUN_OPENED, .run_opened = {
        .writer = s_id, .accepted = accepted, .next_step = 9 } });
    cr_assert_eq(s_recv(s_client).run_opened.accepted, accepted);
}

Test(handler, tells_the_step_a_writer_begins_with_again_if_it_is_asked_again)
{
    s_open_run(0);
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_RUN_OPEN, .run_open = {
        artel_str("r"), s_id, ARTEL_RESUMES_NEVER } });
    cr_assert_eq(s_recv(s_client).run_opened.next_step, 9);
}

Test(handler, refuses_a_batch_before_run_open)
{
    s_client_batch(1, false);
    cr_assert_eq(s_recv(s_client).refused.code, ARTEL_ECLOSED);
}

static void
s_expect_not_opened(artel_msg_run_open_t open)
{
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_RUN_OPEN, .run_open = open });
    artel_msg_t msg = s_recv(s_client);
    cr_assert_eq(msg.id, ARTEL_MSG_RUN_OPENED);
    cr_assert_eq(msg.run_opened.code, ARTEL_EINVAL);
    cr_assert_eq(strncmp(msg.run_opened.text.at, "run_open: ", 10), 0);
}

Test(handler, lets_no_run_id_through_that_could_leave_the_folder_of_runs)
{
    static const char *const bad[] = { "", ".", "..", "../../etc", "a/b", "a b", "a.b", "\xc3\xa9" };
    char longest[80] = { 0 };
    memset(longest, 'r', 64);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        s_expect_not_opened((artel_msg_run_open_t) { .run = artel_str(bad[i]), .writer = s_id, .resume = 0 });
    s_expect_not_opened((artel_msg_run_open_t) { .run = artel_str(longest), .writer = s_id, .resume = 0 });
    s_expect_not_opened((artel_msg_run_open_t) { .run = { "a\0b", 3 }, .writer = s_id, .resume = 0 });
    s_expect_not_opened((artel_msg_run_open_t) { .run = artel_str("r"), .writer = s_id, .resume = 3 });
    s_expect_not_opened((artel_msg_run_open_t) { .run = artel_str("r"), .writer = s_id, .resume = UINT64_MAX });
    s_expect_not_opened((artel_msg_run_open_t) { .run = artel_str("r"), .writer = s_id, .world = ARTEL_MAX_WORLD + 1 });
    s_expect_silence(s_writer);
}

Test(handler, opens_no_writer_for_a_second_run_nor_takes_a_batch_of_another)
{
    s_open_run(0);
    s_expect_not_opened((artel_msg_run_open_t) { .run = artel_str("other"), .writer = s_id, .resume = 0 });
    s_send_batch(s_client, (batch_t) { .run = "other", .writer = s_id, .counter = 1 });
    cr_assert_eq(s_recv(s_client).refused.code, ARTEL_EPROTO);
    s_send_batch(s_client, (batch_t) { .writer = s_id, .counter = 1, .padding = ARTEL_MAX_MESSAGE });
    cr_assert_eq(s_recv(s_client).refused.code, ARTEL_EPROTO);
    s_expect_silence(s_writer);
}

Test(handler, forgets_a_writer_whose_journal_did_not_open)
{
    for (int i = 0; i < 2; i++) {
        s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_RUN_OPEN, .run_open = { artel_str(i ? "b" : "a"), s_id } });
        cr_assert_eq(s_recv(s_writer).id, ARTEL_MSG_RUN_OPEN, "the second is another run's");
        s_send(s_writer, (artel_msg_t) { .id = ARTEL_MSG_RUN_OPENED, .run_opened = {
            .writer = s_id, .code = ARTEL_ENOSPC } });
        cr_assert_eq(s_recv(s_client).run_opened.code, ARTEL_ENOSPC);
    }
}

Test(handler, passes_on_the_next_batch_and_relays_its_acceptance)
{
    s_open_run(0);
    s_client_batch(1, false);
    cr_assert_eq(s_recv(s_writer).batch.counter, 1);
    s_send(s_writer, (artel_msg_t) { .id = ARTEL_MSG_ACCEPTED, .accepted = { .writer = s_id, .accepted = 1 } });
    cr_assert_eq(s_recv(s_client).accepted.accepted, 1);
}

Test(handler, acknowledges_again_what_is_accepted_and_passes_it_on_once)
{
    s_open_run(5);
    s_client_batch(5, false);
    cr_assert_eq(s_recv(s_client).accepted.accepted, 5);
    s_client_batch(6, false);
    cr_assert_eq(s_recv(s_writer).batch.counter, 6);
}

Test(handler, says_where_it_stands_when_a_batch_is_missing)
{
    s_open_run(2);
    s_client_batch(9, false);
    cr_assert_eq(s_recv(s_client).accepted.accepted, 2);
}

Test(handler, answers_an_artifact_send_when_it_is_durable_and_not_before)
{
    s_open_run(0);
    s_client_batch(1, true);
    cr_assert_eq(s_recv(s_writer).id, ARTEL_MSG_BATCH);
    cr_assert_eq(s_recv(s_writer).id, ARTEL_MSG_FLUSH);
    s_send(s_writer, (artel_msg_t) { .id = ARTEL_MSG_ACCEPTED, .accepted = { .writer = s_id, .accepted = 1 } });
    cr_assert_eq(s_recv(s_client).id, ARTEL_MSG_ACCEPTED);
    s_send(s_writer, (artel_msg_t) { .id = ARTEL_MSG_DURABLE, .durable = { .writer = s_id, .counter = 1 } });
    artel_msg_t msg = s_recv(s_client);
    cr_assert_eq(msg.id, ARTEL_MSG_ARTIFACT_SEND_RESPONSE);
    cr_assert(artel_id_equal(msg.artifact_send_response.xid, s_xid));
}

//  Also who comes back over another connection.
Test(handler, says_that_a_journal_is_dead_and_again_to_who_opens_it_again)
{
    s_open_run(0);
    s_send(s_writer, (artel_msg_t) { .id = ARTEL_MSG_DURABLE, .durable = {
        .writer = s_id, .code = ARTEL_EIO, .text = artel_str("/a/file is dead") } });
    for (int i = 0; i < 2; i++) {
        artel_msg_t msg = s_recv(s_client);
        cr_assert_eq(msg.id, ARTEL_MSG_REFUSED);
        cr_assert_eq(msg.refused.counter, 0);
        cr_assert_eq(msg.refused.code, ARTEL_EIO);
        cr_assert(artel_str_equal(msg.refused.text, artel_str("/a/file is dead")));
        s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_RUN_OPEN, .run_open = { artel_str("r"), s_id } });
        cr_assert_eq(s_recv(s_client).id, ARTEL_MSG_RUN_OPENED);
    }
}

Test(handler, answers_a_parked_poll_when_the_artifact_is_done)
{
    s_open_run(0);
    s_client_batch(1, true);
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_POLL, .artifact_poll = {
        .xid = s_xid, .wait_ms = 10000 } });
    //  The answer to a flush comes behind the poll: by then the poll is parked.
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_FLUSH, .flush = { .writer = s_id } });
    cr_assert_eq(s_recv(s_client).id, ARTEL_MSG_ACCEPTED);
    s_send(s_sender, (artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_DONE, .artifact_done = {
        .xid = s_xid, .sink = artel_str("store"), .version = 3 } });
    artel_msg_t msg = s_recv(s_client);
    cr_assert_eq(msg.id, ARTEL_MSG_ARTIFACT_POLL_RESPONSE);
    cr_assert_eq(msg.artifact_poll_response.state, ARTEL_POLL_READY);
    cr_assert_eq(msg.artifact_poll_response.version, 3);
}

Test(handler, says_pending_when_a_poll_may_not_wait_any_longer)
{
    s_open_run(0);
    s_client_batch(1, true);
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_POLL, .artifact_poll = {
        .xid = s_xid, .wait_ms = 20 } });
    cr_assert_eq(s_recv(s_client).artifact_poll_response.state, ARTEL_POLL_PENDING);
}

//  What it answers a poll of an xid it never saw, once the sink has said what it knows.
static artel_msg_artifact_poll_response_t
s_poll_unseen(const char *sink, artel_msg_recalled_t recalled)
{
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_POLL, .artifact_poll = {
        .xid = s_xid, .sink = artel_str(sink) } });
    artel_msg_t msg = s_recv(s_sender);
    cr_assert_eq(msg.id, ARTEL_MSG_RECALL);
    cr_assert(artel_id_equal(msg.recall.xid, s_xid));
    cr_assert(artel_str_equal(msg.recall.sink, artel_str(sink)));
    recalled.token = msg.recall.token;
    recalled.xid = s_xid;
    s_send(s_sender, (artel_msg_t) { .id = ARTEL_MSG_RECALLED, .recalled = recalled });
    return s_recv(s_client).artifact_poll_response;
}

Test(handler, asks_the_sink_about_an_xid_it_never_saw)
{
    cr_assert_eq(s_poll_unseen("store", (artel_msg_recalled_t) { .known = false }).state, ARTEL_POLL_UNKNOWN);
    artel_msg_artifact_poll_response_t r = s_poll_unseen("copy", (artel_msg_recalled_t) {
        .known = true, .status = ARTEL_EREFUSED, .version = -1, .text = artel_str("why") });
    cr_assert_eq(r.state, ARTEL_POLL_READY);
    cr_assert_eq(r.status, ARTEL_EREFUSED);
    cr_assert(artel_str_equal(r.sink, artel_str("copy")) && artel_str_equal(r.text, artel_str("why")));
}

Test(handler, refuses_what_is_no_message_of_a_client)
{
    zstr_send(s_client, "hello");
    cr_assert_eq(s_recv(s_client).error.code, ARTEL_EPROTO);
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_DELIVER });
    cr_assert_eq(s_recv(s_client).error.code, ARTEL_EPROTO);
}

//  The writer refuses a batch, and sends the reset back.
static void
s_refuse(uint64_t counter)
{
    s_send(s_writer, (artel_msg_t) { .id = ARTEL_MSG_REFUSED, .refused = { s_id, counter, ARTEL_ENOSPC,
        artel_str("full") } });
    artel_msg_t reset = s_recv(s_writer);
    cr_assert_eq(reset.id, ARTEL_MSG_RESET);
    s_send(s_writer, reset);
}

Test(handler, takes_a_refused_batch_again_after_a_reset)
{
    s_open_run(0);
    s_client_batch(1, false);
    cr_assert_eq(s_recv(s_writer).batch.counter, 1);
    s_refuse(1);
    artel_msg_t msg = s_recv(s_client);
    cr_assert_eq(msg.refused.code, ARTEL_ENOSPC);
    cr_assert_eq(msg.refused.counter, 1);
    cr_assert(artel_str_equal(msg.refused.text, artel_str("full")));
    s_client_batch(1, false);
    cr_assert_eq(s_recv(s_writer).batch.counter, 1);
}

//  Batches 3 and 4 are on their way when 2 is refused; they come again after it.
Test(handler, keeps_order_whatever_is_on_its_way_when_a_batch_is_refused)
{
    s_open_run(0);
    for (uint64_t i = 1; i <= 3; i++)
        s_client_batch(i, false);
    for (uint64_t i = 1; i <= 3; i++)
        cr_assert_eq(s_recv(s_writer).batch.counter, i);
    s_send(s_writer, (artel_msg_t) { .id = ARTEL_MSG_ACCEPTED, .accepted = { .writer = s_id, .accepted = 1 } });
    s_refuse(2);
    cr_assert_eq(s_recv(s_client).accepted.accepted, 1);
    cr_assert_eq(s_recv(s_client).refused.counter, 2);
    s_client_batch(4, false);               //  sent before the client knew
    cr_assert_eq(s_recv(s_client).accepted.accepted, 1, "a gap");
    for (uint64_t i = 2; i <= 4; i++)
        s_client_batch(i, false);
    for (uint64_t i = 2; i <= 4; i++)
        cr_assert_eq(s_recv(s_writer).batch.counter, i);
    s_expect_silence(s_writer);
}

static void
s_end_run(uint64_t accepted, bool retired_first)
{
    artel_msg_t closed = { .id = ARTEL_MSG_CLOSED, .closed = { .writer = s_id } };
    artel_msg_t retired = { .id = ARTEL_MSG_RETIRED, .retired = { s_id, accepted } };
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_RUN_CLOSE, .run_close = { s_id } });
    cr_assert_eq(s_recv(s_writer).id, ARTEL_MSG_RUN_CLOSE);
    if (retired_first)
        s_send(s_sender, retired);
    s_send(s_writer, closed);
    if (!retired_first)
        s_send(s_sender, retired);
}

//  Whether the handler still has an entry: an answer to a flush tells.
static bool
s_is_known(void)
{
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_FLUSH, .flush = { .writer = s_id } });
    return s_recv(s_client).id == ARTEL_MSG_ACCEPTED;
}

static void
s_expect_forgotten(void)
{
    for (int i = 0; i < 1000 && s_is_known(); i++)
        usleep(1000);
    cr_assert_not(s_is_known());
}

Test(handler, forgets_a_run_that_is_closed_and_delivered_in_whatever_order_it_learns_that)
{
    s_open_run(3);
    s_end_run(3, false);
    s_expect_forgotten();
    s_open_run(3);
    s_end_run(3, true);
    s_expect_forgotten();
    s_open_run(5);
    s_end_run(4, false);
    cr_assert(s_is_known(), "the fifth batch is not delivered");
}

Test(handler, ten_thousand_finished_runs_cost_nothing)
{
    int64_t took[2];
    for (int round = 0; round < 2; round++) {
        took[round] = zclock_usecs();
        for (int i = 0; i < 5000; i++) {
            s_open_run(1);
            s_end_run(1, true);
            //  A second run_open would be answered from the entry if it were there.
            s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_FLUSH, .flush = { .writer = s_id } });
            while (s_recv(s_client).id == ARTEL_MSG_ACCEPTED)
                s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_FLUSH, .flush = { .writer = s_id } });
        }
        took[round] = zclock_usecs() - took[round];
    }
    cr_assert_lt(took[1], 3 * took[0]);
}

Test(handler, answers_the_question_of_each_client_though_their_tokens_are_the_same)
{
    zsock_t *second = artel_sock_new(ZMQ_DEALER);
    zsock_connect(second, "inproc://handler");
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_RESOLVE, .resolve = { .token = 1, .name = artel_str("a") } });
    s_send(second, (artel_msg_t) { .id = ARTEL_MSG_RESOLVE, .resolve = { .token = 1, .name = artel_str("b") } });
    for (int i = 0; i < 2; i++) {
        artel_msg_t asked = s_recv(s_sender);
        artel_msg_t answer = { .id = ARTEL_MSG_RESOLVED, .resolved = { .token = asked.resolve.token,
            .version = asked.resolve.name.at[0] } };
        s_send(s_sender, answer);
    }
    artel_msg_t msg = s_recv(s_client);
    cr_assert_eq(msg.resolved.token, 1);
    cr_assert_eq(msg.resolved.version, 'a');
    cr_assert_eq(s_recv(second).resolved.version, 'b');
    zsock_destroy(&second);
}

Test(handler, adopts_for_one_client_at_a_time_and_for_the_next_when_that_is_over)
{
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_ADOPT, .adopt = { .token = 7, .wait_ms = 100 } });
    artel_msg_t first = s_recv(s_writer);
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_ADOPT, .adopt = { .token = 8, .wait_ms = 60000 } });
    artel_msg_t msg;
    cr_assert_not(s_try_recv(s_writer, 50, &msg));
    s_send(s_sender, (artel_msg_t) { .id = ARTEL_MSG_ADOPTED, .adopted = {
        .token = first.adopt.token, .journals = 3 } });
    msg = s_recv(s_client);
    cr_assert_eq(msg.adopted.token, 7);
    cr_assert_eq(msg.adopted.journals, 3);
    artel_msg_t second = s_recv(s_writer);
    cr_assert_eq(second.id, ARTEL_MSG_ADOPT);
    cr_assert(second.adopt.wait_ms > 50000 && second.adopt.wait_ms < 60000, "it waits on its own time");
    s_send(s_sender, (artel_msg_t) { .id = ARTEL_MSG_ADOPTED, .adopted = { .token = second.adopt.token } });
    cr_assert_eq(s_recv(s_client).adopted.token, 8);
}

Test(handler, says_why_the_primary_sink_does_not_go_on_and_that_it_does_again)
{
    s_open_run(1);
    s_send(s_sender, (artel_msg_t) { .id = ARTEL_MSG_DELIVERED, .delivered = { .writer = s_id,
        .sink = artel_str("copy"), .code = ARTEL_EACCES } });
    s_send(s_sender, (artel_msg_t) { .id = ARTEL_MSG_DELIVERED, .delivered = { .writer = s_id,
        .sink = artel_str("store"), .code = ARTEL_ENOSPC, .text = artel_str("the disk is full") } });
    artel_msg_t msg = s_recv(s_client);
    cr_assert_eq(msg.accepted.code, ARTEL_ENOSPC);
    cr_assert(artel_str_equal(msg.accepted.text, artel_str("the disk is full")));
    s_send(s_sender, (artel_msg_t) { .id = ARTEL_MSG_DELIVERED, .delivered = { .writer = s_id,
        .sink = artel_str("store"), .counter = 1 } });
    msg = s_recv(s_client);
    cr_assert_eq(msg.accepted.code, 0);
    cr_assert_eq(msg.accepted.delivered, 1);
}

Test(handler, tells_how_far_the_sink_has_come_that_stands_in_for_the_primary)
{
    s_open_run(1);
    s_send(s_sender, (artel_msg_t) { .id = ARTEL_MSG_DELIVERED, .delivered = { .writer = s_id,
        .sink = artel_str("copy"), .counter = 1, .stands_in = true } });
    cr_assert_eq(s_recv(s_client).accepted.delivered, 1);
    s_send(s_sender, (artel_msg_t) { .id = ARTEL_MSG_DELIVERED, .delivered = { .writer = s_id,
        .sink = artel_str("store"), .code = ARTEL_ENOSPC } });
    s_send(s_sender, (artel_msg_t) { .id = ARTEL_MSG_DELIVERED, .delivered = { .writer = s_id,
        .sink = artel_str("copy"), .counter = 1, .code = ARTEL_EACCES, .stands_in = true } });
    cr_assert_eq(s_recv(s_client).accepted.code, ARTEL_EACCES, "the primary's trouble is not the run's");
}

Test(handler, a_pending_poll_says_why_its_sink_does_not_go_on)
{
    s_open_run(0);
    s_client_batch(1, true);
    s_send(s_sender, (artel_msg_t) { .id = ARTEL_MSG_DELIVERED, .delivered = { .writer = s_id,
        .sink = artel_str("copy"), .code = ARTEL_EACCES, .text = artel_str("not mounted") } });
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_POLL, .artifact_poll = {
        .xid = s_xid, .sink = artel_str("copy"), .wait_ms = 50 } });
    artel_msg_t msg = s_recv(s_client);
    cr_assert_eq(msg.artifact_poll_response.state, ARTEL_POLL_PENDING);
    cr_assert_eq(msg.artifact_poll_response.status, ARTEL_EACCES);
    cr_assert(artel_str_equal(msg.artifact_poll_response.text, artel_str("not mounted")));
}

//  Credit.

//  The n-th of many writers.
static artel_id_t
s_nth(uint32_t n)
{
    artel_id_t writer = { { 0 } };
    memcpy(writer.at, &n, sizeof n);
    return writer;
}

//  run_open of the n-th writer; the credit it gets.
static uint64_t
s_open_nth(uint32_t n)
{
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_RUN_OPEN, .run_open = { artel_str("r"), s_nth(n) } });
    cr_assert_eq(s_recv(s_writer).id, ARTEL_MSG_RUN_OPEN);
    s_send(s_writer, (artel_msg_t) { .id = ARTEL_MSG_RUN_OPENED, .run_opened = { .writer = s_nth(n) } });
    return s_recv(s_client).run_opened.credit;
}

//  A large batch of the n-th writer; whether it is passed on, or else the client told to come again.
static bool
s_passes(uint32_t n, uint64_t counter)
{
    s_send_batch(s_client, (batch_t) { .writer = s_nth(n), .counter = counter, .padding = ARTEL_BATCH_TARGET });
    artel_msg_t msg;
    zmq_pollitem_t items[] = { { zsock_resolve(s_writer), 0, ZMQ_POLLIN, 0 },
                               { zsock_resolve(s_client), 0, ZMQ_POLLIN, 0 } };
    cr_assert_eq(zmq_poll(items, 2, 5000), 1);
    if (items[0].revents) {
        msg = s_recv(s_writer);
        cr_assert_eq(msg.batch.counter, counter);
        return true;
    }
    cr_assert_gt(s_recv(s_client).accepted.credit, 0);
    msg = s_recv(s_client);
    cr_assert_eq(msg.refused.code, ARTEL_EAGAIN);
    cr_assert_eq(msg.refused.counter, counter);
    return false;
}

//  Batches of a writer until one is over the credit; the last that was passed.
static uint64_t
s_fill(uint32_t n, uint64_t passed)
{
    while (s_passes(n, passed + 1))
        passed++;
    return passed;
}

static void
s_accept_nth(uint32_t n, uint64_t counter)
{
    s_send(s_writer, (artel_msg_t) { .id = ARTEL_MSG_ACCEPTED, .accepted = { .writer = s_nth(n), .accepted = counter } });
    cr_assert_eq(s_recv(s_client).accepted.accepted, counter);
}

enum { LARGE = ARTEL_BATCH_TARGET + ARTEL_BATCH_COST + 128 };   //  what such a batch counts, at most

Test(handler, passes_on_no_more_than_the_credit_of_a_writer_until_some_is_accepted)
{
    uint64_t credit = s_open_nth(1), passed = s_fill(1, 0);
    cr_assert_eq(credit, ARTEL_CREDIT);
    cr_assert_leq(passed * ARTEL_BATCH_TARGET, credit);
    cr_assert_geq((passed + 1) * LARGE, credit);
    s_send_batch(s_client, (batch_t) { .writer = s_nth(1), .counter = passed + 2 });
    cr_assert_eq(s_recv(s_client).accepted.accepted, 0, "a gap: nothing of it is queued");
    s_accept_nth(1, 3);
    cr_assert_eq(s_fill(1, passed), passed + 3);
    s_expect_silence(s_writer);
}

Test(handler, takes_back_the_credit_of_what_the_writer_dropped_or_closed)
{
    s_open_run(0);
    uint64_t passed = 0;
    for (int round = 0; round < 3; round++) {
        s_send_batch(s_client, (batch_t) { .writer = s_id, .counter = ++passed, .padding = ARTEL_MAX_BATCH });
        cr_assert_eq(s_recv(s_writer).batch.counter, passed);
        s_refuse(passed--);
        cr_assert_eq(s_recv(s_client).id, ARTEL_MSG_REFUSED);
    }
    for (uint32_t n = 1; n <= 300; n++) {       //  together they'd have more than there is
        s_open_nth(n);
        for (uint64_t i = 1; i <= 4; i++)
            cr_assert(s_passes(n, i), "batch %u of writer %u", (unsigned) i, n);
        s_send(s_writer, (artel_msg_t) { .id = ARTEL_MSG_CLOSED, .closed = { .writer = s_nth(n) } });
    }
}

Test(handler, bounds_what_all_have_under_way_and_always_takes_a_first_batch)
{
    enum { N = 40 };
    uint64_t sum = 0;
    for (uint32_t n = 1; n <= N; n++)
        s_open_nth(n);
    for (uint32_t n = 1; n < N; n++)
        sum += s_fill(n, 0);
    cr_assert_leq(sum * ARTEL_BATCH_TARGET, ARTEL_TOTAL_CREDIT + N * LARGE);
    cr_assert_geq((sum + N) * LARGE, ARTEL_TOTAL_CREDIT);
    cr_assert(s_passes(N, 1));
    cr_assert_not(s_passes(N, 2));
    s_accept_nth(N, 1);
    cr_assert(s_passes(N, 2));
}

//  What it grants is told with every answer, so a flush asks for it.
static uint64_t
s_credit_of(uint32_t n)
{
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_FLUSH, .flush = { .writer = s_nth(n) } });
    return s_recv(s_client).accepted.credit;
}

Test(handler, grants_less_the_more_log_and_a_thousand_idle_runs_take_nothing_from_another)
{
    uint64_t last = 0;
    for (uint32_t n = 1; n <= 1000; n++)
        last = s_open_nth(n);
    cr_assert_eq(last, ARTEL_MAX_MESSAGE + ARTEL_BATCH_COST);
    for (int i = 0; i < 5000 && s_credit_of(1) < ARTEL_CREDIT; i++)
        usleep(1000);                           //  idle they are after two seconds
    cr_assert_eq(s_open_nth(1001), ARTEL_CREDIT);
}

Test(handler, opens_no_more_runs_than_it_has_memory_for)
{
    for (uint32_t n = 1; n <= ARTEL_MAX_OPEN_RUNS; n++)
        s_open_nth(n);
    artel_msg_t open = { .id = ARTEL_MSG_RUN_OPEN, .run_open = { artel_str("r"), s_id } };
    s_send(s_client, open);
    cr_assert_eq(s_recv(s_client).run_opened.code, ARTEL_ELIMIT);
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_RUN_CLOSE, .run_close = { s_nth(1) } });
    cr_assert_eq(s_recv(s_writer).id, ARTEL_MSG_RUN_CLOSE);
    s_send(s_client, open);
    cr_assert_eq(s_recv(s_writer).id, ARTEL_MSG_RUN_OPEN);
}

//  A client that asks for ever makes no queue of it, however slow the disk.
Test(handler, asks_once_for_what_is_to_be_durable)
{
    s_open_run(0);
    for (uint64_t counter = 1; counter <= 2; counter++) {
        s_client_batch(counter, false);
        cr_assert_eq(s_recv(s_writer).batch.counter, counter);
        for (int i = 0; i < 100; i++)
            s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_FLUSH, .flush = { s_id, UINT64_MAX, ARTEL_TO_DURABLE } });
        cr_assert_eq(s_recv(s_writer).flush.counter, counter);
    }
    s_expect_silence(s_writer);
}

//  A completion is answered though a client floods the handler with polls.
Test(handler, completions_come_before_a_flood_of_polls)
{
    zsock_t *flood = artel_sock_new(ZMQ_DEALER);
    zsock_connect(flood, "inproc://handler");
    s_open_run(0);
    s_client_batch(1, true);
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_POLL, .artifact_poll = { .xid = s_xid, .wait_ms = 9000 } });
    for (int i = 0; i < 100000; i++)
        s_send(flood, (artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_POLL, .artifact_poll = { .xid = s_id } });
    s_send(s_sender, (artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_DONE, .artifact_done = { .xid = s_xid, .version = 1,
        .sink = artel_str("store") } });
    int64_t before = zclock_mono();
    cr_assert_eq(s_recv(s_client).artifact_poll_response.state, ARTEL_POLL_READY);
    cr_assert_lt(zclock_mono() - before, 1000);
    zsock_destroy(&flood);
}
