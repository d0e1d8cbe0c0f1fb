//  listing.h - W&B's manifest of an artifact, read.

#ifndef ARTEL_LISTING_H
#define ARTEL_LISTING_H

#include <jansson.h>
#include <stdint.h>

//  An entry. Its texts are the listing's.
typedef struct {
    const char *path, *digest;
    const char *ref;            //  NULL: a file
    uint64_t size;              //  0 if it is not said
} artel_listed_t;

typedef struct {
    artel_listed_t *entries;    //  in no order
    size_t n;
    json_t *json;               //  what holds the texts
} artel_listing_t;

//  Read a manifest. Every path is legal (artel_path_legal). ARTEL_EPROTO: why names the field that is
//  wrong, and the entry, with its path escaped. ARTEL_ELIMIT, ARTEL_ENOMEM.
int
artel_listing_read(const void *data, size_t len, artel_listing_t *ret, char *why, size_t size);
void
artel_listing_done(artel_listing_t *self);

#endif
