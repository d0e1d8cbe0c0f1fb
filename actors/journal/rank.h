//  rank.h - whose a rank of a run is.
//
//  Of the programs that claim a rank of a run, one has it: it locks clients/<run>.<rank> from before
//  its journal's birth until it has finished the run. The system gives the lock back when the
//  program dies, so that a rank that was killed may be started again.

#ifndef ARTEL_JOURNAL_RANK_H
#define ARTEL_JOURNAL_RANK_H

#include <stddef.h>
#include <stdint.h>

//  *ret_fd holds the rank until artel_rank_release or the end of the process. ARTEL_ELOCKED: it is
//  taken. ARTEL_EINVAL if run is not legal; ARTEL_EMFILE, ARTEL_ENOSPC, ARTEL_EACCES, ARTEL_EIO, ARTEL_ENOMEM.
int
artel_rank_claim(const char *state, const char *run, uint32_t rank, int *ret_fd);

//  Give it back; -1 is fine.
void
artel_rank_release(const char *state, const char *run, uint32_t rank, int fd);

//  Who has it, for a sentence: as artel_lock_holders.
const char *
artel_rank_holder(const char *state, const char *run, uint32_t rank, char *ret, size_t size);

#endif
