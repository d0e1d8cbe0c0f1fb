//  journals.c - looking at the journals that are not delivered everywhere.

#include "journals.h"

#include "batch.h"
#include "catalogue.h"
#include "command.h"
#include "errors.h"
#include "fds.h"
#include "layout.h"
#include "outcomes.h"
#include "pending.h"
#include "presence.h"
#include "state.h"
#include "term.h"

#include <fcntl.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

//  What is passed to each of many.
typedef struct {
    const char *state;
    void (*fn)(void *arg, const artel_journal_look_t *look);
    void *arg;
} visit_t;

//  Counters up to which each sink has everything.
typedef uint64_t marks_t[ARTEL_MAX_SINKS];

//  Whether somebody holds the append lock: asked, not taken.
static bool
s_has_appender(const char *state, const char *run, artel_id_t writer)
{
    char *folder, *path = NULL;
    if (artel_journal_folder(state, run, writer, &folder) == 0) {
        path = artel_format("%s/append.lock", folder);
        free(folder);
    }
    int fd = path ? artel_fd_open(path, O_RDONLY) : -1;
    bool held = fd >= 0 && artel_fd_is_locked(fd) == 1;
    artel_fd_close(fd);
    free(path);
    return held;
}

//  Whether the program runs. Of one that logs through a service its presence says that, as the appender is the
//  service; a linked one has none, and is the appender.
static bool
s_is_live(const char *state, const char *run, artel_id_t writer)
{
    int live = artel_presence_check(state, run, writer);
    return live == ARTEL_ENOENT ? s_has_appender(state, run, writer) : live == 1;
}

//  How far a store has come; its own catalogue says.
static void
s_ask_store(const char *state, const artel_sink_t *sink, artel_id_t writer, uint64_t *ret_mark,
            artel_journal_at_t *at)
{
    artel_catalogue_t *catalogue = NULL;
    *ret_mark = 0;
    int rc = artel_catalogue_open(sink->place ? sink->place : state, false, &catalogue);
    if (rc == 0)
        rc = artel_catalogue_position(catalogue, writer, ret_mark);
    if (rc != 0 && rc != ARTEL_ENOENT)
        snprintf(at->error, sizeof at->error, "its catalogue cannot be read: %s",
                 artel_error_code_text(rc));
    artel_catalogue_close(&catalogue);
}

static void
s_on_outcome(void *arg, const artel_outcome_t *outcome)
{
    artel_journal_at_t *at = arg;
    if (outcome->status == 0)
        return;
    at->refused++;
    snprintf(at->error, sizeof at->error, "%s", outcome->text);
}

static void
s_ask_sinks(const char *state, artel_journal_look_t *look, marks_t marks)
{
    for (size_t i = 0; i < look->sinks.n; i++) {
        look->at[i] = (artel_journal_at_t) { .name = look->sinks.at[i].name };
        s_ask_store(state, &look->sinks.at[i], look->writer, &marks[i], &look->at[i]);
        artel_outcomes_each(state, look->run, look->writer, look->at[i].name, s_on_outcome,
                            &look->at[i]);
    }
}

//  When a record was logged; 0 if it does not say.
static int64_t
s_time_of(const artel_msg_t *msg)
{
    switch (msg->id) {
    case ARTEL_MSG_RUN: return msg->run.at_ms;
    case ARTEL_MSG_RUN_START: return msg->run_start.at_ms;
    case ARTEL_MSG_HISTORY: return msg->history.at_ms;
    case ARTEL_MSG_ARTIFACT_SEND: return msg->artifact_send.at_ms;
    case ARTEL_MSG_USE_ARTIFACT: return msg->use_artifact.at_ms;
    case ARTEL_MSG_EXIT: return msg->exit.at_ms;
    default: return 0;
    }
}

//  The records of a batch, when the first was logged, and whether the last is an exit.
static uint64_t
s_count(const void *data, size_t len, msgpack_zone *zone, int64_t *ret_ms, bool *ret_ended)
{
    artel_batch_reader_t reader;
    artel_msg_t msg;
    uint64_t n = 0;
    *ret_ms = 0;
    msgpack_zone_clear(zone);
    if (artel_batch_read(data, len, zone, &reader) != 0)
        return 0;
    for (; artel_batch_next(&reader, &msg) > 0; n++) {
        if (*ret_ms == 0)
            *ret_ms = s_time_of(&msg);
        *ret_ended = msg.id == ARTEL_MSG_EXIT;
    }
    return n;
}

static void
s_count_for(artel_journal_at_t *at, bool has, uint64_t records, int64_t ms)
{
    if (has) {
        at->delivered += records;
        return;
    }
    at->undelivered += records;
    if (at->oldest_ms == 0)
        at->oldest_ms = ms;
}

