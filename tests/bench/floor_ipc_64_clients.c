//  floor_ipc_64_clients DIR - rows of 5 scalars accepted a second of one program that logs into
//  a service alone.

#include "flood.h"

int
main(int argc, char **argv)
{
    BENCH_CHECK(argc == 2);
    pid_t service = bench_serve(argv[1]);
    double share, rows = bench_flood(1, BENCH_FLOOD_MS, &share);
    printf("%.0f\n", rows);
    bench_serve_end(service);
}
