//  cmd_verify.c - artel artifact verify: is what was stored still what it was?

#include "verify.h"

#include "bar.h"
#include "command.h"
#include "human.h"
#include "interrupt.h"
#include "json.h"
#include "reach.h"
#include "state.h"
#include "term.h"

#include <inttypes.h>
#include <string.h>

typedef struct {
    const artel_args_t *args;
    artel_bar_t *bar;
    bool said;                      //  a sentence was printed
} self_t;

static void
s_damaged(void *arg, const char *sentence)
{
    self_t *self = arg;
    self->said = true;
    if (!artel_args_has(self->args, "json")) {
        artel_term_put(sentence, stdout);
        putchar('\n');
        return;
    }
    fputs("{\"damage\":", stdout);
    artel_json_put_text(sentence, strlen(sentence), stdout);
    fputs("}\n", stdout);
}

static int
s_progress(void *arg, uint64_t blobs, uint64_t bytes)
{
    artel_bar_move(((self_t *) arg)->bar, blobs, bytes);
    return artel_interrupted();
}

static void
s_sum_up(const self_t *self, const artel_verify_report_t *report)
{
    if (artel_args_has(self->args, "json"))
        printf("{\"versions\":%" PRIu64 ",\"journals\":%" PRIu64 ",\"blobs\":%" PRIu64
               ",\"bytes\":%" PRIu64 ",\"damaged\":%" PRIu64 "}\n", report->versions,
               report->journals, report->blobs, report->bytes, report->damaged);
    else if (!artel_args_has(self->args, "quiet"))
        printf("%s, %s, %s: %s\n",
               artel_human_things(report->versions, "version", ARTEL_HUMAN_BUFFER),
               artel_human_things(report->blobs, "blob", ARTEL_HUMAN_BUFFER),
               artel_human_bytes(report->bytes, ARTEL_HUMAN_BUFFER),
               report->damaged ? "damaged" : "all is well");
}

static int
s_end(const self_t *self, int rc, const artel_verify_report_t *report)
{
    if (rc == 0 || rc == ARTEL_ECORRUPT) {
        s_sum_up(self, report);
        return rc == 0 ? 0 : ARTEL_EXIT_FAILED;
    }
    if (rc == ARTEL_ECANCELED && artel_interrupted()) {
        artel_complain("stopped by a signal before everything was read");
        return ARTEL_EXIT_SIGNAL + artel_interrupted();
    }
    if (rc != ARTEL_ENOENT || !self->said)      //  else a sentence has said which name
        artel_complain("not everything could be verified: %s", artel_error_text(rc));
    return artel_reach_exit(rc);
}

static int
s_verify(const artel_args_t *args, const char *place)
{
    self_t self = { .args = args, .bar = artel_bar_new(args, "verifying", 0) };
    artel_verify_report_t report = { 0 };
    artel_verify_options_t options = { .names = args->operands, .n = args->n,
        .damaged = s_damaged, .progress = s_progress, .arg = &self };
    int rc = artel_verify(place, &options, &report);
    artel_bar_end(&self.bar);
    return s_end(&self, rc, &report);
}

static int
s_run(const artel_args_t *args)
{
    artel_place_t place;
    artel_interrupt_start();
    int rc = artel_reach_place(args, &place);
    if (rc == 0)
        rc = artel_reach_check(place.state);
    if (rc == 0 && args->n == 0 && !artel_state_is_made(place.place))
        artel_say(args, "nothing was stored in %s; nothing to verify", place.place);
    else if (rc == 0)
        rc = s_verify(args, place.place);
    artel_reach_done(&place);
    return rc;
}

const artel_command_t artel_cmd_verify = {
    .name = "artifact verify", .operands = "[NAME[:VERSION]...]", .min = 0, .max = -1,
    .brief = "check that everything stored is as it was",
    .about =
        "Everything the versions need is read and compared with its digest; without NAME of all\n"
        "artifacts, with the journals and what is not delivered yet. VERSION is latest, an alias or\n"
        "vN. It exits 1 and names what is damaged or missing, a line each. What a killed program\n"
        "left without reference is not damage. With --json each line is {\"damage\":TEXT}, and the\n"
        "last has what was read: versions, journals, blobs, bytes, damaged.",
    .examples = "artel artifact verify\n"
                "artel artifact verify model corpus:v2",
    .run = s_run,
};
