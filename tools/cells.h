//  cells.h - typed values as the catalogue keeps them (columns type and value).

#ifndef ARTEL_CELLS_H
#define ARTEL_CELLS_H

#include "query.h"

//  The cell in the columns type and type + 1 as JSON. NULL if out of memory.
json_t *
artel_cell_json(const artel_query_t *query, int type);

//  Write it as JSON, or as a field of CSV.
void
artel_cell_put_json(const artel_query_t *query, int type, FILE *out);
void
artel_cell_put_csv(const artel_query_t *query, int type, FILE *out);

//  Whether it is an integer.
bool
artel_cell_is_int(const artel_query_t *query, int type);

//  As a number for a curve (NaN for a text). Whether it is one.
bool
artel_cell_number(const artel_query_t *query, int type, double *ret);

//  A text as a field of CSV (RFC 4180); an empty one is "".
void
artel_csv_put_text(const char *text, FILE *out);

#endif
