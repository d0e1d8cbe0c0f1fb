//  figure_ipc_artifact_1k DIR - microseconds (median) to log one file of 1 KiB as an
//  artifact through a service and wait until its store has committed it; each file is a
//  new version.

#include "bench.h"
#include "put.h"
#include "rows.h"
#include "serve.h"

#include <stdio.h>

enum { FILE_BYTES = 1024 };

int
main(int argc, char **argv)
{
    BENCH_CHECK(argc == 2);
    static double took[BENCH_SMALL_FILES];
    for (int i = 0; i < BENCH_SMALL_FILES; i++)
        bench_write_file(bench_path(argv[1], "%d.bin", i), FILE_BYTES, (uint64_t) i);
    pid_t service = bench_serve(argv[1]);
    artel_t *artel;
    artel_run_t *run = bench_start(NULL, &artel);

    for (int i = 0; i < BENCH_SMALL_FILES; i++)
        took[i] = bench_put(run, artel_artifact_add_file, bench_path(argv[1], "%d.bin", i)) * 1e6;
    printf("%.1f\n", bench_median(took, BENCH_SMALL_FILES));
    BENCH_CHECK(artel_close(&artel, -1) == 0);
    bench_serve_end(service);
}
