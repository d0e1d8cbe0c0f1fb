//  json.h - writing JSON, with numbers that come back as they were.
//
//  Reals are written as shortly as they can be read back exactly, and with a
//  point or an exponent, so that they stay reals. JSON has no NaN and no
//  infinities: they are the texts "NaN", "Infinity" and "-Infinity".

#ifndef ARTEL_JSON_H
#define ARTEL_JSON_H

#include <jansson.h>
#include <stdio.h>

enum { ARTEL_REAL_TEXT = 32 };

//  A real as text; "NaN", "Infinity" or "-Infinity" without quotes.
void
artel_real_text(double value, char ret[ARTEL_REAL_TEXT]);

void
artel_json_put_real(double value, FILE *out);
void
artel_json_put_text(const char *text, size_t len, FILE *out);

//  A value on one line, without a newline.
void
artel_json_put(const json_t *value, FILE *out);

//  A real as a value (a text if it is not finite), and a text of which bytes
//  that are not UTF-8 are replaced. NULL only if out of memory.
json_t *
artel_json_real(double value);
json_t *
artel_json_text(const char *text);

#endif
