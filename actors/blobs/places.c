//  places.c - an open-addressing table over an array. SHA-256 is its own hash.

#include "places.h"

#include "errors.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 256 };
static const size_t s_most = (size_t) 1 << 31;

//  The slot of digest, or the free one where it would be.
static uint32_t *
s_slot(const artel_places_t *self, const artel_digest_t *digest)
{
    uint64_t hash;
    memcpy(&hash, digest->at, sizeof hash);
    for (;; hash++) {
        uint32_t *slot = &self->slots[hash & (self->n_slots - 1)];
        if (*slot == 0 || memcmp(&self->at[*slot - 1].digest, digest, sizeof *digest) == 0)
            return slot;
    }
}

const artel_place_t *
artel_places_find(const artel_places_t *self, const artel_digest_t *digest)
{
    if (self->n == 0)
        return NULL;
    uint32_t slot = *s_slot(self, digest);
    return slot ? &self->at[slot - 1] : NULL;
}

//  Twice the room, and a table that is at most half full.
static int
s_grow(artel_places_t *self)
{
    size_t room = self->room ? 2 * self->room : FIRST_ROOM;
    if (room > s_most)
        return ARTEL_ELIMIT;
    artel_place_t *at = realloc(self->at, room * sizeof *at);
    if (!at)
        return ARTEL_ENOMEM;
    self->at = at;
    uint32_t *slots = calloc(2 * room, sizeof *slots);
    if (!slots)
        return ARTEL_ENOMEM;
    free(self->slots);
    self->slots = slots;
    self->n_slots = 2 * room;
    self->room = room;
    for (size_t i = 0; i < self->n; i++)
        *s_slot(self, &self->at[i].digest) = (uint32_t) i + 1;
    return 0;
}

int
artel_places_add(artel_places_t *self, const artel_place_t *place)
{
    int rc = self->n == self->room ? s_grow(self) : 0;
    if (rc != 0)
        return rc;
    self->at[self->n++] = *place;
    *s_slot(self, &place->digest) = (uint32_t) self->n;
    return 0;
}

static int
s_compare(const void *a, const void *b)
{
    return memcmp(((const artel_place_t *) a)->digest.at, ((const artel_place_t *) b)->digest.at,
                  sizeof (artel_digest_t));
}

void
artel_places_sort(artel_places_t *self)
{
    if (self->n)
        qsort(self->at, self->n, sizeof *self->at, s_compare);
}

void
artel_places_done(artel_places_t *self)
{
    free(self->at);
    free(self->slots);
    *self = (artel_places_t) { 0 };
}
