//  adopt.h - taking over what dead programs left.

#ifndef ARTEL_ADOPT_H
#define ARTEL_ADOPT_H

#include "bounds.h"
#include "id.h"

#include <stddef.h>

//  A dead journal that is now complete: somebody's to deliver.
typedef struct {
    char run[ARTEL_MAX_RUN_ID + 1];
    artel_id_t writer;
    uint64_t last;              //  counter of its last batch
    uint64_t lost;              //  batches that are missing
} artel_adopted_t;

//  Look at every pending journal. One whose appender lives is left alone. A dead
//  one without an end gets, in one batch in a new segment, synced: lost{} for each
//  range that is missing, and exit{crashed}. fn learns of each; it returns 0 to go
//  on, else the search ends. Blocks on the disk. Returns 0, or the first error (the
//  others are still done) with a sentence in why (size bytes).
int
artel_adopt_all(const char *state, int (*fn)(void *arg, const artel_adopted_t *adopted), void *arg,
                char *why, size_t size);

#endif
