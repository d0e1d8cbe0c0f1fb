//  query.c - statements, rows and their failures.

#include "query.h"

#include "command.h"
#include "json.h"
#include "term.h"

#include <string.h>

artel_query_t
artel_query(sqlite3 *db, const char *sql)
{
    artel_query_t self = { .db = db, .rc = SQLITE_OK };
    if (db)
        self.rc = sqlite3_prepare_v2(db, sql, -1, &self.stmt, NULL);
    return self;
}

void
artel_query_bind_text(artel_query_t *self, int i, const char *text)
{
    if (self->stmt && self->rc == SQLITE_OK)
        self->rc = sqlite3_bind_text(self->stmt, i, text, -1, SQLITE_TRANSIENT);
}

void
artel_query_bind_int(artel_query_t *self, int i, sqlite3_int64 value)
{
    if (self->stmt && self->rc == SQLITE_OK)
        self->rc = sqlite3_bind_int64(self->stmt, i, value);
}

bool
artel_query_next(artel_query_t *self)
{
    if (!self->stmt || self->rc != SQLITE_OK)
        return false;
    int rc = sqlite3_step(self->stmt);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        self->rc = rc;
    return rc == SQLITE_ROW;
}

const char *
artel_query_text(const artel_query_t *self, int column)
{
    const char *text = (const char *) sqlite3_column_text(self->stmt, column);
    return text ? text : "";
}

sqlite3_int64
artel_query_int(const artel_query_t *self, int column)
{
    return sqlite3_column_int64(self->stmt, column);
}

//  A text that is JSON as what it says; one that is none stays a text.
static json_t *
s_parsed(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    return value ? value : artel_json_text(text);
}

static json_t *
s_value(sqlite3_stmt *stmt, int column, const char *as)
{
    const char *text;
    switch (sqlite3_column_type(stmt, column)) {
    case SQLITE_NULL: return json_null();
    case SQLITE_FLOAT: return artel_json_real(sqlite3_column_double(stmt, column));
    case SQLITE_INTEGER:
        return strcmp(as, ":bool") == 0 ? json_boolean(sqlite3_column_int(stmt, column))
                                        : json_integer(sqlite3_column_int64(stmt, column));
    default:
        text = (const char *) sqlite3_column_text(stmt, column);
        return strcmp(as, ":json") == 0 ? s_parsed(text) : artel_json_text(text);
    }
}

json_t *
artel_query_row(const artel_query_t *self)
{
    json_t *row = json_object();
    for (int i = 0; row && i < sqlite3_column_count(self->stmt); i++) {
        char key[64];
        const char *name = sqlite3_column_name(self->stmt, i);
        size_t len = strcspn(name, ":");
        snprintf(key, sizeof key, "%.*s", (int) len, name);
        if (json_object_set_new(row, key, s_value(self->stmt, i, name + len)) != 0) {
            json_decref(row);
            row = NULL;
        }
    }
    return row;
}

int
artel_query_end(artel_query_t *self)
{
    int rc = self->rc;
    if (rc != SQLITE_OK)
        artel_complain("the catalogue cannot be read: %s", sqlite3_errmsg(self->db));
    sqlite3_finalize(self->stmt);
    self->stmt = NULL;
    return rc == SQLITE_OK ? 0 : ARTEL_EXIT_FAILED;
}

int
artel_query_list(artel_query_t *self, const artel_args_t *args, const artel_column_t *columns,
                 artel_row_fn *row, size_t *ret_n)
{
    artel_listing_t *rows = artel_listing_new(args, columns);
    while (rows && artel_query_next(self))
        artel_listing_add(rows, row ? row(args, self) : artel_query_row(self));
    *ret_n = rows ? artel_listing_count(rows) : 0;
    int rc = artel_query_end(self), printed = rows ? artel_listing_end(&rows) : ARTEL_EXIT_FAILED;
    return rc ? rc : printed;
}
