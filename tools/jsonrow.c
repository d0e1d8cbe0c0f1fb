//  jsonrow.c - reading rows of JSON.

#include "jsonrow.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 32, MAX_KEY = 255 };

static const struct {
    const char *text;
    double value;
} s_words[] = { { "-Infinity", -HUGE_VAL }, { "Infinity", HUGE_VAL }, { "NaN", NAN } };

enum { WORDS = sizeof s_words / sizeof *s_words };

//  The word at text, or WORDS.
static size_t
s_word_at(const char *text, size_t len)
{
    size_t i = 0;
    while (i < WORDS && (strlen(s_words[i].text) > len
                         || memcmp(text, s_words[i].text, strlen(s_words[i].text)) != 0))
        i++;
    return i;
}

//  A copy of the line with the bare words as texts; the caller frees.
static char *
s_quote_words(const char *line, size_t len, size_t *ret_len)
{
    char *copy = malloc(2 * len + 1), *out = copy;
    bool inside = false;
    for (size_t i = 0; copy && i < len; ) {
        size_t word = inside ? WORDS : s_word_at(line + i, len - i);
        if (word < WORDS) {
            out += sprintf(out, "\"%s\"", s_words[word].text);
            i += strlen(s_words[word].text);
            continue;
        }
        if (line[i] == '"')
            inside = !inside;
        else if (line[i] == '\\' && inside && i + 1 < len)
            *out++ = line[i++];
        *out++ = line[i++];
    }
    if (copy)
        *ret_len = (size_t) (out - copy);
    return copy;
}

static json_t *
s_parse(const char *line, size_t len, char *why, size_t size)
{
    json_error_t error = { .text = "out of memory" };
    size_t copied = 0;
    char *copy = s_quote_words(line, len, &copied);
    json_t *object = copy ? json_loadb(copy, copied, JSON_REJECT_DUPLICATES, &error) : NULL;
    free(copy);
    if (!object && json_error_code(&error) == json_error_null_character)
        snprintf(why, size, "a text has the character NUL");
    else if (!object)
        snprintf(why, size, "not a JSON object: %s", error.text);
    else if (!json_is_object(object))
        snprintf(why, size, "not a JSON object");
    if (!object || json_is_object(object))
        return object;
    json_decref(object);
    return NULL;
}

static bool
s_is_scalar(const json_t *value)
{
    return json_is_number(value) || json_is_boolean(value) || json_is_string(value);
}

//  Why a value may not be logged under this name; NULL if it may.
static const char *
s_objection(const json_t *flat, const char *name, const json_t *value, int depth)
{
    if (json_is_array(value))
        return "is a list; a value is a number, a text, true, false, or an object of those";
    if (json_is_object(value) && depth == MAX_DEPTH)
        return "is nested too deep";
    return s_is_scalar(value) && json_object_get(flat, name) ? "is there twice" : NULL;
}

//  Add what is in object to flat, each key behind prefix.
static int
s_flatten(json_t *flat, json_t *object, const char *prefix, int depth, char *why, size_t size)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        char name[MAX_KEY + 2];
        int len = snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "." : "", key);
        const char *objection = len > MAX_KEY ? "is over 255 bytes long"
                                              : s_objection(flat, name, value, depth);
        if (!objection && s_is_scalar(value) && json_object_set(flat, name, value) != 0)
            objection = "does not fit into memory";
        if (objection) {
            snprintf(why, size, "'%s' %s", name, objection);
            return ARTEL_EINVAL;
        }
        int rc = json_is_object(value) ? s_flatten(flat, value, name, depth + 1, why, size) : 0;
        if (rc != 0)
            return rc;
    }
    return 0;
}

static artel_value_t
s_value(const char *key, const json_t *value)
{
    artel_value_t v = { .key = key };
    if (json_is_integer(value)) {
        v.type = ARTEL_TYPE_INT;
        v.i64 = json_integer_value(value);
    } else if (json_is_boolean(value)) {
        v.type = ARTEL_TYPE_BOOL;
        v.boolean = json_is_true(value);
    } else if (json_is_real(value)) {
        v.f64 = json_real_value(value);
    } else {
        v.type = ARTEL_TYPE_STRING;
        v.string = json_string_value(value);
        size_t word = s_word_at(v.string, strlen(v.string));
        if (word < WORDS && strcmp(v.string, s_words[word].text) == 0)
            v = (artel_value_t) { .key = key, .f64 = s_words[word].value };
    }
    return v;
}

static int
s_reserve(artel_jsonrow_t *self, size_t n)
{
    if (n <= self->room)
        return 0;
    artel_value_t *values = realloc(self->values, n * sizeof *values);
    if (!values)
        return ARTEL_EINVAL;
    self->values = values;
    self->room = n;
    return 0;
}

//  Take _step out of the row.
static int
s_take_step(artel_jsonrow_t *self, char *why, size_t size)
{
    const json_t *step = json_object_get(self->flat, "_step");
    self->step = ARTEL_AUTO_STEP;
    if (!step)
        return 0;
    if (!json_is_integer(step) || json_integer_value(step) == ARTEL_AUTO_STEP) {
        snprintf(why, size, "'_step' must be an integer");
        return ARTEL_EINVAL;
    }
    self->step = json_integer_value(step);
    json_object_del(self->flat, "_step");
    return 0;
}

//  The values of the flat object, in its order.
static int
s_fill(artel_jsonrow_t *self, char *why, size_t size)
{
    const char *key;
    json_t *value;
    self->n = 0;
    if (s_reserve(self, json_object_size(self->flat)) != 0) {
        snprintf(why, size, "out of memory");
        return ARTEL_EINVAL;
    }
    json_object_foreach(self->flat, key, value)
        self->values[self->n++] = s_value(key, value);
    if (self->n > 0)
        return 0;
    snprintf(why, size, "no value to log");
    return ARTEL_EINVAL;
}

int
artel_jsonrow_read(artel_jsonrow_t *self, const char *line, size_t len, char *why, size_t size)
{
    json_decref(self->flat);
    self->flat = NULL;
    json_t *object = s_parse(line, len, why, size);
    if (!object)
        return ARTEL_EINVAL;
    self->flat = json_object();
    if (!self->flat)
        snprintf(why, size, "out of memory");
    int rc = self->flat ? s_flatten(self->flat, object, "", 1, why, size) : ARTEL_EINVAL;
    json_decref(object);
    if (rc == 0)
        rc = s_take_step(self, why, size);
    return rc == 0 ? s_fill(self, why, size) : rc;
}

void
artel_jsonrow_done(artel_jsonrow_t *self)
{
    json_decref(self->flat);
    free(self->values);
    *self = (artel_jsonrow_t) { .n = 0 };
}
