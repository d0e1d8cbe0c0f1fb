//  catalogue.c - opening the catalogue, its lock and its transactions.

#include "sql.h"

#include "actor.h"
#include "bounds.h"
#include "errors.h"
#include "fds.h"
#include "forks.h"
#include "schema.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum {
    BUSY_MS = 1000,                 //  patience with those who do not queue on the lock
    CHECKPOINT_PAGES = 2000,        //  8 MiB of write-ahead log
};

//  Pragmas are per connection, but for the journal mode. Checkpoints are ours to
//  time. Nothing in the file may run code, and nothing goes to /var/tmp.
static const char s_writer_pragmas[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
    "PRAGMA journal_size_limit = 16777216; PRAGMA temp_store = MEMORY;"
    "PRAGMA foreign_keys = OFF; PRAGMA trusted_schema = OFF;";
static const char s_reader_pragmas[] =
    "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;";

//  "artl", for file(1) and for whoever finds the file alone.
#define APPLICATION_ID "PRAGMA application_id = 0x6172746c;"

static int
s_wal_pages(void *arg, sqlite3 *db, const char *name, int pages)
{
    (void) db, (void) name;
    ((artel_catalogue_t *) arg)->wal_pages = pages;
    return SQLITE_OK;
}

static int
s_exec(artel_catalogue_t *self, const char *text)
{
    int rc = sqlite3_exec(self->db, text, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : artel_sql_fail(self, rc);
}

//  The first number of a query's first row; ARTEL_ENOENT if there is none.
static int
s_number(artel_catalogue_t *self, const char *text, int64_t *ret)
{
    sqlite3_stmt *stmt;
    int rc = sqlite3_prepare_v2(self->db, text, -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        *ret = sqlite3_column_int64(stmt, 0);
    int code = rc == SQLITE_ROW ? 0 : rc == SQLITE_DONE ? ARTEL_ENOENT : artel_sql_fail(self, rc);
    sqlite3_finalize(stmt);
    return code;
}

//  Only a file that was not there is opened by us: closing any descriptor of a
//  database drops the locks that this process has on it.
static int
s_make_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return errno == EEXIST ? 0 : artel_error_of_errno(errno);
    close(fd);
    return 0;
}

static int
s_connect(artel_catalogue_t *self, bool writable)
{
    char *path = artel_format("%s/catalogue.db", self->store);
    if (!path)
        return ARTEL_ENOMEM;
    int code = writable ? s_make_file(path) : 0;
    int rc = SQLITE_OK;
    if (code == 0)
        rc = sqlite3_open_v2(path, &self->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    free(path);
    if (code == 0 && !self->db)
        return ARTEL_ENOMEM;
    if (code != 0 || rc != SQLITE_OK)
        return code ? code : artel_sql_fail(self, rc);
    sqlite3_extended_result_codes(self->db, 1);
    sqlite3_busy_timeout(self->db, BUSY_MS);
    sqlite3_wal_hook(self->db, s_wal_pages, self);      //  in place of the automatic checkpoint
    if (!writable)
        sqlite3_db_config(self->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return s_exec(self, writable ? s_writer_pragmas : s_reader_pragmas);
}

static int
s_make_schema(artel_catalogue_t *self)
{
    char *made = artel_format("INSERT INTO meta VALUES ('major', %d), ('minor', %d),"
                              " ('created_ms', %lld);", ARTEL_SCHEMA_MAJOR, ARTEL_SCHEMA_MINOR,
                              (long long) artel_wall_ms());
    int rc = made ? s_exec(self, "BEGIN IMMEDIATE") : ARTEL_ENOMEM;
    if (rc == 0)
        rc = s_exec(self, APPLICATION_ID ARTEL_SCHEMA);
    if (rc == 0)
        rc = s_exec(self, made);
    if (rc == 0)
        rc = s_exec(self, "COMMIT");
    free(made);
    return rc != 0 ? rc : artel_sync_dir(self->store);
}

//  Whether the file is of an older minor version.
static bool
s_is_older(artel_catalogue_t *self)
{
    int64_t minor = ARTEL_SCHEMA_MINOR;
    return s_number(self, "SELECT value FROM meta WHERE key = 'minor'", &minor) == 0
           && minor < ARTEL_SCHEMA_MINOR;
}

//  Add what later minor versions brought; all of it or nothing.
static int
s_grow(artel_catalogue_t *self)
{
    int rc = s_exec(self, "BEGIN IMMEDIATE");
    if (rc == 0)
        rc = s_exec(self, ARTEL_SCHEMA_GROW);
    if (rc == 0)
        rc = s_exec(self, "COMMIT");
    if (rc != 0 && artel_catalogue_in_transaction(self))
        sqlite3_exec(self->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

//  Whether the file is a catalogue of ours; an empty one is none yet.
static int
s_check(artel_catalogue_t *self)
{
    int64_t tables = 0, major = 0;
    int rc = s_number(self, "SELECT count(*) FROM sqlite_schema", &tables);
    if (rc != 0 || tables == 0)
        return rc != 0 ? rc : ARTEL_ENOENT;
    rc = s_number(self, "SELECT value FROM meta WHERE key = 'major'", &major);
    if (rc != 0)
        return rc == ARTEL_ENOENT ? ARTEL_ECORRUPT : rc;
    return major == ARTEL_SCHEMA_MAJOR ? 0 : ARTEL_EVERSION;
}

//  Who opens the log first takes for committed what is whole in it, also what a dead
//  program wrote and never synced, or failed to sync, which left the kernel with clean
//  pages that no later sync writes. So what is there is moved into the database, which
//  syncs the log first, before anything that is read here is believed. If another program
//  is moving it, what it sees was safe; if the database has no room to grow, the log is.
static int
s_settle(artel_catalogue_t *self)
{
    int rc = sqlite3_wal_checkpoint_v2(self->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_FULL ? 0 : artel_sql_fail(self, rc);
}

//  Several programs may find no catalogue at once; the lock lets one make it.
static int
s_open_writable(artel_catalogue_t *self)
{
    char *path = artel_format("%s/catalogue.lock", self->store);
    if (!path)
        return ARTEL_ENOMEM;
    self->lock = artel_fd_open(path, O_RDWR | O_CREAT);
    int rc = self->lock < 0 ? artel_error_of_errno(errno) : artel_fd_lock(self->lock, true, true);
    free(path);
    if (rc != 0)
        return rc;
    rc = s_connect(self, true);
    if (rc == 0)
        rc = s_settle(self);
    if (rc == 0)
        rc = s_check(self);
    if (rc == ARTEL_ENOENT)
        rc = s_make_schema(self);
    if (rc == 0 && s_is_older(self))
        rc = s_grow(self);
    artel_fd_unlock(self->lock);
    return rc;
}

static int
s_open_readable(artel_catalogue_t *self)
{
    int rc = s_connect(self, false);
    if (rc == 0)
        rc = s_check(self);
    if (rc == 0 && s_is_older(self))
        rc = s_exec(self, ARTEL_SCHEMA_SHADE);
    return rc == 0 ? s_exec(self, "PRAGMA query_only = ON") : rc;
}

int
artel_catalogue_open(const char *store, bool writable, artel_catalogue_t **ret)
{
    artel_catalogue_t *self = calloc(1, sizeof *self);
    if (!self)
        return ARTEL_ENOMEM;
    artel_sqlite_guard_forks();
    self->lock = -1;
    self->store = strdup(store);
    self->keys = zhashx_new();
    int rc = self->store ? 0 : ARTEL_ENOMEM;
    if (rc == 0)
        rc = writable ? s_open_writable(self) : s_open_readable(self);
    if (rc == 0)
        *ret = self;
    else
        artel_catalogue_close(&self);
    return rc;
}

void
artel_catalogue_close(artel_catalogue_t **self_p)
{
    artel_catalogue_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < ARTEL_SQL_COUNT; i++)
        sqlite3_finalize(self->stmts[i]);
    sqlite3_close_v2(self->db);
    artel_fd_close(self->lock);
    zhashx_destroy(&self->keys);
    free(self->store);
    free(self);
    *self_p = NULL;
}

const char *
artel_catalogue_error(const artel_catalogue_t *self)
{
    return self->error;
}

sqlite3 *
artel_catalogue_db(artel_catalogue_t *self)
{
    return self->db;
}

int
artel_catalogue_begin(artel_catalogue_t *self)
{
    int rc = artel_fd_lock(self->lock, true, true);
    if (rc != 0) {
        snprintf(self->error, sizeof self->error, "the catalogue of %s: its lock: %s", self->store,
                 artel_error_code_text(rc));
        return rc;
    }
    self->began_ms = artel_now_ms();
    rc = artel_sql_run(self, ARTEL_SQL_BEGIN, NULL, 0);
    if (rc != 0)
        artel_fd_unlock(self->lock);
    return rc;
}

int
artel_catalogue_commit(artel_catalogue_t *self)
{
    int rc = artel_sql_run(self, ARTEL_SQL_COMMIT, NULL, 0);
    if (rc != 0) {
        artel_catalogue_rollback(self);
        return rc;
    }
    artel_fd_unlock(self->lock);
    return 0;
}

//  Without the lock others write meanwhile, and may keep ahead of us for ever. So
//  a log that has grown fourfold is finished under the lock: little is left to
//  do by then, and the next writer starts it afresh.
void
artel_catalogue_tidy(artel_catalogue_t *self)
{
    if (self->wal_pages < CHECKPOINT_PAGES)
        return;
    bool locked = self->wal_pages >= 4 * CHECKPOINT_PAGES
                  && artel_fd_lock(self->lock, true, true) == 0;
    sqlite3_wal_checkpoint_v2(self->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (locked)
        artel_fd_unlock(self->lock);
    self->wal_pages = 0;
}

void
artel_catalogue_rollback(artel_catalogue_t *self)
{
    if (artel_catalogue_in_transaction(self))
        sqlite3_exec(self->db, "ROLLBACK", NULL, NULL, NULL);
    zhashx_purge(self->keys);
    artel_fd_unlock(self->lock);
}

bool
artel_catalogue_in_transaction(const artel_catalogue_t *self)
{
    return !sqlite3_get_autocommit(self->db);
}

int64_t
artel_catalogue_held_ms(const artel_catalogue_t *self)
{
    return artel_now_ms() - self->began_ms;
}

bool
artel_catalogue_is_late(const artel_catalogue_t *self)
{
    return artel_catalogue_held_ms(self) >= ARTEL_CATALOGUE_HOLD_MS / 2;
}

int
artel_catalogue_position(artel_catalogue_t *self, artel_id_t writer, uint64_t *ret_counter)
{
    sqlite3_stmt *stmt;
    int rc = artel_sql_row(self, ARTEL_SQL_POSITION, ARGS(ID(&writer)), &stmt);
    if (rc < 0)
        return rc;
    *ret_counter = 0;
    if (rc > 0) {
        *ret_counter = (uint64_t) sqlite3_column_int64(stmt, 0);
        sqlite3_reset(stmt);
    }
    return 0;
}
