//  The sender between a writer, a handler and two backends that the test plays,
//  over real journals.

#include "actors.h"
#include "outcomes.h"
#include "sender.h"

#include <dirent.h>

//  One node's sender and its neighbours.
typedef struct {
    zactor_t *actor;
    zsock_t *handler, *writer;
    zsock_t *store, *copy;      //  backends
} node_t;

#define SINKS "store=store,copy=store:/x"

static node_t s_node;
static artel_sinks_t s_sinks;
static atomic_int_fast64_t s_drain_by;
static bool s_drains;               //  whether the next sender does
static const artel_id_t s_second = { "another writer 1" };

static void
s_start(node_t *node, bool with_copy)
{
    artel_sender_args_t args = { .start.name = "artel/sender", .state = s_state, .sinks = &s_sinks,
        .drain_by = s_drains ? &s_drain_by : NULL };
    cr_assert_eq(artel_sock_pair(&node->handler, &args.handler), 0);
    cr_assert_eq(artel_sock_pair(&node->writer, &args.writer), 0);
    cr_assert_eq(artel_sock_pair(&node->store, &args.backends[0]), 0);
    if (with_copy)
        cr_assert_eq(artel_sock_pair(&node->copy, &args.backends[1]), 0);
    else
        args.lacks[1] = (artel_sender_lack_t) { ARTEL_EVERSION, "it is too new" };
    cr_assert_eq(artel_actor_start(&node->actor, artel_sender, &args.start), 0);
}

static void
s_stop(node_t *node)
{
    if (node->actor)
        cr_assert_eq(artel_actor_stop(&node->actor, 5000), 0);
    zsock_destroy(&node->handler);
    zsock_destroy(&node->writer);
    zsock_destroy(&node->store);
    zsock_destroy(&node->copy);
}

static void
s_setup(void)
{
    char why[256];
    s_begin();
    cr_assert_eq(artel_sinks_parse(SINKS, &s_sinks, why, sizeof why), 0);
    s_start(&s_node, true);
}

static void
s_teardown(void)
{
    s_stop(&s_node);
    artel_sinks_done(&s_sinks);
    s_end();
}

TestSuite(sender, .init = s_setup, .fini = s_teardown, .timeout = 60);

static void
s_commit(node_t *node, const char *run, artel_id_t writer, uint64_t counter)
{
    s_send(node->writer, (artel_msg_t) { .id = ARTEL_MSG_COMMITTED, .committed = {
        artel_str(run), writer, counter } });
}

static void
s_close(node_t *node, const char *run, artel_id_t writer, bool ended)
{
    s_send(node->writer, (artel_msg_t) { .id = ARTEL_MSG_CLOSED, .closed = { artel_str(run), writer, ended } });
}

//  A backend is asked where it stands, and says so.
static void
s_expect_ask(zsock_t *backend, artel_id_t writer, uint64_t position)
{
    artel_msg_t msg = s_recv(backend);
    cr_assert_eq(msg.id, ARTEL_MSG_POSITION_GET);
    cr_assert(artel_id_equal(msg.position_get.writer, writer));
    s_send(backend, (artel_msg_t) { .id = ARTEL_MSG_POSITION, .position = { .writer = writer, .counter = position } });
}

static void
s_expect_deliver(zsock_t *backend, uint64_t counter, uint64_t after)
{
    artel_msg_t msg = s_recv(backend);
    cr_assert_eq(msg.id, ARTEL_MSG_DELIVER, "%s", artel_msg_name(msg.id));
    cr_assert_eq(msg.deliver.counter, counter);
    cr_assert_eq(msg.deliver.after, after);
}

static void
s_answer(zsock_t *backend, artel_id_t writer, uint64_t counter, int code)
{
    s_send(backend, (artel_msg_t) { .id = ARTEL_MSG_DELIVERED, .delivered = {
        .writer = writer, .counter = counter, .code = code, .text = artel_str(code ? "no" : "") } });
}

