//  figure_memory DIR idle|dirty|load - MiB of private pages of a linked program: with
//  a client, a run and everything delivered, all or those that are dirty; or the most
//  while 10 M rows are logged faster than they are delivered.

#include "bench.h"
#include "rows.h"

#include <stdio.h>
#include <string.h>

enum { LOOK_EVERY = 100000 };

static double
s_load(artel_run_t *run)
{
    double most = 0;
    for (uint64_t i = 1; i <= BENCH_MEMORY_ROWS; i++) {
        BENCH_CHECK(artel_run_log(run, bench_keys[0], (int64_t) i, bench_value(i, 0)) == 0);
        if (i % LOOK_EVERY == 0) {
            double now = bench_private_mib();
            most = now > most ? now : most;
        }
    }
    BENCH_CHECK(artel_run_flush(run, ARTEL_ACCEPTED, -1) == 0);
    BENCH_CHECK(artel_run_flush(run, ARTEL_DELIVERED, 0) == ARTEL_ETIMEOUT);   //  it was faster
    return most;
}

int
main(int argc, char **argv)
{
    BENCH_CHECK(argc == 3);
    artel_t *artel;
    artel_run_t *run = bench_start(argv[1], &artel);
    printf("%.3f\n", strcmp(argv[2], "idle") == 0 ? bench_private_mib()
           : strcmp(argv[2], "dirty") == 0 ? bench_dirty_mib() : s_load(run));
    artel_close(&artel, 0);
}