//  Every batch: is it delivered, and where?
static int
s_count_all(artel_journal_reader_t *reader, artel_journal_look_t *look, const marks_t marks)
{
    msgpack_zone zone;
    if (!msgpack_zone_init(&zone, 8192))
        return ARTEL_ENOMEM;
    uint64_t counter;
    const void *data;
    size_t len;
    int rc;
    while ((rc = artel_journal_reader_next(reader, &counter, &data, &len)) > 0) {
        int64_t ms;
        uint64_t records = s_count(data, len, &zone, &ms, &look->ended);
        look->records += records;
        for (size_t i = 0; i < look->sinks.n; i++)
            s_count_for(&look->at[i], counter <= marks[i], records, ms);
    }
    msgpack_zone_destroy(&zone);
    return rc;
}

static int
s_look(const char *state, artel_journal_look_t *look)
{
    marks_t marks;
    char why[128];
    artel_journal_reader_t *reader;
    int rc = artel_journal_examine(state, look->run, look->writer, &look->report);
    if (rc == 0)
        rc = artel_journal_reader_open(state, look->run, look->writer, &reader);
    if (rc != 0)
        return rc;
    rc = artel_sinks_parse(artel_journal_reader_sinks(reader), &look->sinks, why, sizeof why);
    if (rc == 0) {
        s_ask_sinks(state, look, marks);
        artel_journal_reader_salvage(reader);
        rc = s_count_all(reader, look, marks);
    }
    artel_journal_reader_close(&reader);
    return rc;
}

static int
s_visit(void *arg, const char *run, artel_id_t writer)
{
    visit_t *visit = arg;
    artel_journal_look_t *look = calloc(1, sizeof *look);
    if (!look)
        return ARTEL_ENOMEM;
    snprintf(look->run, sizeof look->run, "%s", run);
    look->writer = writer;
    look->live = s_is_live(visit->state, run, writer);
    int rc = s_look(visit->state, look);
    if (rc != 0)
        snprintf(look->error, sizeof look->error, "it cannot be read: %s", artel_error_code_text(rc));
    if (rc != ARTEL_ENOENT)                     //  gone meanwhile: it is delivered
        visit->fn(visit->arg, look);
    artel_sinks_done(&look->sinks);
    free(look);
    return 0;
}

int
artel_journals_each(const char *state, void (*fn)(void *arg, const artel_journal_look_t *look),
                    void *arg)
{
    int rc = artel_pending_each(state, s_visit, &(visit_t) { state, fn, arg });
    if (rc == 0 || rc == ARTEL_ENOENT)
        return 0;
    artel_complain("%s/pending cannot be read: %s", state, artel_error_code_text(rc));
    return ARTEL_EXIT_FAILED;
}

//  The list so far, and whether it could grow.
typedef struct {
    const char *state;
    char *list;                     //  malloc'ed, or NULL
    int rc;
} wanted_t;

//  Whether list names the sink that item is: [NAME=]KIND[:PLACE].
static bool
s_names(const char *list, const artel_sink_t *sink)
{
    artel_sinks_t sinks;
    char why[128];
    if (!list || artel_sinks_parse(list, &sinks, why, sizeof why) != 0)
        return false;
    bool named = artel_sinks_find(&sinks, sink->name, strlen(sink->name)) >= 0;
    artel_sinks_done(&sinks);
    return named;
}

static int
s_want(wanted_t *self, const artel_sink_t *sink)
{
    if (s_names(self->list, sink))
        return 0;
    char *list = artel_format("%s%s%s=%s%s%s", self->list ? self->list : "", self->list ? "," : "",
                              sink->name, sink->kind, sink->place ? ":" : "",
                              sink->place ? sink->place : "");
    if (!list)
        return ARTEL_ENOMEM;
    free(self->list);
    self->list = list;
    return 0;
}

static int
s_want_all(wanted_t *self, const char *list)
{
    artel_sinks_t sinks;
    char why[256];
    int rc = artel_sinks_parse(list, &sinks, why, sizeof why);
    if (rc != 0) {
        artel_complain("%s", why);
        return rc;
    }
    for (size_t i = 0; rc == 0 && i < sinks.n; i++)
        rc = s_want(self, &sinks.at[i]);
    artel_sinks_done(&sinks);
    return rc;
}

static int
s_visit_wanted(void *arg, const char *run, artel_id_t writer)
{
    wanted_t *self = arg;
    artel_journal_reader_t *reader;
    if (artel_journal_reader_open(self->state, run, writer, &reader) != 0)
        return 0;
    const char *sinks = artel_journal_reader_sinks(reader);
    if (sinks && *sinks)
        self->rc = s_want_all(self, sinks);
    artel_journal_reader_close(&reader);
    return self->rc;
}

char *
artel_journals_wanted(const char *state, const char *list)
{
    wanted_t self = { .state = state };
    if (list)
        self.rc = s_want_all(&self, list);
    int rc = self.rc == 0 ? artel_pending_each(state, s_visit_wanted, &self) : self.rc;
    if (rc == ARTEL_ENOENT || (rc == 0 && self.list))
        rc = 0;
    if (rc == 0 && !self.list && !(self.list = strdup("store")))
        rc = ARTEL_ENOMEM;
    if (rc == 0)
        return self.list;
    artel_complain("the wanted sinks cannot be found: %s", artel_error_code_text(rc));
    free(self.list);
    return NULL;
}
