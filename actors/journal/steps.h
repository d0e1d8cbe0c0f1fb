//  steps.h - where the steps of a run go on.
//
//  The head of every batch has the step that its writer would have given the next
//  row without one. So the last batch of each journal says it all; what was removed
//  (retire.h) left it in the head of the segment that stayed.

#ifndef ARTEL_JOURNAL_STEPS_H
#define ARTEL_JOURNAL_STEPS_H

#include "id.h"

//  The highest such step of a run's journals, or only of those of a rank (-1: of all),
//  live ones too; 0 if there is none. Damage and what a newer artel wrote is passed over. ARTEL_EMFILE,
//  ARTEL_ENOMEM, ARTEL_EIO and so on. Reads the last segment of each.
int
artel_run_next_step(const char *state, const char *run, int64_t rank, int64_t *ret);

//  That of one journal, by its folder: 1, 0 if it has none, or a code.
int
artel_journal_next_step(const char *folder, artel_id_t writer, int64_t *ret);

#endif
