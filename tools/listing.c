//  listing.c - tables through libsmartcols, JSON lines through jansson.

#include "listing.h"

#include "command.h"
#include "human.h"
#include "json.h"
#include "term.h"

#include <inttypes.h>
#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct artel_listing {
    const artel_column_t *columns;
    struct libscols_table *table;   //  NULL: JSON lines
    bool colours;
    bool failed;                    //  out of memory
    size_t n;
};

static int
s_make_columns(artel_listing_t *self)
{
    for (const artel_column_t *c = self->columns; c->key; c++) {
        struct libscols_column *column =
            scols_table_new_column(self->table, c->title, 0, c->right ? SCOLS_FL_RIGHT : 0);
        if (!column)
            return -1;
        if (self->colours)
            scols_cell_set_color(scols_column_get_header(column),
                                 artel_term_ink(true, ARTEL_INK_BOLD));
    }
    return 0;
}

static int
s_make_table(artel_listing_t *self)
{
    self->table = scols_new_table();
    if (!self->table)
        return -1;
    scols_table_enable_colors(self->table, self->colours);
    scols_table_enable_nowrap(self->table, 1);
    scols_table_set_column_separator(self->table, "  ");
    scols_table_set_termforce(self->table, SCOLS_TERMFORCE_NEVER);
    return s_make_columns(self);
}

artel_listing_t *
artel_listing_new(const artel_args_t *args, const artel_column_t *columns)
{
    artel_listing_t *self = calloc(1, sizeof *self);
    if (self) {
        self->columns = columns;
        self->colours = artel_term_colours(args, stdout);
    }
    if (self && !artel_args_has(args, "json") && s_make_table(self) != 0) {
        scols_unref_table(self->table);
        free(self);
        self = NULL;
    }
    if (!self)
        artel_complain("out of memory");
    return self;
}

//  A list of texts as "a, b"; the caller frees.
static char *
s_join(const json_t *list)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    for (size_t i = 0; i < json_array_size(list); i++)
        fprintf(out, "%s%s", i ? ", " : "", json_string_value(json_array_get(list, i)));
    fclose(out);
    return text;
}

//  A value as it stands in a cell; the caller frees.
static char *
s_cell(const artel_column_t *column, const json_t *value)
{
    char text[ARTEL_HUMAN_TEXT];
    if (!value || json_is_null(value))
        return strdup("");
    if (column->show)
        return strdup(column->show(value, text));
    if (json_is_string(value))
        return strdup(json_string_value(value));
    if (json_is_array(value))
        return s_join(value);
    if (json_is_boolean(value))
        return strdup(json_is_true(value) ? "yes" : "no");
    if (json_is_real(value))
        artel_real_text(json_real_value(value), text);
    else
        snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return strdup(text);
}

static void
s_fill(artel_listing_t *self, const json_t *row)
{
    struct libscols_line *line = scols_table_new_line(self->table, NULL);
    self->failed |= !line;
    for (size_t i = 0; line && self->columns[i].key; i++) {
        char *cell = s_cell(&self->columns[i], json_object_get(row, self->columns[i].key));
        if (!cell || scols_line_refer_data(line, i, cell) != 0) {
            free(cell);
            self->failed = true;
            return;
        }
        artel_ink_t ink = self->columns[i].state ? artel_term_state_ink(cell) : ARTEL_INK_NONE;
        if (self->colours && ink != ARTEL_INK_NONE)
            scols_cell_set_color(scols_line_get_cell(line, i), artel_term_ink(true, ink));
    }
}

void
artel_listing_add(artel_listing_t *self, json_t *row)
{
    self->n++;
    self->failed |= !row;
    if (!row)
        return;
    if (self->table) {
        s_fill(self, row);
    } else {
        artel_json_put(row, stdout);
        putchar('\n');
    }
    json_decref(row);
}

size_t
artel_listing_count(const artel_listing_t *self)
{
    return self->n;
}

int
artel_listing_print(artel_listing_t *self)
{
    if (self->table && self->n && !self->failed)
        self->failed = scols_print_table(self->table) < 0;
    if (self->failed)
        artel_complain("out of memory");
    return self->failed ? ARTEL_EXIT_FAILED : 0;
}

void
artel_listing_destroy(artel_listing_t **self_p)
{
    artel_listing_t *self = *self_p;
    if (!self)
        return;
    scols_unref_table(self->table);
    free(self);
    *self_p = NULL;
}

int
artel_listing_end(artel_listing_t **self_p)
{
    int rc = artel_listing_print(*self_p);
    artel_listing_destroy(self_p);
    return rc;
}

const char *
artel_show_bytes(const json_t *value, char *ret)
{
    return artel_human_bytes((uint64_t) json_integer_value(value), ret);
}

const char *
artel_show_count(const json_t *value, char *ret)
{
    return artel_human_count((uint64_t) json_integer_value(value), ret);
}

//  The text of artel_iso_time, as local time.
const char *
artel_show_time(const json_t *value, char *ret)
{
    struct tm tm = { 0 };
    if (!strptime(json_string_value(value), "%Y-%m-%dT%H:%M:%S", &tm))
        return json_string_value(value);
    return artel_human_time((int64_t) timegm(&tm) * 1000, ret);
}

const char *
artel_show_cell(const json_t *value, char *ret)
{
    if (json_is_string(value))
        return json_string_value(value);
    if (json_is_real(value))
        snprintf(ret, ARTEL_HUMAN_TEXT, "%.6g", json_real_value(value));
    else if (json_is_integer(value))
        snprintf(ret, ARTEL_HUMAN_TEXT, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else
        snprintf(ret, ARTEL_HUMAN_TEXT, json_is_true(value) ? "true" : "false");
    return ret;
}

//  Seconds.
const char *
artel_show_span(const json_t *value, char *ret)
{
    return artel_human_span((int64_t) (json_number_value(value) * 1000), ret);
}

const char *
artel_show_real(const json_t *value, char *ret)
{
    json_int_t i = json_integer_value(value);
    if (json_is_integer(value) && i > -1000000000 && i < 1000000000) {
        snprintf(ret, ARTEL_HUMAN_TEXT, "%" JSON_INTEGER_FORMAT, i);
        return ret;
    }
    return json_is_string(value) ? json_string_value(value)
                                 : artel_human_real(json_number_value(value), ret);
}

const char *
artel_show_digest(const json_t *value, char *ret)
{
    snprintf(ret, ARTEL_HUMAN_TEXT, "%.12s", json_string_value(value));
    return ret;
}
