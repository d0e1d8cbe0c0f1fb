//  A disk that fails to sync: who is told, what is never called safe, and that the next
//  program, whose disk is well, delivers what was accepted.

#include "sanitized.h"
#include "session.h"

#include <fnmatch.h>
#include <limits.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/uio.h>

enum { ROWS = 20, WAIT_MS = 30000, VAIN_MS = 1500, CHILD_MS = 60000 };

//  This program's disk, also SQLite's: files whose path matches cannot be synced, and, if it
//  is told so, nothing can be written or cut.
static _Atomic(const char *) s_bad;
static atomic_bool s_is_dead;

static int
s_sync(int fd, long call)
{
    char link[64], path[PATH_MAX] = "";
    const char *bad = s_bad;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (bad && readlink(link, path, sizeof path - 1) > 0 && fnmatch(bad, path, 0) == 0) {
        errno = EIO;
        return -1;
    }
    return (int) syscall(call, fd);
}

__attribute__((visibility("default"))) int
fdatasync(int fd)
{
    return s_sync(fd, SYS_fdatasync);
}

__attribute__((visibility("default"))) int
fsync(int fd)
{
    return s_sync(fd, SYS_fsync);
}

ssize_t
pwritev(int fd, const struct iovec *parts, int n, off_t offset)
{
    errno = EIO;
    return s_is_dead ? -1 : syscall(SYS_pwritev, fd, parts, n, offset, 0);
}

int
ftruncate(int fd, off_t size)
{
    errno = EIO;
    return s_is_dead ? -1 : (int) syscall(SYS_ftruncate, fd, size);
}

//  What the log callback was told.
static pthread_mutex_t s_told_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t s_told_more = PTHREAD_COND_INITIALIZER;
static char s_told[4096];

static void
s_note(void *arg, int level, const char *text)
{
    (void) arg;
    CHECK(level == ARTEL_LOG_WARNING, "level %d: %s", level, text);
    pthread_mutex_lock(&s_told_lock);
    size_t n = strlen(s_told);
    snprintf(s_told + n, sizeof s_told - n, "%s\n", text);
    pthread_cond_broadcast(&s_told_more);
    pthread_mutex_unlock(&s_told_lock);
}

//  Who waits may hear of it before the callback does, which is called without a lock.
static void
s_expect_told(const char *word)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_MS / 1000;
    pthread_mutex_lock(&s_told_lock);
    while (!strstr(s_told, word) && pthread_cond_timedwait(&s_told_more, &s_told_lock, &until) == 0)
        continue;
    CHECK(strstr(s_told, word), "\"%s\" was not told: %s", word, s_told);
    pthread_mutex_unlock(&s_told_lock);
}

static artel_t *s_artel;
static artel_run_t *s_run;

//  A client, and a run with ROWS rows that are durable.
static void
s_open(void)
{
    CHECK_OK(artel_open(&(artel_options_t) { .size = sizeof(artel_options_t), .dir = case_dir, .log = s_note },
                        &s_artel));
    CHECK_OK(artel_run_start(s_artel, &(artel_run_options_t) { .size = sizeof(artel_run_options_t), .id = "r" },
                             &s_run));
    session_log(s_run, ROWS);
    CHECK_OK(artel_run_flush(s_run, ARTEL_DURABLE, WAIT_MS));
}

//  Expect a code, and a sentence of the client that has the word.
#define FAILS(call, code, word) do {                                            \
    char text_[600] = "";                                                       \
    CHECK_RC(call, code);                                                       \
    artel_error(s_artel, text_, sizeof text_);                                  \
    CHECK(strstr(text_, word), "\"%s\" is not in: %s", word, text_);            \
} while (0)

//  Run fn in a process, which it ends with 0.
static void
s_program(void (*fn)(void))
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        fn();
        _exit(0);
    }
    int status = case_wait(pid, CHILD_MS);
    if (status == CASE_FAILED << 8)
        _exit(CASE_FAILED);                     //  it has said why
    CHECK(status == 0, "a program ended with %#x", (unsigned) status);
}

