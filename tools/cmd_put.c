//  cmd_put.c - artel artifact put: files into a new version of an artifact.

#include "bar.h"
#include "command.h"
#include "human.h"
#include "interrupt.h"
#include "json.h"
#include "query.h"
#include "reach.h"
#include "sinks.h"
#include "term.h"
#include "wait.h"

#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    SLICE_MS = 200,             //  how often a wait looks whether a signal came
    TIMEOUT_MS = 300000,
    CLOSE_MS = 10000,           //  most for the run's end, once the version is committed
    OTHERS_MS = 10000,          //  and for each of the other sinks
    ACCEPT_MS = 2000,           //  least for the journal: before that nothing is safe
    LEAVE_MS = 500,             //  least for the run's end
};

typedef struct {
    const artel_args_t *args;
    int timeout_ms;
    artel_deadline_t deadline;      //  of all waiting
    artel_deadline_t latest;        //  of reading: never, unless --timeout says how long all may take
    const char *name, *type;
    char known_type[160];           //  of the artifact that is there
    const char *no_hope;            //  why the store will not answer; NULL
    artel_session_t session;
    artel_run_t *run;
    artel_artifact_t *artifact;
    artel_future_t *future;
    artel_bar_t *bar;
    bool has_read;                  //  something
    artel_version_info_t info;
    const char *state;              //  what became of it
    char why[768];                  //  if that is not committed
} put_t;

//  Note why the client refused.
static int
s_fail(put_t *self, int code)
{
    if (code == ARTEL_ECANCELED && artel_interrupted())
        snprintf(self->why, sizeof self->why, "stopped by a signal, and nothing is stored");
    else if (code == ARTEL_ECANCELED)
        snprintf(self->why, sizeof self->why, "%s for longer than --timeout, and nothing is stored",
                 self->has_read ? "its files were read" : "'artel gc' had the store");
    else
        artel_session_why(&self->session, code, self->why, sizeof self->why);
    return code;
}

//  Note why a call on the artifact failed.
static int
s_object(put_t *self, int code)
{
    if (code != 0)
        snprintf(self->why, sizeof self->why, "%s", artel_artifact_error(self->artifact));
    return code;
}

static int
s_add_path(put_t *self, const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return s_object(self, artel_artifact_add_dir(self->artifact, path, NULL));
    return s_object(self, artel_artifact_add_file(self->artifact, path, NULL));
}

static int
s_set_links(put_t *self)
{
    const char *links = artel_args_text(self->args, "links");
    if (!links)
        return 0;
    if (strcmp(links, "keep") == 0)
        return artel_artifact_set_links(self->artifact, ARTEL_LINKS_KEEP_ALL);
    if (strcmp(links, "follow") == 0)
        return artel_artifact_set_links(self->artifact, ARTEL_LINKS_FOLLOW_ALL);
    snprintf(self->why, sizeof self->why, "--links %s: must be keep or follow", links);
    return ARTEL_EINVAL;
}

//  Describe the artifact; nothing is read yet. What fails here is wrong in the command line.
static int
s_describe(put_t *self)
{
    const char *metadata = artel_args_text(self->args, "metadata"), *alias;
    const char *description = artel_args_text(self->args, "description");
    int rc = artel_artifact_new(self->name, self->type, &self->artifact);
    if (rc != 0) {
        snprintf(self->why, sizeof self->why, "'%s' of type '%s': a name is 1 to 128 bytes without "
                 "':' and '/'; an alias goes to --alias", self->name, self->type);
        return rc;
    }
    rc = s_set_links(self);
    for (size_t i = 0; rc == 0 && (alias = artel_args_nth(self->args, "alias", i)) != NULL; i++)
        rc = s_object(self, artel_artifact_add_alias(self->artifact, alias));
    if (rc == 0 && metadata)
        rc = s_object(self, artel_artifact_set_metadata(self->artifact, metadata));
    if (rc == 0 && description)
        rc = s_object(self, artel_artifact_set_description(self->artifact, description));
    return rc;
}

static int
s_progress(void *arg, uint64_t files, uint64_t bytes)
{
    put_t *self = arg;
    self->has_read |= files || bytes;
    artel_bar_move(self->bar, files, bytes);
    return artel_interrupted() || artel_deadline_left(self->latest) == 0;
}

//  Wait until the artifact is in the journal: before that it is not safe. It takes
//  a moment; a signal, too, waits that long.
static int
s_have_accepted(put_t *self)
{
    artel_deadline_t until = artel_deadline(artel_deadline_within(self->deadline, ACCEPT_MS, INT_MAX)), least = artel_deadline(ACCEPT_MS);
    int rc;
    do
        rc = artel_run_flush(self->run, ARTEL_ACCEPTED, SLICE_MS);
    while (rc == ARTEL_ETIMEOUT && artel_deadline_left(until)
           && !(artel_interrupted() && !artel_deadline_left(least)));
    return rc;
}

//  Time counts from here if it is not said how long all may take.
static void
s_start_waiting(put_t *self)
{
    if (self->latest.never)
        self->deadline = artel_deadline(self->timeout_ms);
}

