//  adopt.h - taking over what dead programs left.

#ifndef ARTEL_ADOPT_H
#define ARTEL_ADOPT_H

#include "id.h"

//  Look at every pending journal. One whose appender lives is left alone. A dead
//  one without an exit gets lost{} for each hole found and exit{crashed}, in a
//  new segment, synced. For each dead journal fn learns its last counter.
//  Blocks on the disk. Returns 0, or the first error (the others are still done).
int
artel_adopt_all(const char *state,
                void (*fn)(void *arg, const char *run, artel_id_t writer, uint64_t last), void *arg);

#endif
