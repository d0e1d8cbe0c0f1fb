//  world.h - how many ranks a run has.
//
//  runs/<run>/world is made with the first rank's journal, or beside it if the run was
//  there before. What it says once it says for ever, so all ranks of a run agree.

#ifndef ARTEL_JOURNAL_WORLD_H
#define ARTEL_JOURNAL_WORLD_H

#include <stdint.h>

//  Say it for the run in this folder, durable once the folder is synced, or find it
//  said: 0. ARTEL_EINVAL if it was said otherwise; ARTEL_ENOENT if there is no such
//  folder; ARTEL_ENOSPC, ARTEL_EIO, ARTEL_EMFILE, ARTEL_EACCES. Waits for another who says it.
int
artel_world_claim(const char *folder, uint64_t world);

//  What is said of a run; 0: nothing.
uint64_t
artel_world_of(const char *state, const char *run);

#endif
