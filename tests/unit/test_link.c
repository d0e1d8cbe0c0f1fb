//  The client's link, before a node that the test plays: what it sends, when, and what it makes
//  of refusals, forgotten xids, and silence.

#include <criterion/criterion.h>

#include "actor.h"
#include "batch.h"
#include "bounds.h"
#include "client.h"
#include "errors.h"
#include "guest.h"
#include "link.h"
#include "wire.h"

#include <unistd.h>

enum { WAIT_MS = 10000, MAX_BATCHES = 4096 };

//  The node: accepts what comes, unless it is told otherwise.
typedef struct {
    zsock_t *clients;
    artel_wire_t wire;
    pthread_t thread;
    atomic_bool stop;
    atomic_bool silent;         //  answers nothing
    atomic_int refuse;          //  so many batches, with ENOSPC
    atomic_int forget;          //  forgets the run at so many batches
    atomic_int unknown, pending;    //  answers so many polls with that
    uint64_t credit;            //  what it grants
    atomic_int opens, batches, flushes, polls, cancels, closes, sends;
    atomic_uint_fast64_t accepted, durable;
    size_t refused_size;
    char refused[4096];         //  the first frame that was refused
    atomic_bool resent;         //  it came again, byte for byte
    artel_id_t xid;
    atomic_bool same_xid;       //  every artifact_send had it
    bool late;                  //  a run_open came while it was silent
    artel_peer_t late_peer;
    artel_id_t late_writer;
} node_t;

static node_t s_node;
static artel_t *s_client;

static void
s_reply(const artel_peer_t *peer, const artel_msg_t *msg)
{
    if (!s_node.silent)
        artel_wire_reply(&s_node.wire, s_node.clients, peer, msg);
}

static void
s_tell_marks(const artel_peer_t *peer, artel_id_t writer)
{
    s_reply(peer, &(artel_msg_t) { .id = ARTEL_MSG_ACCEPTED, .accepted = {
        .writer = writer, .accepted = s_node.accepted, .durable = s_node.durable, .delivered = s_node.accepted } });
}

//  Whether this is time to be difficult.
static bool
s_take_one(atomic_int *count)
{
    int n = *count;
    return n > 0 && atomic_compare_exchange_strong(count, &n, n - 1);
}

static void
s_note_sends(const artel_msg_batch_t *head)
{
    for (size_t i = 0; i < head->xids.len; i += 16) {
        if (s_node.sends++ == 0)
            memcpy(s_node.xid.at, head->xids.at, 16);
        else if (memcmp(s_node.xid.at, head->xids.at + i, 16) != 0)
            s_node.same_xid = false;
    }
}

static void
s_on_batch(const artel_peer_t *peer, const artel_msg_batch_t *head, zmq_msg_t *frame)
{
    size_t size = zmq_msg_size(frame);
    cr_assert_eq(artel_batch_check(zmq_msg_data(frame), size), 0);
    s_node.batches++;
    if (s_take_one(&s_node.forget)) {
        s_reply(peer, &(artel_msg_t) { .id = ARTEL_MSG_REFUSED, .refused = {
            head->writer, head->counter, ARTEL_ECLOSED, artel_str("forgotten") } });
    } else if (s_take_one(&s_node.refuse)) {
        s_node.refused_size = size;
        memcpy(s_node.refused, zmq_msg_data(frame), size < sizeof s_node.refused ? size : sizeof s_node.refused);
        s_reply(peer, &(artel_msg_t) { .id = ARTEL_MSG_REFUSED, .refused = {
            head->writer, head->counter, ARTEL_ENOSPC, artel_str("full") } });
    } else if (head->counter == s_node.accepted + 1) {
        s_node.resent = size == s_node.refused_size && memcmp(s_node.refused, zmq_msg_data(frame), size) == 0;
        s_note_sends(head);
        s_node.accepted = head->counter;
        s_tell_marks(peer, head->writer);
    }
}

//  What is accepted is durable when that was asked for.
static void
s_on_flush(const artel_peer_t *peer, const artel_msg_flush_t *flush)
{
    s_node.flushes++;
    if (flush->counter <= s_node.accepted)
        s_node.durable = flush->counter;
    s_tell_marks(peer, flush->writer);
}

static void
s_on_poll(const artel_peer_t *peer, const artel_msg_artifact_poll_t *poll)
{
    s_node.polls++;
    artel_poll_state_t state = s_take_one(&s_node.unknown) ? ARTEL_POLL_UNKNOWN
                               : s_take_one(&s_node.pending) ? ARTEL_POLL_PENDING : ARTEL_POLL_READY;
    s_reply(peer, &(artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_POLL_RESPONSE, .artifact_poll_response = {
        .xid = poll->xid, .state = state, .sink = state == ARTEL_POLL_UNKNOWN ? artel_str("") : poll->sink,
        .version = 7 } });
}

