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
} artel_sender_args_t;

void
artel_sender(zsock_t *pipe, void *args);

#endif
