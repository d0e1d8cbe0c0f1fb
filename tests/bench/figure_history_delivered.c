//  figure_history_delivered DIR - rows of 5 scalars a second, from the first call
//  until the store has committed the last row to its SQLite file.

#include "artel.h"
#include "bench.h"
#include "rows.h"

#include <stdio.h>

int
main(int argc, char **argv)
{
    BENCH_CHECK(argc == 2);
    artel_t *artel;
    artel_run_t *run = bench_start(argv[1], &artel);

    double start = bench_now();
    for (uint64_t i = 1; i <= BENCH_DELIVERED_ROWS; i++)
        bench_log_row(run, i);
    BENCH_CHECK(artel_run_flush(run, ARTEL_DELIVERED, -1) == 0);
    printf("%.0f\n", BENCH_DELIVERED_ROWS / (bench_now() - start));
    BENCH_CHECK(artel_close(&artel, -1) == 0);
}
