//  figure_ipc_64_clients DIR - rows of 5 scalars accepted a second of 64 programs that log into
//  one service at once, and what the slowest has of the mean.

#include "flood.h"

int
main(int argc, char **argv)
{
    BENCH_CHECK(argc == 2);
    pid_t service = bench_serve(argv[1]);
    double share, rows = bench_flood(BENCH_PROGRAMS, BENCH_FLOOD_MS, &share);
    printf("%.0f %.3f\n", rows, share);
    bench_serve_end(service);
}
