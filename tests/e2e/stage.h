//  stage.h - a state directory, a client on it, and its catalogue to look into.
//
//  With ARTEL_STAGE=service there is a service over the directory, and the client its.

#ifndef ARTEL_STAGE_H
#define ARTEL_STAGE_H

#include <criterion/criterion.h>

#include "artel.h"
#include "served.h"

#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 30000 };

static char stage_dir[256];         //  removed by stage_down
static artel_t *stage_artel;        //  opened by stage_up
static pid_t stage_service;         //  the service, or 0

//  Expect a code; says the client's sentence if it is another.
#define RC(call, wanted) do {                                                   \
    int rc_ = (call);                                                           \
    char text_[512] = "";                                                       \
    if (stage_artel && rc_ != (wanted))                                         \
        artel_error(stage_artel, text_, sizeof text_);                          \
    cr_assert_eq(rc_, (wanted), "%s is %s: %s %s", #call, artel_error_name(rc_), text_, artel_open_error()); \
} while (0)
#define OK(call) RC(call, 0)

static void __attribute__((unused))
stage_open(const char *sinks)
{
    OK(artel_open(&(artel_options_t) { .size = sizeof(artel_options_t), .dir = stage_dir, .sinks = sinks,
                                       .queue_ms = 300 }, &stage_artel));
}

static int64_t __attribute__((unused))
stage_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void __attribute__((unused))
stage_up(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(stage_dir, sizeof stage_dir, "%s/artel-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    cr_assert(mkdtemp(stage_dir) != NULL);
    if (served_is_wanted())
        cr_assert((stage_service = served_start(stage_dir)) > 0, "no service answers");
    stage_open("store");
}

static int
stage_unlink(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void) st;
    (void) kind;
    (void) ftw;
    return remove(path);
}

//  Everything is delivered before the catalogue is looked at.
static void __attribute__((unused))
stage_close(void)
{
    OK(artel_close(&stage_artel, WAIT_MS));
}

static void __attribute__((unused))
stage_down(void)
{
    if (stage_artel)
        artel_close(&stage_artel, WAIT_MS);
    int status = stage_service > 0 ? served_stop(stage_service) : 0;
    cr_assert_eq(status, 0, "the service ended with %#x", (unsigned) status);
    nftw(stage_dir, stage_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

//  A test of sinks that the program chooses; those of a service are its own. A skipped test is
//  not taken down by Criterion.
#define STAGE_LINKED() do { if (stage_service) { stage_down(); cr_skip("only with a node of its own"); } } while (0)

static __attribute__((unused)) artel_run_t *
stage_run(const char *id)
{
    artel_run_t *run;
    OK(artel_run_start(stage_artel, &(artel_run_options_t) { .size = sizeof(artel_run_options_t), .id = id }, &run));
    return run;
}

//  What the client says last.
static __attribute__((unused)) const char *
stage_error(void)
{
    static char text[512];
    artel_error(stage_artel, text, sizeof text);
    return text;
}

//  The rows of a query, columns joined by '|', rows by newlines; static.
static __attribute__((unused, format(printf, 1, 2))) const char *
stage_sql(const char *format, ...)
{
    static char result[65536];
    char query[1024], path[300];
    va_list args;
    va_start(args, format);
    vsnprintf(query, sizeof query, format, args);
    va_end(args);
    sqlite3 *db;
    sqlite3_stmt *stmt;
    snprintf(path, sizeof path, "%s/catalogue.db", stage_dir);
    cr_assert_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, query, -1, &stmt, NULL), SQLITE_OK, "%s: %s", query, sqlite3_errmsg(db));
    size_t n = 0;
    result[0] = 0;
    while (sqlite3_step(stmt) == SQLITE_ROW)
        for (int i = 0; i < sqlite3_column_count(stmt); i++) {
            const char *text = (const char *) sqlite3_column_text(stmt, i);
            n += (size_t) snprintf(result + n, sizeof result - n, "%s%s", i ? "|" : n ? "\n" : "", text ? text : "");
        }
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return result;
}

#define SQL_IS(wanted, ...) do { const char *got_ = stage_sql(__VA_ARGS__); \
    cr_assert_str_eq(got_, wanted, "%s: \"%s\", not \"%s\"", #__VA_ARGS__, got_, wanted); } while (0)

//  Hold the lock that every write to the catalogue takes: the store stands still.
static int __attribute__((unused)) stage_lock = -1;

static void __attribute__((unused))
stage_stop_store(void)
{
    char path[300];
    snprintf(path, sizeof path, "%s/catalogue.lock", stage_dir);
    stage_lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    cr_assert(stage_lock >= 0 && fcntl(stage_lock, F_OFD_SETLKW, &lock) == 0);
}

static void __attribute__((unused))
stage_start_store(void)
{
    close(stage_lock);
}

//  Log an artifact with one entry.
static __attribute__((unused)) artel_future_t *
stage_log(artel_run_t *run, const char *name, const char *type)
{
    artel_artifact_t *artifact;
    artel_future_t *future;
    OK(artel_artifact_new(name, type, &artifact));
    OK(artel_artifact_add_bytes(artifact, "x", name, strlen(name)));
    OK(artel_run_log_artifact(run, artifact, &future));
    artel_artifact_destroy(&artifact);
    return future;
}

//  Expect a code, and that it came when it should.
#define TAKES(ms, call, wanted) do {                                            \
    int64_t begin_ = stage_now_ms();                                            \
    RC(call, wanted);                                                           \
    int64_t took_ = stage_now_ms() - begin_;                                    \
    cr_assert(took_ >= (ms) - 1 && took_ < (ms) + 1000, "%s took %d ms", #call, (int) took_); \
} while (0)

#endif
