//  cmd_status.c - artel status: what is accepted and not yet delivered.

#include "command.h"
#include "human.h"
#include "journals.h"
#include "json.h"
#include "listing.h"
#include "query.h"
#include "reach.h"
#include "term.h"
#include "usage.h"

#include <inttypes.h>
#include <time.h>

typedef struct {
    const char *state;
    artel_listing_t *listing;
    uint64_t undelivered;           //  records, of every sink
} status_t;

//  [[3,5],[9,9]] as "3-5 9".
static const char *
s_show_ranges(const json_t *value, char *ret)
{
    size_t used = 0;
    ret[0] = 0;
    for (size_t i = 0; i < json_array_size(value) && used + 1 < ARTEL_HUMAN_TEXT; i++) {
        const json_t *range = json_array_get(value, i);
        json_int_t from = json_integer_value(json_array_get(range, 0));
        json_int_t to = json_integer_value(json_array_get(range, 1));
        used += (size_t) snprintf(ret + used, ARTEL_HUMAN_TEXT - used,
                                  from == to ? "%s%lld" : "%s%lld-%lld", i ? " " : "", from, to);
    }
    return ret;
}

static const artel_column_t s_columns[] = {
    { "run", "RUN", NULL, false, false },
    { "sink", "SINK", NULL, false, false },
    { "state", "PROGRAM", NULL, false, true },
    { "accepted", "ACCEPTED", artel_show_count, true, false },
    { "undelivered", "UNDELIVERED", artel_show_count, true, false },
    { "age", "OLDEST", artel_show_span, true, false },
    { "lost", "LOST", s_show_ranges, false, false },
    { "refused", "REFUSED", artel_show_count, true, false },
    { "bytes", "SIZE", artel_show_bytes, true, false },
    { "error", "LAST ERROR", NULL, false, false },
    { 0 },
};

//  Seconds since ms.
static double
s_age(int64_t ms)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    double age = (double) now.tv_sec + (double) now.tv_nsec / 1e9 - (double) ms / 1000;
    return age > 0 ? age : 0;
}

static void
s_add_range(void *arg, uint64_t from, uint64_t to)
{
    json_array_append_new(arg, json_pack("[I,I]", (json_int_t) from, (json_int_t) to));
}

//  Every range of batches that is missing; the journal is read again only if there is one.
static json_t *
s_lost(const char *state, const artel_journal_look_t *look)
{
    json_t *ranges = json_array();
    if (look->report.lost_from)
        (void) artel_journal_lost(state, look->run, look->writer, s_add_range, ranges);
    return ranges;
}

static json_t *
s_row(const char *state, const artel_journal_look_t *look, const artel_journal_at_t *at)
{
    char writer[ARTEL_ID_TEXT], oldest[ARTEL_HUMAN_TEXT];
    artel_hex(look->writer.at, sizeof look->writer.at, writer);
    const char *error = *look->error ? look->error : *at->error ? at->error : NULL;
    return json_pack("{s:s s:s s:s? s:s s:I s:I s:I s:s? s:o s:o s:I s:I s:o}", "run", look->run,
        "writer", writer, "sink", at->name, "state", look->live ? "live" : "dead",
        "accepted", (json_int_t) look->records, "delivered", (json_int_t) at->delivered,
        "undelivered", (json_int_t) at->undelivered,
        "oldest", at->oldest_ms ? artel_iso_time(at->oldest_ms, oldest) : NULL,
        "age", at->oldest_ms ? json_real(s_age(at->oldest_ms)) : json_null(),
        "lost", s_lost(state, look), "refused", (json_int_t) at->refused,
        "bytes", (json_int_t) look->report.bytes, "error", artel_json_text(error));
}

//  Whether there is nothing to say: it is done, and only its mark is left.
static bool
s_is_done(const artel_journal_look_t *look)
{
    bool done = look->ended && !look->live && !look->report.lost_from && !*look->error;
    for (size_t i = 0; done && i < look->sinks.n; i++)
        done = !look->at[i].undelivered && !look->at[i].refused && !*look->at[i].error;
    return done;
}

