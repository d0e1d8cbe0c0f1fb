//  figure_ipc_accepted DIR - rows of 5 scalars a second from one program to a service, from
//  the first call until the journal has accepted the last row.

#include "artel.h"
#include "bench.h"
#include "rows.h"
#include "serve.h"

#include <stdio.h>

int
main(int argc, char **argv)
{
    BENCH_CHECK(argc == 2);
    pid_t service = bench_serve(argv[1]);
    artel_t *artel;
    artel_run_t *run = bench_start(NULL, &artel);

    double start = bench_now();
    for (uint64_t i = 1; i <= BENCH_ROWS; i++)
        bench_log_row(run, i);
    BENCH_CHECK(artel_run_flush(run, ARTEL_ACCEPTED, -1) == 0);
    printf("%.0f\n", BENCH_ROWS / (bench_now() - start));
    artel_close(&artel, 0);
    bench_serve_end(service);
}