//  The first number of the catalogue's answer.
static int
s_number(const char *sql)
{
    char path[300];
    sqlite3 *db;
    sqlite3_stmt *stmt;
    snprintf(path, sizeof path, "%s/catalogue.db", case_dir);
    CHECK(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK, "%s", path);
    CHECK(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    CHECK(sqlite3_step(stmt) == SQLITE_ROW, "%s", sqlite3_errmsg(db));
    int number = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return number;
}

//  A program whose disk is well delivers what others left.
static void
s_recover(void)
{
    artel_t *artel = session_open(case_dir);
    uint64_t journals;
    CHECK_OK(artel_sync(artel, WAIT_MS, &journals));
    CHECK_OK(artel_close(&artel, WAIT_MS));
}

//  The steps 0 to n - 1, each once.
static void
s_expect_rows(int n)
{
    CHECK(s_number("SELECT count(*) FROM history") == n, "%d rows", s_number("SELECT count(*) FROM history"));
    CHECK(s_number("SELECT count(DISTINCT step) FROM history WHERE step < (SELECT count(*) FROM history)") == n,
          "rows are there twice");
}

static void
s_fail_for_ever(void)
{
    s_open();
    s_bad = "*.seg";
    session_log(s_run, ROWS);
    CHECK_OK(artel_run_flush(s_run, ARTEL_ACCEPTED, WAIT_MS));
    FAILS(artel_run_flush(s_run, ARTEL_DURABLE, WAIT_MS), ARTEL_EIO, "/00000001.seg could not be made durable");
    s_expect_told("/00000001.seg could not be made durable");
    s_bad = NULL;                               //  what a later sync says means nothing
    FAILS(artel_run_flush(s_run, ARTEL_DURABLE, WAIT_MS), ARTEL_EIO, "/00000001.seg could not");
    int64_t begin = case_now_ms();
    FAILS(artel_run_log(s_run, "loss", ARTEL_AUTO_STEP, 1), ARTEL_EIO, "/00000001.seg could not");
    CHECK(case_now_ms() - begin < 1000, "a log call waited %d ms", (int) (case_now_ms() - begin));
    artel_artifact_t *artifact;
    CHECK_OK(artel_artifact_new("m", "model", &artifact));
    FAILS(artel_run_log_artifact(s_run, artifact, NULL), ARTEL_EIO, "/00000001.seg could not");
    artel_artifact_destroy(&artifact);
    FAILS(artel_run_flush(s_run, ARTEL_DELIVERED, WAIT_MS), ARTEL_EFULL, "2 records");  //  the others are
    begin = case_now_ms();
    CHECK_RC(artel_close(&s_artel, WAIT_MS), ARTEL_ELOST);
    CHECK(case_now_ms() - begin < 5000, "close waited %d ms", (int) (case_now_ms() - begin));
    CHECK(strstr(artel_open_error(), "1 record") && strstr(artel_open_error(), "/00000001.seg could not"), "%s",
          artel_open_error());                  //  its end
}

static void
a_segment_that_cannot_be_synced_is_told_by_every_call_and_never_taken_back(void)
{
    s_program(s_fail_for_ever);
    s_recover();
    s_expect_rows(2 * ROWS);
    CHECK(s_number("SELECT count(*) FROM runs WHERE state = 'crashed'") == 1, "the run's end was lost");
}

static void
s_fail_the_folder(void)
{
    char folder[400];
    artel_value_t value = { .key = "text", .type = ARTEL_TYPE_STRING };
    char text[2048] = "";
    memset(text, 'a', sizeof text - 1);
    value.string = text;
    snprintf(folder, sizeof folder, "%s/runs/r/????????????????????????????????", case_dir);
    s_open();
    s_bad = folder;
    for (int i = 0; i < 10 * ROWS; i++)         //  more than a segment takes
        CHECK_OK(artel_run_log_row(s_run, ARTEL_AUTO_STEP, &value, 1));
    CHECK_OK(artel_run_flush(s_run, ARTEL_ACCEPTED, WAIT_MS));
    FAILS(artel_run_flush(s_run, ARTEL_DURABLE, WAIT_MS), ARTEL_EIO, "/runs/r/");
    FAILS(artel_run_flush(s_run, ARTEL_DURABLE, WAIT_MS), ARTEL_EIO, " could not be made durable");
    s_expect_told("/runs/r/");
}

static void
so_is_a_folder_that_cannot_be_synced(void)
{
    s_program(s_fail_the_folder);
    s_recover();
    s_expect_rows(11 * ROWS);
}

static void
s_fail_everything(void)
{
    s_open();
    CHECK_OK(artel_run_flush(s_run, ARTEL_DELIVERED, WAIT_MS));
    s_bad = "*";
    session_log(s_run, ROWS);
    FAILS(artel_run_flush(s_run, ARTEL_DURABLE, WAIT_MS), ARTEL_EIO, ".seg could not be made durable");
    FAILS(artel_run_flush(s_run, ARTEL_DELIVERED, VAIN_MS), ARTEL_ETIMEOUT, "the catalogue of");
}

static void
what_was_accepted_on_a_disk_that_fails_is_delivered_by_the_next_program(void)
{
    s_program(s_fail_everything);
    s_recover();
    s_expect_rows(2 * ROWS);
}

//  A write that fails and cannot be taken back: the record is never accepted, and who
//  waits for it without a deadline is told.
static void
s_wait_for_nothing(void)
{
    s_open();
    s_is_dead = true;
    artel_future_t *future = session_send(s_run, "m");
    FAILS(artel_future_wait(future, -1), ARTEL_EIO, "00000001.seg could not be made durable");
    char why[512];
    CHECK_RC(artel_future_error(future, why, sizeof why), ARTEL_EIO);
    CHECK(strstr(why, "00000001.seg"), "%s", why);
    CHECK(artel_future_poll(future) == 1, "there is more to come?");
    FAILS(artel_run_flush(s_run, ARTEL_DELIVERED, WAIT_MS), ARTEL_EIO, "00000001.seg");
}

static void
nobody_waits_for_ever_for_a_record_that_is_never_accepted(void)
{
    s_program(s_wait_for_nothing);
    s_recover();
    s_expect_rows(ROWS);
}

//  The file is named, and the same artifact is taken when the disk is well.
static void
s_refuse_artifacts(void)
{
    static const struct { const char *bad, *named; } faults[] = {
        { "*.pack", "/blobs/tmp/" }, { "*/blobs/packs", "/blobs/packs" }, { "*/blobs/tmp/*-0", "/blobs/tmp/" },
        { "*/blobs/??", "/blobs/" } };
    char *large = calloc(2, 1 << 20);
    s_open();
    artel_future_t *first = session_send(s_run, "first");       //  the folders are there
    artel_future_destroy(&first);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        artel_artifact_t *artifact;
        CHECK_OK(artel_artifact_new("m", "model", &artifact));
        CHECK_OK(artel_artifact_add_bytes(artifact, "small", faults[i].bad, strlen(faults[i].bad)));
        memset(large, (int) i + 1, 4096);
        CHECK_OK(artel_artifact_add_bytes(artifact, "large", large, 2 << 20));
        s_bad = faults[i].bad;
        FAILS(artel_run_log_artifact(s_run, artifact, NULL), ARTEL_EIO, faults[i].named);
        s_bad = NULL;
        artel_future_t *future;
        CHECK_OK(artel_run_log_artifact(s_run, artifact, &future));
        CHECK_OK(artel_future_wait(future, WAIT_MS));
        artel_future_destroy(&future);
        artel_artifact_destroy(&artifact);
    }
    CHECK_OK(artel_close(&s_artel, WAIT_MS));
    free(large);
}

