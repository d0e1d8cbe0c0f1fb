//  events.c - reading a trace file.

#include "events.h"

#include "json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void
s_free_event(artel_event_t *event)
{
    free(event->from);
    free(event->to);
    free(event->name);
    free(event->xid);
    free(event->run);
}

static bool
s_is_plain(const char *text)
{
    while (*text > ' ' && *text < 0x7f)
        text++;
    return !*text;
}

//  The event an object describes; false if a field is missing, of another type, or not plain.
static bool
s_read_event(json_t *object, artel_event_t *ret)
{
    json_int_t time, bytes;
    const char *from, *to, *name, *xid, *run;
    if (json_unpack(object, "{s:I s:s s:s s:s s:s s:s s:I}", "time", &time, "from", &from, "to", &to,
                    "name", &name, "xid", &xid, "run", &run, "bytes", &bytes) != 0
        || time < 0 || bytes < 0 || !*from || !*to || !*name || !s_is_plain(from) || !s_is_plain(to)
        || !s_is_plain(name) || !s_is_plain(xid) || !s_is_plain(run))
        return false;
    *ret = (artel_event_t) { time, strdup(from), strdup(to), strdup(name), strdup(xid), strdup(run),
                             (uint64_t) bytes };
    return true;
}

static int
s_add(artel_events_t *self, const artel_event_t *event)
{
    if (self->n == self->room) {
        size_t room = self->room ? 2 * self->room : 256;
        artel_event_t *at = realloc(self->at, room * sizeof *at);
        if (!at)
            return -1;
        self->at = at;
        self->room = room;
    }
    self->at[self->n++] = *event;
    return 0;
}

//  Take one line; -1 if out of memory.
static int
s_take(artel_events_t *self, const char *line, size_t len, size_t number, const char *xid)
{
    json_error_t error;
    json_t *object = json_loadb(line, len, 0, &error);
    artel_event_t event;
    bool ok = object && s_read_event(object, &event);
    json_decref(object);
    if (!ok) {
        if (self->refused < ARTEL_EVENTS_NAMED)
            self->refused_at[self->refused] = number;
        self->refused++;
        return 0;
    }
    bool whole = event.from && event.to && event.name && event.xid && event.run;
    bool wanted = whole && (!xid || strncmp(event.xid, xid, strlen(xid)) == 0);
    if (wanted && s_add(self, &event) == 0)
        return 0;
    s_free_event(&event);
    return whole && !wanted ? 0 : -1;
}

int
artel_events_read(FILE *in, const char *xid, artel_events_t *ret)
{
    *ret = (artel_events_t) { .n = 0 };
    char *line = NULL;
    size_t size = 0, number = 0;
    int rc = 0;
    for (ssize_t len; rc == 0 && (len = getline(&line, &size, in)) >= 0; )
        rc = s_take(ret, line, (size_t) len, ++number, xid);
    if (rc == 0 && ferror(in))
        rc = errno;
    free(line);
    if (rc != 0)
        artel_events_done(ret);
    return rc < 0 ? ENOMEM : rc;
}

void
artel_events_done(artel_events_t *self)
{
    for (size_t i = 0; i < self->n; i++)
        s_free_event(&self->at[i]);
    free(self->at);
    *self = (artel_events_t) { .n = 0 };
}

static void
s_put_field(const char *name, const char *text, FILE *out)
{
    fprintf(out, ",\"%s\":", name);
    artel_json_put_text(text, strlen(text), out);
}

void
artel_events_put(const artel_events_t *self, FILE *out)
{
    for (size_t i = 0; i < self->n; i++) {
        const artel_event_t *event = &self->at[i];
        fprintf(out, "{\"time\":%lld", (long long) event->time_ns);
        s_put_field("from", event->from, out);
        s_put_field("to", event->to, out);
        s_put_field("name", event->name, out);
        s_put_field("xid", event->xid, out);
        s_put_field("run", event->run, out);
        fprintf(out, ",\"bytes\":%llu}\n", (unsigned long long) event->bytes);
    }
}
