//  link_self.h - the link from inside: what its files share.

#ifndef ARTEL_LINK_SELF_H
#define ARTEL_LINK_SELF_H

#include "client.h"
#include "wire.h"

//  How far the connection to a service has come. A linked node is always UP.
typedef enum {
    ARTEL_LINK_DOWN,            //  nobody there: tried again at next_try
    ARTEL_LINK_GREETING,        //  hello is sent
    ARTEL_LINK_UP,              //  records may be sent
} artel_link_state_t;

typedef struct {
    artel_t *client;
    zsock_t *pipe;              //  $TERM
    zsock_t *node;              //  DEALER; NULL while it is DOWN
    artel_link_state_t state;
    zsock_t *monitor;           //  PAIR: what becomes of the connection; only to a service
    int64_t next_try;           //  (DOWN)
    int backoff_ms;             //  (DOWN) the pause before that
    int64_t greeted_at;         //  (GREETING)
    int64_t heard_at;           //  of the node, anything
    int64_t due_at;             //  since when an answer is due, after a silence; 0: none is
    artel_wire_t wire;
    int64_t drained_at;         //  when open batches were last sealed
    int64_t records_at;         //  when there were any
    artel_run_t *over;          //  runs that are, to be freed when no lock is held
    bool changed;               //  the answer in hand is news for who waits
    int told;                   //  what to warn of when no lock is held, or 0
    char told_text[640];
} artel_link_self_t;

void
artel_link_send(artel_link_self_t *self, const artel_msg_t *msg);

//  link_service.c. Look for the service if it is time to; whether the sockets changed.
bool
artel_link_connect(artel_link_self_t *self, int64_t now);

//  Whether the service has been silent too long for one that lives; the connection is then given up.
bool
artel_link_is_silent(artel_link_self_t *self, int64_t now);

//  Close the sockets, the monitor first: libzmq waits for one whose reader has left.
void
artel_link_disconnect(artel_link_self_t *self);

//  A reader for the monitor.
int
artel_link_read_monitor(void *self);

//  Note that it takes us. The client's lock is held.
void
artel_link_welcome(artel_link_self_t *self, const artel_msg_welcome_t *welcome);

//  The following expect the client's lock to be held.

//  Send what the runs have, sealing their open batches if it is time; whether
//  there were records. Runs that are over are put aside.
bool
artel_link_send_runs(artel_link_self_t *self, int64_t now, bool seal);

//  When the next refused run may try again, or artifact be asked for, from now; -1: none is waiting.
int
artel_link_next_retry(const artel_link_self_t *self, int64_t now);

//  Send polls for the asks whose turn it is, and the requests not sent yet.
void
artel_link_send_questions(artel_link_self_t *self, int64_t now);

//  Note one answer of the node.
void
artel_link_answer(artel_link_self_t *self, const artel_msg_t *msg);

#endif
