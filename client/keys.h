//  keys.h - the keys of a run, and their indices in the open batch.
//
//  No lock: the outbox's owner holds one.

#ifndef ARTEL_KEYS_H
#define ARTEL_KEYS_H

#include "artel.h"
#include "msgs.h"

//  A key of the run. Its address and its text stay until artel_keys_done.
typedef struct {
    uint64_t hash;
    uint64_t batch;             //  index is valid if this is the open batch
    uint64_t row;               //  the last row it was in
    uint32_t index;
    uint32_t len;
    char text[];
} artel_key_t;

enum { ARTEL_RECENT_KEYS = 32 };

typedef struct {
    artel_key_t **table;        //  open addressing; size is a power of two
    size_t size, used;
    artel_str_t *open;          //  keys of the open batch, by index
    size_t n_open, cap_open;
    size_t open_bytes;          //  what they take in the batch's head
    uint64_t batch;             //  counter of the open batch
    uint64_t row;               //  number of the row being packed
    struct {
        const char *text;       //  the caller's address
        artel_key_t *key;
    } recent[ARTEL_RECENT_KEYS];    //  programs log the same few literals
} artel_keys_t;

int
artel_keys_init(artel_keys_t *self);
void
artel_keys_done(artel_keys_t *self);

//  The index in the open batch of a key of the row in hand. ARTEL_EINVAL (empty,
//  too long, not UTF-8, or twice in the row), ARTEL_ELIMIT, ARTEL_ENOMEM.
int
artel_keys_index(artel_keys_t *self, const char *text, uint32_t *ret_index);

//  Begin a row; take the keys back that the row in hand has added to the open batch
//  of which n were there before; begin the next batch.
void
artel_keys_begin_row(artel_keys_t *self);
void
artel_keys_undo(artel_keys_t *self, size_t n);
void
artel_keys_begin_batch(artel_keys_t *self, uint64_t counter);

#endif
