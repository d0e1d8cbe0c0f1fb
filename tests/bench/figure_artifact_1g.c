//  figure_artifact_1g DIR FILE - seconds to log FILE as an artifact and wait until
//  the store has committed it.

#include "bench.h"
#include "put.h"
#include "rows.h"

#include <stdio.h>

int
main(int argc, char **argv)
{
    BENCH_CHECK(argc == 3);
    artel_t *artel;
    artel_run_t *run = bench_start(argv[1], &artel);
    printf("%.4f\n", bench_put(run, artel_artifact_add_file, argv[2]));
    BENCH_CHECK(artel_close(&artel, -1) == 0);
}
