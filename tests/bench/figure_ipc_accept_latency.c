//  figure_ipc_accept_latency DIR - microseconds (median) for one row of 5 scalars: from the
//  log call until a flush says that the journal of a service has accepted it. Program and
//  service share one CPU, as in the floor.

#include "artel.h"
#include "bench.h"
#include "rows.h"
#include "serve.h"

#include <stdio.h>

int
main(int argc, char **argv)
{
    BENCH_CHECK(argc == 2);
    static double took[BENCH_FLUSHES];
    bench_pin();
    pid_t service = bench_serve(argv[1]);
    artel_t *artel;
    artel_run_t *run = bench_start(NULL, &artel);
    for (uint64_t i = 0; i < BENCH_FLUSHES; i++) {
        double start = bench_now();
        bench_log_row(run, i);
        BENCH_CHECK(artel_run_flush(run, ARTEL_ACCEPTED, -1) == 0);
        took[i] = (bench_now() - start) * 1e6;
    }
    printf("%.2f\n", bench_median(took, BENCH_FLUSHES));
    artel_close(&artel, 0);
    bench_serve_end(service);
}
