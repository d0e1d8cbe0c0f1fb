//  cells.c - typed values: a double that is NULL is a NaN.

#include "cells.h"

#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

typedef enum { CELL_DOUBLE, CELL_INT, CELL_BOOL, CELL_STRING } cell_t;

static cell_t
s_type(const artel_query_t *query, int type)
{
    switch (artel_query_text(query, type)[0]) {     //  double, int, bool, string
    case 'd': return CELL_DOUBLE;
    case 'i': return CELL_INT;
    case 'b': return CELL_BOOL;
    default: return CELL_STRING;
    }
}

static double
s_double(const artel_query_t *query, int column)
{
    return sqlite3_column_type(query->stmt, column) == SQLITE_NULL
        ? NAN : sqlite3_column_double(query->stmt, column);
}

json_t *
artel_cell_json(const artel_query_t *query, int type)
{
    int value = type + 1;
    switch (s_type(query, type)) {
    case CELL_DOUBLE: return artel_json_real(s_double(query, value));
    case CELL_INT: return json_integer(artel_query_int(query, value));
    case CELL_BOOL: return json_boolean(artel_query_int(query, value));
    default: return artel_json_text(artel_query_text(query, value));
    }
}

void
artel_cell_put_json(const artel_query_t *query, int type, FILE *out)
{
    int value = type + 1;
    const char *text;
    switch (s_type(query, type)) {
    case CELL_DOUBLE: artel_json_put_real(s_double(query, value), out); return;
    case CELL_INT: fprintf(out, "%" PRId64, (int64_t) artel_query_int(query, value)); return;
    case CELL_BOOL: fputs(artel_query_int(query, value) ? "true" : "false", out); return;
    case CELL_STRING:
        text = artel_query_text(query, value);
        artel_json_put_text(text, strlen(text), out);
        return;
    }
}

void
artel_csv_put_text(const char *text, FILE *out)
{
    if (*text && !strpbrk(text, ",\"\r\n") && text[0] != ' ' && text[strlen(text) - 1] != ' ') {
        fputs(text, out);
        return;
    }
    putc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', out);
        putc(*text, out);
    }
    putc('"', out);
}

void
artel_cell_put_csv(const artel_query_t *query, int type, FILE *out)
{
    char real[ARTEL_REAL_TEXT];
    switch (s_type(query, type)) {
    case CELL_DOUBLE:
        artel_real_text(s_double(query, type + 1), real);
        fputs(real, out);
        return;
    case CELL_STRING: artel_csv_put_text(artel_query_text(query, type + 1), out); return;
    default: artel_cell_put_json(query, type, out); return;
    }
}

bool
artel_cell_is_int(const artel_query_t *query, int type)
{
    return s_type(query, type) == CELL_INT;
}

bool
artel_cell_number(const artel_query_t *query, int type, double *ret)
{
    bool is_text = s_type(query, type) == CELL_STRING;
    *ret = is_text ? NAN : s_double(query, type + 1);
    return !is_text;
}
