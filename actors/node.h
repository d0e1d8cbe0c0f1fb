//  node.h - handler, writer, sender and backends over one state directory.

#ifndef ARTEL_NODE_H
#define ARTEL_NODE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct artel_node artel_node_t;

typedef struct {
    const char *state;          //  must exist (artel_state_make)
    const char *sinks;          //  a list as in sinks.h
    const char *endpoint;       //  where clients come: "ipc://PATH"; NULL: an inproc of its own
    int search_ms;              //  adopt what dead programs left at once and this often; 0: when asked
    bool drains;                //  when it is stopped it goes on delivering, to every sink, as long as it may; with a
                                //  sink that is spoken to over HTTP it always does
} artel_node_args_t;

//  Start the actors. A sink whose backend cannot start now is no reason to fail: what it
//  wants stays in the journals, and who asks is told why. In a directory that is
//  not this machine's (state.h) no backend is started. ARTEL_EINVAL, ARTEL_ELIMIT,
//  ARTEL_EMFILE, ARTEL_EAGAIN (no thread to be had), ARTEL_ENOMEM, with a sentence in why.
int
artel_node_start(const artel_node_args_t *args, artel_node_t **ret, char *why, size_t size);

//  Stop them, client-side first, all within about timeout_ms. What is accepted is
//  safe; what is not delivered waits for the next node. An actor that hangs, on a
//  disk say, is left behind with its thread and what it uses.
void
artel_node_stop(artel_node_t **self_p, int timeout_ms);

//  The endpoint for clients; the node's.
const char *
artel_node_endpoint(const artel_node_t *self);

#endif
