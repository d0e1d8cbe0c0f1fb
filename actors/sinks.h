//  sinks.h - the configured delivery targets: names, kinds and places.
//
//  A comma list of [NAME=]KIND[:PLACE]: "store", "store,copy=store:/mnt/copy".
//  NAME is KIND if it is not said. A store without PLACE lies in the state directory.

#ifndef ARTEL_SINKS_H
#define ARTEL_SINKS_H

#include "bounds.h"
#include "id.h"

typedef struct {
    char name[64];              //  [A-Za-z0-9_-]+
    char kind[32];
    char *place;                //  or NULL
} artel_sink_t;

typedef struct {
    artel_sink_t at[ARTEL_MAX_SINKS];
    size_t n;
    size_t primary;             //  index of "store" if configured, else 0
} artel_sinks_t;

//  Parse list (NULL or "": "store"). ARTEL_EINVAL with a sentence in why (size
//  bytes): a bad or repeated name, an unknown kind, too many.
int
artel_sinks_parse(const char *list, artel_sinks_t *ret, char *why, size_t size);
void
artel_sinks_done(artel_sinks_t *self);

//  The index of a sink; an empty name is the primary. -1 if there is none.
int
artel_sinks_find(const artel_sinks_t *self, const char *name, size_t len);

#endif
