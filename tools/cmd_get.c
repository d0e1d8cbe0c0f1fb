//  cmd_get.c - artel artifact get: the entries of a version into a folder.

#include "bar.h"
#include "blobs.h"
#include "checkout.h"
#include "command.h"
#include "human.h"
#include "interrupt.h"
#include "json.h"
#include "reach.h"
#include "reference.h"
#include "term.h"

#include <inttypes.h>

static int
s_progress(void *arg, uint64_t files, uint64_t bytes)
{
    artel_bar_move(arg, files, bytes);
    return artel_interrupted();
}

static void
s_print(const artel_args_t *args, const artel_reference_t *ref, const artel_version_t *version)
{
    const char *dir = artel_args_text(args, "output");
    char digest[ARTEL_DIGEST_TEXT];
    artel_hex(version->manifest.at, sizeof version->manifest.at, digest);
    if (!artel_args_has(args, "json")) {
        printf("%s:v%" PRId64 "  %s  %s  in %s\n", ref->name, version->version,
               artel_human_things(version->files, "file", ARTEL_HUMAN_BUFFER),
               artel_human_bytes(version->bytes, ARTEL_HUMAN_BUFFER), dir);
        return;
    }
    json_t *row = json_pack("{s:s s:s s:o s:s s:I s:I s:o}", "name", ref->name, "type", version->type,
                            "version", json_sprintf("v%" PRId64, version->version), "digest", digest,
                            "files", (json_int_t) version->files, "bytes",
                            (json_int_t) version->bytes, "dir", artel_json_text(dir));
    if (row)
        artel_json_put(row, stdout);
    putchar('\n');
    json_decref(row);
}

static bool
s_is_wanted(void *arg)
{
    (void) arg;
    return !artel_interrupted();
}

static int
s_fetch(const artel_args_t *args, const artel_place_t *place, const artel_version_t *version)
{
    char why[512] = "", doing[160];
    snprintf(doing, sizeof doing, "fetching %s", args->operands[0]);
    artel_bar_t *bar = artel_bar_new(args, doing, version->bytes);
    int lock = -1;                  //  against gc; a store that cannot be written has none
    artel_blobs_lock(place->place, false, &(artel_patience_t) { s_is_wanted, NULL }, &lock);
    int rc = artel_checkout(&(artel_checkout_t) { .store = place->place,
        .manifest = version->manifest, .pack = version->pack,
        .into = artel_args_text(args, "output"), .progress = s_progress, .arg = bar },
        why, sizeof why);
    if (lock >= 0)
        artel_blobs_unlock(lock);
    artel_bar_end(&bar);
    if (rc == ARTEL_ECANCELED && artel_interrupted()) {
        artel_complain("stopped by a signal; what is written so far is whole");
        return ARTEL_EXIT_SIGNAL + artel_interrupted();
    }
    if (rc != 0)
        artel_complain("%s", *why ? why : artel_error_text(rc));
    return rc == 0 ? 0 : ARTEL_EXIT_FAILED;
}

static int
s_get(const artel_args_t *args, const artel_place_t *place)
{
    artel_reference_t ref;
    artel_version_t version;
    artel_reference_parse(args->operands[0], &ref);
    int rc = artel_reference_resolve(place, &ref, &version);
    if (rc == 0)
        rc = s_fetch(args, place, &version);
    if (rc == 0)
        s_print(args, &ref, &version);
    return rc;
}

static int
s_run(const artel_args_t *args)
{
    artel_reference_t ref;
    if (artel_reference_parse(args->operands[0], &ref) != 0)
        return ARTEL_EXIT_USAGE;
    if (!artel_args_text(args, "output")) {
        artel_complain("where to? say -o DIR");
        return ARTEL_EXIT_USAGE;
    }
    artel_interrupt_start();
    return artel_reach_read(args, s_get);
}

static const artel_option_t s_options[] = {
    { "output", 'o', "DIR", "the folder to write into; made if missing" },
    { 0 },
};

const artel_command_t artel_cmd_get = {
    .name = "artifact get", .operands = "NAME[:ALIAS|:vN]", .min = 1, .max = 1, .stray = "-o",
    .brief = "fetch a version of an artifact",
    .about =
        "The entries are written directly below DIR, each verified and then put in place whole,\n"
        "over what has the same name; other files in DIR stay. Without ALIAS or vN it is the\n"
        "version called latest. References are not fetched.",
    .options = s_options,
    .examples = "artel artifact get model -o out\n"
                "artel artifact get model:v3 -o out --json",
    .run = s_run,
};
