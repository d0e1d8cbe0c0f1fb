//  The handler between a client and neighbours that the test plays.

#include <criterion/criterion.h>

#include "artel.h"
#include "errors.h"
#include "guest.h"
#include "handler.h"
#include "wire.h"

static zactor_t *s_handler;
static zsock_t *s_writer, *s_sender, *s_client;
static artel_wire_t s_wire;
static zmq_msg_t s_frame;           //  what s_recv received last
static artel_sinks_t s_sinks;
static const artel_id_t s_id = { "a writer id 16b" };
static const artel_id_t s_xid = { "some xid of 16b" };

static void
s_setup(void)
{
    char why[128];
    zmq_msg_init(&s_frame);
    zsock_t *handler_writer, *handler_sender;
    cr_assert_eq(artel_guest_enter(), 0);
    cr_assert_eq(artel_wire_init(&s_wire, "client"), 0);
    cr_assert_eq(artel_sinks_parse("store", &s_sinks, why, sizeof why), 0);
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
    zmq_msg_close(&s_frame);
    artel_sinks_done(&s_sinks);
    artel_wire_done(&s_wire);
}

TestSuite(handler, .init = s_setup, .fini = s_teardown, .timeout = 20);

//  The next message on a socket within 2 s; it lives until the next call.
static artel_msg_t
s_recv(zsock_t *sock)
{
    artel_msg_t msg;
    size_t used;
    zmq_pollitem_t item = { zsock_resolve(sock), 0, ZMQ_POLLIN, 0 };
    cr_assert_eq(zmq_poll(&item, 1, 2000), 1, "nothing came");
    cr_assert_eq(artel_wire_take(sock, &s_frame), 1);
    msgpack_zone_clear(&s_wire.zone);
    cr_assert_eq(artel_msg_unpack(zmq_msg_data(&s_frame), zmq_msg_size(&s_frame),
                                  &s_wire.zone, &msg, &used), 0);
    return msg;
}

static void
s_send(zsock_t *sock, artel_msg_t msg)
{
    cr_assert_eq(artel_wire_send(&s_wire, sock, "handler", &msg), 0);
}

static void
s_send_batch(uint64_t counter, bool with_xid)
{
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_BATCH, .batch = { .run = artel_str("r"),
        .writer = s_id, .counter = counter,
        .xids = { (const char *) s_xid.at, with_xid ? sizeof s_xid : 0 } } });
}

//  run_open, as far as a journal that has `accepted` batches.
static void
s_open_run(uint64_t accepted)
{
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_RUN_OPEN, .run_open = { artel_str("r"), s_id } });
    cr_assert_eq(s_recv(s_writer).id, ARTEL_MSG_RUN_OPEN);
    s_send(s_writer, (artel_msg_t) { .id = ARTEL_MSG_RUN_OPENED, .run_opened = {
        .writer = s_id, .accepted = accepted } });
    cr_assert_eq(s_recv(s_client).run_opened.accepted, accepted);
}

Test(handler, refuses_a_batch_before_run_open)
{
    s_send_batch(1, false);
    cr_assert_eq(s_recv(s_client).refused.code, ARTEL_ECLOSED);
}

Test(handler, passes_on_the_next_batch_and_relays_its_acceptance)
{
    s_open_run(0);
    s_send_batch(1, false);
    cr_assert_eq(s_recv(s_writer).batch.counter, 1);
    s_send(s_writer, (artel_msg_t) { .id = ARTEL_MSG_ACCEPTED, .accepted = { .writer = s_id, .accepted = 1 } });
    cr_assert_eq(s_recv(s_client).accepted.accepted, 1);
}

Test(handler, acknowledges_again_what_is_accepted_and_passes_it_on_once)
{
    s_open_run(5);
    s_send_batch(5, false);
    cr_assert_eq(s_recv(s_client).accepted.accepted, 5);
    s_send_batch(6, false);
    cr_assert_eq(s_recv(s_writer).batch.counter, 6);
}

Test(handler, says_where_it_stands_when_a_batch_is_missing)
{
    s_open_run(2);
    s_send_batch(9, false);
    cr_assert_eq(s_recv(s_client).accepted.accepted, 2);
}

Test(handler, answers_an_artifact_send_when_it_is_durable_and_not_before)
{
    s_open_run(0);
    s_send_batch(1, true);
    cr_assert_eq(s_recv(s_writer).id, ARTEL_MSG_BATCH);
    cr_assert_eq(s_recv(s_writer).id, ARTEL_MSG_FLUSH);
    s_send(s_writer, (artel_msg_t) { .id = ARTEL_MSG_ACCEPTED, .accepted = { .writer = s_id, .accepted = 1 } });
    cr_assert_eq(s_recv(s_client).id, ARTEL_MSG_ACCEPTED);
    s_send(s_writer, (artel_msg_t) { .id = ARTEL_MSG_DURABLE, .durable = { .writer = s_id, .counter = 1 } });
    artel_msg_t msg = s_recv(s_client);
    cr_assert_eq(msg.id, ARTEL_MSG_ARTIFACT_SEND_RESPONSE);
    cr_assert(artel_id_equal(msg.artifact_send_response.xid, s_xid));
}

Test(handler, answers_a_parked_poll_when_the_artifact_is_done)
{
    s_open_run(0);
    s_send_batch(1, true);
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
    s_send_batch(1, true);
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_POLL, .artifact_poll = {
        .xid = s_xid, .wait_ms = 20 } });
    cr_assert_eq(s_recv(s_client).artifact_poll_response.state, ARTEL_POLL_PENDING);
}

Test(handler, does_not_know_an_xid_it_never_saw)
{
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_POLL, .artifact_poll = { .xid = s_xid } });
    cr_assert_eq(s_recv(s_client).artifact_poll_response.state, ARTEL_POLL_UNKNOWN);
}

Test(handler, refuses_what_is_no_message_of_a_client)
{
    zstr_send(s_client, "hello");
    cr_assert_eq(s_recv(s_client).error.code, ARTEL_EPROTO);
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_DELIVER });
    cr_assert_eq(s_recv(s_client).error.code, ARTEL_EPROTO);
}

Test(handler, takes_a_refused_batch_again_after_a_reset)
{
    s_open_run(0);
    s_send_batch(1, false);
    cr_assert_eq(s_recv(s_writer).batch.counter, 1);
    s_send(s_writer, (artel_msg_t) { .id = ARTEL_MSG_REFUSED, .refused = { s_id, 1, ARTEL_ENOSPC, artel_str("full") } });
    cr_assert_eq(s_recv(s_writer).id, ARTEL_MSG_RESET);
    cr_assert_eq(s_recv(s_client).refused.code, ARTEL_ENOSPC);
    s_send_batch(1, false);
    cr_assert_eq(s_recv(s_writer).batch.counter, 1);
}
