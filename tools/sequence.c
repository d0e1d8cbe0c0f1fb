//  sequence.c - drawing a message sequence diagram.
//
//         ms  client    handler   writer    sender    store
//      0.000  ├────────▶│         │         │         │  artifact_send  3f2a91c0     231 B
//      0.112  │         ├────────▶│         │         │  artifact_send  3f2a91c0     231 B

#include "sequence.h"

#include "human.h"
#include "term.h"

#include <stdarg.h>
#include <string.h>

enum { MAX_LINES = 16, MAX_GAP = 10, MIN_GAP = 4, TIME_WIDTH = 11, XID_SHOWN = 8,
       MAX_WIDTH = 100, NAME_WIDTH = 22, LABEL_WIDTH = NAME_WIDTH + 22 };

//  The lifelines: the actors every node has, then others as they appear.
typedef struct {
    const char *names[MAX_LINES];
    size_t n;
    int gap;                        //  columns from one lifeline to the next
    artel_sequence_style_t style;
    FILE *out;
} canvas_t;

typedef struct {
    const char *lifeline, *rightwards, *leftwards, *from_left, *from_right, *shaft, *crossing;
} glyphs_t;

//  One arrow: the columns of its ends.
typedef struct {
    size_t from, to, left, right;
    artel_ink_t ink;
} arrow_t;

static const glyphs_t s_boxes = { "│", "▶", "◀", "├", "┤", "─", "┼" };
static const glyphs_t s_ascii = { "|", ">", "<", "|", "|", "-", "|" };

static size_t
s_line_of(canvas_t *canvas, const char *name)
{
    for (size_t i = 0; i < canvas->n; i++)
        if (strcmp(canvas->names[i], name) == 0)
            return i;
    if (canvas->n < MAX_LINES)
        canvas->names[canvas->n++] = name;
    return canvas->n - 1;
}

static void
s_find_lines(canvas_t *canvas, const artel_events_t *events)
{
    static const char *const known[] = { "client", "handler", "writer", "sender", "store" };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        s_line_of(canvas, known[i]);
    for (size_t i = 0; i < events->n; i++) {
        s_line_of(canvas, events->at[i].from);
        s_line_of(canvas, events->at[i].to);
    }
    int gap = (MAX_WIDTH - LABEL_WIDTH - TIME_WIDTH - 1) / (int) (canvas->n - 1);
    canvas->gap = gap > MAX_GAP ? MAX_GAP : gap < MIN_GAP ? MIN_GAP : gap;
}

static bool
s_is_same(const artel_event_t *a, const artel_event_t *b)
{
    return strcmp(a->from, b->from) == 0 && strcmp(a->to, b->to) == 0
           && strcmp(a->name, b->name) == 0 && strcmp(a->xid, b->xid) == 0
           && strcmp(a->run, b->run) == 0;
}

//  How many events from i on are drawn as one, and their bytes.
static size_t
s_run_length(const artel_events_t *events, size_t i, uint64_t *ret_bytes)
{
    size_t n = 1;
    *ret_bytes = events->at[i].bytes;
    while (i + n < events->n && s_is_same(&events->at[i], &events->at[i + n]))
        *ret_bytes += events->at[i + n++].bytes;
    return n;
}

//  An ink of its own for each xid, the same every time.
static artel_ink_t
s_ink_of(const char *xid)
{
    static const artel_ink_t inks[] = { ARTEL_INK_CYAN, ARTEL_INK_GREEN, ARTEL_INK_MAGENTA,
                                        ARTEL_INK_YELLOW, ARTEL_INK_BLUE };
    unsigned sum = 0;
    for (const char *c = xid; *c; c++)
        sum = 31 * sum + (unsigned char) *c;
    return *xid ? inks[sum % (sizeof inks / sizeof *inks)] : ARTEL_INK_NONE;
}