//  What the handler hears of a sink.
static artel_msg_t
s_await_sink(zsock_t *handler, const char *sink)
{
    artel_msg_t msg;
    do
        msg = s_await(handler, ARTEL_MSG_DELIVERED);
    while (!artel_str_equal(msg.delivered.sink, artel_str(sink)));
    return msg;
}

//  The journal has gone; only then the mark may have.
static void
s_await_retired(node_t *node, artel_id_t writer, uint64_t counter)
{
    artel_msg_t msg = s_await(node->handler, ARTEL_MSG_RETIRED);
    cr_assert(artel_id_equal(msg.retired.writer, writer));
    cr_assert_eq(msg.retired.counter, counter);
}

Test(sender, asks_where_a_sink_stands_and_goes_on_behind_it)
{
    s_make_journal("r", s_id, "store=store", 3, true);
    s_commit(&s_node, "r", s_id, 2);
    s_expect_ask(s_node.store, s_id, 1);
    cr_assert_eq(s_await_sink(s_node.handler, "store").delivered.counter, 1);
    s_expect_deliver(s_node.store, 2, 1);
    s_expect_silence(s_node.store);             //  the third is not durable yet
    s_commit(&s_node, "r", s_id, 3);
    s_expect_deliver(s_node.store, 3, 2);
    s_answer(s_node.store, s_id, 3, 0);         //  both at once
    cr_assert_eq(s_await_sink(s_node.handler, "store").delivered.counter, 3);
}

Test(sender, delivers_to_the_sinks_a_journal_wants_and_no_other)
{
    s_make_journal("r", s_id, "store=store", 1, true);
    s_make_journal("q", s_second, SINKS, 1, true);
    s_commit(&s_node, "r", s_id, 1);
    s_expect_ask(s_node.store, s_id, 0);
    s_expect_deliver(s_node.store, 1, 0);
    s_answer(s_node.store, s_id, 1, 0);
    s_close(&s_node, "r", s_id, true);
    s_await_retired(&s_node, s_id, 1);
    cr_assert_not(s_is_pending("r", s_id));
    s_expect_silence(s_node.copy);
    s_commit(&s_node, "q", s_second, 1);
    s_close(&s_node, "q", s_second, true);
    s_expect_ask(s_node.copy, s_second, 1);
    s_expect_ask(s_node.store, s_second, 0);
    s_expect_deliver(s_node.store, 1, 0);
    cr_assert(s_is_pending("q", s_second));
    s_answer(s_node.store, s_second, 1, 0);
    s_await_retired(&s_node, s_second, 1);
    cr_assert_not(s_is_pending("q", s_second));
}

Test(sender, the_first_sink_of_a_journal_that_does_not_go_to_the_primary_stands_in_for_it)
{
    s_make_journal("r", s_id, "copy=store:/x", 1, true);
    s_make_journal("q", s_second, SINKS, 1, true);
    s_commit(&s_node, "r", s_id, 1);
    s_expect_ask(s_node.copy, s_id, 1);
    cr_assert(s_await_sink(s_node.handler, "copy").delivered.stands_in);
    s_commit(&s_node, "q", s_second, 1);
    s_expect_ask(s_node.copy, s_second, 1);
    cr_assert_not(s_await_sink(s_node.handler, "copy").delivered.stands_in);
    s_expect_ask(s_node.store, s_second, 1);
    cr_assert_not(s_await_sink(s_node.handler, "store").delivered.stands_in);
}

Test(sender, a_sink_of_the_same_name_elsewhere_is_another_sink)
{
    s_make_journal("r", s_id, "copy=store:/elsewhere", 1, true);
    s_commit(&s_node, "r", s_id, 1);
    s_close(&s_node, "r", s_id, true);
    s_await_retired(&s_node, s_id, 1);
    s_expect_silence(s_node.copy);
    s_expect_silence(s_node.store);
    cr_assert(s_is_pending("r", s_id), "somebody else has it to deliver");
}

