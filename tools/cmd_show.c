//  cmd_show.c - artel show: everything about one run, on one page or as one object.

#include "cells.h"
#include "command.h"
#include "human.h"
#include "journals.h"
#include "json.h"
#include "metrics.h"
#include "plot.h"
#include "term.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

//  One run as an object; each part is a key of it.
typedef struct {
    const artel_args_t *args;
    const artel_place_t *place;
    artel_found_run_t run;
    json_t *page;
    int rc;                         //  the first exit code that is not 0
} show_t;

static const char s_run_sql[] =
    "SELECT r.run AS run, r.project AS project, r.name AS name, r.state AS state,"
    "       r.exit_code AS exit, " ARTEL_SQL_TIME("r.created_ms") " AS created,"
    "       " ARTEL_SQL_TIME("r.finished_ms") " AS finished,"
    "       (coalesce(r.finished_ms, (SELECT max(last_ms) FROM writers WHERE run = r.id))"
    "        - r.created_ms) / 1000.0 AS seconds,"
    "       r.rows AS rows, r.last_step AS last_step, r.run_group AS \"group\","
    "       r.job_type AS job_type, r.notes AS notes, r.world AS world,"
    "       (SELECT json_group_array(tag) FROM tags WHERE run = r.id) AS \"tags:json\""
    "  FROM runs r WHERE r.run = ?1";

static const char s_writers_sql[] =
    "SELECT lower(hex(w.writer)) AS writer, w.rank AS rank, w.host AS host, w.pid AS pid,"
    "       w.program AS program, w.exit_code AS exit, w.crashed AS \"crashed:bool\""
    "  FROM writers w JOIN runs r ON r.id = w.run WHERE r.run = ?1 ORDER BY w.rank, w.id";

static const char s_artifacts_sql[] =
    "SELECT l.direction AS direction, l.name AS name, 'v' || l.version AS version,"
    "       v.type AS type, v.files AS files, v.bytes AS bytes"
    "  FROM artifact_lineage l LEFT JOIN artifact_versions v ON v.name = l.name"
    "   AND v.version = l.version WHERE l.run = ?1 ORDER BY l.direction, l.time_ms, l.name";

//  Loading.

static void
s_note(show_t *self, int rc)
{
    if (self->rc == 0)
        self->rc = rc;
}

static void
s_load_run(show_t *self)
{
    artel_query_t query = artel_query(self->place->db, s_run_sql);
    artel_query_bind_text(&query, 1, self->run.id);
    if (artel_query_next(&query))
        self->page = artel_query_row(&query);
    s_note(self, artel_query_end(&query));
}

static void
s_load_list(show_t *self, const char *key, const char *sql)
{
    json_t *list = json_array();
    artel_query_t query = artel_query(self->place->db, sql);
    artel_query_bind_text(&query, 1, self->run.id);
    while (artel_query_next(&query))
        json_array_append_new(list, artel_query_row(&query));
    s_note(self, artel_query_end(&query));
    json_object_set_new(self->page, key, list);
}

static void
s_load_cells(show_t *self, const char *key, const char *sql)
{
    json_t *cells = json_object();
    artel_query_t query = artel_query(self->place->db, sql);
    artel_query_bind_text(&query, 1, self->run.id);
    while (artel_query_next(&query))
        json_object_set_new(cells, artel_query_text(&query, 0), artel_cell_json(&query, 1));
    s_note(self, artel_query_end(&query));
    json_object_set_new(self->page, key, cells);
}

//  What is not delivered yet of this run.
static void
s_on_journal(void *arg, const artel_journal_look_t *look)
{
    show_t *self = arg;
    for (size_t i = 0; strcmp(look->run, self->run.id) == 0 && i < look->sinks.n; i++)
        if (look->at[i].undelivered || look->live)
            json_array_append_new(json_object_get(self->page, "pending"),
                json_pack("{s:s s:I s:b s:s}", "sink", look->at[i].name, "undelivered",
                          (json_int_t) look->at[i].undelivered, "live", look->live,
                          "error", look->at[i].error));
}

