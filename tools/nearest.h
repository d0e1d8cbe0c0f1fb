//  nearest.h - what somebody who mistyped a word probably meant.

#ifndef ARTEL_NEAREST_H
#define ARTEL_NEAREST_H

#include <stddef.h>

//  How many letters must be added, dropped, changed or swapped with their
//  neighbour to make b of a.
size_t
artel_distance(const char *a, const char *b);

//  Of many candidates the nearest to word, offered one by one. best starts as NULL.
typedef struct {
    const char *word;
    const char *best;
    size_t distance;
} artel_nearest_t;

//  Offer a candidate by one of its names; one that is too far away is never the nearest.
void
artel_nearest_offer(artel_nearest_t *self, const char *name, const char *candidate);

#endif