Test(sender, keeps_the_mark_of_a_run_that_has_not_ended)
{
    s_make_journal("r", s_id, "store=store", 1, false);
    s_commit(&s_node, "r", s_id, 1);
    s_close(&s_node, "r", s_id, false);
    s_expect_ask(s_node.store, s_id, 1);
    s_await_retired(&s_node, s_id, 1);
    cr_assert(s_is_pending("r", s_id));
}

Test(sender, lets_go_of_a_journal_without_a_single_batch)
{
    s_make_journal("r", s_id, "store=store", 0, false);
    s_close(&s_node, "r", s_id, true);
    s_await_retired(&s_node, s_id, 0);
    cr_assert_not(s_is_pending("r", s_id));
    s_expect_silence(s_node.store);
}

Test(sender, one_sink_that_does_not_answer_delays_no_other_and_gets_no_more_than_its_window)
{
    enum { N = 30 };
    s_make_journal("r", s_id, SINKS, N, true);
    s_commit(&s_node, "r", s_id, N);
    s_expect_ask(s_node.store, s_id, 0);
    s_expect_ask(s_node.copy, s_id, 0);
    for (uint64_t i = 1; i <= N; i++) {
        s_expect_deliver(s_node.copy, i, i - 1);
        s_answer(s_node.copy, s_id, i, 0);
    }
    for (uint64_t i = 1; i <= ARTEL_DELIVER_WINDOW; i++)
        s_expect_deliver(s_node.store, i, i - 1);
    s_expect_silence(s_node.store);
    s_answer(s_node.store, s_id, 1, 0);
    s_expect_deliver(s_node.store, ARTEL_DELIVER_WINDOW + 1, ARTEL_DELIVER_WINDOW);
    s_expect_silence(s_node.store);
}

Test(sender, what_a_backend_has_taken_counts_in_no_window_but_is_not_there)
{
    enum { N = 30 };
    s_make_journal("r", s_id, "store=store", N, true);
    s_commit(&s_node, "r", s_id, N);
    s_expect_ask(s_node.store, s_id, 0);
    for (uint64_t i = 1; i <= N; i++) {
        s_expect_deliver(s_node.store, i, i - 1);
        s_send(s_node.store, (artel_msg_t) { .id = ARTEL_MSG_TAKEN, .taken = { s_id, i } });
    }
    cr_assert_eq(s_await_sink(s_node.handler, "store").delivered.counter, 0);
    s_answer(s_node.store, s_id, 2, 0);
    cr_assert_eq(s_await_sink(s_node.handler, "store").delivered.counter, 2);
    s_answer(s_node.store, s_id, 0, ARTEL_EUNAVAIL);
    s_expect_ask(s_node.store, s_id, 2);        //  what was taken is void
    s_expect_ask(s_node.store, s_id, 2);        //  the lane is opened again
    s_expect_deliver(s_node.store, 3, 2);
}

Test(sender, two_journals_share_a_window_in_turns)
{
    enum { N = 50 };
    unsigned of_first = 0, of_second = 0;
    s_make_journal("r", s_id, "store=store", N, true);
    s_make_journal("q", s_second, "store=store", N, true);
    s_commit(&s_node, "r", s_id, N);
    s_commit(&s_node, "q", s_second, N);
    s_expect_ask(s_node.store, s_id, 0);
    s_expect_ask(s_node.store, s_second, 0);
    for (int i = 0; i < N; i++) {
        artel_msg_t msg = s_await(s_node.store, ARTEL_MSG_DELIVER);
        bool first = artel_id_equal(msg.deliver.writer, s_id);
        uint64_t counter = msg.deliver.counter;
        of_first += first;
        of_second += !first;
        s_answer(s_node.store, first ? s_id : s_second, counter, 0);
    }
    cr_assert_geq(of_first, N / 4);
    cr_assert_geq(of_second, N / 4);
}

