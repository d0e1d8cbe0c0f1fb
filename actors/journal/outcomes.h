//  outcomes.h - <sink>.outcomes in a journal's folder: what became of each
//  artifact_send, and what a sink refused for good.
//
//  Append-only text of checksummed lines (docs/store.md); a torn or damaged line
//  is ignored. One line a fact: counter, xid, status, version, text. Whoever
//  delivers to the sink holds the sink's lock: an OFD lock on this very file.

#ifndef ARTEL_JOURNAL_OUTCOMES_H
#define ARTEL_JOURNAL_OUTCOMES_H

#include "id.h"

#include <stdbool.h>

typedef struct {
    uint64_t counter;           //  of the batch
    artel_id_t xid;             //  zero for a refused batch without an artifact
    int64_t status;             //  0 done, else an ARTEL_E* code
    int64_t version;            //  of a done artifact, else -1
    bool fresh;                 //  this send made the version
    char text[512];             //  why it failed, one sentence
} artel_outcome_t;

typedef struct artel_outcomes artel_outcomes_t;

//  Open (make) the file and take the sink lock. ARTEL_ELOCKED if someone else
//  delivers this journal to this sink, ARTEL_ENOENT if there is no such journal.
int
artel_outcomes_open(const char *state, const char *run, artel_id_t writer,
                    const char *sink, artel_outcomes_t **ret);
void
artel_outcomes_close(artel_outcomes_t **self_p);

//  Append one outcome (no sync: it can be had again from the sink). ARTEL_ENOSPC, ARTEL_EIO.
int
artel_outcomes_add(artel_outcomes_t *self, const artel_outcome_t *outcome);

//  Call fn for every intact outcome on disk, without taking the lock. No file is no outcome.
int
artel_outcomes_each(const char *state, const char *run, artel_id_t writer, const char *sink,
                    void (*fn)(void *arg, const artel_outcome_t *outcome), void *arg);

#endif
