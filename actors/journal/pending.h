//  pending.h - which journals are not yet delivered everywhere.
//
//  pending/<run>.<writer> exists from birth until exit is written and every
//  wanted sink has everything.

#ifndef ARTEL_JOURNAL_PENDING_H
#define ARTEL_JOURNAL_PENDING_H

#include "id.h"

//  Call fn for each mark; fn returns 0 to go on. Returns fn's other value, 0, or
//  ARTEL_EIO. A name that is no mark is passed over; so is a mark whose journal
//  was never born, which is removed.
int
artel_pending_each(const char *state,
                   int (*fn)(void *arg, const char *run, artel_id_t writer), void *arg);

//  Make the mark, durable. For whoever holds the append lock.
int
artel_pending_add(const char *state, const char *run, artel_id_t writer);

//  The two halves of it: make the mark; make every mark durable.
int
artel_pending_mark(const char *state, const char *run, artel_id_t writer);
int
artel_pending_sync(const char *state);

//  Whether there is one: 1, 0, or why that cannot be told.
int
artel_pending_has(const char *state, const char *run, artel_id_t writer);

//  Remove the mark: every wanted sink has everything up to `last`, with the
//  exit. Only if the journal was closed and nobody appended since: ARTEL_ELOCKED
//  if it has an appender, ARTEL_EAGAIN if it does not end, sealed, in `last`.
int
artel_pending_finish(const char *state, const char *run, artel_id_t writer, uint64_t last);

//  Whether the journal was closed and is whole: 0 and the counter it ends in.
//  ARTEL_ELOCKED if it has an appender, ARTEL_EAGAIN if its end is not sealed.
int
artel_pending_sealed(const char *state, const char *run, artel_id_t writer, uint64_t *ret_last);

//  Remove the mark, whatever the journal holds. For whoever holds the append
//  lock, or knows that there is no journal.
int
artel_pending_remove(const char *state, const char *run, artel_id_t writer);

#endif