//  Read the files, and have the artifact accepted.
static int
s_send(put_t *self)
{
    int rc = 0;
    for (size_t i = 1; rc == 0 && i < self->args->n; i++)
        rc = s_add_path(self, self->args->operands[i]);
    if (rc != 0)
        return rc;
    artel_run_options_t options = { .size = sizeof options, .hidden = 1, .job_type = "put",
                                    .project = artel_args_text(self->args, "project") };
    rc = artel_run_start(self->session.client, &options, &self->run);
    if (rc == 0) {
        artel_artifact_set_progress(self->artifact, s_progress, self);
        rc = artel_run_log_artifact(self->run, self->artifact, &self->future);
    }
    s_start_waiting(self);
    if (rc == 0)
        rc = s_have_accepted(self);
    return rc == 0 ? 0 : s_fail(self, rc);
}

static void
s_set_queued(put_t *self)
{
    self->state = "queued";
    snprintf(self->why, sizeof self->why, "it is safe on disk, but the store has not committed "
             "it yet%s%s; 'artel sync' delivers it", self->no_hope ? ", because " : "",
             self->no_hope ? self->no_hope : "");
}

//  Wait until the primary sink has it, refuses it, or time or patience is over.
static int
s_wait(put_t *self)
{
    int rc;
    if (self->no_hope)
        self->deadline = artel_deadline(0);
    artel_bar_doing(self->bar, "waiting for the store");
    do
        rc = artel_future_wait(self->future, artel_deadline_within(self->deadline, 0, SLICE_MS));
    while (rc == ARTEL_ETIMEOUT && artel_deadline_left(self->deadline) && !artel_interrupted());
    self->info.size = sizeof self->info;
    artel_future_info(self->future, &self->info);
    self->state = rc == 0 ? "committed" : "failed";
    if (rc == ARTEL_ETIMEOUT)
        s_set_queued(self);
    else if (rc != 0 && artel_future_error(self->future, self->why, sizeof self->why) == 0)
        s_fail(self, rc);
    return rc;
}

//  Give the other sinks a moment; they are not what put waits for.
static void
s_wait_others(put_t *self)
{
    const char *list = artel_args_text(self->args, "sink");
    artel_sinks_t sinks;
    char why[256];
    if (artel_sinks_parse(list ? list : getenv("ARTEL_SINKS"), &sinks, why, sizeof why) != 0)
        return;
    artel_bar_doing(self->bar, "waiting for the other sinks");
    for (size_t i = 0; i < sinks.n; i++)
        if (i != sinks.primary && !artel_interrupted()
            && artel_future_wait_sink(self->future, sinks.at[i].name, artel_deadline_within(self->deadline, 0, OTHERS_MS)) != 0)
            artel_complain("sink %s does not have it yet; 'artel sync' delivers it",
                           sinks.at[i].name);
    artel_sinks_done(&sinks);
}

static void
s_print_json(const put_t *self)
{
    const artel_version_info_t *info = &self->info;
    json_t *row = json_pack("{s:s s:s s:o? s:s? s:s s:I s:I s:b}", "name", self->name,
        "type", self->type,
        "version", info->version >= 0 ? json_sprintf("v%" PRId64, info->version) : NULL,
        "digest", *info->digest ? info->digest : NULL, "state", self->state,
        "files", (json_int_t) info->files, "bytes", (json_int_t) info->bytes, "new", info->fresh);
    if (!row)
        return;
    if (*self->why)
        json_object_set_new(row, "error", artel_json_text(self->why));
    artel_json_put(row, stdout);
    putchar('\n');
    json_decref(row);
}

static void
s_print(const put_t *self)
{
    if (artel_args_has(self->args, "json")) {
        s_print_json(self);
        return;
    }
    if (strcmp(self->state, "committed") == 0)
        printf("%s:v%" PRId64 "  %s  %s%s\n", self->name, self->info.version,
               artel_human_things(self->info.files, "file", ARTEL_HUMAN_BUFFER),
               artel_human_bytes(self->info.bytes, ARTEL_HUMAN_BUFFER),
               self->info.fresh ? "" : "  (unchanged)");
}

static int
s_exit_code(const put_t *self, int rc)
{
    if (rc != 0 && artel_interrupted())
        return ARTEL_EXIT_SIGNAL + artel_interrupted();
    return strcmp(self->state, "queued") == 0 ? ARTEL_EXIT_PENDING
           : rc == 0 ? 0 : ARTEL_EXIT_FAILED;
}

//  Leave. What was not accepted in time, and so has failed, may be accepted even now: then
//  it is in the journal, and will be delivered.
static void
s_close(put_t *self)
{
    bool committed = strcmp(self->state, "committed") == 0, sent = self->future != NULL;
    artel_future_destroy(&self->future);
    artel_artifact_destroy(&self->artifact);
    if (self->run)
        artel_run_finish(&self->run, !committed);
    int rc = artel_session_close(&self->session, committed && !artel_interrupted()
                                 ? artel_deadline_within(self->deadline, LEAVE_MS, CLOSE_MS) : LEAVE_MS, !committed);
    if (rc == ARTEL_EPENDING && sent && !committed)
        s_set_queued(self);
}

