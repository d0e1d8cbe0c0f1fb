//  store.h - the backend that delivers into a local store.

#ifndef ARTEL_STORE_H
#define ARTEL_STORE_H

#include "actor.h"

typedef struct {
    artel_start_t start;
    const char *state;          //  where blobs were ingested; outlives the actor
    const char *place;          //  the store's own directory (may be the same)
    zsock_t *sender;            //  PAIR; the store owns it now
} artel_store_args_t;

void
artel_store(zsock_t *pipe, void *args);

#endif