static void
an_artifact_whose_blobs_cannot_be_synced_is_refused_and_names_the_file(void)
{
    s_program(s_refuse_artifacts);
    CHECK(s_number("SELECT count(*) FROM artifact_versions ") == 5, "versions");
}

//  The store's log is whole in memory, and not on the disk: a program that opens it must
//  not take what it reads for delivered.
static void
s_fail_the_catalogue(void)
{
    s_open();
    CHECK_OK(artel_run_flush(s_run, ARTEL_DELIVERED, WAIT_MS));
    s_bad = "*/catalogue.db*";
    session_log(s_run, ROWS);
    artel_future_t *future = session_send(s_run, "m");
    FAILS(artel_run_flush(s_run, ARTEL_DELIVERED, VAIN_MS), ARTEL_ETIMEOUT, "the catalogue of");
    FAILS(artel_future_wait(future, VAIN_MS), ARTEL_ETIMEOUT, "the catalogue of");
    CHECK_OK(artel_run_flush(s_run, ARTEL_DURABLE, WAIT_MS));
    s_expect_told("the catalogue of");
}

static void
s_sync_in_vain(void)
{
    s_bad = "*/catalogue.db*";
    CHECK_OK(artel_open(&(artel_options_t) { .size = sizeof(artel_options_t), .dir = case_dir, .log = s_note },
                        &s_artel));
    FAILS(artel_sync(s_artel, VAIN_MS, NULL), ARTEL_EPENDING, "the catalogue of");
}