//  Look at the store: the type of an artifact that is there, and whether waiting is
//  of any use.
static void
s_look(put_t *self, const artel_place_t *place)
{
    artel_catalogue_t *catalogue = NULL;
    int rc = artel_catalogue_open(place->place, false, &catalogue);
    if (rc == ARTEL_EVERSION)
        self->no_hope = "a newer artel made its catalogue";
    else if (artel_reach_owner(place) == ARTEL_OWNER_OTHER)
        self->no_hope = "another machine delivers from this directory";
    if (rc != 0)
        return;
    artel_query_t query = artel_query(artel_catalogue_db(catalogue),
                                      "SELECT type FROM artifacts WHERE name = ?1");
    artel_query_bind_text(&query, 1, self->name);
    if (artel_query_next(&query))
        snprintf(self->known_type, sizeof self->known_type, "%s", artel_query_text(&query, 0));
    artel_query_end(&query);
    artel_catalogue_close(&catalogue);
}

static int
s_choose_type(put_t *self)
{
    artel_place_t place;
    int rc = artel_reach_place(self->args, &place);
    snprintf(self->known_type, sizeof self->known_type, "artifact");
    if (rc == 0)
        s_look(self, &place);
    artel_reach_done(&place);
    self->type = artel_args_text(self->args, "type");
    if (!self->type)
        self->type = self->known_type;
    return rc;
}

//  How much there is to read, if that is known without looking into folders; else 0.
static uint64_t
s_total(const artel_args_t *args)
{
    uint64_t total = 0;
    struct stat st;
    for (size_t i = 1; i < args->n; i++) {
        if (stat(args->operands[i], &st) != 0 || !S_ISREG(st.st_mode))
            return 0;
        total += (uint64_t) st.st_size;
    }
    return total;
}

static int
s_put(put_t *self)
{
    int rc = s_describe(self);
    if (rc != 0) {
        artel_complain("%s", self->why);
        artel_artifact_destroy(&self->artifact);
        return ARTEL_EXIT_USAGE;
    }
    rc = artel_session_open(self->args, NULL, &self->session);
    if (rc != 0) {
        artel_artifact_destroy(&self->artifact);
        return rc;
    }
    self->bar = artel_bar_new(self->args, "reading", s_total(self->args));
    rc = s_send(self);
    if (rc == 0)
        rc = s_wait(self);
    if (rc == 0)
        s_wait_others(self);
    s_close(self);
    artel_bar_end(&self->bar);
    s_print(self);
    if (rc != 0)
        artel_complain("%s is %s: %s", self->name, self->state, self->why);
    return s_exit_code(self, rc);
}

static int
s_run(const artel_args_t *args)
{
    put_t self = { .args = args, .name = args->operands[0], .state = "failed", .info.version = -1 };
    int rc = artel_args_ms(args, "timeout", TIMEOUT_MS, &self.timeout_ms);
    bool all = artel_args_has(args, "timeout") && self.timeout_ms > 0;
    self.deadline = artel_deadline(self.timeout_ms);
    self.latest = artel_deadline(all ? self.timeout_ms + ACCEPT_MS : -1);
    if (rc == 0)
        rc = s_choose_type(&self);
    if (rc != 0)
        return rc;
    signal(SIGPIPE, SIG_IGN);
    artel_interrupt_start();
    return s_put(&self);
}

static const artel_option_t s_options[] = {
    { "type", 't', "TYPE", "what it is: model, dataset, ... (as before, or artifact)" },
    { "alias", 'a', "ALIAS", "a name for this version, which it takes from another; repeats" },
    { "metadata", 'm', "JSON", "one JSON object that belongs to the version" },
    { "description", 'd', "TEXT", "a text that belongs to the version" },
    { "links", 0, "HOW", "symbolic links: keep all as links, or follow all" },
    { "timeout", 0, "SECONDS", "how long all may take (reading, and 300 for the store)" },
    { 0 },
};

const artel_command_t artel_cmd_put = {
    .name = "artifact put", .operands = "NAME PATH...", .min = 2, .max = -1,
    .brief = "store files as a new version of an artifact",
    .about =
        "What is in a folder PATH goes to the top of the artifact, a file under its base name. A\n"
        "symbolic link to something beneath the folder is kept as a link; one that leaves it is\n"
        "followed; one that dangles or loops refuses the artifact, and so does whatever cannot be\n"
        "kept exactly: what is unreadable, changes while it is read, or is a socket, FIFO or device.\n"
        "Nothing is stored in part. Content equal to the latest version makes no new one.\n\n"
        "It waits until the primary sink has committed the version, or, with --timeout 0, only until\n"
        "it is safe on disk. With --json it prints one object: name, type, version (\"v0\"), digest,\n"
        "state, files, bytes, new, and error if state is not \"committed\" but \"queued\" (safe on disk,\n"
        "not delivered: exit 5) or \"failed\" (exit 1).",
    .options = s_options,
    .examples = "artel artifact put model weights.bin --type model --alias best\n"
                "artel artifact put corpus data/ --metadata '{\"lines\": 1000}' --json",
    .run = s_run,
};
