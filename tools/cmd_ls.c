//  cmd_ls.c - artel artifact ls: the versions of artifacts, oldest first.

#include "command.h"
#include "query.h"
#include "reach.h"
#include "listing.h"
#include "term.h"

static const char s_sql[] =
    "SELECT v.name AS name, v.type AS type, 'v' || v.version AS version, v.digest AS digest,"
    "       'committed' AS state, v.files AS files, v.bytes AS bytes,"
    "       (SELECT json_group_array(alias) FROM (SELECT l.alias FROM aliases l"
    "        JOIN artifacts a ON a.id = l.artifact"
    "        WHERE a.name = v.name AND l.version = v.version ORDER BY l.alias)) AS \"aliases:json\","
    "       v.description AS description, v.metadata AS \"metadata:json\", v.run AS run,"
    "       " ARTEL_SQL_TIME("v.created_ms") " AS created"
    "  FROM artifact_versions v WHERE ?1 IS NULL OR v.name = ?1 ORDER BY v.name, v.version";

static const artel_column_t s_columns[] = {
    { "name", "NAME", NULL, false, false },
    { "version", "VERSION", NULL, false, false },
    { "type", "TYPE", NULL, false, false },
    { "files", "FILES", artel_show_count, true, false },
    { "bytes", "SIZE", artel_show_bytes, true, false },
    { "digest", "DIGEST", artel_show_digest, false, false },
    { "created", "CREATED", artel_show_time, false, false },
    { "aliases", "ALIASES", NULL, false, false },
    { 0 },
};

static int
s_list(const artel_args_t *args, const artel_place_t *place)
{
    size_t n;
    artel_query_t query = artel_query(place->db, s_sql);
    if (args->n)
        artel_query_bind_text(&query, 1, args->operands[0]);
    int rc = artel_query_list(&query, args, s_columns, NULL, &n);
    if (rc == 0 && n == 0)
        artel_say(args, "no version of %s in %s", args->n ? args->operands[0] : "any artifact",
                  place->place);
    return rc;
}

static int
s_run(const artel_args_t *args)
{
    return artel_reach_read(args, s_list);
}

const artel_command_t artel_cmd_ls = {
    .name = "artifact ls", .operands = "[NAME]", .min = 0, .max = 1,
    .brief = "list the versions of artifacts",
    .about = "One row a version, oldest first; without NAME of all artifacts. An unknown NAME has\n"
             "no rows, which is no error. The keys of --json are those of 'artifact put', and\n"
             "aliases, description, metadata, run and created.",
    .examples = "artel artifact ls\n"
                "artel artifact ls model --json",
    .run = s_run,
};
