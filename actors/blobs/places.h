//  places.h - a set of blobs and where each lies, found by digest.

#ifndef ARTEL_PLACES_H
#define ARTEL_PLACES_H

#include "id.h"

typedef struct {
    artel_digest_t digest;
    uint64_t offset, size;
} artel_place_t;

//  All zero is an empty set.
typedef struct {
    artel_place_t *at;          //  in the order they were added
    size_t n, room;
    uint32_t *slots;            //  index + 1 of a place by the first bytes of its digest; 0: free
    size_t n_slots;             //  a power of two
} artel_places_t;

//  NULL if it is not there. The place lives until the next add.
const artel_place_t *
artel_places_find(const artel_places_t *self, const artel_digest_t *digest);

//  Add one that is not there. ARTEL_ENOMEM; ARTEL_ELIMIT past 2^31.
int
artel_places_add(artel_places_t *self, const artel_place_t *place);

//  Sort by digest. After it only at and n are of use.
void
artel_places_sort(artel_places_t *self);

void
artel_places_done(artel_places_t *self);

#endif
