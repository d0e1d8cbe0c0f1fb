//  figure_service_flood DIR - MiB, the most that a service had resident (VmHWM) while 64 programs
//  logged into it as fast as it took rows. Shared pages of libraries count as well.

#include "flood.h"

int
main(int argc, char **argv)
{
    BENCH_CHECK(argc == 2);
    pid_t service = bench_serve(argv[1]);
    double share;
    bench_flood(BENCH_PROGRAMS, BENCH_LONG_FLOOD_MS, &share);
    printf("%.1f\n", bench_status_mib(service, "VmHWM"));
    bench_serve_end(service);
}
