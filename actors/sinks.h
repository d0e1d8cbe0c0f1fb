//  sinks.h - the configured delivery targets: names, kinds and places.
//
//  A comma list of [NAME=]KIND[:PLACE]: "store", "store,copy=store:/mnt/copy", "store,wandb".
//  NAME is KIND if it is not said. A store without PLACE lies in the state directory; a wandb without
//  one is the server of WANDB_BASE_URL, or W&B's own.

#ifndef ARTEL_SINKS_H
#define ARTEL_SINKS_H

#include "bounds.h"
#include "id.h"

typedef struct {
    char name[64];              //  [A-Za-z0-9_-]+
    char kind[32];
    char *place;                //  of a store an absolute path, or NULL; of a wandb its URL
} artel_sink_t;

typedef struct {
    artel_sink_t at[ARTEL_MAX_SINKS];
    size_t n;
    size_t primary;             //  index of "store" if configured, else 0
} artel_sinks_t;

//  Parse list (NULL or "": "store"); a relative PLACE of a store is one of the working
//  directory. ARTEL_EINVAL, ARTEL_ELIMIT (too many), ARTEL_ENOMEM, with a sentence
//  in why (size bytes).
int
artel_sinks_parse(const char *list, artel_sinks_t *ret, char *why, size_t size);
void
artel_sinks_done(artel_sinks_t *self);

//  The list again, with names and absolute places, so that it means the same
//  everywhere. The caller frees it; NULL if out of memory.
char *
artel_sinks_format(const artel_sinks_t *self);

//  The index of a sink; an empty name is the primary. -1 if there is none.
int
artel_sinks_find(const artel_sinks_t *self, const char *name, size_t len);

//  The index of the sink with the same name, kind and place. -1 if there is none.
int
artel_sinks_same(const artel_sinks_t *self, const artel_sink_t *sink);

//  Which of them a list wants: bit i for sink i, all if the list is empty. Items
//  that are none of them, or nothing we know, are counted in *ret_missing.
unsigned
artel_sinks_wanted(const artel_sinks_t *self, const char *list, unsigned *ret_missing);

//  Add a copy of a sink. ARTEL_EEXIST if the name is taken, ARTEL_ELIMIT, ARTEL_ENOMEM.
int
artel_sinks_add(artel_sinks_t *self, const artel_sink_t *sink);

#endif
