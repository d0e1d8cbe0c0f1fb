//  jsonrow.h - one line of JSON as a row of typed values.
//
//  Integers are int64, other numbers double, true and false bool, texts string.
//  Objects are flattened with dots, null is left out. NaN, Infinity and
//  -Infinity, bare (as Python writes them) or as texts, are doubles. _step, an
//  integer, is the step.

#ifndef ARTEL_JSONROW_H
#define ARTEL_JSONROW_H

#include "artel.h"

#include <jansson.h>

typedef struct {
    json_t *flat;                   //  owns keys and texts
    artel_value_t *values;
    size_t n, room;
    int64_t step;                   //  or ARTEL_AUTO_STEP
} artel_jsonrow_t;

//  Read a line into self (zeroed before the first). 0, or ARTEL_EINVAL with what is
//  wrong with it in why. The values live until the next call.
int
artel_jsonrow_read(artel_jsonrow_t *self, const char *line, size_t len, char *why, size_t size);
void
artel_jsonrow_done(artel_jsonrow_t *self);

#endif