static void
s_on_run_open(const artel_peer_t *peer, const artel_msg_run_open_t *open)
{
    s_node.opens++;
    s_node.late = s_node.silent;
    s_node.late_peer = *peer;
    s_node.late_writer = open->writer;
    s_reply(peer, &(artel_msg_t) { .id = ARTEL_MSG_RUN_OPENED, .run_opened = {
        .writer = open->writer, .accepted = s_node.accepted, .credit = s_node.credit } });
}

//  Open after all what came while it was silent.
static void
s_answer_late(void)
{
    if (!s_node.late || s_node.silent)
        return;
    s_node.late = false;
    s_reply(&s_node.late_peer, &(artel_msg_t) { .id = ARTEL_MSG_RUN_OPENED, .run_opened = {
        .writer = s_node.late_writer, .credit = s_node.credit } });
}

static void
s_on_message(const artel_peer_t *peer, const artel_msg_t *msg, zmq_msg_t *frame)
{
    switch (msg->id) {
    case ARTEL_MSG_RUN_OPEN: s_on_run_open(peer, &msg->run_open); break;
    case ARTEL_MSG_BATCH: s_on_batch(peer, &msg->batch, frame); break;
    case ARTEL_MSG_FLUSH: s_on_flush(peer, &msg->flush); break;
    case ARTEL_MSG_ARTIFACT_POLL: s_on_poll(peer, &msg->artifact_poll); break;
    case ARTEL_MSG_ARTIFACT_CANCEL: s_node.cancels++; break;
    case ARTEL_MSG_RUN_CLOSE: s_node.closes++; break;
    default: cr_assert_fail("a %s", artel_msg_name(msg->id));
    }
}

static void *
s_play_node(void *arg)
{
    artel_peer_t peer;
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    zmq_pollitem_t item = { zsock_resolve(s_node.clients), 0, ZMQ_POLLIN, 0 };
    while (!s_node.stop) {
        zmq_poll(&item, 1, 10);
        s_answer_late();
        artel_msg_t msg;
        size_t used;
        while (artel_wire_take_from(s_node.clients, &peer, &frame)) {
            msgpack_zone_clear(&s_node.wire.zone);
            cr_assert_eq(artel_msg_unpack(zmq_msg_data(&frame), zmq_msg_size(&frame), &s_node.wire.zone, &msg, &used), 0);
            s_on_message(&peer, &msg, &frame);
        }
    }
    zmq_msg_close(&frame);
    return arg;
}

static void
s_no_log(void *arg, int level, const char *text)
{
    (void) arg;
    (void) level;
    (void) text;
}

static void
s_setup(void)
{
    char why[64];
    cr_assert_eq(artel_guest_enter(), 0);
    cr_assert_eq(artel_wire_init(&s_node.wire, "handler"), 0);
    s_node.same_xid = true;
    s_node.credit = ARTEL_CREDIT;
    s_node.clients = artel_sock_new(ZMQ_ROUTER);
    cr_assert(zsock_bind(s_node.clients, "inproc://a-node") >= 0);
    pthread_create(&s_node.thread, NULL, s_play_node, NULL);
    s_client = artel_client_new(&(artel_options_t) { .log = s_no_log, .queue_ms = -1 });
    s_client->dir = strdup("/nowhere");
    cr_assert_eq(artel_sinks_parse("store", &s_client->sinks, why, sizeof why), 0);
    snprintf(s_client->endpoint, sizeof s_client->endpoint, "inproc://a-node");
    cr_assert_eq(artel_link_start(s_client), 0);
}

static void
s_teardown(void)
{
    artel_close(&s_client, 500);
    s_node.stop = true;
    pthread_join(s_node.thread, NULL);
    zsock_destroy(&s_node.clients);
    artel_wire_done(&s_node.wire);
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
    artel_future_t *future = artel_future_new(s_client, run->writer);
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
    s_node.refuse = 1;
    cr_assert_eq(artel_run_log(run, "k", 0, 1), 0);
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), ARTEL_ENOSPC);
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), 0);
    cr_assert(s_node.resent);
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

Test(link, has_no_more_on_the_way_than_the_node_granted)
{
    s_node.credit = 4 * (ARTEL_BATCH_TARGET + 512);
    artel_run_t *run = s_run();
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), 0);
    int before = s_node.batches;
    s_node.silent = true;
    s_log_batches(run, 20);
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, 300), ARTEL_ETIMEOUT);
    cr_assert_eq(artel_close(&s_client, 300), ARTEL_ELOST);
    for (int64_t end = s_now_ms() + WAIT_MS; s_node.batches < before + 4 && s_now_ms() < end; )
        usleep(1000);
    cr_assert_eq(s_node.batches, before + 4);
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
    s_node.unknown = 1;
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
