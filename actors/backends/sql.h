//  sql.h - the connection that the files of the catalogue share.
//
//  Internal to backends/. A function that fails leaves its sentence in the
//  catalogue's error.

#ifndef ARTEL_SQL_H
#define ARTEL_SQL_H

#include "catalogue.h"
#include "statements.h"

#include <czmq.h>
#include <sqlite3.h>

typedef enum {
#define S(NAME, text) ARTEL_SQL_##NAME,
    ARTEL_STATEMENTS(S)
#undef S
    ARTEL_SQL_COUNT
} artel_sql_t;

struct artel_catalogue {
    char *store;                //  the directory of catalogue.db
    sqlite3 *db;
    int lock;                   //  of catalogue.lock; -1 if only reading
    int64_t began_ms;           //  when the lock was taken
    int wal_pages;              //  in the write-ahead log after the last commit
    zhashx_t *keys;             //  text -> id of a key; emptied by a rollback
    sqlite3_stmt *stmts[ARTEL_SQL_COUNT];   //  NULL until used
    char error[512];            //  the last failure
};

//  A value to bind.
typedef struct {
    enum { ARTEL_ARG_INT, ARTEL_ARG_TEXT, ARTEL_ARG_BLOB, ARTEL_ARG_NULL } type;
    int64_t number;
    artel_str_t bytes;          //  must live until the statement has run
} artel_arg_t;

artel_arg_t
artel_arg_int(int64_t value);
artel_arg_t
artel_arg_text(artel_str_t text);
artel_arg_t
artel_arg_some(artel_str_t text);               //  NULL if it is empty
artel_arg_t
artel_arg_id(const artel_id_t *id);             //  NULL if it is NULL
artel_arg_t
artel_arg_digest(const artel_digest_t *digest);

//  As in artel_sql_run(self, ARTEL_SQL_ADD_TAG, ARGS(INT(run), TEXT(tag))).
#define INT(value)      artel_arg_int(value)
#define TEXT(text)      artel_arg_text(text)
#define SOME(text)      artel_arg_some(text)
#define ID(id)          artel_arg_id(id)
#define DIGEST(digest)  artel_arg_digest(digest)
#define ARGS(...)                                                               \
    (artel_arg_t[]) { __VA_ARGS__ }, sizeof((artel_arg_t[]) { __VA_ARGS__ }) / sizeof(artel_arg_t)

//  A statement, prepared, to bind and step by hand. NULL if it cannot be had.
sqlite3_stmt *
artel_sql(artel_catalogue_t *self, artel_sql_t which);

//  Run a statement that returns nothing. 0 or a code.
int
artel_sql_run(artel_catalogue_t *self, artel_sql_t which, const artel_arg_t *args, size_t n);

//  Run one for its first row: 1 and the statement, which the caller resets after
//  reading columns; 0 if there is no row; or a code.
int
artel_sql_row(artel_catalogue_t *self, artel_sql_t which, const artel_arg_t *args, size_t n,
              sqlite3_stmt **ret);

//  Insert, and say which rowid it got.
int
artel_sql_insert(artel_catalogue_t *self, artel_sql_t which, const artel_arg_t *args, size_t n,
                 int64_t *ret_id);

//  Step a statement bound by hand to its end and reset it. 0 or a code.
int
artel_sql_finish(artel_catalogue_t *self, sqlite3_stmt *stmt);

//  The code for what the connection failed with: ARTEL_ENOSPC, ARTEL_EIO,
//  ARTEL_ENOMEM, ARTEL_EAGAIN (busy), ARTEL_EACCES, ARTEL_EMFILE, ARTEL_ENOENT,
//  ARTEL_ECORRUPT, or ARTEL_EREFUSED for what this statement can never do.
int
artel_sql_fail(artel_catalogue_t *self, int rc);

//  A column as a text in place, valid until the statement is reset.
artel_str_t
artel_sql_text(sqlite3_stmt *stmt, int column);

#endif
