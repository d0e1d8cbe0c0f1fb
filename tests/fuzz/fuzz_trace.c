//  A trace, of anyone's bytes: every line is an event or refused, what was read is
//  written as it reads, and what is drawn of it is text that steers no terminal.

#include "fuzz.h"
#include "sequence.h"
#include "utf8.h"

#include <string.h>

//  Lines of data, the last one also if it does not end.
static size_t
s_lines(const uint8_t *data, size_t size)
{
    size_t n = size && data[size - 1] != '\n';
    for (size_t i = 0; i < size; i++)
        n += data[i] == '\n';
    return n;
}

static void
s_read(const void *data, size_t size, artel_events_t *ret)
{
    FILE *in = fmemopen((void *) (uintptr_t) data, size, "r");
    REQUIRE(in && artel_events_read(in, NULL, ret) == 0);
    fclose(in);
    REQUIRE(ret->n + ret->refused == s_lines(data, size));
}

static void
s_require_same(const artel_event_t *a, const artel_event_t *b)
{
    REQUIRE(a->time_ns == b->time_ns && a->bytes == b->bytes);
    REQUIRE(strcmp(a->from, b->from) == 0 && strcmp(a->to, b->to) == 0 && strcmp(a->name, b->name) == 0);
    REQUIRE(strcmp(a->xid, b->xid) == 0 && strcmp(a->run, b->run) == 0);
}

static void
s_write_again(const artel_events_t *events)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    artel_events_t again;
    artel_events_put(events, out);
    fclose(out);
    s_read(text, size, &again);
    REQUIRE(again.n == events->n && again.refused == 0);
    for (size_t i = 0; i < again.n; i++)
        s_require_same(&events->at[i], &again.at[i]);
    artel_events_done(&again);
    free(text);
}

static void
s_draw_text(const artel_events_t *events, bool utf8, FILE *out)
{
    artel_sequence_text(events, (artel_sequence_style_t) { .utf8 = utf8 }, out);
}

static void
s_draw_mermaid(const artel_events_t *events, bool utf8, FILE *out)
{
    (void) utf8;
    artel_sequence_mermaid(events, out);
}

static void
s_draw(const artel_events_t *events, void (*fn)(const artel_events_t *, bool, FILE *), bool utf8)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    fn(events, utf8, out);
    fclose(out);
    REQUIRE(artel_is_utf8(text, size));
    for (size_t i = 0; i < size; i++)
        REQUIRE(text[i] == '\n' || (unsigned char) text[i] >= ' ');
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    artel_events_t events;
    if (size == 0)
        return 0;
    s_read(data, size, &events);
    if (events.n)
        s_write_again(&events);
    s_draw(&events, s_draw_text, true);
    s_draw(&events, s_draw_text, false);
    s_draw(&events, s_draw_mermaid, false);
    artel_events_done(&events);
    return 0;
}