//  Print in an ink.
static void
s_put(const canvas_t *canvas, artel_ink_t ink, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
s_put(const canvas_t *canvas, artel_ink_t ink, const char *format, ...)
{
    bool colours = canvas->style.colours && ink != ARTEL_INK_NONE;
    va_list args;
    va_start(args, format);
    fputs(artel_term_ink(colours, ink), canvas->out);
    vfprintf(canvas->out, format, args);
    fputs(artel_term_ink(colours, ARTEL_INK_NONE), canvas->out);
    va_end(args);
}

//  Where a lifeline is passed: what stands at column i.
static const char *
s_joint(const glyphs_t *g, size_t i, const arrow_t *arrow)
{
    if (i < arrow->left || i > arrow->right || i == arrow->to)
        return g->lifeline;
    if (i == arrow->from)
        return arrow->from < arrow->to ? g->from_left : g->from_right;
    return g->crossing;
}

//  What stands between column i and the next: the shaft, at its end with the head.
static void
s_put_shaft(const canvas_t *canvas, const glyphs_t *g, size_t i, const arrow_t *arrow)
{
    bool rightwards = arrow->from < arrow->to;
    char gap[4 * MAX_GAP] = "", *at = gap;
    for (int k = 0; k < canvas->gap - 1; k++) {
        bool head = rightwards ? i + 1 == arrow->to && k == canvas->gap - 2
                               : i == arrow->to && k == 0;
        at = stpcpy(at, head ? rightwards ? g->rightwards : g->leftwards : g->shaft);
    }
    s_put(canvas, arrow->ink, "%s", gap);
}

static void
s_put_arrow(const canvas_t *canvas, const arrow_t *arrow)
{
    const glyphs_t *g = canvas->style.utf8 ? &s_boxes : &s_ascii;
    for (size_t i = 0; i < canvas->n; i++) {
        bool crossed = i == arrow->from || (i > arrow->left && i < arrow->right);
        s_put(canvas, crossed ? arrow->ink : ARTEL_INK_DIM, "%s", s_joint(g, i, arrow));
        if (i >= arrow->left && i < arrow->right)
            s_put_shaft(canvas, g, i, arrow);
        else if (i + 1 < canvas->n)
            fprintf(canvas->out, "%*s", canvas->gap - 1, "");
    }
}

//  "artifact_send ×3          3f2a91c0     231 B".
static void
s_put_label(const canvas_t *canvas, const artel_event_t *event, size_t n, uint64_t bytes)
{
    artel_ink_t ink = s_ink_of(event->xid);
    char times[24] = "";
    if (n > 1)
        snprintf(times, sizeof times, canvas->style.utf8 ? " ×%zu" : " x%zu", n);
    int width = (int) (strlen(event->name) + strlen(times)) - (n > 1 && canvas->style.utf8);
    s_put(canvas, ink, "  %s", event->name);
    fprintf(canvas->out, "%s%*s", times, width < NAME_WIDTH ? NAME_WIDTH - width : 0, "");
    s_put(canvas, ink, "  %-*.*s", XID_SHOWN, XID_SHOWN, event->xid);
    s_put(canvas, ARTEL_INK_DIM, "  %8s", artel_human_bytes(bytes, ARTEL_HUMAN_BUFFER));
    putc('\n', canvas->out);
}

static void
s_put_heading(const canvas_t *canvas)
{
    s_put(canvas, ARTEL_INK_BOLD, "%*s  ", TIME_WIDTH - 2, "ms");
    for (size_t i = 0; i < canvas->n; i++)
        s_put(canvas, ARTEL_INK_BOLD, "%-*.*s", i + 1 < canvas->n ? canvas->gap : 0,
              canvas->gap - 1, canvas->names[i]);
    putc('\n', canvas->out);
}

static void
s_put_event(canvas_t *canvas, const artel_event_t *event, int64_t start_ns)
{
    size_t from = s_line_of(canvas, event->from), to = s_line_of(canvas, event->to);
    fprintf(canvas->out, "%*.3f  ", TIME_WIDTH - 2, (double) (event->time_ns - start_ns) / 1e6);
    s_put_arrow(canvas, &(arrow_t) { from, to, from < to ? from : to, from < to ? to : from,
                                     s_ink_of(event->xid) });
}

void
artel_sequence_text(const artel_events_t *events, artel_sequence_style_t style, FILE *out)
{
    if (events->n == 0)
        return;
    canvas_t canvas = { .style = style, .out = out };
    s_find_lines(&canvas, events);
    s_put_heading(&canvas);
    uint64_t bytes;
    for (size_t i = 0, n; i < events->n; i += n) {
        n = s_run_length(events, i, &bytes);
        s_put_event(&canvas, &events->at[i], events->at[0].time_ns);
        s_put_label(&canvas, &events->at[i], n, bytes);
    }
}

void
artel_sequence_mermaid(const artel_events_t *events, FILE *out)
{
    canvas_t canvas = { .out = out };
    s_find_lines(&canvas, events);
    fputs("sequenceDiagram\n", out);
    for (size_t i = 0; i < canvas.n; i++)
        fprintf(out, "    participant %s\n", canvas.names[i]);
    uint64_t bytes;
    for (size_t i = 0, n; i < events->n; i += n) {
        const artel_event_t *event = &events->at[i];
        n = s_run_length(events, i, &bytes);
        fprintf(out, "    %s->>%s: %s", event->from, event->to, event->name);
        if (*event->xid)
            fprintf(out, " %.*s", XID_SHOWN, event->xid);
        if (n > 1)
            fprintf(out, " x%zu", n);
        putc('\n', out);
    }
}