static void
s_load(show_t *self)
{
    json_t *metrics = NULL;
    s_load_run(self);
    if (!self->page)
        return;
    s_load_list(self, "writers", s_writers_sql);
    s_load_cells(self, "config", "SELECT key, type, value FROM config WHERE run = ?1 ORDER BY key");
    s_load_cells(self, "summary", "SELECT key, type, value FROM summary WHERE run = ?1 ORDER BY key");
    s_note(self, artel_metrics_load(self->place->db, &self->run, &metrics));
    json_object_set_new(self->page, "metrics", metrics);
    s_load_list(self, "artifacts", s_artifacts_sql);
    json_object_set_new(self->page, "pending", json_array());
    s_note(self, artel_journals_each(self->place->state, s_on_journal, self));
}

//  Printing.

static const char *
s_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static void
s_put_pair(const char *key, const char *text)
{
    if (!*text)
        return;
    printf("  %-12s ", key);
    artel_term_put(text, stdout);
    putchar('\n');
}

static void
s_put_heading(const show_t *self, const char *text)
{
    bool colours = artel_term_colours(self->args, stdout);
    printf("\n%s%s%s\n", artel_term_ink(colours, ARTEL_INK_BOLD), text,
           artel_term_ink(colours, ARTEL_INK_NONE));
}

//  A key that somebody else chose, padded.
static void
s_put_key(const char *key, int width)
{
    fputs("  ", stdout);
    artel_term_put(key, stdout);
    int len = (int) strlen(key);
    printf("%*s", len < width ? width - len : 0, "");
}

static void
s_put_value(const char *key, const json_t *value, int width)
{
    s_put_key(key, width);
    putchar(' ');
    if (json_is_string(value))
        artel_term_put(json_string_value(value), stdout);
    else
        artel_json_put(value, stdout);
    putchar('\n');
}

static int
s_widest(const json_t *object)
{
    const char *key;
    json_t *value;
    size_t widest = 12;
    json_object_foreach((json_t *) object, key, value)
        if (strlen(key) > widest && strlen(key) <= 32)
            widest = strlen(key);
    return (int) widest;
}

static void
s_put_top(const show_t *self)
{
    const json_t *page = self->page;
    const char *state = s_text(page, "state");
    bool colours = artel_term_colours(self->args, stdout);
    printf("%s%s%s  %s%s%s", artel_term_ink(colours, ARTEL_INK_BOLD), self->run.id,
           artel_term_ink(colours, ARTEL_INK_NONE),
           artel_term_ink(colours, artel_term_state_ink(state)), state,
           artel_term_ink(colours, ARTEL_INK_NONE));
    const json_t *code = json_object_get(page, "exit");
    if (json_is_integer(code))
        printf(", exit %" JSON_INTEGER_FORMAT, json_integer_value(code));
    putchar('\n');
}

static void
s_put_tags(const json_t *tags)
{
    if (json_array_size(tags) == 0)
        return;
    printf("  %-12s ", "tags");
    for (size_t i = 0; i < json_array_size(tags); i++) {
        fputs(i ? ", " : "", stdout);
        artel_term_put(json_string_value(json_array_get(tags, i)), stdout);
    }
    putchar('\n');
}

static void
s_put_facts(const show_t *self)
{
    static const char *const texts[] = { "project", "name", "group", "job_type", "notes" };
    const json_t *page = self->page;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(texts[i], "name") != 0 || strcmp(s_text(page, "name"), self->run.id) != 0)
            s_put_pair(texts[i], s_text(page, texts[i]));
    s_put_tags(json_object_get(page, "tags"));
    char text[ARTEL_HUMAN_TEXT], line[128];
    const json_t *created = json_object_get(page, "created");
    if (json_is_string(created))
        s_put_pair("created", artel_show_time(created, text));
    const json_t *seconds = json_object_get(page, "seconds");
    if (json_is_number(seconds))
        s_put_pair("took", artel_show_span(seconds, text));
    uint64_t rows = (uint64_t) json_integer_value(json_object_get(page, "rows"));
    snprintf(line, sizeof line, "%s", artel_human_count(rows, text));
    if (rows)
        snprintf(line, sizeof line, "%s, last step %" JSON_INTEGER_FORMAT, text,
                 json_integer_value(json_object_get(page, "last_step")));
    s_put_pair("rows", line);
}

