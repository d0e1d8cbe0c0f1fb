//  flood.c - a program that logs as fast as it may.
//
//  Usage: flood RUN SECONDS QUEUE_MS BYTES ROWS
//  It logs for so long, but no more than so many rows. Rows have the steps 0, 1 ... (a row that was
//  refused gives its step to the next), and a text of BYTES. It prints "begun" when its run is open,
//  then "logged ROWS", "full ROWS" (refused as the queue was full), "slowest MS" of a log call,
//  "flush CODE: TEXT" for the accepted flush that follows, "closed CODE", and "error TEXT" for a
//  call that failed otherwise.

#include "check.h"
#include "clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 60000 };

static void
s_expect(const char *call, int rc)
{
    if (check(call, rc) != 0)
        exit(1);
}

static void
s_log_all(artel_run_t *run, const char *text, long until, long rows)
{
    long full = 0, slowest = 0, step = 0;
    artel_value_t row = { .key = "text", .type = ARTEL_TYPE_STRING, .string = text };
    for (long now = clock_ms(), before = now; now < until && step < rows; before = now) {
        int rc = artel_run_log_row(run, step, &row, 1);
        if (rc != ARTEL_EFULL)
            s_expect("log", rc);
        full += rc != 0;
        step += rc == 0;
        now = clock_ms();
        slowest = now - before > slowest ? now - before : slowest;
    }
    printf("logged %ld\nfull %ld\nslowest %ld\n", step, full, slowest);
}

static char *
s_text(size_t bytes)
{
    char *text = calloc(1, bytes + 1);
    if (!text)
        exit(2);
    return memset(text, 'x', bytes);
}

int
main(int argc, char **argv)
{
    if (argc != 6)
        return 2;
    artel_run_t *run;
    artel_options_t options = { .size = sizeof options, .queue_ms = atoi(argv[3]) };
    char *text = s_text(strtoul(argv[4], NULL, 10));
    s_expect("open", artel_open(&options, &check_client));
    s_expect("start", artel_run_start(check_client, &(artel_run_options_t) {
        .size = sizeof(artel_run_options_t), .id = argv[1] }, &run));
    s_expect("flush", artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS));
    puts("begun");
    fflush(stdout);
    s_log_all(run, text, clock_ms() + 1000 * atol(argv[2]), atol(argv[5]));
    int rc = artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS);
    printf("flush %s: %s\n", artel_error_name(rc), rc ? check_why() : "");
    printf("closed %s\n", artel_error_name(artel_close(&check_client, WAIT_MS)));
    free(text);
    return 0;
}
