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

//  Whether what was to go to those in born goes to the sink with this index.
static bool
s_goes_to(const artel_targets_t *self, const artel_targets_t *born, size_t i)
{
    return !born || born == self || artel_sinks_same(&born->sinks, &self->sinks.at[i]) >= 0;
}

const artel_sink_t *
artel_targets_first(const artel_targets_t *self, const artel_targets_t *born)
{
    size_t i = self->sinks.primary;
    if (!s_goes_to(self, born, i))
        for (i = 0; i < self->sinks.n && !s_goes_to(self, born, i); i++)
            continue;
    return &self->sinks.at[i < self->sinks.n ? i : self->sinks.primary];
}

const char *
artel_targets_why_not(const artel_targets_t *self, const artel_targets_t *born, const char *sink)
{
    const char *name = *sink ? sink : artel_targets_first(self, born)->name;
    int i = artel_sinks_find(&self->sinks, name, strlen(name));
    if (i < 0)
        return "the node has no sink of this name";
    if (!s_goes_to(self, born, (size_t) i))
        return "the node had no such sink when the run was started, which goes on to those it had";
    return NULL;
}
