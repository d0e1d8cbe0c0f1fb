//  linked.h - linked programs that log into one store, 64,000 rows in a second together.

#ifndef ARTEL_BENCH_LINKED_H
#define ARTEL_BENCH_LINKED_H

#include "artel.h"
#include "bench.h"
#include "rows.h"
#include "serve.h"

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { BENCH_ROUNDS = 3 };

typedef struct {
    const char *dir;
    int n;
    atomic_int ready;                   //  programs that are open and warm
    double start;                       //  of the first round
    double took[BENCH_ROUNDS][BENCH_PROGRAMS];
} bench_linked_t;

//  Sleep until this time comes, of CLOCK_MONOTONIC.
static inline void
bench_sleep_until(double at)
{
    struct timespec ts = { (time_t) at, (long) ((at - (double) (time_t) at) * 1e9) };
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) != 0)
        continue;
}

static inline void
bench_linked_one(int i, void *arg)
{
    bench_linked_t *shared = arg;
    uint64_t rows = BENCH_LINKED_ROWS / (uint64_t) shared->n, row = 0;
    artel_t *artel;
    artel_run_t *run = bench_start(shared->dir, &artel);
    if (++shared->ready == shared->n)
        shared->start = bench_now() + 1;
    while (shared->start == 0)
        usleep(1000);
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        double start = shared->start + round;
        bench_sleep_until(start);
        for (uint64_t end = row + rows; row < end; )
            bench_log_row(run, ++row);
        BENCH_CHECK(artel_run_flush(run, ARTEL_DELIVERED, -1) == 0);
        shared->took[round][i] = bench_now() - start;
    }
    BENCH_CHECK(artel_run_finish(&run, 0) == 0 && artel_close(&artel, -1) == 0);
}

//  Rows delivered a second while there are any to deliver, of n programs together that log
//  64,000 rows at the beginning of each second; *ret_longest: seconds, the longest that one
//  waited until its own were delivered.
static inline double
bench_linked(const char *dir, int n, double *ret_longest)
{
    bench_linked_t *shared = bench_share(sizeof *shared);
    double busy = 0;
    shared->dir = dir;
    shared->n = n;
    bench_fork(n, bench_linked_one, shared);
    *ret_longest = 0;
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        double longest = 0;
        for (int i = 0; i < n; i++)
            longest = shared->took[round][i] > longest ? shared->took[round][i] : longest;
        busy += longest;
        *ret_longest = longest > *ret_longest ? longest : *ret_longest;
    }
    return (double) BENCH_ROUNDS * BENCH_LINKED_ROWS / busy;
}

#endif
