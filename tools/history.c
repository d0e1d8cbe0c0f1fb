//  history.c - printing the rows of a run, one after the other, never all at once.
//
//  The cells come sorted by row; each format is told where a row begins and
//  ends, and of each cell.

#include "history.h"

#include "cells.h"
#include "command.h"
#include "json.h"
#include "listing.h"
#include "term.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { CELL_ROW, CELL_STEP, CELL_TIME, CELL_RANK, CELL_KEY, CELL_TYPE, TABLE_ROWS = 10000 };

static const char s_time_key[] = "_timestamp", s_rank_key[] = "_rank";

//  The cells of a run, and with each when its row was logged: as the program said, or as we saw it.
#define CELLS(time) "SELECT row, step, " time ", rank, key, type, value FROM history h" \
                    " WHERE run = ?1 AND (?2 < 0 OR rank = ?2) ORDER BY row"

static const char s_sql[] = CELLS("NULL");
static const char s_timed_sql[] = CELLS(
    "coalesce((SELECT t.value FROM history t WHERE t.run = h.run AND t.row = h.row"
    " AND t.key = '_timestamp'), h.time_ms / 1000.0)");

//  What every format needs; each has its own beside it.
typedef struct {
    const artel_args_t *args;
    bool timed;                     //  --time
    bool ranked;                    //  the run has ranks
    char **keys;                    //  the columns, or (JSON) the wanted keys
    size_t n;
    //  CSV
    char **fields;                  //  of the row in hand
    //  table
    artel_column_t *columns;
    artel_listing_t *table;
    json_t *row;
    bool failed;                    //  out of memory
} self_t;

typedef struct {
    void (*begin)(self_t *self);
    void (*row_begin)(self_t *self, const artel_query_t *query);
    void (*cell)(self_t *self, const artel_query_t *query, const char *key);
    void (*row_end)(self_t *self);
    void (*end)(self_t *self);
} format_t;

static void
s_nothing(self_t *self)
{
    (void) self;
}

static double
s_seconds(const artel_query_t *query)
{
    return sqlite3_column_double(query->stmt, CELL_TIME);
}

static bool
s_has_rank(const artel_query_t *query)
{
    return sqlite3_column_type(query->stmt, CELL_RANK) != SQLITE_NULL;
}

//  JSON: straight to stdout.

static void
s_json_row_begin(self_t *self, const artel_query_t *query)
{
    printf("{\"_step\":%" PRId64, (int64_t) artel_query_int(query, CELL_STEP));
    if (self->ranked)
        printf(",\"%s\":%s", s_rank_key, s_has_rank(query) ? artel_query_text(query, CELL_RANK) : "null");
    if (self->timed) {
        printf(",\"%s\":", s_time_key);
        artel_json_put_real(s_seconds(query), stdout);
    }
}

static void
s_json_cell(self_t *self, const artel_query_t *query, const char *key)
{
    (void) self;
    putchar(',');
    artel_json_put_text(key, strlen(key), stdout);
    putchar(':');
    artel_cell_put_json(query, CELL_TYPE, stdout);
}

static void
s_json_row_end(self_t *self)
{
    (void) self;
    fputs("}\n", stdout);
}

//  CSV: the fields of a row are kept until it ends, since the columns have an order.

static void
s_csv_begin(self_t *self)
{
    self->fields = calloc(self->n + 1, sizeof *self->fields);
    self->failed |= !self->fields;
    fputs("_step", stdout);
    if (self->ranked)
        printf(",%s", s_rank_key);
    if (self->timed)
        printf(",%s", s_time_key);
    for (size_t i = 0; i < self->n; i++) {
        putchar(',');
        artel_csv_put_text(self->keys[i], stdout);
    }
    putchar('\n');
}

static void
s_csv_row_begin(self_t *self, const artel_query_t *query)
{
    printf("%" PRId64, (int64_t) artel_query_int(query, CELL_STEP));
    if (self->ranked)
        printf(",%s", artel_query_text(query, CELL_RANK));
    if (self->timed)
        printf(",%.3f", s_seconds(query));
}

static size_t
s_column_of(const self_t *self, const char *key)
{
    size_t i = 0;
    while (i < self->n && strcmp(self->keys[i], key) != 0)
        i++;
    return i;
}

static void
s_csv_cell(self_t *self, const artel_query_t *query, const char *key)
{
    size_t i = s_column_of(self, key), size;
    FILE *out = i < self->n && self->fields ? open_memstream(&self->fields[i], &size) : NULL;
    if (!out)
        return;
    artel_cell_put_csv(query, CELL_TYPE, out);
    fclose(out);
}

static void
s_csv_row_end(self_t *self)
{
    for (size_t i = 0; self->fields && i < self->n; i++) {
        printf(",%s", self->fields[i] ? self->fields[i] : "");
        free(self->fields[i]);
        self->fields[i] = NULL;
    }
    putchar('\n');
}

static void
s_csv_end(self_t *self)
{
    free(self->fields);
}

//  A table: libsmartcols must see every row to align them, so it gets them in lots.

static void
s_table_begin(self_t *self)
{
    self->columns = calloc(self->n + 4, sizeof *self->columns);
    self->failed |= !self->columns;
    if (self->failed)
        return;
    size_t at = 0;
    self->columns[at++] = (artel_column_t) { "_step", "_step", NULL, true, false };
    if (self->ranked)
        self->columns[at++] = (artel_column_t) { s_rank_key, s_rank_key, NULL, true, false };
    if (self->timed)
        self->columns[at++] = (artel_column_t) { s_time_key, s_time_key, NULL, true, false };
    for (size_t i = 0; i < self->n; i++)
        self->columns[at++] = (artel_column_t) { self->keys[i], self->keys[i], artel_show_cell,
                                                  true, false };
}

