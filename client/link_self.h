//  link_self.h - the link from inside: what its three files share.

#ifndef ARTEL_LINK_SELF_H
#define ARTEL_LINK_SELF_H

#include "client.h"
#include "wire.h"

typedef struct {
    artel_t *client;
    zsock_t *pipe;              //  $TERM
    zsock_t *node;              //  DEALER
    artel_wire_t wire;
    int64_t drained_at;         //  when open batches were last sealed
    int64_t records_at;         //  when there were any
    int told;                   //  what to warn of when no lock is held, or 0
    char told_text[640];
} artel_link_self_t;

void
artel_link_send(artel_link_self_t *self, const artel_msg_t *msg);

//  The following expect the client's lock to be held.

//  Send what the runs have, sealing their open batches if it is time; whether
//  there were records. Runs that are over are freed.
bool
artel_link_send_runs(artel_link_self_t *self, int64_t now, bool seal);

//  When the next refused run may try again, from now; -1: none is waiting.
int
artel_link_next_retry(const artel_link_self_t *self, int64_t now);

//  Send polls for the asks whose turn it is, and the requests not sent yet.
void
artel_link_send_questions(artel_link_self_t *self);

//  Note one answer of the node.
void
artel_link_answer(artel_link_self_t *self, const artel_msg_t *msg);

#endif
