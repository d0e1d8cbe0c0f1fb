//  cmd_gc.c - artel gc: remove what nothing refers to.

#include "gc.h"

#include "bar.h"
#include "command.h"
#include "human.h"
#include "reach.h"
#include "state.h"
#include "term.h"

#include <inttypes.h>

static void
s_print(const artel_args_t *args, const artel_gc_report_t *report)
{
    bool dry = artel_args_has(args, "dry-run");
    if (artel_args_has(args, "json"))
        printf("{\"bytes\":%" PRIu64 ",\"files\":%" PRIu64 ",\"packs\":%" PRIu64 ",\"journals\":%" PRIu64
               ",\"leftovers\":%" PRIu64 ",\"dry_run\":%s}\n", report->bytes, report->loose,
               report->packs, report->journals, report->leftovers, dry ? "true" : "false");
    else if (!artel_args_has(args, "quiet"))
        printf("%s %s: %s, %s, %s, %s\n", artel_human_bytes(report->bytes, ARTEL_HUMAN_BUFFER),
               dry ? "would go" : "freed",
               artel_human_things(report->loose, "large blob", ARTEL_HUMAN_BUFFER),
               artel_human_things(report->packs, "pack", ARTEL_HUMAN_BUFFER),
               artel_human_things(report->journals, "journal", ARTEL_HUMAN_BUFFER),
               artel_human_things(report->leftovers, "leftover", ARTEL_HUMAN_BUFFER));
}

enum { WAIT_MS = 60000 };

static int
s_gc(const artel_args_t *args, const char *place, int age_ms, int wait_ms)
{
    artel_gc_options_t options = { .dry_run = artel_args_has(args, "dry-run"),
                                   .journal_age_ms = age_ms, .wait_ms = wait_ms };
    artel_gc_report_t report = { 0 };
    artel_bar_t *bar = artel_bar_new(args, "looking for what nothing uses", 0);
    int rc = artel_gc(place, &options, &report);
    artel_bar_end(&bar);
    if (rc != ARTEL_ELOCKED)
        s_print(args, &report);
    if (rc != 0)
        artel_complain("%s", *report.text ? report.text : artel_error_text(rc));
    return rc == 0 ? 0 : ARTEL_EXIT_FAILED;
}

static int
s_run(const artel_args_t *args)
{
    artel_place_t place;
    int age_ms, wait_ms, rc = artel_args_ms(args, "age", 0, &age_ms);
    if (rc == 0)
        rc = artel_args_ms(args, "timeout", WAIT_MS, &wait_ms);
    if (rc != 0)
        return rc;
    rc = artel_reach_place(args, &place);
    if (rc == 0)
        rc = artel_reach_check(place.state);
    if (rc == 0 && artel_state_is_made(place.place))
        rc = s_gc(args, place.place, age_ms, wait_ms);
    else if (rc == 0)
        artel_say(args, "nothing was stored in %s; nothing to remove", place.place);
    artel_reach_done(&place);
    return rc;
}

static const artel_option_t s_options[] = {
    { "age", 0, "SECONDS", "keep journals that ended less than this ago (0)" },
    { "dry-run", 'n', NULL, "only say what would go" },
    { "timeout", 't', "SECONDS", "how long to wait for programs that store artifacts (60)" },
    { 0 },
};

const artel_command_t artel_cmd_gc = {
    .name = "gc", .operands = "", .min = 0, .max = 0,
    .brief = "remove what nothing refers to any more",
    .about =
        "The bytes of removed versions, what killed programs left, and the journals of runs that\n"
        "are finished and delivered everywhere (a small one that keeps their marks stays). It may\n"
        "run while programs log, and be killed at any moment. While an artifact is being stored it\n"
        "waits; if that takes too long it removes nothing, says who has the store, and exits 1.",
    .options = s_options,
    .examples = "artel gc --dry-run\n"
                "artel artifact rm model:v3 && artel gc",
    .run = s_run,
};
