//  listing.h - what a command found: a table for people, or JSON lines for programs.

#ifndef ARTEL_LISTING_H
#define ARTEL_LISTING_H

#include "args.h"

#include <jansson.h>

//  Writes a value for people into ret (ARTEL_HUMAN_TEXT bytes); only called for
//  values that are not null.
typedef const char *artel_show_fn(const json_t *value, char *ret);

typedef struct {
    const char *key;                //  of the row's object
    const char *title;              //  heading of the column
    artel_show_fn *show;            //  NULL: as it is
    bool right;                     //  numbers stand right
    bool state;                     //  coloured by its word
} artel_column_t;

typedef struct artel_listing artel_listing_t;

//  columns end with a NULL key and outlive the rows; keys without a column are
//  only in JSON. NULL if out of memory, after a sentence.
artel_listing_t *
artel_listing_new(const artel_args_t *args, const artel_column_t *columns);

//  Add one row; takes it. A NULL row (out of memory while it was made) is
//  remembered as a failure.
void
artel_listing_add(artel_listing_t *self, json_t *row);

size_t
artel_listing_count(const artel_listing_t *self);

//  Print the table, if it is one with rows. 0, or an exit code after a sentence.
int
artel_listing_print(artel_listing_t *self);
void
artel_listing_destroy(artel_listing_t **self_p);

//  Both.
int
artel_listing_end(artel_listing_t **self_p);

//  Ways to show: a size, a number of things, a text of artel_iso_time, seconds, a number
//  with four digits, a digest, and a value of a row (reals with six digits).
artel_show_fn artel_show_bytes, artel_show_count, artel_show_time, artel_show_span, artel_show_real,
    artel_show_digest, artel_show_cell;

#endif
