//  retire.h - all journals of a state directory, and the end of one.

#ifndef ARTEL_JOURNAL_RETIRE_H
#define ARTEL_JOURNAL_RETIRE_H

#include "id.h"

//  Call fn for each journal there is, in no order; fn returns 0 to go on. Returns fn's
//  other value, 0, or a code of opendir.
int
artel_journal_each(const char *state,
                   int (*fn)(void *arg, const char *run, artel_id_t writer), void *arg);

//  The same for those of one run. ARTEL_ENOENT if there is none.
int
artel_journal_each_of(const char *state, const char *run,
                      int (*fn)(void *arg, const char *run, artel_id_t writer), void *arg);

typedef struct {
    bool dry_run;               //  only say what would be done
    int64_t age_ms;             //  at least so long since it was written last; 0: any
} artel_retire_t;

//  Remove the batches of a journal that is finished and delivered everywhere.
//  What stays is small: a segment that says up to which counter there was
//  something, and the outcomes; the run's id stays taken, and its writer may go
//  on. 1 and the bytes removed; 0 if it has an appender, is pending, did
//  not end sealed, is too young or retired already; ARTEL_ENOENT, ARTEL_ENOSPC, …
int
artel_journal_retire(const char *state, const char *run, artel_id_t writer,
                     const artel_retire_t *how, uint64_t *ret_bytes);

#endif
