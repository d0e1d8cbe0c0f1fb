//  query.h - asking the catalogue.

#ifndef ARTEL_QUERY_H
#define ARTEL_QUERY_H

#include "listing.h"

#include <sqlite3.h>

typedef struct {
    sqlite3 *db;                    //  NULL: an empty catalogue, which has no row
    sqlite3_stmt *stmt;
    int rc;                         //  SQLITE_OK until something fails
} artel_query_t;

//  Prepare sql; failures show at the end. db may be NULL.
artel_query_t
artel_query(sqlite3 *db, const char *sql);
void
artel_query_bind_text(artel_query_t *self, int i, const char *text);
void
artel_query_bind_int(artel_query_t *self, int i, sqlite3_int64 value);

//  The next row: true, or false at the end.
bool
artel_query_next(artel_query_t *self);

const char *
artel_query_text(const artel_query_t *self, int column);        //  "" for NULL
sqlite3_int64
artel_query_int(const artel_query_t *self, int column);

//  The row as an object: keys are the names of the columns; one named "x:json"
//  is parsed, one named "x:bool" is true or false. NULL if out of memory.
json_t *
artel_query_row(const artel_query_t *self);

//  Free. 0, or ARTEL_EXIT_FAILED after a sentence.
int
artel_query_end(artel_query_t *self);

//  All its rows as a listing, and free it; row makes each (NULL: artel_query_row). Returns
//  the exit code, and how many rows there were.
typedef json_t *artel_row_fn(const artel_args_t *args, const artel_query_t *query);
int
artel_query_list(artel_query_t *self, const artel_args_t *args, const artel_column_t *columns,
                 artel_row_fn *row, size_t *ret_n);

//  SQL for a time in milliseconds as the text of artel_iso_time.
#define ARTEL_SQL_TIME(ms) \
    "strftime('%Y-%m-%dT%H:%M:%S', " ms " / 1000, 'unixepoch') || printf('.%03dZ', " ms " % 1000)"

#endif
