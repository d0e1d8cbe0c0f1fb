//  json.c - writing JSON.

#include "json.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void
artel_real_text(double value, char ret[ARTEL_REAL_TEXT])
{
    if (!isfinite(value)) {
        strcpy(ret, isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(ret, ARTEL_REAL_TEXT, "%.*g", digits, value);
        if (strtod(ret, NULL) == value)
            break;
    }
    if (!strpbrk(ret, ".e"))
        strcat(ret, ".0");
}

void
artel_json_put_real(double value, FILE *out)
{
    char text[ARTEL_REAL_TEXT];
    artel_real_text(value, text);
    fprintf(out, isfinite(value) ? "%s" : "\"%s\"", text);
}

//  One character that may not stand in a JSON text as it is.
static void
s_put_escaped(unsigned char c, FILE *out)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *at = strchr(from, c);
    if (c && at)
        fprintf(out, "\\%c", to[at - from]);
    else
        fprintf(out, "\\u%04x", c);
}

void
artel_json_put_text(const char *text, size_t len, FILE *out)
{
    putc('"', out);
    size_t from = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char) text[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
            continue;
        fwrite(text + from, 1, i - from, out);
        s_put_escaped(c, out);
        from = i + 1;
    }
    fwrite(text + from, 1, len - from, out);
    putc('"', out);
}

static void
s_put_array(const json_t *array, FILE *out)
{
    putc('[', out);
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i)
            putc(',', out);
        artel_json_put(json_array_get(array, i), out);
    }
    putc(']', out);
}

static void
s_put_object(const json_t *object, FILE *out)
{
    const char *key;
    json_t *value, *self = (json_t *) object;
    bool first = true;
    putc('{', out);
    json_object_foreach(self, key, value) {
        if (!first)
            putc(',', out);
        first = false;
        artel_json_put_text(key, strlen(key), out);
        putc(':', out);
        artel_json_put(value, out);
    }
    putc('}', out);
}

void
artel_json_put(const json_t *value, FILE *out)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: s_put_object(value, out); return;
    case JSON_ARRAY: s_put_array(value, out); return;
    case JSON_STRING:
        artel_json_put_text(json_string_value(value), json_string_length(value), out);
        return;
    case JSON_INTEGER: fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value)); return;
    case JSON_REAL: artel_json_put_real(json_real_value(value), out); return;
    case JSON_TRUE: fputs("true", out); return;
    case JSON_FALSE: fputs("false", out); return;
    case JSON_NULL: fputs("null", out); return;
    }
}

json_t *
artel_json_real(double value)
{
    char text[ARTEL_REAL_TEXT];
    if (isfinite(value))
        return json_real(value);
    artel_real_text(value, text);
    return json_string(text);
}

json_t *
artel_json_text(const char *text)
{
    if (!text)
        return json_null();
    json_t *value = json_string(text);
    if (value)
        return value;
    char *clean = strdup(text);
    for (char *c = clean; c && *c; c++)
        if (*c & 0x80)
            *c = '?';
    value = clean ? json_string(clean) : NULL;
    free(clean);
    return value;
}
