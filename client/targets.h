//  targets.h - the sinks of a node, as it told of them.
//
//  A service that is started again may have others, while a journal goes where it was to go at its birth. So a
//  list never changes: who must know one holds it.

#ifndef ARTEL_TARGETS_H
#define ARTEL_TARGETS_H

#include "sinks.h"

#include <stdatomic.h>

typedef struct {
    atomic_uint refs;
    artel_sinks_t sinks;
    char *list;                 //  the same as artel_sinks_format writes them
} artel_targets_t;

//  With one reference, which is the caller's. As artel_sinks_parse.
int
artel_targets_new(const char *list, artel_targets_t **ret, char *why, size_t size);

//  NULL is fine for both.
artel_targets_t *
artel_targets_ref(artel_targets_t *self);
void
artel_targets_unref(artel_targets_t *self);

const artel_sink_t *
artel_targets_primary(const artel_targets_t *self);

//  The sink whose marks count for what was to go to those in `born` (NULL: to all): the primary, or else the first that
//  it goes to, or if it goes to none the primary again.
const artel_sink_t *
artel_targets_first(const artel_targets_t *self, const artel_targets_t *born);

//  Why what was to go to those in `born` does not go to this sink ("": the one above) of a node that has those in
//  self; NULL: it does.
const char *
artel_targets_why_not(const artel_targets_t *self, const artel_targets_t *born, const char *sink);

#endif
