//  writer.h - the actor that appends batches to journals.

#ifndef ARTEL_WRITER_H
#define ARTEL_WRITER_H

#include "actor.h"

typedef struct {
    artel_start_t start;
    const char *state;          //  the state directory; both outlive the actor
    const char *sinks;          //  wanted sinks of new journals, as artel_sinks_format writes them
    int search_ms;              //  look for dead journals at once and this often; 0: when asked
    int rest_ms;                //  a journal without a batch for so long rests
    zsock_t *handler;           //  PAIR; the writer owns it now
    zsock_t *sender;            //  PAIR; the writer owns it now
    //  When it is to have ended once it is told to stop, ms monotonic; outlives the actor.
    const atomic_int_fast64_t *stop_by;
} artel_writer_args_t;

//  What the handler had passed on before it is told to stop is appended and
//  made durable before it ends.
void
artel_writer(zsock_t *pipe, void *args);

#endif
