//  cmd_runs.c - artel runs ls: the runs, newest last.

#include "command.h"
#include "query.h"
#include "reach.h"
#include "listing.h"
#include "term.h"

static const char s_sql[] =
    "SELECT r.run AS run, r.project AS project, r.name AS name, r.state AS state,"
    "       " ARTEL_SQL_TIME("r.created_ms") " AS created, r.rows AS rows,"
    "       r.last_step AS last_step, r.exit_code AS exit,"
    "       " ARTEL_SQL_TIME("r.finished_ms") " AS finished, r.run_group AS \"group\","
    "       r.job_type AS job_type, r.notes AS notes,"
    "       (SELECT json_group_array(tag) FROM tags WHERE run = r.id) AS \"tags:json\","
    "       r.hidden AS \"hidden:bool\""
    "  FROM runs r WHERE (?1 OR NOT r.hidden) AND (?2 IS NULL OR r.project = ?2)"
    " ORDER BY r.created_ms, r.id";

static const artel_column_t s_columns[] = {
    { "run", "RUN", NULL, false, false },
    { "project", "PROJECT", NULL, false, false },
    { "name", "NAME", NULL, false, false },
    { "state", "STATE", NULL, false, true },
    { "created", "CREATED", artel_show_time, false, false },
    { "rows", "ROWS", artel_show_count, true, false },
    { "last_step", "LAST STEP", NULL, true, false },
    { "exit", "EXIT", NULL, true, false },
    { 0 },
};

//  In the table a name that only repeats the id is left out.
static json_t *
s_row(const artel_args_t *args, const artel_query_t *query)
{
    json_t *row = artel_query_row(query);
    if (row && !artel_args_has(args, "json")
        && json_equal(json_object_get(row, "run"), json_object_get(row, "name")))
        json_object_set_new(row, "name", json_null());
    return row;
}

static int
s_list(const artel_args_t *args, const artel_place_t *place)
{
    size_t n;
    artel_query_t query = artel_query(place->db, s_sql);
    artel_query_bind_int(&query, 1, artel_args_has(args, "all"));
    if (artel_args_has(args, "project"))
        artel_query_bind_text(&query, 2, artel_args_text(args, "project"));
    int rc = artel_query_list(&query, args, s_columns, s_row, &n);
    if (rc == 0 && n == 0)
        artel_say(args, "no runs in %s", place->place);
    return rc;
}

static int
s_run(const artel_args_t *args)
{
    return artel_reach_read(args, s_list);
}

static const artel_option_t s_options[] = {
    { "all", 'a', NULL, "also the runs that 'artel artifact put' made for itself" },
    { 0 },
};

const artel_command_t artel_cmd_runs = {
    .name = "runs ls", .operands = "", .min = 0, .max = 0,
    .brief = "list the runs",
    .about = "One row a run, newest last; with --project of that project only. state is running,\n"
             "finished, failed or crashed; a program that died is running until 'artel sync' looks.",
    .options = s_options,
    .examples = "artel runs ls --project demo\n"
                "artel runs ls --all --json | tail -1",
    .run = s_run,
};
