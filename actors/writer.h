//  writer.h - the actor that appends batches to journals.

#ifndef ARTEL_WRITER_H
#define ARTEL_WRITER_H

#include "actor.h"

typedef struct {
    artel_start_t start;
    const char *state;          //  the state directory; outlives the actor
    const char *sinks;          //  wanted sinks of new journals, as configured
    zsock_t *handler;           //  PAIR; the writer owns it now
    zsock_t *sender;            //  PAIR; the writer owns it now
} artel_writer_args_t;

void
artel_writer(zsock_t *pipe, void *args);

#endif
