//  rows.h - a run that logs rows of 5 scalars, for the figures that do.

#ifndef ARTEL_BENCH_ROWS_H
#define ARTEL_BENCH_ROWS_H

#include "artel.h"
#include "bench.h"

//  A client with its state in dir and a run whose first row, of number 0, is
//  already delivered: everything is open and warm.
static inline artel_run_t *
bench_start(const char *dir, artel_t **ret_artel);

//  Log row i.
static inline void
bench_log_row(artel_run_t *run, uint64_t i)
{
    artel_value_t row[BENCH_CELLS];
    for (int k = 0; k < BENCH_CELLS; k++)
        row[k] = (artel_value_t) { .key = bench_keys[k], .type = ARTEL_TYPE_DOUBLE,
                                   .f64 = bench_value(i, k) };
    BENCH_CHECK(artel_run_log_row(run, (int64_t) i, row, BENCH_CELLS) == 0);
}

static inline artel_run_t *
bench_start(const char *dir, artel_t **ret_artel)
{
    artel_options_t options = { .size = sizeof options, .dir = dir };
    artel_run_t *run;
    BENCH_CHECK(artel_open(&options, ret_artel) == 0);
    BENCH_CHECK(artel_run_start(*ret_artel, NULL, &run) == 0);
    bench_log_row(run, 0);
    BENCH_CHECK(artel_run_flush(run, ARTEL_DELIVERED, -1) == 0);
    return run;
}

#endif