Test(sender, after_a_failure_asks_again_and_delivers_what_is_missing_in_order)
{
    s_make_journal("r", s_id, "store=store", 4, true);
    s_commit(&s_node, "r", s_id, 4);
    s_expect_ask(s_node.store, s_id, 0);
    for (uint64_t i = 1; i <= 4; i++)
        s_expect_deliver(s_node.store, i, i - 1);
    s_answer(s_node.store, s_id, 1, 0);
    s_answer(s_node.store, s_id, 2, ARTEL_ENOSPC);
    s_answer(s_node.store, s_id, 3, ARTEL_ENOSPC);
    s_answer(s_node.store, s_id, 4, ARTEL_ENOSPC);
    cr_assert_eq(s_await_sink(s_node.handler, "store").delivered.code, 0);
    cr_assert_eq(s_await_sink(s_node.handler, "store").delivered.code, 0);
    artel_msg_t msg = s_await_sink(s_node.handler, "store");
    cr_assert_eq(msg.delivered.code, ARTEL_ENOSPC);
    cr_assert_eq(msg.delivered.counter, 1);
    cr_assert(artel_str_equal(msg.delivered.text, artel_str("no")));
    s_expect_ask(s_node.store, s_id, 1);        //  the rest is answered when this is
    int64_t before = artel_now_ms();
    s_expect_ask(s_node.store, s_id, 1);        //  again, from the start
    cr_assert_geq(artel_now_ms() - before, 40);
    s_expect_deliver(s_node.store, 2, 1);
    s_expect_silence(s_node.store);             //  one, to see whether it works
    s_answer(s_node.store, s_id, 2, 0);
    s_expect_deliver(s_node.store, 3, 2);
    s_expect_deliver(s_node.store, 4, 3);
    s_answer(s_node.store, s_id, 3, 0);
    s_answer(s_node.store, s_id, 4, 0);
    s_close(&s_node, "r", s_id, true);
    s_await_retired(&s_node, s_id, 4);
}

Test(sender, tries_a_sink_that_cannot_say_where_it_stands_ever_more_slowly)
{
    int64_t times[5];
    s_make_journal("r", s_id, "store=store", 1, true);
    s_commit(&s_node, "r", s_id, 1);
    for (int i = 0; i < 5; i++) {
        cr_assert_eq(s_await(s_node.store, ARTEL_MSG_POSITION_GET).id, ARTEL_MSG_POSITION_GET);
        times[i] = artel_now_ms();
        s_send(s_node.store, (artel_msg_t) { .id = ARTEL_MSG_POSITION, .position = { .writer = s_id,
            .code = ARTEL_EVERSION, .text = artel_str("too new") } });
    }
    for (int i = 1; i < 5; i++)
        cr_assert_geq(times[i] - times[i - 1], (50 << (i - 1)) - 5);
    cr_assert_eq(s_await_sink(s_node.handler, "store").delivered.code, ARTEL_EVERSION);
}

Test(sender, leaves_a_journal_to_another_process_that_delivers_it)
{
    artel_outcomes_t *theirs;
    s_make_journal("r", s_id, "store=store", 3, true);
    cr_assert_eq(artel_outcomes_open(s_state, "r", s_id, "store", &theirs), 0);
    s_commit(&s_node, "r", s_id, 3);
    s_close(&s_node, "r", s_id, true);
    s_expect_ask(s_node.store, s_id, 1);
    cr_assert_eq(s_await_sink(s_node.handler, "store").delivered.counter, 1);
    s_expect_ask(s_node.store, s_id, 3);        //  it has come to the end
    s_await_retired(&s_node, s_id, 3);
    s_expect_silence(s_node.store);
    artel_outcomes_close(&theirs);
}

