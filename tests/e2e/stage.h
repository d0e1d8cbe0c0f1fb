//  stage.h - a state directory, a client on it, and its catalogue to look into.

#ifndef ARTEL_STAGE_H
#define ARTEL_STAGE_H

#include <criterion/criterion.h>

#include "artel.h"

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

static void __attribute__((unused))
stage_up(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(stage_dir, sizeof stage_dir, "%s/artel-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    cr_assert(mkdtemp(stage_dir) != NULL);
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
    nftw(stage_dir, stage_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

static __attribute__((unused)) artel_run_t *
stage_run(const char *id)
{
    artel_run_t *run;
    OK(artel_run_start(stage_artel, &(artel_run_options_t) { .size = sizeof(artel_run_options_t), .id = id }, &run));
    return run;
}

//  What the client says last.
static const char * __attribute__((unused))
stage_error(void)
{
    static char text[512];
    artel_error(stage_artel, text, sizeof text);
    return text;
}

//  The rows of a query, columns joined by '|', rows by newlines; static.
static const char * __attribute__((unused, format(printf, 1, 2)))
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

static int64_t __attribute__((unused))
stage_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif
