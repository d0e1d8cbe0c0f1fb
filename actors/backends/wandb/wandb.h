//  wandb.h - the backend that delivers to a W&B server, wandb.ai's or one's own.

#ifndef ARTEL_WANDB_H
#define ARTEL_WANDB_H

#include "actor.h"

typedef struct {
    artel_start_t start;
    const char *state;          //  where blobs and what it knows are; outlives the actor
    const char *sink;           //  its name; outlives the actor
    const char *place;          //  the server's address; outlives the actor
    zsock_t *sender;            //  PAIR; the backend owns it now
    zsock_t *transfer;          //  PAIR with the transfer actor (transfer.h); the backend owns it now
} artel_wandb_args_t;

//  It starts without a key, and without a server: then deliveries fail, and are tried again.
void
artel_wandb(zsock_t *pipe, void *args);

#endif
