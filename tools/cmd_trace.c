//  cmd_trace.c - artel trace: the messages of a program, drawn.

#include "command.h"
#include "events.h"
#include "sequence.h"
#include "term.h"

#include <errno.h>
#include <string.h>

static void
s_text(const artel_args_t *args, const artel_events_t *events)
{
    artel_sequence_text(events, (artel_sequence_style_t) { .utf8 = artel_term_utf8(),
                        .colours = artel_term_colours(args, stdout) }, stdout);
}

static void
s_mermaid(const artel_args_t *args, const artel_events_t *events)
{
    (void) args;
    artel_sequence_mermaid(events, stdout);
}

static void
s_jsonl(const artel_args_t *args, const artel_events_t *events)
{
    (void) args;
    artel_events_put(events, stdout);
}

static const struct {
    const char *name;
    void (*print)(const artel_args_t *args, const artel_events_t *events);
} s_formats[] = { { "text", s_text }, { "mermaid", s_mermaid }, { "jsonl", s_jsonl } };

static int
s_print(const artel_args_t *args, const artel_events_t *events)
{
    const char *format = artel_args_text(args, "format");
    if (!format)
        format = artel_args_has(args, "json") ? "jsonl" : "text";
    for (size_t i = 0; i < sizeof s_formats / sizeof *s_formats; i++)
        if (strcmp(format, s_formats[i].name) == 0) {
            if (events)
                s_formats[i].print(args, events);
            return 0;
        }
    artel_complain("--format %s: must be text, mermaid or jsonl", format);
    return ARTEL_EXIT_USAGE;
}

static int
s_run(const artel_args_t *args)
{
    int rc = s_print(args, NULL);               //  is the format known?
    if (rc != 0)
        return rc;
    const char *path = args->operands[0];
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (!in) {
        artel_complain("%s: %s", path, strerror(errno));
        return errno == ENOENT ? ARTEL_EXIT_NOT_FOUND : ARTEL_EXIT_FAILED;
    }
    artel_events_t events;
    rc = artel_events_read(in, artel_args_text(args, "xid"), &events);
    if (in != stdin)
        fclose(in);
    if (rc != 0) {
        artel_complain("%s cannot be read: %s", path, strerror(rc));
        return ARTEL_EXIT_FAILED;
    }
    for (size_t i = 0; i < events.refused && i < ARTEL_EVENTS_NAMED; i++)
        artel_complain("line %zu is not an event", events.refused_at[i]);
    s_print(args, &events);
    if (events.n == 0)
        artel_say(args, "no event %s", artel_args_has(args, "xid") ? "of this xid" : "in the file");
    rc = events.refused ? ARTEL_EXIT_PART : 0;
    if (events.refused)
        artel_complain("%zu lines of %s are no events", events.refused, path);
    artel_events_done(&events);
    return rc;
}

static const artel_option_t s_options[] = {
    { "format", 'f', "FORMAT", "text (default), mermaid, or jsonl" },
    { "xid", 0, "XID", "only the messages of this artifact; its first digits are enough" },
    { 0 },
};

const artel_command_t artel_cmd_trace = {
    .name = "trace", .operands = "FILE", .min = 1, .max = 1,
    .brief = "draw the messages of a program as a sequence diagram",
    .about = "FILE is what a program wrote that ran with ARTEL_TRACE=FILE: every message that\n"
             "crossed a socket, one JSON object a line, with the fields time (ns since 1970), from, to,\n"
             "name, xid, run and bytes. \"-\" reads standard input. Equal messages in a row are drawn\n"
             "as one arrow. --json is --format jsonl.",
    .options = s_options,
    .examples = "ARTEL_TRACE=put.trace artel artifact put model weights.bin\n"
                "artel trace put.trace\n"
                "artel trace put.trace --format mermaid > put.mmd",
    .run = s_run,
};