//  How a rank stands, with a comma before it; of other programs the run's state says it.
static const char *
s_writer_state(const json_t *writer, char ret[ARTEL_HUMAN_TEXT])
{
    const json_t *code = json_object_get(writer, "exit");
    if (!json_is_integer(json_object_get(writer, "rank")))
        return "";
    if (json_is_true(json_object_get(writer, "crashed")))
        return ", crashed";
    if (!json_is_integer(code))
        return ", running";
    snprintf(ret, ARTEL_HUMAN_TEXT, ", exit %" JSON_INTEGER_FORMAT, json_integer_value(code));
    return json_integer_value(code) ? ret : ", finished";
}

static void
s_put_writer(const json_t *writer, bool first)
{
    char line[512], title[ARTEL_HUMAN_TEXT] = "";
    const json_t *rank = json_object_get(writer, "rank");
    snprintf(line, sizeof line, "%s, pid %" JSON_INTEGER_FORMAT " on %s%s", s_text(writer, "program"),
             json_integer_value(json_object_get(writer, "pid")), s_text(writer, "host"),
             s_writer_state(writer, ARTEL_HUMAN_BUFFER));
    if (json_is_integer(rank))
        snprintf(title, sizeof title, "rank %" JSON_INTEGER_FORMAT, json_integer_value(rank));
    else if (first)
        snprintf(title, sizeof title, "program");
    s_put_pair(title, line);
}

//  The ranks from `from` to `to`, if there are any, behind those said before.
static size_t
s_add_ranks(char *line, size_t used, size_t size, json_int_t from, json_int_t to)
{
    if (from > to || used + 1 >= size)
        return used;
    int n = snprintf(line + used, size - used, "%s%" JSON_INTEGER_FORMAT, used ? ", " : "", from);
    used += (size_t) n;
    if (from < to && used < size)
        used += (size_t) snprintf(line + used, size - used, " to %" JSON_INTEGER_FORMAT, to);
    return used;
}

//  The ranks that no program has come for; the writers are in the order of theirs.
static void
s_put_missing(const show_t *self)
{
    const json_t *writers = json_object_get(self->page, "writers");
    json_int_t next = 0, world = json_integer_value(json_object_get(self->page, "world"));
    char line[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < json_array_size(writers); i++) {
        const json_t *rank = json_object_get(json_array_get(writers, i), "rank");
        if (!json_is_integer(rank))
            continue;
        used = s_add_ranks(line, used, sizeof line, next, json_integer_value(rank) - 1);
        next = json_integer_value(rank) + 1;
    }
    s_add_ranks(line, used, sizeof line, next, world - 1);
    s_put_pair("not come", line);
}

static void
s_put_writers(const show_t *self)
{
    const json_t *writers = json_object_get(self->page, "writers");
    for (size_t i = 0; i < json_array_size(writers); i++)
        s_put_writer(json_array_get(writers, i), i == 0);
    s_put_missing(self);
}

static void
s_put_cells(const show_t *self, const char *title, const char *part)
{
    json_t *cells = json_object_get(self->page, part), *value;
    const json_t *metrics = json_object_get(self->page, "metrics");
    const char *key;
    int width = s_widest(cells);
    bool titled = false;
    json_object_foreach(cells, key, value) {
        if (strcmp(part, "summary") == 0 && json_object_get(metrics, key))
            continue;                           //  its last value stands with the metric
        if (!titled)
            s_put_heading(self, title);
        titled = true;
        s_put_value(key, value, width);
    }
}

