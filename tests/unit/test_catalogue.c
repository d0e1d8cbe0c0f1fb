//  Opening the catalogue, its lock, its transactions, and what a damaged one says.

#include "batches.h"

#include "bounds.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *s_folder, *s_file;

static void
s_setup(void)
{
    s_folder = folder_new();
    s_file = artel_format("%s/catalogue.db", s_folder);
}

static void
s_teardown(void)
{
    free(s_file);
    folder_destroy(s_folder);
}

TestSuite(catalogue, .init = s_setup, .fini = s_teardown, .timeout = 60);

static artel_catalogue_t *
s_open(bool writable)
{
    artel_catalogue_t *catalogue = NULL;
    cr_assert_eq(artel_catalogue_open(s_folder, writable, &catalogue), 0);
    return catalogue;
}

static int
s_try(bool writable)
{
    artel_catalogue_t *catalogue = NULL;
    int rc = artel_catalogue_open(s_folder, writable, &catalogue);
    cr_assert_eq(rc == 0, catalogue != NULL);
    artel_catalogue_close(&catalogue);
    return rc;
}

static void
s_write_file(const char *bytes, size_t len)
{
    int fd = open(s_file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert_eq(write(fd, bytes, len), (ssize_t) len);
    close(fd);
}

//  What another program does to the file.
static void
s_meddle(const char *sql)
{
    sqlite3 *db;
    cr_assert_eq(sqlite3_open(s_file, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

Test(catalogue, is_no_such_thing_for_a_reader_before_anything_was_delivered)
{
    cr_assert_eq(s_try(false), ARTEL_ENOENT);
    s_write_file("", 0);                        //  made, and killed before it had its tables
    cr_assert_eq(s_try(false), ARTEL_ENOENT);
    cr_assert_eq(s_try(true), 0);
    cr_assert_eq(s_try(false), 0);
}

Test(catalogue, is_the_users_alone)
{
    struct stat st;
    umask(0);
    cr_assert_eq(s_try(true), 0);
    cr_assert_eq(stat(s_file, &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0600);
}

Test(catalogue, of_a_newer_major_is_left_alone)
{
    cr_assert_eq(s_try(true), 0);
    s_meddle("UPDATE meta SET value = 2 WHERE key = 'major'");
    cr_assert_eq(s_try(true), ARTEL_EVERSION);
    cr_assert_eq(s_try(false), ARTEL_EVERSION);
}

//  One of each statement that inserts, but for artifacts.
static void
s_apply_some(artel_catalogue_t *catalogue, artel_id_t writer, uint64_t world)
{
    artel_str_t text = artel_str("t");
    artel_cell_t cell = { .key = 0, .kind = ARTEL_F64, .f64 = 1 };
    artel_row_t row = { &cell, 1 };
    artel_msg_t records[] = {
        { .id = ARTEL_MSG_RUN, .run = { .run = artel_str("r"), .project = text, .tags = { &text, 1 } } },
        { .id = ARTEL_MSG_RUN_START, .run_start = { .rank = 1, .world = world, .at_ms = 5 } },
        { .id = ARTEL_MSG_HISTORY, .history = { 7, 1000, row } }, { .id = ARTEL_MSG_CONFIG, .config = { row } },
        { .id = ARTEL_MSG_SUMMARY, .summary = { row } }, { .id = ARTEL_MSG_LOST, .lost = { 9, 9, text } },
    };
    cr_assert_eq(batch_apply(catalogue, &(batch_t) { .writer = writer, .counter = 1, .keys = { &text, 1 },
        .records = records, .n = COUNT_OF(records) }, NULL), 0, "%s", artel_catalogue_error(catalogue));
    cr_expect_str_eq(query(catalogue, "SELECT count(*) FROM refused"), "0");
}

//  Any table may have got another column.
Test(catalogue, of_a_newer_minor_is_used)
{
    char sql[2048] = "UPDATE meta SET value = 9 WHERE key = 'minor';";
    artel_catalogue_t *catalogue = s_open(true);
    strcat(sql, query(catalogue, "SELECT group_concat('ALTER TABLE ' || name || ' ADD COLUMN mood TEXT;', '')"
                                 "  FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"));
    artel_catalogue_close(&catalogue);
    s_meddle(sql);
    catalogue = s_open(true);
    s_apply_some(catalogue, (artel_id_t) { "w" }, 2);
    cr_expect_str_eq(query(catalogue, "SELECT value FROM meta WHERE key = 'minor'"), "9");
    artel_catalogue_close(&catalogue);
}

//  What minor 1 brought, taken away.
static void
s_make_older(void)
{
    s_meddle("DROP VIEW history; DROP TABLE history_ranks; DROP INDEX writers_rank;"
             "ALTER TABLE runs DROP COLUMN world; ALTER TABLE writers DROP COLUMN rank;"
             "CREATE INDEX writers_run ON writers (run);"
             "CREATE VIEW history AS SELECT r.run, h.row, h.step, h.time_ms, k.key, c.type, c.value"
             " FROM runs r JOIN history_rows h ON h.run = r.id"
             " CROSS JOIN history_cells c ON c.run = h.run AND c.row = h.row JOIN keys k ON k.id = c.key;"
             "UPDATE meta SET value = 0 WHERE key = 'minor'");
}

Test(catalogue, of_an_older_minor_can_be_read_and_grows_when_it_is_written)
{
    artel_catalogue_t *catalogue = s_open(true);
    s_apply_some(catalogue, (artel_id_t) { "w" }, 0);
    artel_catalogue_close(&catalogue);
    s_make_older();
    for (int i = 0; i < 2; i++) {
        catalogue = s_open(i == 1);
        cr_expect_str_eq(query(catalogue, "SELECT r.run, h.value, h.rank, r.world, w.rank FROM history h"
                                          " JOIN runs r USING (run) JOIN writers w ON w.run = r.id"), "r|1.0|NULL|NULL|NULL");
        cr_expect_str_eq(query(catalogue, "SELECT value FROM meta WHERE key = 'minor'"), i ? "1" : "0");
        if (i == 1)
            s_apply_some(catalogue, (artel_id_t) { "v" }, 2);
        artel_catalogue_close(&catalogue);
    }
    catalogue = s_open(false);
    cr_expect_str_eq(query(catalogue, "SELECT step, rank FROM history ORDER BY row"), "7|NULL 7|1");
    artel_catalogue_close(&catalogue);
}

Test(catalogue, that_is_something_else_is_refused_and_not_touched)
{
    char noise[8192];
    memset(noise, 'x', sizeof noise);
    s_write_file(noise, sizeof noise);
    cr_assert_eq(s_try(true), ARTEL_ECORRUPT);
    cr_assert_eq(s_try(false), ARTEL_ECORRUPT);
    unlink(s_file);
    s_meddle("CREATE TABLE recipes (name TEXT)");
    cr_assert_eq(s_try(true), ARTEL_ECORRUPT);
    s_meddle("INSERT INTO recipes VALUES ('soup')");
}

Test(catalogue, with_a_damaged_page_says_so_and_goes_on_with_the_rest)
{
    cr_assert_eq(s_try(true), 0);
    struct stat st;
    cr_assert_eq(stat(s_file, &st), 0);
    int fd = open(s_file, O_WRONLY);
    char noise[4096];
    memset(noise, 0xa5, sizeof noise);
    for (off_t at = 4096 * 3; at < st.st_size; at += 4096)
        cr_assert_eq(pwrite(fd, noise, sizeof noise, at), sizeof noise);
    close(fd);
    artel_catalogue_t *catalogue = NULL;
    int rc = artel_catalogue_open(s_folder, true, &catalogue);
    if (rc == 0)
        rc = batch_apply(catalogue, &(batch_t) { .writer = { "w" }, .counter = 1 }, NULL);
    cr_assert_eq(rc, ARTEL_ECORRUPT, "%d", rc);
    artel_catalogue_close(&catalogue);
}

Test(catalogue, cannot_be_made_where_there_is_no_folder)
{
    artel_catalogue_t *catalogue = NULL;
    cr_assert_eq(artel_catalogue_open("/nonexistent/place", true, &catalogue), ARTEL_ENOENT);
    cr_assert_null(catalogue);
}

//  Of several at once one makes the tables, and nobody fails.
static void *
s_write_some(void *arg)
{
    artel_catalogue_t *catalogue;
    uint64_t *id = arg;
    artel_id_t writer = { { 0 } };
    memcpy(writer.at, id, sizeof *id);
    *id = 0;
    if (artel_catalogue_open(s_folder, true, &catalogue) != 0)
        return NULL;
    for (uint64_t i = 1; i <= 20; i++)
        *id += batch_apply(catalogue, &(batch_t) { .writer = writer, .counter = i, .after = i - 1 },
                           NULL)
               == 0;
    artel_catalogue_close(&catalogue);
    return NULL;
}

Test(catalogue, serves_eight_writers_at_once)
{
    pthread_t threads[8];
    uint64_t ids[8];
    for (size_t i = 0; i < 8; i++) {
        ids[i] = i + 1;
        pthread_create(&threads[i], NULL, s_write_some, &ids[i]);
    }
    for (size_t i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        cr_expect_eq(ids[i], 20);
    }
    artel_catalogue_t *catalogue = s_open(false);
    cr_expect_str_eq(
        query(catalogue,
              "SELECT count(*), min(position), (SELECT count(*) FROM runs) FROM writers"),
        "8|20|1");
    artel_catalogue_close(&catalogue);
}

Test(catalogue, lets_readers_look_while_somebody_writes)
{
    artel_catalogue_t *writer = s_open(true), *reader = s_open(false);
    cr_assert_eq(artel_catalogue_begin(writer), 0);
    query(writer, "INSERT INTO keys (key) VALUES ('k')");
    cr_expect_str_eq(query(reader, "SELECT count(*) FROM keys"), "0");
    cr_assert_eq(artel_catalogue_commit(writer), 0);
    cr_expect_str_eq(query(reader, "SELECT count(*) FROM keys"), "1");
    artel_catalogue_close(&reader);
    artel_catalogue_close(&writer);
}

Test(catalogue, does_not_let_a_reader_write)
{
    artel_catalogue_t *writer = s_open(true), *reader = s_open(false);
    cr_assert_eq(sqlite3_exec(artel_catalogue_db(reader), "DELETE FROM runs", NULL, NULL, NULL),
                 SQLITE_READONLY);
    artel_catalogue_close(&reader);
    artel_catalogue_close(&writer);
}

Test(catalogue, asks_to_try_again_when_a_stranger_holds_it_and_frees_the_queue)
{
    artel_catalogue_t *one = s_open(true), *two = s_open(true);
    sqlite3 *stranger;
    cr_assert_eq(sqlite3_open(s_file, &stranger), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(stranger, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    cr_assert_eq(artel_catalogue_begin(one), ARTEL_EAGAIN);
    cr_assert_eq(sqlite3_exec(stranger, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    cr_assert_eq(artel_catalogue_begin(two), 0);
    cr_assert_eq(artel_catalogue_commit(two), 0);
    cr_assert_eq(artel_catalogue_begin(one), 0);
    artel_catalogue_rollback(one);
    sqlite3_close(stranger);
    artel_catalogue_close(&one);
    artel_catalogue_close(&two);
}

//  A batch of n rows of one long text.
static int
s_apply_rows(artel_catalogue_t *catalogue, uint64_t counter, size_t n)
{
    static char text[8000];
    static artel_msg_t records[500];
    static const artel_str_t key = { "k", 1 };
    memset(text, 'x', sizeof text);
    artel_cell_t cell = { .kind = ARTEL_STR, .str = { text, sizeof text } };
    for (size_t i = 0; i < n; i++)
        records[i] =
            (artel_msg_t) { .id = ARTEL_MSG_HISTORY, .history = { (int64_t) i, 0, { &cell, 1 } } };
    return batch_apply(catalogue,
                       &(batch_t) { .writer = { "w" },
                                    .counter = counter,
                                    .after = counter - 1,
                                    .keys = { &key, 1 },
                                    .records = records,
                                    .n = n },
                       NULL);
}

Test(catalogue, that_is_full_takes_nothing_of_a_batch_and_goes_on_when_there_is_room)
{
    artel_catalogue_t *catalogue = s_open(true);
    cr_assert_eq(s_apply_rows(catalogue, 1, 10), 0);
    query(catalogue, "PRAGMA max_page_count = 100");
    cr_assert_eq(s_apply_rows(catalogue, 2, 100), ARTEL_ENOSPC);
    cr_assert(strstr(artel_catalogue_error(catalogue), "no space"));
    uint64_t position;
    cr_assert_eq(artel_catalogue_position(catalogue, (artel_id_t) { "w" }, &position), 0);
    cr_assert_eq(position, 1);
    query(catalogue, "PRAGMA max_page_count = 1000000");
    cr_assert_eq(s_apply_rows(catalogue, 2, 100), 0);
    cr_expect_str_eq(query(catalogue, "SELECT count(*) FROM history"), "110");
    artel_catalogue_close(&catalogue);
}

Test(catalogue, keeps_its_log_short)
{
    artel_catalogue_t *catalogue = s_open(true);
    struct stat st;
    char *log = artel_format("%s-wal", s_file);
    for (uint64_t i = 1; i <= 30; i++) {
        cr_assert_eq(s_apply_rows(catalogue, i, 500), 0);
        artel_catalogue_tidy(catalogue);
    }
    cr_assert_eq(stat(s_file, &st), 0);
    cr_expect_gt(st.st_size, 64 << 20);
    cr_assert_eq(stat(log, &st), 0);
    cr_expect_leq(st.st_size, 20 << 20);
    artel_catalogue_close(&catalogue);
    cr_expect_neq(stat(log, &st), 0);           //  at rest there is one file
    free(log);
}

//  Batches of ten rows, until somebody ends us.
static void
s_write_for_ever(void)
{
    artel_catalogue_t *catalogue;
    uint64_t position;
    artel_msg_t records[10];
    for (size_t i = 0; i < COUNT_OF(records); i++)
        records[i] = (artel_msg_t) { .id = ARTEL_MSG_HISTORY };
    if (artel_catalogue_open(s_folder, true, &catalogue) != 0
        || artel_catalogue_position(catalogue, (artel_id_t) { "w" }, &position) != 0)
        _exit(1);
    for (;;) {
        batch_apply(catalogue,
                    &(batch_t) { .writer = { "w" },
                                 .counter = position + 1,
                                 .after = position,
                                 .records = records,
                                 .n = COUNT_OF(records) },
                    NULL);
        artel_catalogue_tidy(catalogue);
        position++;
    }
}

Test(catalogue, is_whole_whenever_its_program_is_killed)
{
    uint64_t before = 0;
    for (int i = 0; i < 30; i++) {
        pid_t pid = fork();
        if (pid == 0)
            s_write_for_ever();
        usleep(1000 + (useconds_t) i * 2000);       //  only the moment of the kill
        kill(pid, SIGKILL);
        int status;
        waitpid(pid, &status, 0);
        cr_assert(WIFSIGNALED(status));
        artel_catalogue_t *catalogue = s_open(true);
        uint64_t position;
        cr_assert_eq(artel_catalogue_position(catalogue, (artel_id_t) { "w" }, &position), 0);
        cr_assert_geq(position, before);
        before = position;
        char *wanted = artel_format("%llu|%llu", 10 * (unsigned long long) position,
                                    10 * (unsigned long long) position);
        cr_assert_str_eq(
            query(catalogue,
                  "SELECT count(*), coalesce((SELECT rows FROM runs), 0) FROM history_rows"),
            wanted);
        cr_assert_str_eq(query(catalogue, "PRAGMA integrity_check"), "ok");
        cr_assert_str_eq(query(catalogue, "PRAGMA foreign_key_check"), "");
        free(wanted);
        artel_catalogue_close(&catalogue);
    }
    cr_assert_gt(before, 100);
}
