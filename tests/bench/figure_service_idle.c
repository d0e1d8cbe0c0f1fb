//  figure_service_idle DIR - MiB that a service has resident (VmRSS) with 1,000 connected clients
//  and 1,000 open runs, all delivered; and the percent of a core it takes.

#include "crowd.h"

int
main(int argc, char **argv)
{
    BENCH_CHECK(argc == 2);
    pid_t service = bench_serve(argv[1]);
    int crowd = bench_crowd_gather();
    usleep(BENCH_QUIET_MS * 1000);              //  what was logged is synced within a second
    double cpu = bench_cpu_percent(service, BENCH_IDLE_MS);
    printf("%.1f %.3f\n", bench_status_mib(service, "VmRSS"), cpu);
    close(crowd);
    bench_serve_end(service);
}
