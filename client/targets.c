//  targets.c - a list of sinks that several hold.

#include "targets.h"

#include "errors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
artel_targets_new(const char *list, artel_targets_t **ret, char *why, size_t size)
{
    artel_targets_t *self = calloc(1, sizeof *self);
    if (!self)
        return ARTEL_ENOMEM;
    self->refs = 1;
    int rc = artel_sinks_parse(list, &self->sinks, why, size);
    if (rc == 0 && !(self->list = artel_sinks_format(&self->sinks)))
        rc = ARTEL_ENOMEM;
    if (rc == 0)
        *ret = self;
    else
        artel_targets_unref(self);
    return rc;
}

artel_targets_t *
artel_targets_ref(artel_targets_t *self)
{
    if (self)
        atomic_fetch_add(&self->refs, 1);
    return self;
}

void
artel_targets_unref(artel_targets_t *self)
{
    if (!self || atomic_fetch_sub(&self->refs, 1) != 1)
        return;
    artel_sinks_done(&self->sinks);
    free(self->list);
    free(self);
}

const artel_sink_t *
artel_targets_primary(const artel_targets_t *self)
{
    return &self->sinks.at[self->sinks.primary];
}

const char *
artel_targets_why_not(const artel_targets_t *self, const artel_targets_t *born, const char *sink)
{
    int i = artel_sinks_find(&self->sinks, sink, strlen(sink));
    if (i < 0)
        return "the node has no sink of this name";
    if (born != self && artel_sinks_same(&born->sinks, &self->sinks.at[i]) < 0)
        return "the node had no such sink when the run was started, which goes on to those it had";
    return NULL;
}