static void
s_put_metric(const char *key, const json_t *metric, int width)
{
    const json_t *spark = json_object_get(metric, "spark");
    double values[ARTEL_SPARKS];
    char line[4 * ARTEL_SPARKS + 1], last[ARTEL_HUMAN_TEXT];
    size_t n = json_array_size(spark);
    for (size_t i = 0; i < n; i++)
        values[i] = json_number_value(json_array_get(spark, i));
    artel_sparkline(values, n, artel_term_utf8(), line);
    s_put_key(key, width);
    printf(" %10s  %s%*s", artel_show_real(json_object_get(metric, "last"), last),
           line, (int) (ARTEL_SPARKS - n), "");
    if (n)
        printf("  %s to %s", artel_show_real(json_object_get(metric, "min"), last),
               artel_show_real(json_object_get(metric, "max"), ARTEL_HUMAN_BUFFER));
    putchar('\n');
}

static void
s_put_metrics(const show_t *self)
{
    json_t *metrics = json_object_get(self->page, "metrics"), *metric;
    const char *key;
    if (json_object_size(metrics) == 0)
        return;
    s_put_heading(self, "Metrics");
    json_object_foreach(metrics, key, metric)
        s_put_metric(key, metric, s_widest(metrics));
}

static void
s_put_artifacts(const show_t *self)
{
    const json_t *list = json_object_get(self->page, "artifacts");
    if (json_array_size(list))
        s_put_heading(self, "Artifacts");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *a = json_array_get(list, i);
        printf("  %-12s ", s_text(a, "direction"));
        artel_term_put(s_text(a, "name"), stdout);
        printf(":%s", s_text(a, "version"));
        if (json_is_integer(json_object_get(a, "files")))
            printf("  %s  %s",
                artel_human_things((uint64_t) json_integer_value(json_object_get(a, "files")), "file",
                                   ARTEL_HUMAN_BUFFER),
                artel_human_bytes((uint64_t) json_integer_value(json_object_get(a, "bytes")),
                                  ARTEL_HUMAN_BUFFER));
        else
            fputs("  removed", stdout);
        putchar('\n');
    }
}

static void
s_put_delivery(const show_t *self)
{
    const json_t *list = json_object_get(self->page, "pending");
    s_put_heading(self, "Delivery");
    if (json_array_size(list) == 0)
        printf("  everything is delivered\n");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *at = json_array_get(list, i);
        printf("  %-12s %s undelivered%s%s%s\n", s_text(at, "sink"),
               artel_human_things((uint64_t) json_integer_value(json_object_get(at, "undelivered")),
                                  "record", ARTEL_HUMAN_BUFFER),
               json_is_true(json_object_get(at, "live")) ? ", its program runs" : "",
               *s_text(at, "error") ? ": " : "", s_text(at, "error"));
    }
}

static void
s_print(const show_t *self)
{
    s_put_top(self);
    s_put_facts(self);
    s_put_writers(self);
    s_put_cells(self, "Config", "config");
    s_put_metrics(self);
    s_put_cells(self, "Summary", "summary");
    s_put_artifacts(self);
    s_put_delivery(self);
}

static void
s_print_json(const show_t *self)
{
    json_t *metrics = json_object_get(self->page, "metrics"), *metric;
    const char *key;
    json_object_foreach(metrics, key, metric)
        json_object_del(metric, "spark");
    artel_json_put(self->page, stdout);
    putchar('\n');
}

static int
s_show(const artel_args_t *args, const artel_place_t *place)
{
    show_t self = { .args = args, .place = place };
    self.rc = artel_runs_find(place, args->operands[0], &self.run);
    if (self.rc == 0)
        s_load(&self);
    if (self.rc == 0 && artel_args_has(args, "json"))
        s_print_json(&self);
    else if (self.rc == 0)
        s_print(&self);
    json_decref(self.page);
    return self.rc;
}

static int
s_run(const artel_args_t *args)
{
    return artel_reach_read(args, s_show);
}

const artel_command_t artel_cmd_show = {
    .name = "show", .operands = "RUN", .min = 1, .max = 1,
    .brief = "show everything about one run",
    .about =
        "Its state, configuration, metrics (the last value, their course, and the range), summary,\n"
        "artifacts that came out of it or went into it, and what is not delivered yet. Of a run with\n"
        "ranks it says how each stands, and which have not come. RUN is an id or its unique beginning.\n"
        "--json prints one object.",
    .examples = "artel show first\n"
                "artel show 3f2a --json",
    .run = s_run,
};
