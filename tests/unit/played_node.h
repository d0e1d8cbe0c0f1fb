//  played_node.h - a node that a test plays, for the client's link to talk to.

#ifndef ARTEL_PLAYED_NODE_H
#define ARTEL_PLAYED_NODE_H

#include <criterion/criterion.h>

#include "batch.h"
#include "bounds.h"
#include "errors.h"
#include "guest.h"
#include "wire.h"

#include <unistd.h>

enum { WAIT_MS = 10000 };

//  The node: accepts what comes, unless it is told otherwise.
typedef struct {
    zsock_t *clients;
    artel_wire_t wire;
    pthread_t thread;
    atomic_bool stop;
    atomic_bool silent;         //  answers nothing
    uint64_t credit;            //  what it grants with run_opened
    uint64_t marks_credit;      //  and with marks
    atomic_int_fast64_t next_step;      //  where it says the run's steps go on
    const char *endpoint;       //  where it is bound
    atomic_bool restart;        //  loses every connection, and binds again
    atomic_int hellos, welcome_code;
    const char *state, *sinks;  //  said in a welcome; NULL: "store=store"
    atomic_int open_fails;      //  refuses so many run_opens, with
    atomic_int open_code;       //  this
    atomic_uint_fast64_t open_accepted; //  and this mark
    atomic_int refuse;          //  so many batches, with ENOSPC
    atomic_int crowd;           //  has no room for so many
    atomic_int forget;          //  forgets the run at so many batches
    atomic_int die;             //  its disk fails at so many batches
    atomic_int unknown, pending;    //  answers so many polls with that
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
        .writer = writer, .accepted = s_node.accepted, .durable = s_node.durable, .delivered = s_node.accepted,
        .credit = s_node.marks_credit } });
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
    } else if (s_take_one(&s_node.die)) {
        s_reply(peer, &(artel_msg_t) { .id = ARTEL_MSG_REFUSED, .refused = {
            .writer = head->writer, .code = ARTEL_EIO, .text = artel_str("/a/file is dead") } });
    } else if (s_take_one(&s_node.crowd)) {
        s_reply(peer, &(artel_msg_t) { .id = ARTEL_MSG_REFUSED, .refused = {
            head->writer, head->counter, ARTEL_EAGAIN, artel_str("crowded") } });
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
    if (s_take_one(&s_node.open_fails)) {
        s_reply(peer, &(artel_msg_t) { .id = ARTEL_MSG_RUN_OPENED, .run_opened = {
            .writer = open->writer, .code = s_node.open_code, .text = artel_str("not now"),
            .accepted = s_node.open_accepted } });
        return;
    }
    s_node.late = s_node.silent;
    s_node.late_peer = *peer;
    s_node.late_writer = open->writer;
    s_reply(peer, &(artel_msg_t) { .id = ARTEL_MSG_RUN_OPENED, .run_opened = {
        .writer = open->writer, .accepted = s_node.accepted, .credit = s_node.credit,
        .next_step = s_node.next_step } });
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
s_on_hello(const artel_peer_t *peer, const artel_msg_hello_t *hello)
{
    s_node.hellos++;
    cr_assert_eq(hello->version, ARTEL_WIRE_VERSION);
    s_reply(peer, &(artel_msg_t) { .id = ARTEL_MSG_WELCOME, .welcome = { .version = ARTEL_WIRE_VERSION,
        .code = s_node.welcome_code, .state = artel_str(s_node.state), .sinks = artel_str(s_node.sinks ? s_node.sinks : "store=store") } });
}

static void
s_on_message(const artel_peer_t *peer, const artel_msg_t *msg, zmq_msg_t *frame)
{
    switch (msg->id) {
    case ARTEL_MSG_HELLO: s_on_hello(peer, &msg->hello); break;
    case ARTEL_MSG_RUN_OPEN: s_on_run_open(peer, &msg->run_open); break;
    case ARTEL_MSG_BATCH: s_on_batch(peer, &msg->batch, frame); break;
    case ARTEL_MSG_FLUSH: s_on_flush(peer, &msg->flush); break;
    case ARTEL_MSG_ARTIFACT_POLL: s_on_poll(peer, &msg->artifact_poll); break;
    case ARTEL_MSG_ARTIFACT_CANCEL: s_node.cancels++; break;
    case ARTEL_MSG_RUN_CLOSE: s_node.closes++; break;
    default: cr_assert_fail("a %s", artel_msg_name(msg->id));
    }
}

static void
s_take_all(zmq_msg_t *frame)
{
    artel_peer_t peer;
    artel_msg_t msg;
    size_t used;
    while (artel_wire_take_from(s_node.clients, &peer, frame)) {
        msgpack_zone_clear(&s_node.wire.zone);
        cr_assert_eq(artel_msg_unpack(zmq_msg_data(frame), zmq_msg_size(frame), &s_node.wire.zone, &msg, &used), 0);
        s_on_message(&peer, &msg, frame);
    }
}

static void
s_bind(void)
{
    s_node.clients = artel_sock_new(ZMQ_ROUTER);
    cr_assert(zsock_bind(s_node.clients, "%s", s_node.endpoint) >= 0);
}

static void
s_restart(void)
{
    zsock_destroy(&s_node.clients);
    s_bind();
    s_node.restart = false;
}

static void *
s_play_node(void *arg)
{
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    while (!s_node.stop) {
        zmq_pollitem_t item = { zsock_resolve(s_node.clients), 0, ZMQ_POLLIN, 0 };
        zmq_poll(&item, 1, 10);
        if (s_node.restart)
            s_restart();
        s_answer_late();
        s_take_all(&frame);
    }
    zmq_msg_close(&frame);
    return arg;
}

static void
s_node_start(const char *endpoint)
{
    cr_assert_eq(artel_guest_enter(), 0);
    cr_assert_eq(artel_wire_init(&s_node.wire, "handler"), 0);
    s_node.same_xid = true;
    s_node.credit = s_node.marks_credit = ARTEL_CREDIT;
    s_node.endpoint = endpoint;
    s_bind();
    pthread_create(&s_node.thread, NULL, s_play_node, NULL);
}

static void
s_node_stop(void)
{
    s_node.stop = true;
    pthread_join(s_node.thread, NULL);
    zsock_destroy(&s_node.clients);
    artel_wire_done(&s_node.wire);
}

#endif