Test(sender, goes_on_with_a_journal_that_another_process_left)
{
    artel_outcomes_t *theirs;
    s_make_journal("r", s_id, "store=store", 3, true);
    cr_assert_eq(artel_outcomes_open(s_state, "r", s_id, "store", &theirs), 0);
    s_commit(&s_node, "r", s_id, 3);
    s_expect_ask(s_node.store, s_id, 1);
    artel_outcomes_close(&theirs);
    artel_msg_t msg;
    while ((msg = s_recv(s_node.store)).id == ARTEL_MSG_POSITION_GET)
        s_send(s_node.store, (artel_msg_t) { .id = ARTEL_MSG_POSITION, .position = { s_id, 2, 0, { 0 } } });
    cr_assert_eq(msg.deliver.counter, 3);
}

static unsigned s_outcomes;

static void
s_count(void *arg, const artel_outcome_t *outcome)
{
    (void) arg;
    s_outcomes += artel_id_equal(outcome->xid, s_xid) && outcome->version == 7 && outcome->counter == 1;
}

Test(sender, has_an_outcome_on_disk_before_it_tells_it)
{
    s_make_journal("r", s_id, "store=store", 1, true);
    s_commit(&s_node, "r", s_id, 1);
    s_expect_ask(s_node.store, s_id, 0);
    s_expect_deliver(s_node.store, 1, 0);
    s_send(s_node.store, (artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_DONE, .artifact_done = {
        .xid = s_xid, .version = 7, .fresh = true, .writer = s_id, .counter = 1 } });
    artel_msg_t msg = s_await(s_node.handler, ARTEL_MSG_ARTIFACT_DONE);
    cr_assert(artel_str_equal(msg.artifact_done.sink, artel_str("store")), "the sender names the sink");
    cr_assert_eq(msg.artifact_done.version, 7);
    cr_assert_eq(artel_outcomes_each(s_state, "r", s_id, "store", s_count, NULL), 0);
    cr_assert_eq(s_outcomes, 1);
}

Test(sender, tells_done_before_delivered)
{
    s_make_journal("r", s_id, "store=store", 1, true);
    s_commit(&s_node, "r", s_id, 1);
    s_expect_ask(s_node.store, s_id, 0);
    s_expect_deliver(s_node.store, 1, 0);
    s_send(s_node.store, (artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_DONE, .artifact_done = {
        .xid = s_xid, .writer = s_id, .counter = 1 } });
    s_answer(s_node.store, s_id, 1, 0);
    cr_assert_eq(s_await_sink(s_node.handler, "store").delivered.counter, 0);
    cr_assert_eq(s_recv(s_node.handler).id, ARTEL_MSG_ARTIFACT_DONE);
    cr_assert_eq(s_recv(s_node.handler).delivered.counter, 1);
}

Test(sender, passes_a_question_to_the_sink_it_is_for)
{
    s_send(s_node.handler, (artel_msg_t) { .id = ARTEL_MSG_RESOLVE, .resolve = { .token = 4,
        .sink = artel_str("copy"), .name = artel_str("model") } });
    artel_msg_t msg = s_recv(s_node.copy);
    cr_assert_eq(msg.id, ARTEL_MSG_RESOLVE);
    s_send(s_node.copy, (artel_msg_t) { .id = ARTEL_MSG_RESOLVED, .resolved = { .token = 4, .version = 2 } });
    cr_assert_eq(s_recv(s_node.handler).resolved.version, 2);
    s_send(s_node.handler, (artel_msg_t) { .id = ARTEL_MSG_RESOLVE, .resolve = { .token = 5,
        .sink = artel_str("other") } });
    msg = s_recv(s_node.handler);
    cr_assert_eq(msg.resolved.token, 5);
    cr_assert_eq(msg.resolved.code, ARTEL_ENOENT);
}