static void
s_on_journal(void *arg, const artel_journal_look_t *look)
{
    status_t *self = arg;
    if (s_is_done(look))
        return;
    size_t i = 0;
    do {                                        //  one that names no sink has a row as well
        artel_listing_add(self->listing, s_row(self->state, look, &look->at[i]));
        self->undelivered += look->at[i].undelivered;
    } while (++i < look->sinks.n);
}

//  Writers that are delivered, but not whole: something was refused or lost.
static const char s_marred_sql[] =
    "SELECT r.run AS run, lower(hex(w.writer)) AS writer, ?1 AS sink, 'done' AS state,"
    "       NULL AS accepted, NULL AS delivered, 0 AS undelivered, NULL AS oldest, NULL AS age,"
    "       (SELECT json_group_array(json_array(from_counter, to_counter)) FROM lost"
    "        WHERE writer = w.id) AS \"lost:json\","
    "       (SELECT count(*) FROM refused WHERE writer = w.id) AS refused, NULL AS bytes,"
    "       coalesce((SELECT reason FROM refused WHERE writer = w.id ORDER BY counter DESC LIMIT 1),"
    "                (SELECT reason FROM lost WHERE writer = w.id LIMIT 1)) AS error"
    "  FROM writers w JOIN runs r ON r.id = w.run"
    " WHERE w.exited_ms IS NOT NULL AND (w.id IN (SELECT writer FROM refused)"
    "    OR w.id IN (SELECT writer FROM lost)) ORDER BY w.id";

static int
s_add_marred(status_t *self, const artel_place_t *place)
{
    artel_query_t query = artel_query(place->db, s_marred_sql);
    artel_query_bind_text(&query, 1, place->sink);
    while (artel_query_next(&query))
        artel_listing_add(self->listing, artel_query_row(&query));
    return artel_query_end(&query);
}

static void
s_sum_up(const artel_args_t *args, const status_t *self, const artel_place_t *place)
{
    if (artel_args_has(args, "json"))
        return;
    if (self->undelivered)
        printf("\n%s not delivered; 'artel sync' delivers what programs left that ended\n",
               artel_human_things(self->undelivered, "record", ARTEL_HUMAN_BUFFER));
    else
        printf("%severything accepted is delivered\n",
               artel_listing_count(self->listing) ? "\n" : "");
    printf("%s: journals %s, blobs %s\n", place->state,
           artel_human_bytes(artel_usage_in(place->state, "runs"), ARTEL_HUMAN_BUFFER),
           artel_human_bytes(artel_usage_in(place->state, "blobs"), ARTEL_HUMAN_BUFFER));
}

static int
s_status(const artel_args_t *args, const artel_place_t *place)
{
    status_t self = { .state = place->state, .listing = artel_listing_new(args, s_columns) };
    if (!self.listing)
        return ARTEL_EXIT_FAILED;
    int rc = artel_journals_each(place->state, s_on_journal, &self);
    if (rc == 0)
        rc = s_add_marred(&self, place);
    int printed = artel_listing_print(self.listing);
    if (rc == 0 && printed == 0)
        s_sum_up(args, &self, place);
    artel_listing_destroy(&self.listing);
    return rc ? rc : printed;
}

static int
s_run(const artel_args_t *args)
{
    return artel_reach_read(args, s_status);
}

const artel_command_t artel_cmd_status = {
    .name = "status", .operands = "", .min = 0, .max = 0,
    .brief = "show what is accepted and not yet delivered",
    .about =
        "One row a journal and sink, as long as something is not delivered or its program runs:\n"
        "state is live while it does, else dead. accepted, delivered and undelivered count records,\n"
        "age is that of the oldest undelivered one in seconds. lost has ranges of batches that were\n"
        "accepted and are damaged beyond repair; refused counts what the sink refused for good, and\n"
        "error is the last reason. A journal that is done stays listed if either happened to it.",
    .examples = "artel status\n"
                "artel status --json",
    .run = s_run,
};
