//  hasher.h - the actor that reads the files of artifacts before they go to W&B.

#ifndef ARTEL_HASHER_H
#define ARTEL_HASHER_H

#include "actor.h"

typedef struct {
    artel_start_t start;
    zsock_t *asker;             //  PAIR; the hasher owns it now
} artel_hasher_args_t;

//  Over asker come artel_saving_t *, one a message, and go back once artel_saving_hash is through with them.
void
artel_hasher(zsock_t *pipe, void *args);

#endif
