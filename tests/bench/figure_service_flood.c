//  figure_service_flood DIR SECONDS - MiB, the most that a service had resident (VmHWM) while 64
//  programs logged into it as fast as it took rows; and by how much that grew in the second half.
//  Shared pages of libraries count as well.

#include "flood.h"

#include <stdlib.h>

typedef struct {
    pid_t service;
    int after_ms;
    double mib;                         //  the most until then
} half_t;

static void *
s_watch(void *arg)
{
    half_t *self = arg;
    usleep((unsigned) self->after_ms * 1000);
    self->mib = bench_status_mib(self->service, "VmHWM");
    return NULL;
}

int
main(int argc, char **argv)
{
    BENCH_CHECK(argc == 3);
    int flood_ms = 1000 * atoi(argv[2]);
    double share;
    pthread_t watch;
    half_t half = { .service = bench_serve(argv[1]), .after_ms = BENCH_WARM_MS + flood_ms / 2 };
    BENCH_CHECK(pthread_create(&watch, NULL, s_watch, &half) == 0);
    bench_flood(BENCH_PROGRAMS, flood_ms, &share);
    BENCH_CHECK(pthread_join(watch, NULL) == 0);
    double most = bench_status_mib(half.service, "VmHWM");
    printf("%.1f %.1f\n", most, most - half.mib);
    bench_serve_end(half.service);
}
