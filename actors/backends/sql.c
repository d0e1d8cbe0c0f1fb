//  sql.c - statements: prepared once, bound, run, and their failures told.

#include "sql.h"

#include "errors.h"

#include <errno.h>

static const char *const s_texts[] = {
#define S(NAME, text) [ARTEL_SQL_##NAME] = text,
    ARTEL_STATEMENTS(S)
#undef S
};

artel_arg_t
artel_arg_int(int64_t value)
{
    return (artel_arg_t) { .type = ARTEL_ARG_INT, .number = value };
}

artel_arg_t
artel_arg_text(artel_str_t text)
{
    return (artel_arg_t) { .type = ARTEL_ARG_TEXT, .bytes = text };
}

artel_arg_t
artel_arg_some(artel_str_t text)
{
    return (artel_arg_t) { .type = text.len ? ARTEL_ARG_TEXT : ARTEL_ARG_NULL, .bytes = text };
}

artel_arg_t
artel_arg_id(const artel_id_t *id)
{
    if (!id)
        return (artel_arg_t) { .type = ARTEL_ARG_NULL };
    return (artel_arg_t) { .type = ARTEL_ARG_BLOB,
                           .bytes = { (const char *) id->at, sizeof id->at } };
}

artel_arg_t
artel_arg_digest(const artel_digest_t *digest)
{
    return (artel_arg_t) { .type = ARTEL_ARG_BLOB,
                           .bytes = { (const char *) digest->at, sizeof digest->at } };
}

//  What an errno that SQLite kept means; ARTEL_EIO if it says nothing better.
static int
s_of_system(artel_catalogue_t *self)
{
    int err = sqlite3_system_errno(self->db);
    return err ? artel_error_of_errno(err) : ARTEL_EIO;
}

static int
s_code(artel_catalogue_t *self, int rc)
{
    if (rc == SQLITE_IOERR_NOMEM)
        return ARTEL_ENOMEM;
    switch (rc & 0xff) {
    case SQLITE_FULL: return ARTEL_ENOSPC;
    case SQLITE_IOERR: return s_of_system(self) == ARTEL_ENOSPC ? ARTEL_ENOSPC : ARTEL_EIO;
    case SQLITE_CANTOPEN: return s_of_system(self);
    case SQLITE_NOMEM: return ARTEL_ENOMEM;
    case SQLITE_BUSY: case SQLITE_LOCKED: case SQLITE_PROTOCOL: case SQLITE_INTERRUPT:
    case SQLITE_SCHEMA: return ARTEL_EAGAIN;
    case SQLITE_READONLY: case SQLITE_PERM: case SQLITE_AUTH: return ARTEL_EACCES;
    case SQLITE_CONSTRAINT: case SQLITE_MISMATCH: case SQLITE_TOOBIG: return ARTEL_EREFUSED;
    default: return ARTEL_ECORRUPT;             //  CORRUPT, NOTADB, a table that is not there
    }
}

int
artel_sql_fail(artel_catalogue_t *self, int rc)
{
    int code = s_code(self, rc);
    bool is_last = sqlite3_extended_errcode(self->db) == rc;
    const char *text = is_last ? sqlite3_errmsg(self->db) : sqlite3_errstr(rc);
    if (code != ARTEL_ECORRUPT && code != ARTEL_EREFUSED)
        text = artel_error_code_text(code);
    snprintf(self->error, sizeof self->error, "the catalogue of %s: %s", self->store, text);
    return code;
}

sqlite3_stmt *
artel_sql(artel_catalogue_t *self, artel_sql_t which)
{
    sqlite3_stmt **at = &self->stmts[which];
    if (*at)
        return *at;
    int rc = sqlite3_prepare_v3(self->db, s_texts[which], -1, SQLITE_PREPARE_PERSISTENT, at, NULL);
    if (rc != SQLITE_OK)
        artel_sql_fail(self, rc);
    return *at;
}

static int
s_bind(sqlite3_stmt *stmt, int at, const artel_arg_t *arg)
{
    const char *bytes = arg->bytes.at ? arg->bytes.at : "";
    size_t len = arg->bytes.len;
    switch (arg->type) {
    case ARTEL_ARG_INT: return sqlite3_bind_int64(stmt, at, arg->number);
    case ARTEL_ARG_TEXT:
        return sqlite3_bind_text64(stmt, at, bytes, len, SQLITE_STATIC, SQLITE_UTF8);
    case ARTEL_ARG_BLOB: return sqlite3_bind_blob64(stmt, at, bytes, len, SQLITE_STATIC);
    default: return sqlite3_bind_null(stmt, at);
    }
}

//  1: a row, and the statement is not reset. 0: none.
static int
s_step(artel_catalogue_t *self, sqlite3_stmt *stmt)
{
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        return 1;
    sqlite3_reset(stmt);
    return rc == SQLITE_DONE ? 0 : artel_sql_fail(self, rc);
}

int
artel_sql_row(artel_catalogue_t *self, artel_sql_t which, const artel_arg_t *args, size_t n,
              sqlite3_stmt **ret)
{
    sqlite3_stmt *stmt = artel_sql(self, which);
    if (!stmt)
        return s_code(self, sqlite3_extended_errcode(self->db));
    for (size_t i = 0; i < n; i++) {
        int rc = s_bind(stmt, (int) i + 1, &args[i]);
        if (rc != SQLITE_OK)
            return artel_sql_fail(self, rc);
    }
    int rc = s_step(self, stmt);
    if (rc > 0)
        *ret = stmt;
    return rc;
}

int
artel_sql_run(artel_catalogue_t *self, artel_sql_t which, const artel_arg_t *args, size_t n)
{
    sqlite3_stmt *stmt;
    int rc = artel_sql_row(self, which, args, n, &stmt);
    if (rc > 0)
        rc = artel_sql_finish(self, stmt);
    return rc;
}

int
artel_sql_insert(artel_catalogue_t *self, artel_sql_t which, const artel_arg_t *args, size_t n,
                 int64_t *ret_id)
{
    int rc = artel_sql_run(self, which, args, n);
    if (rc == 0)
        *ret_id = sqlite3_last_insert_rowid(self->db);
    return rc;
}

int
artel_sql_finish(artel_catalogue_t *self, sqlite3_stmt *stmt)
{
    int rc;
    while ((rc = s_step(self, stmt)) > 0)
        continue;
    return rc;
}

artel_str_t
artel_sql_text(sqlite3_stmt *stmt, int column)
{
    const char *text = (const char *) sqlite3_column_text(stmt, column);
    return (artel_str_t) { text, (size_t) sqlite3_column_bytes(stmt, column) };
}
