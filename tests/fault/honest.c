//  honest.c - a program that logs through a service, one row at a time, and measures how
//  long each takes until it is accepted.
//
//  Usage: honest RUN ROWS
//  Prints "p50 US" and "p99 US", microseconds, and "error TEXT" for a call that failed.

#include "check.h"
#include "clock.h"

#include <stdlib.h>

enum { WAIT_MS = 10000 };

static int
s_compare(const void *a, const void *b)
{
    long x = *(const long *) a, y = *(const long *) b;
    return (x > y) - (x < y);
}

static int
s_log_all(artel_run_t *run, long *took, size_t rows)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < rows; i++) {
        long begin = clock_us();
        rc = check("log", artel_run_log(run, "k", (int64_t) i, (double) i));
        if (rc == 0)
            rc = check("flush", artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS));
        took[i] = clock_us() - begin;
    }
    return rc;
}

int
main(int argc, char **argv)
{
    size_t rows = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    long *took = calloc(rows + 1, sizeof *took);
    artel_run_t *run;
    if (rows == 0 || !took)
        return 2;
    if (check("open", artel_open(NULL, &check_client)) != 0
        || check("start", artel_run_start(check_client, &(artel_run_options_t) {
               .size = sizeof(artel_run_options_t), .id = argv[1] }, &run)) != 0)
        return 1;
    int rc = s_log_all(run, took, rows);
    qsort(took, rows, sizeof *took, s_compare);
    printf("p50 %ld\np99 %ld\n", took[rows / 2], took[rows * 99 / 100]);
    if (rc == 0)
        rc = check("close", artel_close(&check_client, WAIT_MS));
    free(took);
    return rc != 0;
}
