//  sinks.c - parsing the list of sinks.

#include "sinks.h"

#include "errors.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const s_kinds[] = { "store" };

static bool
s_is_kind(const char *kind)
{
    for (size_t i = 0; i < sizeof s_kinds / sizeof *s_kinds; i++)
        if (strcmp(kind, s_kinds[i]) == 0)
            return true;
    return false;
}

static bool
s_copy_name(char *ret, size_t size, const char *at, size_t len)
{
    if (len == 0 || len >= size)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char) at[i]) && at[i] != '_' && at[i] != '-')
            return false;
    memcpy(ret, at, len);
    ret[len] = 0;
    return true;
}

//  One item, [NAME=]KIND[:PLACE], of len bytes.
static int
s_parse_one(const char *at, size_t len, artel_sink_t *ret)
{
    const char *colon = memchr(at, ':', len);
    size_t front = colon ? (size_t) (colon - at) : len;
    const char *equal = memchr(at, '=', front);
    const char *kind = equal ? equal + 1 : at;
    size_t kind_len = front - (size_t) (kind - at);
    size_t name_len = equal ? (size_t) (equal - at) : kind_len;
    *ret = (artel_sink_t) { .place = NULL };
    if (!s_copy_name(ret->kind, sizeof ret->kind, kind, kind_len)
        || !s_copy_name(ret->name, sizeof ret->name, equal ? at : kind, name_len)
        || !s_is_kind(ret->kind) || (colon && front + 1 == len))
        return ARTEL_EINVAL;
    if (colon && !(ret->place = strndup(colon + 1, len - front - 1)))
        return ARTEL_ENOMEM;
    return 0;
}

static int
s_add(artel_sinks_t *self, const char *at, size_t len)
{
    if (self->n == ARTEL_MAX_SINKS)
        return ARTEL_ELIMIT;
    artel_sink_t sink;
    int rc = s_parse_one(at, len, &sink);
    if (rc == 0 && self->n && artel_sinks_find(self, sink.name, strlen(sink.name)) >= 0) {
        free(sink.place);
        rc = ARTEL_EINVAL;
    }
    if (rc == 0)
        self->at[self->n++] = sink;
    return rc;
}

int
artel_sinks_parse(const char *list, artel_sinks_t *ret, char *why, size_t size)
{
    *ret = (artel_sinks_t) { .n = 0 };
    if (!list || !*list)
        list = "store";
    for (const char *at = list; at; ) {
        size_t len = strcspn(at, ",");
        int rc = s_add(ret, at, len);
        if (rc != 0) {
            snprintf(why, size, "sink '%.*s': must be [NAME=]store[:DIRECTORY], "
                     "each name once, at most %d of them", (int) len, at, ARTEL_MAX_SINKS);
            artel_sinks_done(ret);
            return rc;
        }
        at = at[len] ? at + len + 1 : NULL;
    }
    int store = artel_sinks_find(ret, "store", 5);
    ret->primary = store > 0 ? (size_t) store : 0;
    return 0;
}

void
artel_sinks_done(artel_sinks_t *self)
{
    for (size_t i = 0; i < self->n; i++)
        free(self->at[i].place);
    *self = (artel_sinks_t) { .n = 0 };
}

int
artel_sinks_find(const artel_sinks_t *self, const char *name, size_t len)
{
    if (len == 0)
        return self->n ? (int) self->primary : -1;
    for (size_t i = 0; i < self->n; i++)
        if (strlen(self->at[i].name) == len && memcmp(self->at[i].name, name, len) == 0)
            return (int) i;
    return -1;
}
