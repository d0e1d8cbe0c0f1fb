//  wire.h - messages over sockets: one frame each, packed and unpacked in place.
//
//  A wire is an actor's working space; it belongs to the actor's thread.

#ifndef ARTEL_WIRE_H
#define ARTEL_WIRE_H

#include "msgs.h"

#include <czmq.h>
#include <msgpack.h>

typedef struct {
    const char *self;           //  the actor's name in traces
    msgpack_sbuffer out;        //  the message being packed
    msgpack_zone zone;          //  the lists of the message in hand
} artel_wire_t;

int
artel_wire_init(artel_wire_t *wire, const char *self);
void
artel_wire_done(artel_wire_t *wire);

//  A socket with every option set that must not be left to defaults: linger 0,
//  no high-water mark (windows are counted above), ARTEL_MAX_MESSAGE, ROUTER
//  mandatory, sends that never wait. NULL if there is none to be had.
zsock_t *
artel_sock_new(int type);

//  Two PAIR sockets connected over inproc. 0 or ARTEL_EMFILE.
int
artel_sock_pair(zsock_t **ret_a, zsock_t **ret_b);

//  Send msg on a PAIR or DEALER to the actor named to. Never blocks. 0,
//  ARTEL_ENOMEM, ARTEL_EAGAIN.
int
artel_wire_send(artel_wire_t *wire, zsock_t *sock, const char *to, const artel_msg_t *msg);

//  Send msg from a ROUTER to the peer with this routing id. ARTEL_EUNAVAIL if it has gone.
typedef struct {
    uint8_t size;
    uint8_t at[5];              //  what libzmq makes up for peers that name none
} artel_peer_t;

int
artel_wire_reply(artel_wire_t *wire, zsock_t *router, const artel_peer_t *peer,
                 const artel_msg_t *msg);

//  Pass a whole frame on; msg is empty afterwards.
int
artel_wire_forward(zsock_t *sock, zmq_msg_t *msg);

//  A struct as it is, between two of our actors: send one (0 or ARTEL_EAGAIN), or take one
//  without waiting (false if there is none).
int
artel_wire_put(zsock_t *sock, const void *data, size_t size);
bool
artel_wire_get(zsock_t *sock, void *ret, size_t size);

//  Whether there is something to take.
bool
artel_wire_has(zsock_t *sock);

//  Take one frame without waiting: 1, 0 if there is none. frame must be
//  initialised; it holds what was received.
int
artel_wire_take(zsock_t *sock, zmq_msg_t *frame);

//  The same from a ROUTER, with the peer it came from. Messages that are not
//  exactly two frames are dropped.
int
artel_wire_take_from(zsock_t *router, artel_peer_t *ret_peer, zmq_msg_t *frame);

//  Unpack a frame; the zone is cleared first, so the last message is gone.
int
artel_wire_unpack(artel_wire_t *wire, zmq_msg_t *frame, artel_msg_t *ret);

//  Receive and handle what there is, at most limit messages: fn is called with each message
//  that unpacks; others are passed over. For sockets between our own actors.
void
artel_wire_drain(artel_wire_t *wire, zsock_t *sock, unsigned limit,
                 void (*fn)(void *self, const artel_msg_t *msg, zmq_msg_t *frame), void *self);

#endif
