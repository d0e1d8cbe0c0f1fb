//  work.c - the program that the fault suites kill: it logs rows and artifacts
//  through artel.h, and prints what was acknowledged to it.
//
//  Usage: work RUN ROWS CHUNK ARTIFACTS [LEVEL]
//  Row i has the step i and the values of s_log_row. After every CHUNK rows it
//  flushes to LEVEL (1 accepted, 2 durable, 3 delivered; by default 1) and prints
//  "acked ROWS". Between the chunks it logs ARTIFACTS times an artifact "model"
//  with other content, and prints "committed VERSION DIGEST". A call that fails
//  prints "error CALL CODE: TEXT". The last line is "closed CODE".

#include "check.h"
#include "clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_MS = 2000, MAX_FAILURES = 3 };

static int s_failures;
static long s_slowest_ms;

//  One line with one write, so that it is whole or absent in the driver's hands.
static void
s_say(const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (write(STDOUT_FILENO, line, (size_t) n) != n)
        _exit(3);
}

static int
s_check(const char *call, int rc)
{
    s_failures += rc != 0;
    return check(call, rc);
}

static void
s_note_wait(long since_ms)
{
    long took_ms = clock_ms() - since_ms;
    if (took_ms > s_slowest_ms)
        s_slowest_ms = took_ms;
}

static void
s_log_row(artel_run_t *run, long i)
{
    char text[32];
    snprintf(text, sizeof text, "row %ld", i);
    artel_value_t values[] = {
        { .key = "number", .type = ARTEL_TYPE_DOUBLE, .f64 = (double) i * 0.5 },
        { .key = "count", .type = ARTEL_TYPE_INT, .i64 = i },
        { .key = "text", .type = ARTEL_TYPE_STRING, .string = text },
    };
    s_check("log", artel_run_log_row(run, i, values, 3));
}

static void
s_wait(artel_future_t *future)
{
    artel_version_info_t info = { .size = sizeof info };
    long since_ms = clock_ms();
    int rc = artel_future_wait(future, WAIT_MS);
    s_note_wait(since_ms);
    if (s_check("wait", rc) == 0 && artel_future_info(future, &info) == 0)
        s_say("committed %lld %s\n", (long long) info.version, info.digest);
}

static void
s_log_model(artel_run_t *run, int i)
{
    char bytes[3000];
    artel_artifact_t *model;
    artel_future_t *future;
    memset(bytes, 'a' + i % 26, sizeof bytes);
    if (s_check("artifact", artel_artifact_new("model", "model", &model)) != 0)
        return;
    const char *id = artel_run_id(run);
    s_check("add", artel_artifact_add_bytes(model, "weights", bytes, sizeof bytes));
    s_check("add", artel_artifact_add_bytes(model, "owner", id, strlen(id)));
    if (s_check("log_artifact", artel_run_log_artifact(run, model, &future)) == 0) {
        s_wait(future);
        artel_future_destroy(&future);
    }
    artel_artifact_destroy(&model);
}

static void
s_work(artel_run_t *run, char **argv, int level)
{
    long rows = atol(argv[2]), chunk = atol(argv[3]);
    int artifacts = atoi(argv[4]);
    for (long i = 0; i < rows && s_failures < MAX_FAILURES; i++) {
        s_log_row(run, i);
        if ((i + 1) % chunk != 0)
            continue;
        long since_ms = clock_ms();
        int rc = artel_run_flush(run, level, WAIT_MS);
        s_note_wait(since_ms);
        if (s_check("flush", rc) == 0)
            s_say("acked %ld\n", i + 1);
        if (i / chunk < artifacts)
            s_log_model(run, (int) (i / chunk));
    }
}

int
main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: work RUN ROWS CHUNK ARTIFACTS [LEVEL]\n");
        return 2;
    }
    artel_run_options_t options = { .size = sizeof options, .id = argv[1], .project = "fault" };
    artel_run_t *run;
    if (s_check("open", artel_open(NULL, &check_client)) != 0)
        return 1;
    if (s_check("run_start", artel_run_start(check_client, &options, &run)) == 0) {
        s_work(run, argv, argc > 5 ? atoi(argv[5]) : ARTEL_ACCEPTED);
        s_check("finish", artel_run_finish(&run, 0));
    }
    s_say("slowest %ld\n", s_slowest_ms);
    s_say("closed %s\n", artel_error_name(artel_close(&check_client, WAIT_MS)));
    return s_failures > 0;
}
