//  figure_log_scalar DIR - nanoseconds a call takes in the caller: one thread logs
//  one scalar a call in a tight loop, while the node journals and delivers.

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
    for (uint64_t i = 1; i <= BENCH_SCALAR_CALLS; i++)
        BENCH_CHECK(artel_run_log(run, bench_keys[0], (int64_t) i, bench_value(i, 0)) == 0);
    printf("%.2f\n", (bench_now() - start) * 1e9 / BENCH_SCALAR_CALLS);

    BENCH_CHECK(artel_run_flush(run, ARTEL_ACCEPTED, -1) == 0);
    artel_close(&artel, 0);
}
