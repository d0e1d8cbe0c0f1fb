//  runs.h - finding a run in the catalogue.

#ifndef ARTEL_RUNS_H
#define ARTEL_RUNS_H

#include "reach.h"

typedef struct {
    int64_t row;                    //  runs.id
    char id[64];                    //  runs.run
    int64_t world;                  //  runs.world, 0: it has no ranks
} artel_found_run_t;

//  The run whose id is text, or begins with it if only one does. 0, or
//  ARTEL_EXIT_NOT_FOUND or another exit code after a sentence.
int
artel_runs_find(const artel_place_t *place, const char *text, artel_found_run_t *ret);

#endif
