//  handler.h - the actor every client talks to.

#ifndef ARTEL_HANDLER_H
#define ARTEL_HANDLER_H

#include "actor.h"
#include "sinks.h"

typedef struct {
    artel_start_t start;
    const char *clients;        //  endpoint to bind for clients: inproc or ipc
    const char *state;          //  the state directory, and the sinks as artel_sinks_format
    const char *wanted;         //  writes them: what a client is told; both outlive the actor
    const artel_sinks_t *sinks; //  outlive the actor
    zsock_t *writer;            //  PAIR; the handler owns it now
    zsock_t *sender;            //  PAIR; the handler owns it now
} artel_handler_args_t;

void
artel_handler(zsock_t *pipe, void *args);

#endif
