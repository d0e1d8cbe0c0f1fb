//  values.c - whether the values a program gives can be logged.

#include "values.h"

#include "bounds.h"
#include "utf8.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

//  What is wrong with a text value, or NULL.
static const char *
s_text_fault(const char *text)
{
    if (!text)
        return "a text that is NULL";
    size_t len = strnlen(text, ARTEL_MAX_STRING + 1);
    if (len > ARTEL_MAX_STRING)
        return "a text of more than 64 KiB; log it as a file of an artifact";
    return artel_is_utf8(text, len) ? NULL : "a text that is not UTF-8";
}

static const char *
s_fault(const artel_value_t *value)
{
    switch (value->type) {
    case ARTEL_TYPE_DOUBLE:
    case ARTEL_TYPE_INT:
    case ARTEL_TYPE_BOOL: return NULL;
    case ARTEL_TYPE_STRING: return s_text_fault(value->string);
    default: return "a type that is none of ARTEL_TYPE_*";
    }
}

int
artel_values_check(const artel_value_t *values, size_t n, char *why, size_t size)
{
    if (!values || n == 0 || n > ARTEL_MAX_KEYS) {
        snprintf(why, size, "a row of %zu values; it takes 1 to %d", values ? n : 0, ARTEL_MAX_KEYS);
        return n > ARTEL_MAX_KEYS ? ARTEL_ELIMIT : ARTEL_EINVAL;
    }
    for (size_t i = 0; i < n; i++) {
        const char *fault = s_fault(&values[i]);
        if (fault) {
            snprintf(why, size, "value %zu of the row (key \"%.80s\") has %s", i + 1,
                     values[i].key ? values[i].key : "", fault);
            return ARTEL_EINVAL;
        }
    }
    return 0;
}

static bool
s_is_repeated(const artel_value_t *values, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(values[k].key, values[i].key) == 0)
            return true;
    return false;
}

static const char *
s_key_fault(const artel_value_t *values, size_t i)
{
    const char *key = values[i].key;
    if (!key)
        return "is NULL";
    size_t len = strlen(key);
    if (len == 0)
        return "is empty";
    if (len > ARTEL_MAX_KEY)
        return "has more than 255 bytes";
    if (!artel_is_utf8(key, len))
        return "is not UTF-8";
    return s_is_repeated(values, i) ? "is there twice" : NULL;
}

void
artel_values_explain(const artel_value_t *values, size_t n, char *why, size_t size)
{
    for (size_t i = 0; i < n; i++) {
        const char *fault = s_key_fault(values, i);
        if (fault) {
            snprintf(why, size, "the key of value %zu of the row (\"%.80s\") %s", i + 1,
                     values[i].key ? values[i].key : "", fault);
            return;
        }
    }
    snprintf(why, size, "the row is too large, or would be the run's key number %d", ARTEL_MAX_KEYS + 1);
}
