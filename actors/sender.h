//  sender.h - the actor that reads journals and hands their batches to backends.

#ifndef ARTEL_SENDER_H
#define ARTEL_SENDER_H

#include "actor.h"
#include "sinks.h"

//  A sink without a backend, and why.
typedef struct {
    int code;                   //  0: it has one
    const char *text;           //  outlives the actor
} artel_sender_lack_t;

typedef struct {
    artel_start_t start;
    const char *state;          //  the state directory; outlives the actor
    const artel_sinks_t *sinks; //  outlive the actor
    zsock_t *handler;           //  PAIR; the sender owns it now
    zsock_t *writer;            //  PAIR; the sender owns it now
    zsock_t *backends[ARTEL_MAX_SINKS];     //  PAIR, one a sink; owned
    artel_sender_lack_t lacks[ARTEL_MAX_SINKS];
    const atomic_int_fast64_t *drain_by;    //  ms monotonic; outlives the actor; NULL: it does not drain
} artel_sender_args_t;

//  One that drains goes on when it is told to stop, until every sink that has a backend has what was committed,
//  or drain_by has come.
void
artel_sender(zsock_t *pipe, void *args);

#endif
