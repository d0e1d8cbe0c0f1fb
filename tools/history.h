//  history.h - printing the rows of a run.

#ifndef ARTEL_HISTORY_H
#define ARTEL_HISTORY_H

#include "runs.h"

//  As a table, CSV or JSON, as args say: the keys behind the run, or all; of one rank, or
//  (-1) of all. Exit code.
int
artel_history_print(const artel_args_t *args, sqlite3 *db, const artel_found_run_t *run, int64_t rank);

#endif
