//  Messages over sockets.

#include <criterion/criterion.h>

#include "bounds.h"
#include "errors.h"
#include "guest.h"
#include "wire.h"

static artel_wire_t s_wire;
static zsock_t *s_a, *s_b;
static zsock_t *s_router, *s_dealer;
static zmq_msg_t s_frame;

static void
s_setup(void)
{
    zmq_msg_init(&s_frame);
    cr_assert_eq(artel_guest_enter(), 0);
    cr_assert_eq(artel_wire_init(&s_wire, "test"), 0);
    cr_assert_eq(artel_sock_pair(&s_a, &s_b), 0);
    s_router = artel_sock_new(ZMQ_ROUTER);
    s_dealer = artel_sock_new(ZMQ_DEALER);
    cr_assert_eq(zsock_bind(s_router, "inproc://router"), 0);
    cr_assert_eq(zsock_connect(s_dealer, "inproc://router"), 0);
}

static void
s_teardown(void)
{
    zmq_msg_close(&s_frame);
    zsock_destroy(&s_a);
    zsock_destroy(&s_b);
    zsock_destroy(&s_router);
    zsock_destroy(&s_dealer);
    artel_wire_done(&s_wire);
}

TestSuite(wire, .init = s_setup, .fini = s_teardown, .timeout = 20);

static const artel_msg_t s_flush = { .id = ARTEL_MSG_FLUSH, .flush = { .counter = 7, .level = 2 } };

Test(wire, a_message_arrives_in_one_frame)
{
    artel_msg_t msg;
    cr_assert_eq(artel_wire_send(&s_wire, s_a, "other", &s_flush), 0);
    cr_assert_eq(artel_wire_take(s_b, &s_frame), 1);
    cr_assert_not(zmq_msg_more(&s_frame));
    cr_assert_eq(artel_wire_unpack(&s_wire, &s_frame, &msg), 0);
    cr_assert_eq(msg.flush.counter, 7);
    cr_assert_eq(artel_wire_take(s_b, &s_frame), 0, "and nothing more");
}

Test(wire, a_frame_passed_on_is_the_same_and_gone_here)
{
    zmq_msg_t frame;
    zmq_msg_init_size(&frame, 1000);
    memset(zmq_msg_data(&frame), 'x', 1000);
    cr_assert_eq(artel_wire_forward(s_a, &frame), 0);
    cr_assert_eq(zmq_msg_size(&frame), 0);
    cr_assert_eq(artel_wire_take(s_b, &s_frame), 1);
    cr_assert_eq(zmq_msg_size(&s_frame), 1000);
}

Test(wire, never_waits_for_a_reader)
{
    for (int i = 0; i < 100000; i++)
        cr_assert_eq(artel_wire_send(&s_wire, s_a, "other", &s_flush), 0);
    int n = 0;
    while (artel_wire_take(s_b, &s_frame))
        n++;
    cr_assert_eq(n, 100000, "nothing is dropped inside a process");
}

static unsigned s_seen;

static void
s_count(void *self, const artel_msg_t *msg, zmq_msg_t *frame)
{
    (void) self;
    (void) frame;
    s_seen += msg->id == ARTEL_MSG_FLUSH;
}

Test(wire, a_drain_passes_over_what_is_no_message_and_stops_at_its_limit)
{
    artel_wire_send(&s_wire, s_a, "other", &s_flush);
    zstr_send(s_a, "hello");
    artel_wire_send(&s_wire, s_a, "other", &s_flush);
    artel_wire_send(&s_wire, s_a, "other", &s_flush);
    artel_wire_drain(&s_wire, s_b, 3, s_count, NULL);
    cr_assert_eq(s_seen, 2);
    artel_wire_drain(&s_wire, s_b, 3, s_count, NULL);
    cr_assert_eq(s_seen, 3);
}

Test(wire, a_reply_reaches_the_peer_that_asked)
{
    artel_peer_t peer;
    artel_msg_t msg;
    zsock_t *second = artel_sock_new(ZMQ_DEALER);
    zsock_connect(second, "inproc://router");
    artel_wire_send(&s_wire, second, "handler", &s_flush);
    cr_assert_eq(artel_wire_take_from(s_router, &peer, &s_frame), 1);
    cr_assert_eq(artel_wire_reply(&s_wire, s_router, &peer, &s_flush), 0);
    cr_assert_eq(artel_wire_take(s_dealer, &s_frame), 0);
    cr_assert_eq(artel_wire_take(second, &s_frame), 1);
    cr_assert_eq(artel_wire_unpack(&s_wire, &s_frame, &msg), 0);
    cr_assert_eq(msg.flush.level, 2);
    zsock_destroy(&second);
}

Test(wire, a_reply_to_a_peer_that_has_gone_is_an_error_and_the_next_one_works)
{
    artel_peer_t gone = { 5, { 0, 1, 2, 3, 4 } }, peer;
    cr_assert_eq(artel_wire_reply(&s_wire, s_router, &gone, &s_flush), ARTEL_EUNAVAIL);
    artel_wire_send(&s_wire, s_dealer, "handler", &s_flush);
    cr_assert_eq(artel_wire_take_from(s_router, &peer, &s_frame), 1);
    cr_assert_eq(artel_wire_reply(&s_wire, s_router, &peer, &s_flush), 0);
    cr_assert_eq(artel_wire_take(s_dealer, &s_frame), 1);
}

Test(wire, messages_of_more_or_fewer_frames_are_dropped_whole)
{
    artel_peer_t peer;
    zstr_sendx(s_dealer, "one", "two", "three", NULL);
    artel_wire_send(&s_wire, s_dealer, "handler", &s_flush);
    cr_assert_eq(artel_wire_take_from(s_router, &peer, &s_frame), 1);
    cr_assert_eq(artel_msg_peek(zmq_msg_data(&s_frame), zmq_msg_size(&s_frame)), ARTEL_MSG_FLUSH);
    cr_assert_eq(artel_wire_take_from(s_router, &peer, &s_frame), 0);
}

Test(wire, a_peer_that_names_itself_at_length_is_not_heard)
{
    artel_peer_t peer;
    zsock_t *named = artel_sock_new(ZMQ_DEALER);
    zsock_set_identity(named, "a name of its own");
    zsock_connect(named, "inproc://router");
    artel_wire_send(&s_wire, named, "handler", &s_flush);
    cr_assert_eq(artel_wire_take_from(s_router, &peer, &s_frame), 0);
    zsock_destroy(&named);
}

Test(wire, every_socket_has_the_options_that_must_not_be_left_to_defaults)
{
    static const int types[] = { ZMQ_PAIR, ZMQ_DEALER, ZMQ_ROUTER };
    for (size_t i = 0; i < 3; i++) {
        zsock_t *sock = artel_sock_new(types[i]);
        cr_assert_eq(zsock_linger(sock), 0);
        cr_assert_eq(zsock_sndhwm(sock), 0);
        cr_assert_eq(zsock_rcvhwm(sock), 0);
        cr_assert_eq(zsock_sndtimeo(sock), 0);
        cr_assert_eq(zsock_maxmsgsize(sock), ARTEL_MAX_MESSAGE);
        zsock_destroy(&sock);
    }
}
