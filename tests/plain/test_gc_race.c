//  Programs log artifacts while others collect garbage and verify, all at once.

#include "artel.h"
#include "catalogue.h"
#include "gc.h"
#include "layout.h"
#include "verify.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROGRAMS = 3, ARTIFACTS = 12, LARGE = 2 * 1024 * 1024 };

static char s_state[] = "/tmp/artel-test-XXXXXX";

static void
s_ignore(void *arg, int level, const char *text)
{
    (void) arg, (void) level, (void) text;
}

//  Shared content, content of its own, and sometimes a large file.
static int
s_log_one(artel_run_t *run, int program, int i)
{
    char text[64];
    static char large[LARGE];
    artel_artifact_t *artifact;
    artel_future_t *future = NULL;
    if (artel_artifact_new("model", NULL, &artifact) != 0)
        return 1;
    snprintf(text, sizeof text, "artifact %d of program %d", i, program);
    artel_artifact_add_bytes(artifact, "own.txt", text, strlen(text));
    artel_artifact_add_bytes(artifact, "shared.txt", "the same in all", 15);
    snprintf(large, sizeof large, "%d", i / 2);
    if (i % 2)
        artel_artifact_add_bytes(artifact, "large.bin", large, LARGE);
    int rc = artel_run_log_artifact(run, artifact, &future);
    if (rc == 0)
        rc = artel_future_wait(future, 60000);
    artel_future_destroy(&future);
    artel_artifact_destroy(&artifact);
    return rc;
}

static int
s_program(int program)
{
    artel_t *artel;
    artel_run_t *run;
    artel_options_t options = { .size = sizeof options, .dir = s_state, .sinks = "store", .log = s_ignore };
    if (artel_open(&options, &artel) != 0 || artel_run_start(artel, NULL, &run) != 0)
        return 1;
    int rc = 0;
    for (int i = 0; rc == 0 && i < ARTIFACTS; i++)
        rc = s_log_one(run, program, i);
    int finished = artel_run_finish(&run, 0), closed = artel_close(&artel, 30000);
    return rc || finished || closed ? 2 : 0;
}

static void
s_print(void *arg, const char *sentence)
{
    (void) arg;
    printf("damaged: %s\n", sentence);
}

static int
s_verify(void)
{
    artel_verify_report_t report;
    return artel_verify(s_state, &(artel_verify_options_t) { .damaged = s_print }, &report);
}

static int
s_collect(void)
{
    artel_gc_report_t report;
    int rc = artel_gc(s_state, &(artel_gc_options_t) { .journal_age_ms = 0, .wait_ms = 60000 }, &report);
    if (rc != 0)
        printf("gc: %s\n", report.text);
    return rc;
}

static int
s_count_versions(void)
{
    artel_catalogue_t *catalogue;
    sqlite3_stmt *stmt;
    int n = -1;
    if (artel_catalogue_open(s_state, false, &catalogue) != 0)
        return -1;
    if (sqlite3_prepare_v2(artel_catalogue_db(catalogue), "SELECT count(*) FROM versions", -1, &stmt, NULL) == SQLITE_OK
        && sqlite3_step(stmt) == SQLITE_ROW)
        n = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    artel_catalogue_close(&catalogue);
    return n;
}

static int
s_case(const char *name, int ok)
{
    printf("%s %s%s\n", ok ? "PASS" : "FAIL", name, ok ? "" : ": see above");
    return !ok;
}

int
main(void)
{
    int gcs = 0, verifies = 0, programs = 0, left = PROGRAMS, failed = 0, status;
    if (!mkdtemp(s_state))
        return 1;
    for (int i = 0; i < PROGRAMS; i++)
        if (fork() == 0)
            _exit(s_program(i));
    while (left > 0) {
        struct stat st;
        char host[64];
        snprintf(host, sizeof host, "%s/host", s_state);
        if (stat(host, &st) == 0) {
            gcs |= s_collect();
            verifies |= s_verify();
        }
        if (waitpid(-1, &status, WNOHANG) > 0) {
            left--;
            programs |= status;
        }
    }
    failed += s_case("every_artifact_is_committed_while_gc_runs", programs == 0);
    failed += s_case("gc_works_beside_programs_that_log", gcs == 0);
    failed += s_case("verify_finds_no_damage_meanwhile", verifies == 0);
    failed += s_case("every_version_is_there", s_count_versions() == PROGRAMS * ARTIFACTS);
    failed += s_case("gc_and_verify_are_content_in_the_end", s_collect() == 0 && s_verify() == 0);
    artel_remove_tree(s_state);
    return failed ? 1 : 0;
}
