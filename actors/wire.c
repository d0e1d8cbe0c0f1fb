//  wire.c - messages over sockets.

#include "wire.h"

#include "actor.h"
#include "bounds.h"
#include "errors.h"
#include "guest.h"
#include "handover.h"
#include "trace.h"

int
artel_wire_init(artel_wire_t *wire, const char *self)
{
    wire->self = self;
    msgpack_sbuffer_init(&wire->out);
    return msgpack_zone_init(&wire->zone, 8192) ? 0 : ARTEL_ENOMEM;
}

void
artel_wire_done(artel_wire_t *wire)
{
    msgpack_sbuffer_destroy(&wire->out);
    msgpack_zone_destroy(&wire->zone);
}

zsock_t *
artel_sock_new(int type)
{
    artel_guest_random_begin();
    zsock_t *sock = zsock_new(type);
    artel_guest_random_end();
    if (!sock)
        return NULL;
    zsock_set_linger(sock, 0);
    zsock_set_sndhwm(sock, 0);
    zsock_set_rcvhwm(sock, 0);
    zsock_set_maxmsgsize(sock, ARTEL_MAX_MESSAGE);
    zsock_set_sndtimeo(sock, 0);
    if (type == ZMQ_ROUTER)
        zsock_set_router_mandatory(sock, 1);
    return sock;
}

//  Bind or connect (fn); a signal of the host may interrupt it before it has begun.
static bool
s_join(zsock_t *sock, int (*fn)(zsock_t *sock, const char *format, ...), const char *name)
{
    int rc;
    do
        rc = fn(sock, "inproc://artel-%s", name);
    while (rc < 0 && errno == EINTR);
    return rc >= 0;
}

int
artel_sock_pair(zsock_t **ret_a, zsock_t **ret_b)
{
    char name[ARTEL_ID_TEXT];
    artel_id_t id = artel_id_new();
    artel_hex(id.at, sizeof id.at, name);
    zsock_t *a = artel_sock_new(ZMQ_PAIR), *b = artel_sock_new(ZMQ_PAIR);
    if (!a || !b || !s_join(a, zsock_bind, name) || !s_join(b, zsock_connect, name)) {
        zsock_destroy(&a);
        zsock_destroy(&b);
        return ARTEL_EMFILE;
    }
    *ret_a = a;
    *ret_b = b;
    return 0;
}

static int
s_pack(artel_wire_t *wire, const artel_msg_t *msg, zmq_msg_t *ret)
{
    msgpack_sbuffer_clear(&wire->out);
    if (artel_msg_pack(msg, &wire->out) != 0 || zmq_msg_init_size(ret, wire->out.size) != 0)
        return ARTEL_ENOMEM;
    memcpy(zmq_msg_data(ret), wire->out.data, wire->out.size);
    return 0;
}

//  The run a message names, for the trace.
static artel_str_t
s_run_of(const artel_msg_t *msg)
{
    switch (msg->id) {
    case ARTEL_MSG_RUN_OPEN: return msg->run_open.run;
    case ARTEL_MSG_COMMITTED: return msg->committed.run;
    case ARTEL_MSG_CLOSED: return msg->closed.run;
    case ARTEL_MSG_POSITION_GET: return msg->position_get.run;
    default: return (artel_str_t) { 0 };
    }
}

//  A deliver carries a batch: its records are the events.
static void
s_trace(const artel_wire_t *wire, const char *to, const artel_msg_t *msg, size_t bytes)
{
    if (!artel_trace_on())
        return;
    if (msg->id == ARTEL_MSG_DELIVER)
        artel_trace_batch(wire->self, to, msg->deliver.batch.at, msg->deliver.batch.len);
    else
        artel_trace_message(wire->self, to, msg, s_run_of(msg), bytes);
}

int
artel_wire_send(artel_wire_t *wire, zsock_t *sock, const char *to, const artel_msg_t *msg)
{
    zmq_msg_t frame;
    int rc = s_pack(wire, msg, &frame);
    if (rc != 0)
        return rc;
    s_trace(wire, to, msg, zmq_msg_size(&frame));
    return artel_wire_forward(sock, &frame);
}

int
artel_wire_reply(artel_wire_t *wire, zsock_t *router, const artel_peer_t *peer,
                 const artel_msg_t *msg)
{
    zmq_msg_t frame;
    int rc = s_pack(wire, msg, &frame);
    if (rc != 0)
        return rc;
    s_trace(wire, "client", msg, zmq_msg_size(&frame));
    void *raw = zsock_resolve(router);
    artel_actor_saw(router, false);
    if (zmq_send(raw, peer->at, peer->size, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&frame);
        return ARTEL_EUNAVAIL;
    }
    return artel_wire_forward(router, &frame);
}

int
artel_wire_forward(zsock_t *sock, zmq_msg_t *msg)
{
    artel_hand_over(zmq_msg_data(msg));
    artel_actor_saw(sock, false);
    if (zmq_msg_send(msg, zsock_resolve(sock), ZMQ_DONTWAIT) >= 0)
        return 0;
    zmq_msg_close(msg);
    return ARTEL_EAGAIN;
}

bool
artel_wire_has(zsock_t *sock)
{
    bool any = zsock_events(sock) & ZMQ_POLLIN;
    artel_actor_saw(sock, !any);
    return any;
}

int
artel_wire_take(zsock_t *sock, zmq_msg_t *frame)
{
    void *raw = zsock_resolve(sock);
    int rc;
    do
        rc = zmq_msg_recv(frame, raw, ZMQ_DONTWAIT);
    while (rc < 0 && errno == EINTR);
    artel_actor_saw(sock, rc < 0 && errno == EAGAIN);
    if (rc >= 0)
        artel_take_over(zmq_msg_data(frame));
    return rc >= 0;
}

int
artel_wire_put(zsock_t *sock, const void *data, size_t size)
{
    artel_actor_saw(sock, false);
    return zmq_send(zsock_resolve(sock), data, size, ZMQ_DONTWAIT) >= 0 ? 0 : ARTEL_EAGAIN;
}

bool
artel_wire_get(zsock_t *sock, void *ret, size_t size)
{
    int rc = zmq_recv(zsock_resolve(sock), ret, size, ZMQ_DONTWAIT);
    artel_actor_saw(sock, rc < 0 && errno == EAGAIN);
    return rc == (int) size;
}

//  Drop what is left of a message.
static void
s_skip(zsock_t *sock, zmq_msg_t *frame)
{
    while (zmq_msg_more(frame) && artel_wire_take(sock, frame))
        continue;
}

int
artel_wire_take_from(zsock_t *router, artel_peer_t *ret_peer, zmq_msg_t *frame)
{
    while (artel_wire_take(router, frame)) {
        size_t size = zmq_msg_size(frame);
        bool named = size <= sizeof ret_peer->at;
        if (named) {
            ret_peer->size = (uint8_t) size;
            memcpy(ret_peer->at, zmq_msg_data(frame), size);
        }
        if (zmq_msg_more(frame) && artel_wire_take(router, frame) && named && !zmq_msg_more(frame))
            return 1;
        s_skip(router, frame);
    }
    return 0;
}

int
artel_wire_unpack(artel_wire_t *wire, zmq_msg_t *frame, artel_msg_t *ret)
{
    msgpack_zone_clear(&wire->zone);
    return artel_msg_unpack_all(zmq_msg_data(frame), zmq_msg_size(frame), &wire->zone, ret);
}

void
artel_wire_drain(artel_wire_t *wire, zsock_t *sock, unsigned limit,
                 void (*fn)(void *self, const artel_msg_t *msg, zmq_msg_t *frame), void *self)
{
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    artel_msg_t msg;
    while (limit-- && artel_wire_take(sock, &frame))
        if (artel_wire_unpack(wire, &frame, &msg) == 0)
            fn(self, &msg, &frame);
    zmq_msg_close(&frame);
}
