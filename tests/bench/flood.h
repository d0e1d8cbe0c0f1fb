//  flood.h - programs that log into one service as fast as it takes rows.

#ifndef ARTEL_BENCH_FLOOD_H
#define ARTEL_BENCH_FLOOD_H

#include "artel.h"
#include "bench.h"
#include "rows.h"
#include "serve.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { BENCH_WARM_MS = 1000 };

typedef struct {
    atomic_int ready;                   //  programs that have begun to log
    int n, window_ms;
    uint64_t rows[BENCH_PROGRAMS];      //  accepted of each within the window
} bench_flood_t;

//  One program's view.
typedef struct {
    bench_flood_t *shared;
    artel_run_t *run;
    int i;
    atomic_bool over;
} bench_flooder_t;

//  The rows accepted within the window, seen from beside the program's own thread.
static inline void *
bench_watch(void *arg)
{
    bench_flooder_t *self = arg;
    uint64_t before, after;
    while (self->shared->ready < self->shared->n)
        usleep(1000);
    usleep(BENCH_WARM_MS * 1000);
    artel_run_progress(self->run, NULL, &before);
    usleep((unsigned) self->shared->window_ms * 1000);
    artel_run_progress(self->run, NULL, &after);
    self->shared->rows[self->i] = after - before;
    self->over = true;
    return NULL;
}

static inline void
bench_flood_one(int i, void *arg)
{
    artel_t *artel;
    pthread_t watch;
    bench_flooder_t self = { .shared = arg, .i = i, .run = bench_start(NULL, &artel) };
    BENCH_CHECK(pthread_create(&watch, NULL, bench_watch, &self) == 0);
    self.shared->ready++;
    for (uint64_t row = 1; !self.over; row++)
        bench_log_row(self.run, row);
    pthread_join(watch, NULL);
    _exit(0);                           //  what is queued is of no interest
}

//  Rows accepted a second of n programs together, within a window behind the first second;
//  *ret_share: of the slowest, as a part of the mean. A service is there.
static inline double
bench_flood(int n, int window_ms, double *ret_share)
{
    bench_flood_t *shared = bench_share(sizeof *shared);
    shared->n = n;
    shared->window_ms = window_ms;
    bench_fork(n, bench_flood_one, shared);
    uint64_t sum = 0, least = UINT64_MAX;
    for (int i = 0; i < n; i++) {
        sum += shared->rows[i];
        least = shared->rows[i] < least ? shared->rows[i] : least;
    }
    *ret_share = (double) least * n / (double) sum;
    return (double) sum * 1000 / window_ms;
}

#endif
