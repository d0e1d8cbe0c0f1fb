//  pending.h - which journals are not yet delivered everywhere.
//
//  pending/<run>.<writer> exists from birth until exit is written and every
//  wanted sink has everything.

#ifndef ARTEL_JOURNAL_PENDING_H
#define ARTEL_JOURNAL_PENDING_H

#include "id.h"

//  Call fn for each mark; fn returns 0 to go on. Returns fn's other value, 0, or
//  ARTEL_EIO. A name that is no mark is passed over.
int
artel_pending_each(const char *state,
                   int (*fn)(void *arg, const char *run, artel_id_t writer), void *arg);

int
artel_pending_add(const char *state, const char *run, artel_id_t writer);
int
artel_pending_remove(const char *state, const char *run, artel_id_t writer);

#endif
