//  sinks.c - parsing the list of sinks.

#include "sinks.h"

#include "credentials.h"
#include "errors.h"
#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

//  Names follow the rule of run ids: both name files.
static bool
s_copy_name(char *ret, size_t size, const char *at, size_t len)
{
    if (len >= size || !artel_is_run_id(at, len))
        return false;
    memcpy(ret, at, len);
    ret[len] = 0;
    return true;
}

//  An absolute path without a slash at its end.
static int
s_copy_path(const char *at, size_t len, char **ret, const char **ret_why)
{
    *ret_why = "its directory is missing, or its path has a comma";
    if (!at)
        return 0;
    if (len == 0)
        return ARTEL_EINVAL;
    while (len > 1 && at[len - 1] == '/')
        len--;
    char *cwd = at[0] == '/' ? NULL : getcwd(NULL, 0);
    if (at[0] != '/' && !cwd)
        return ARTEL_EINVAL;
    char *place = artel_format("%s%s%.*s", cwd ? cwd : "", cwd ? "/" : "", (int) len, at);
    bool fits = !cwd || !strchr(cwd, ',');      //  the list has no way to write a comma
    free(cwd);
    if (place && fits)
        *ret = place;
    else
        free(place);
    return !place ? ARTEL_ENOMEM : fits ? 0 : ARTEL_EINVAL;
}

//  The address of a server, whatever it is by default written out.
static int
s_copy_url(const char *at, size_t len, char **ret, const char **ret_why)
{
    char why[256], *url = artel_format("%.*s", (int) len, at ? at : "");
    *ret_why = "its address must be http:// or https://, and W&B's own https://api.wandb.ai";
    int rc = !url ? ARTEL_ENOMEM : at && !len ? ARTEL_EINVAL : artel_credentials_base(url, ret, why, sizeof why);
    free(url);
    return rc;
}

//  What there is to deliver to. place is NULL where none is said.
static const struct {
    const char *name;
    int (*copy_place)(const char *place, size_t len, char **ret, const char **ret_why);
} s_kinds[] = {
    { "store", s_copy_path },
    { "wandb", s_copy_url },
};

static int
s_kind(const char *name)
{
    for (size_t i = 0; i < sizeof s_kinds / sizeof *s_kinds; i++)
        if (strcmp(name, s_kinds[i].name) == 0)
            return (int) i;
    return -1;
}

//  One item, [NAME=]KIND[:PLACE], of len bytes. Says what is wrong in *ret_why.
static int
s_parse_one(const char *at, size_t len, artel_sink_t *ret, const char **ret_why)
{
    const char *colon = memchr(at, ':', len);
    size_t front = colon ? (size_t) (colon - at) : len;
    const char *equal = memchr(at, '=', front);
    const char *kind = equal ? equal + 1 : at;
    size_t kind_len = front - (size_t) (kind - at);
    *ret = (artel_sink_t) { .place = NULL };
    *ret_why = "the kind must be store or wandb";
    int i = s_copy_name(ret->kind, sizeof ret->kind, kind, kind_len) ? s_kind(ret->kind) : -1;
    if (i < 0)
        return ARTEL_EINVAL;
    *ret_why = "a name is 1 to 63 of A-Z a-z 0-9 _ -";
    if (!s_copy_name(ret->name, sizeof ret->name, equal ? at : kind,
                     equal ? (size_t) (equal - at) : kind_len))
        return ARTEL_EINVAL;
    return s_kinds[i].copy_place(colon ? colon + 1 : NULL, colon ? len - front - 1 : 0, &ret->place, ret_why);
}

static int
s_parse_and_add(artel_sinks_t *self, const char *at, size_t len, const char **ret_why)
{
    artel_sink_t sink;
    int rc = s_parse_one(at, len, &sink, ret_why);
    if (rc == 0) {
        rc = artel_sinks_add(self, &sink);
        *ret_why = rc == ARTEL_EEXIST ? "the name is there twice" : "there are too many";
    }
    free(sink.place);
    return rc == ARTEL_EEXIST ? ARTEL_EINVAL : rc;
}

int
artel_sinks_parse(const char *list, artel_sinks_t *ret, char *why, size_t size)
{
    artel_sinks_t sinks = { .n = 0 };
    if (!list || !*list)
        list = "store";
    for (const char *at = list, *reason; at; ) {
        size_t len = strcspn(at, ",");
        int rc = s_parse_and_add(&sinks, at, len, &reason);
        if (rc != 0) {
            snprintf(why, size, "sink '%.*s': %s (a list of [NAME=]store[:DIRECTORY] or [NAME=]wandb[:URL])",
                     (int) (len < 200 ? len : 200), at,
                     rc == ARTEL_ENOMEM ? artel_error_code_text(rc) : reason);
            artel_sinks_done(&sinks);
            return rc;
        }
        at = at[len] ? at + len + 1 : NULL;
    }
    *ret = sinks;
    return 0;
}

void
artel_sinks_done(artel_sinks_t *self)
{
    for (size_t i = 0; i < self->n; i++)
        free(self->at[i].place);
    *self = (artel_sinks_t) { .n = 0 };
}

char *
artel_sinks_format(const artel_sinks_t *self)
{
    char *list = strdup("");
    for (size_t i = 0; list && i < self->n; i++) {
        const artel_sink_t *sink = &self->at[i];
        char *longer = artel_format("%s%s%s=%s%s%s", list, i ? "," : "", sink->name, sink->kind,
                                    sink->place ? ":" : "", sink->place ? sink->place : "");
        free(list);
        list = longer;
    }
    return list;
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

int
artel_sinks_same(const artel_sinks_t *self, const artel_sink_t *sink)
{
    int i = artel_sinks_find(self, sink->name, strlen(sink->name));
    if (i < 0 || strcmp(self->at[i].kind, sink->kind) != 0)
        return -1;
    const char *a = self->at[i].place, *b = sink->place;
    return (!a && !b) || (a && b && strcmp(a, b) == 0) ? i : -1;
}

unsigned
artel_sinks_wanted(const artel_sinks_t *self, const char *list, unsigned *ret_missing)
{
    unsigned wanted = *list ? 0 : (1u << self->n) - 1, missing = 0;
    for (const char *at = *list ? list : NULL, *reason; at; ) {
        artel_sink_t sink;
        size_t len = strcspn(at, ",");
        int i = s_parse_one(at, len, &sink, &reason) == 0 ? artel_sinks_same(self, &sink) : -1;
        wanted |= i < 0 ? 0 : 1u << i;
        missing += i < 0;
        free(sink.place);
        at = at[len] ? at + len + 1 : NULL;
    }
    *ret_missing = missing;
    return wanted;
}

int
artel_sinks_add(artel_sinks_t *self, const artel_sink_t *sink)
{
    if (self->n && artel_sinks_find(self, sink->name, strlen(sink->name)) >= 0)
        return ARTEL_EEXIST;
    if (self->n == ARTEL_MAX_SINKS)
        return ARTEL_ELIMIT;
    char *place = sink->place ? strdup(sink->place) : NULL;
    if (sink->place && !place)
        return ARTEL_ENOMEM;
    if (strcmp(sink->name, "store") == 0)
        self->primary = self->n;
    self->at[self->n] = *sink;
    self->at[self->n++].place = place;
    return 0;
}