static void
what_the_catalogue_could_not_sync_is_never_called_delivered(void)
{
    s_program(s_fail_the_catalogue);
    s_program(s_sync_in_vain);
    s_recover();
    s_expect_rows(2 * ROWS);
    CHECK(s_number("SELECT count(*) FROM artifact_versions") == 1, "the artifact");
}

static void
s_go_on(void)
{
    s_fail_the_catalogue();
    s_bad = NULL;
    CHECK_OK(artel_run_flush(s_run, ARTEL_DELIVERED, WAIT_MS));
    CHECK_OK(artel_close(&s_artel, WAIT_MS));
}

static void
it_is_delivered_when_the_catalogue_can_be_synced_again(void)
{
    s_program(s_go_on);
    s_expect_rows(2 * ROWS);
}

static void
s_start_in_vain(void)
{
    artel_run_t *run;
    s_open();
    s_bad = "*/pending";
    FAILS(artel_run_start(s_artel, NULL, &run), ARTEL_EIO, case_dir);
    s_bad = NULL;
    CHECK_OK(artel_run_start(s_artel, NULL, &run));
    CHECK_OK(artel_close(&s_artel, WAIT_MS));
}

static void
a_run_whose_birth_cannot_be_synced_does_not_start(void)
{
    s_program(s_start_in_vain);
    s_expect_rows(ROWS);
    CHECK(s_number("SELECT count(*) FROM runs") == 2, "runs");
}

int
main(int argc, char **argv)
{
#define CASE(name) { #name, name }
    static const case_t cases[] = {
        CASE(a_segment_that_cannot_be_synced_is_told_by_every_call_and_never_taken_back),
        CASE(so_is_a_folder_that_cannot_be_synced),
        CASE(what_was_accepted_on_a_disk_that_fails_is_delivered_by_the_next_program),
        CASE(nobody_waits_for_ever_for_a_record_that_is_never_accepted),
        CASE(an_artifact_whose_blobs_cannot_be_synced_is_refused_and_names_the_file),
        CASE(what_the_catalogue_could_not_sync_is_never_called_delivered),
        CASE(it_is_delivered_when_the_catalogue_can_be_synced_again),
        CASE(a_run_whose_birth_cannot_be_synced_does_not_start),
    };
    return case_main(cases, sizeof cases / sizeof *cases, argc > 1 ? argv[1] : NULL);
}
