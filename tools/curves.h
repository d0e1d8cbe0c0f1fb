//  curves.h - the values of one key of a run as points.

#ifndef ARTEL_CURVES_H
#define ARTEL_CURVES_H

#include "plot.h"
#include "runs.h"

typedef struct {
    int64_t *x;                     //  steps
    double *y;
    size_t n, room;
} artel_points_t;

//  Load them, of one rank or (-1) of all; free them in any case. 0, or an exit code after
//  a sentence: there is no number under this key.
int
artel_curve_load(sqlite3 *db, const artel_found_run_t *run, int64_t rank, const char *key,
                 artel_points_t *ret);
void
artel_points_done(artel_points_t *self);

#endif
