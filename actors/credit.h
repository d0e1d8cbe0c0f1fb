//  credit.h - how many bytes of batches may lie between clients and journals.
//
//  What was passed to the writer and is not accepted is counted, of each writer and of all, and
//  bounded whether clients obey or not. Those who log share the total: who has been idle for two
//  seconds has no part in it. A client is told its share with each answer; a share that shrinks
//  binds it from the next second on. No socket, one thread.

#ifndef ARTEL_CREDIT_H
#define ARTEL_CREDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t bytes;             //  under way, of all
    int64_t period;             //  the second at hand
    unsigned active, before;    //  writers that logged in it, and in the one before
} artel_credit_t;

//  One writer's.
typedef struct {
    uint64_t bytes;             //  under way
    uint32_t *costs;            //  of the batches under way, a ring
    size_t first, n, cap;
    int64_t period;             //  in which it logged last
    int64_t told_in;            //  in which it was told last
    uint64_t told, before;      //  its share; the largest that it may not know to be over
} artel_account_t;

//  The share of a writer, to be told to its client.
uint64_t
artel_credit_tell(artel_credit_t *self, artel_account_t *of, int64_t now_ms);

//  A writer has begun: until it is idle, the others share with it.
void
artel_credit_begin(artel_credit_t *self, artel_account_t *of, int64_t now_ms);

//  Whether a batch of this size may be passed on. Whoever has nothing under way finds room for one
//  as long as not twice the total is.
bool
artel_credit_has_room(const artel_credit_t *self, const artel_account_t *of, size_t size);

//  Note that it is. ARTEL_ENOMEM.
int
artel_credit_take(artel_credit_t *self, artel_account_t *of, size_t size, int64_t now_ms);

//  The n oldest batches have left, or all of them.
void
artel_credit_give(artel_credit_t *self, artel_account_t *of, uint64_t n);

//  Give all, and free.
void
artel_credit_done(artel_credit_t *self, artel_account_t *of);

#endif
