//  ending.h - how a journal ends, and the batch that ends it in its dead writer's stead.

#ifndef ARTEL_ENDING_H
#define ARTEL_ENDING_H

#include "msgs.h"

#include <msgpack.h>

typedef struct {
    msgpack_sbuffer out;
    uint64_t lost;              //  batches reported as lost
    int rc;                     //  the first error
} artel_ending_t;

//  Begin the batch that has this counter, and the step of the one before it; then whatever is lost, then the exit.
//  Errors are kept, and told by the last call: 0 or ARTEL_ENOMEM.
void
artel_ending_begin(artel_ending_t *self, const char *run, artel_id_t writer, uint64_t counter,
                   int64_t next_step);
void
artel_ending_lost(void *self, uint64_t from, uint64_t to);
int
artel_ending_exit(artel_ending_t *self);
void
artel_ending_done(artel_ending_t *self);

typedef enum {
    ARTEL_END_NONE,             //  it has none
    ARTEL_END_EXIT,             //  its writer's own
    ARTEL_END_CRASHED,          //  an adopter's
} artel_end_kind_t;

typedef struct {
    artel_end_kind_t kind;
    int64_t next_step;          //  where the writer's steps go on
} artel_end_t;

//  How the journal ends whose last batch is `last`. Blocks on the disk. ARTEL_ENOENT,
//  ARTEL_ECORRUPT, ARTEL_EIO, ARTEL_ENOMEM.
int
artel_ending_find(const char *state, const char *run, artel_id_t writer, uint64_t last, artel_end_t *ret);

#endif