static void
s_table_row_begin(self_t *self, const artel_query_t *query)
{
    if (self->failed)
        return;
    if (!self->table)
        self->table = artel_listing_new(self->args, self->columns);
    self->row = json_pack("{s:I}", "_step", (json_int_t) artel_query_int(query, CELL_STEP));
    self->failed |= !self->table || !self->row;
    if (self->ranked && s_has_rank(query))
        json_object_set_new(self->row, s_rank_key, json_integer(artel_query_int(query, CELL_RANK)));
    if (self->timed)
        json_object_set_new(self->row, s_time_key, json_real(s_seconds(query)));
}

static void
s_table_cell(self_t *self, const artel_query_t *query, const char *key)
{
    json_object_set_new(self->row, key, artel_cell_json(query, CELL_TYPE));
}

static void
s_table_row_end(self_t *self)
{
    if (!self->table)
        return;
    artel_listing_add(self->table, self->row);
    self->row = NULL;
    if (artel_listing_count(self->table) == TABLE_ROWS)
        self->failed |= artel_listing_end(&self->table) != 0;
}

static void
s_table_end(self_t *self)
{
    if (self->table)
        self->failed |= artel_listing_end(&self->table) != 0;
    free(self->columns);
    json_decref(self->row);
}

static const format_t s_json = { s_nothing, s_json_row_begin, s_json_cell, s_json_row_end, s_nothing };
static const format_t s_csv = { s_csv_begin, s_csv_row_begin, s_csv_cell, s_csv_row_end, s_csv_end };
static const format_t s_table = { s_table_begin, s_table_row_begin, s_table_cell, s_table_row_end,
                                  s_table_end };

//  Whether a cell is to be printed: of the wanted keys, and neither time nor rank twice.
static bool
s_is_wanted(const self_t *self, const char *key)
{
    if (strcmp(key, s_time_key) == 0 || (self->ranked && strcmp(key, s_rank_key) == 0))
        return false;
    return self->args->n == 1 || s_column_of(self, key) < self->n;
}

static int
s_print_rows(self_t *self, const format_t *format, artel_query_t *query)
{
    sqlite3_int64 row = -1;
    bool open = false;
    format->begin(self);
    while (!self->failed && !ferror(stdout) && artel_query_next(query)) {
        const char *key = artel_query_text(query, CELL_KEY);
        bool wanted = s_is_wanted(self, key);
        if (open && artel_query_int(query, CELL_ROW) != row) {
            format->row_end(self);
            open = false;
        }
        if (!open && (wanted || self->args->n == 1)) {
            format->row_begin(self, query);
            open = true;
            row = artel_query_int(query, CELL_ROW);
        }
        if (wanted && !self->failed)
            format->cell(self, query, key);
    }
    if (open)
        format->row_end(self);
    format->end(self);
    return self->failed ? ARTEL_EXIT_FAILED : 0;
}

static int
s_add_key(self_t *self, const char *key)
{
    char **keys = realloc(self->keys, (self->n + 1) * sizeof *keys);
    if (keys)
        self->keys = keys;
    if (!keys || !(keys[self->n] = strdup(key))) {
        artel_complain("out of memory");
        return ARTEL_EXIT_FAILED;
    }
    self->n++;
    return 0;
}

//  The keys of the run, in the order they first came up.
static int
s_load_keys(self_t *self, sqlite3 *db, const artel_found_run_t *run)
{
    int rc = 0;
    artel_query_t query = artel_query(db,
        "SELECT k.key FROM keys k WHERE k.id IN (SELECT key FROM history_cells WHERE run = ?1)"
        " AND k.key <> '_timestamp' AND (k.key <> '_rank' OR NOT ?2) ORDER BY k.id");
    artel_query_bind_int(&query, 1, run->row);
    artel_query_bind_int(&query, 2, self->ranked);
    while (rc == 0 && artel_query_next(&query))
        rc = s_add_key(self, artel_query_text(&query, 0));
    int ended = artel_query_end(&query);
    return rc ? rc : ended;
}

static int
s_choose_keys(self_t *self, sqlite3 *db, const artel_found_run_t *run)
{
    int rc = 0;
    for (size_t i = 1; rc == 0 && i < self->args->n; i++)
        rc = s_add_key(self, self->args->operands[i]);
    if (rc == 0 && self->args->n == 1 && !artel_args_has(self->args, "json"))
        rc = s_load_keys(self, db, run);
    return rc;
}

int
artel_history_print(const artel_args_t *args, sqlite3 *db, const artel_found_run_t *run, int64_t rank)
{
    self_t self = { .args = args, .timed = artel_args_has(args, "time"), .ranked = run->world > 0 };
    const format_t *format = artel_args_has(args, "csv") ? &s_csv
                             : artel_args_has(args, "json") ? &s_json : &s_table;
    int rc = s_choose_keys(&self, db, run);
    if (rc == 0) {
        artel_query_t query = artel_query(db, self.timed ? s_timed_sql : s_sql);
        artel_query_bind_text(&query, 1, run->id);
        artel_query_bind_int(&query, 2, rank);
        rc = s_print_rows(&self, format, &query);
        int ended = artel_query_end(&query);
        rc = rc ? rc : ended;
    }
    for (size_t i = 0; i < self.n; i++)
        free(self.keys[i]);
    free(self.keys);
    return rc;
}
