//  metrics.h - what the numbers of a run look like.

#ifndef ARTEL_METRICS_H
#define ARTEL_METRICS_H

#include "runs.h"

#include <jansson.h>

//  For each key with numbers: count, min, max and last of the finite ones, and
//  spark, a list of at most ARTEL_SPARKS means in order. 0, or an exit code after a sentence.
int
artel_metrics_load(sqlite3 *db, const artel_found_run_t *run, json_t **ret);

#endif