Test(sender, gives_the_writer_room_for_as_many_notices_as_it_has_read)
{
    for (unsigned i = 0; i < 200; i++)
        s_commit(&s_node, "r", s_id, 0);
    cr_assert_eq(s_recv(s_node.writer).noted.notices, 64);
    cr_assert_eq(s_recv(s_node.writer).noted.notices, 64);
    cr_assert_eq(s_recv(s_node.writer).noted.notices, 64);
    s_expect_silence(s_node.writer);
}

static unsigned
s_descriptors(void)
{
    unsigned n = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

Test(sender, holds_no_descriptors_for_journals_that_are_idle)
{
    enum { N = 300 };
    for (unsigned i = 0; i < N; i++) {
        artel_id_t writer = { { 1, (uint8_t) i, (uint8_t) (i >> 8) } };
        s_make_journal("r", writer, "store=store", 1, false);
    }
    unsigned before = s_descriptors();
    for (unsigned i = 0; i < N; i++) {
        artel_id_t writer = { { 1, (uint8_t) i, (uint8_t) (i >> 8) } };
        s_commit(&s_node, "r", writer, 1);
    }
    for (unsigned delivered = 0; delivered < N; ) {
        artel_msg_t msg = s_recv(s_node.store);
        artel_id_t writer = msg.id == ARTEL_MSG_DELIVER ? msg.deliver.writer : msg.position_get.writer;
        if (msg.id == ARTEL_MSG_DELIVER)
            s_answer(s_node.store, writer, 1, 0);
        else
            s_send(s_node.store, (artel_msg_t) { .id = ARTEL_MSG_POSITION, .position = { .writer = writer } });
        delivered += msg.id == ARTEL_MSG_DELIVER;
    }
    cr_assert_leq(s_descriptors() - before, 3 * 32);
}

//  Two nodes deliver the same journals to a sink that keeps one position each.
Test(sender, two_nodes_deliver_each_batch_once)
{
    enum { JOURNALS = 20, N = 20 };
    static unsigned seen[JOURNALS][N + 1];
    uint64_t position[JOURNALS] = { 0 };
    node_t other;
    s_start(&other, true);
    node_t *nodes[] = { &s_node, &other };
    for (uint8_t i = 0; i < JOURNALS; i++) {
        artel_id_t writer = { { i, 1 } };
        s_make_journal("r", writer, "store=store", N, true);
        for (int n = 0; n < 2; n++) {
            s_commit(nodes[n], "r", writer, N);
            s_close(nodes[n], "r", writer, true);
        }
    }
    unsigned complete = 0;
    for (int n = 0; complete < JOURNALS; n ^= 1) {
        artel_msg_t msg;
        if (!s_try_recv(nodes[n]->store, 1, &msg))
            continue;
        artel_id_t writer = msg.id == ARTEL_MSG_DELIVER ? msg.deliver.writer : msg.position_get.writer;
        uint8_t i = writer.at[0];
        if (msg.id == ARTEL_MSG_POSITION_GET) {
            s_send(nodes[n]->store, (artel_msg_t) { .id = ARTEL_MSG_POSITION, .position = { .writer = writer,
                .counter = position[i] } });
            continue;
        }
        uint64_t counter = msg.deliver.counter;
        cr_assert_eq(counter, position[i] + 1);
        cr_assert_eq(seen[i][counter]++, 0, "batch %d of journal %d came twice", (int) counter, i);
        position[i] = counter;
        complete += counter == N;
        s_answer(nodes[n]->store, writer, counter, 0);
    }
    s_stop(&other);
}

static artel_msg_t
s_adopt(node_t *node, uint64_t wait_ms, artel_msg_adopted_t search)
{
    search.token = 9;
    s_send(node->writer, (artel_msg_t) { .id = ARTEL_MSG_ADOPT, .adopt = { 9, wait_ms } });
    s_send(node->writer, (artel_msg_t) { .id = ARTEL_MSG_ADOPTED, .adopted = search });
    return s_await(node->handler, ARTEL_MSG_ADOPTED);
}

Test(sender, answers_an_adoption_when_all_that_was_found_is_delivered)
{
    s_make_journal("r", s_id, "store=store", 1, true);
    s_commit(&s_node, "r", s_id, 1);
    s_close(&s_node, "r", s_id, true);
    s_send(s_node.writer, (artel_msg_t) { .id = ARTEL_MSG_ADOPT, .adopt = { 9, 60000 } });
    s_send(s_node.writer, (artel_msg_t) { .id = ARTEL_MSG_ADOPTED, .adopted = { .token = 9, .journals = 1 } });
    s_expect_ask(s_node.store, s_id, 0);
    s_expect_deliver(s_node.store, 1, 0);
    cr_assert_eq(s_recv(s_node.handler).id, ARTEL_MSG_DELIVERED);
    s_expect_silence(s_node.handler);
    s_answer(s_node.store, s_id, 1, 0);
    artel_msg_t msg = s_await(s_node.handler, ARTEL_MSG_ADOPTED);
    cr_assert_eq(msg.adopted.code, 0);
    cr_assert_eq(msg.adopted.journals, 1);
    cr_assert_eq(msg.adopted.undelivered, 0);
}

Test(sender, answers_an_adoption_in_time_with_what_is_left)
{
    s_make_journal("r", s_id, "store=store", 1, true);
    s_commit(&s_node, "r", s_id, 1);
    s_close(&s_node, "r", s_id, true);
    int64_t before = artel_now_ms();
    artel_msg_t msg = s_adopt(&s_node, 100, (artel_msg_adopted_t) { .journals = 1 });
    cr_assert_lt(artel_now_ms() - before, 1000);
    cr_assert_eq(msg.adopted.code, ARTEL_EPENDING);
    cr_assert_eq(msg.adopted.undelivered, 1);
}

Test(sender, answers_an_adoption_that_found_nothing_at_once)
{
    cr_assert_eq(s_adopt(&s_node, UINT64_MAX, (artel_msg_adopted_t) { 0 }).adopted.code, 0);
    cr_assert_eq(s_adopt(&s_node, 60000, (artel_msg_adopted_t) { .lost = 3 }).adopted.code, ARTEL_ELOST);
    cr_assert_eq(s_adopt(&s_node, 60000, (artel_msg_adopted_t) { .code = ARTEL_ECORRUPT }).adopted.code, ARTEL_ECORRUPT);
}

Test(sender, counts_what_wants_a_sink_the_node_has_not_as_undelivered)
{
    s_make_journal("r", s_id, "copy=store:/elsewhere", 1, true);
    s_send(s_node.writer, (artel_msg_t) { .id = ARTEL_MSG_ADOPT, .adopt = { 9, 60000 } });
    s_commit(&s_node, "r", s_id, 1);
    s_close(&s_node, "r", s_id, true);
    s_send(s_node.writer, (artel_msg_t) { .id = ARTEL_MSG_ADOPTED, .adopted = { .token = 9, .journals = 1 } });
    artel_msg_t msg = s_await(s_node.handler, ARTEL_MSG_ADOPTED);
    cr_assert_eq(msg.adopted.code, ARTEL_EPENDING);
    cr_assert_eq(msg.adopted.undelivered, 1);
}

Test(sender, says_why_a_sink_has_no_backend_and_delivers_to_the_others)
{
    node_t poor = { .copy = NULL };
    s_stop(&s_node);
    s_start(&poor, false);
    s_make_journal("r", s_id, SINKS, 1, true);
    s_commit(&poor, "r", s_id, 1);
    artel_msg_t msg = s_await_sink(poor.handler, "copy");
    cr_assert_eq(msg.delivered.code, ARTEL_EVERSION);
    s_expect_ask(poor.store, s_id, 1);
    s_close(&poor, "r", s_id, true);
    s_await_retired(&poor, s_id, 1);
    cr_assert(s_is_pending("r", s_id), "the copy is still to be made");
    s_send(poor.handler, (artel_msg_t) { .id = ARTEL_MSG_RESOLVE, .resolve = { .sink = artel_str("copy") } });
    cr_assert_eq(s_await(poor.handler, ARTEL_MSG_RESOLVED).resolved.code, ARTEL_EVERSION);
    s_stop(&poor);
    s_start(&s_node, true);
}

Test(sender, a_journal_that_has_vanished_holds_nobody_up)
{
    s_make_journal("q", s_second, "store=store", 1, true);
    s_commit(&s_node, "r", s_id, 1);            //  it was never there
    s_close(&s_node, "r", s_id, true);
    s_commit(&s_node, "q", s_second, 1);
    s_expect_ask(s_node.store, s_id, 0);
    s_expect_ask(s_node.store, s_second, 0);
    s_expect_deliver(s_node.store, 1, 0);
}

Test(sender, what_a_vanished_journal_had_for_a_sink_that_has_it_not_is_lost)
{
    s_commit(&s_node, "r", s_id, 3);
    s_expect_ask(s_node.store, s_id, 1);
    artel_msg_t msg = s_await_sink(s_node.handler, "store");
    cr_assert_eq(msg.delivered.counter, 3);
    cr_assert_eq(msg.delivered.lost, 2);
    s_close(&s_node, "r", s_id, true);
    s_expect_ask(s_node.copy, s_id, 3);
    cr_assert_eq(s_await_sink(s_node.handler, "copy").delivered.lost, 0);
    s_await_retired(&s_node, s_id, 3);
}

//  A sender that has until then to deliver what is committed, and is told to stop while the copy has not
//  answered.
static void
s_stop_before_the_copy_answers(int64_t drain_ms)
{
    s_stop(&s_node);
    s_drains = true;
    s_start(&s_node, true);
    s_make_journal("r", s_id, SINKS, 2, true);
    s_commit(&s_node, "r", s_id, 2);
    s_close(&s_node, "r", s_id, true);
    s_expect_ask(s_node.store, s_id, 2);
    s_expect_ask(s_node.copy, s_id, 0);
    s_expect_deliver(s_node.copy, 1, 0);
    s_expect_deliver(s_node.copy, 2, 1);
    s_drain_by = artel_now_ms() + drain_ms;
    cr_assert_eq(zstr_send(s_node.actor, "$TERM"), 0);
}

Test(sender, that_drains_is_over_when_every_sink_has_everything)
{
    s_stop_before_the_copy_answers(60000);
    s_answer(s_node.copy, s_id, 2, 0);
    s_await_retired(&s_node, s_id, 2);
    cr_assert_not(s_is_pending("r", s_id));
}

Test(sender, that_drains_waits_for_a_sink_that_takes_nothing_until_its_time_has_come)
{
    s_stop_before_the_copy_answers(300);
    cr_assert_eq(artel_actor_stop(&s_node.actor, 20000), 0);
    int64_t late = artel_now_ms() - s_drain_by;
    cr_assert(late >= 0 && late < 10000, "%d ms", (int) late);
}

//  One that has a minute.
static void
s_start_draining(void)
{
    s_stop(&s_node);
    s_drains = true;
    s_drain_by = artel_now_ms() + 60000;
    s_start(&s_node, true);
}

Test(sender, that_drains_and_has_nothing_to_do_is_over_at_once)
{
    s_start_draining();
    cr_assert_eq(artel_actor_stop(&s_node.actor, 20000), 0);
}

Test(sender, that_drains_does_not_wait_for_a_journal_that_has_vanished)
{
    s_start_draining();
    s_commit(&s_node, "r", s_id, 1);
    s_close(&s_node, "r", s_id, true);
    s_expect_ask(s_node.store, s_id, 0);
    s_expect_ask(s_node.copy, s_id, 0);
    cr_assert_eq(artel_actor_stop(&s_node.actor, 20000), 0);
}
