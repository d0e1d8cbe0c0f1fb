//  runs.c - finding a run in the catalogue.

#include "runs.h"

#include "command.h"
#include "query.h"
#include "term.h"

#include <stdio.h>
#include <string.h>

enum { MAX_NAMED = 4 };

static const char s_sql[] =
    "SELECT id, run, world FROM runs WHERE run = ?1 OR substr(run, 1, length(?1)) = ?1"
    " ORDER BY run <> ?1, run LIMIT 5";

static void
s_take(const artel_query_t *query, artel_found_run_t *ret)
{
    ret->row = artel_query_int(query, 0);
    snprintf(ret->id, sizeof ret->id, "%s", artel_query_text(query, 1));
    ret->world = artel_query_int(query, 2);
}

int
artel_runs_find(const artel_place_t *place, const char *text, artel_found_run_t *ret)
{
    artel_found_run_t found[MAX_NAMED + 1];
    int n = 0;
    artel_query_t query = artel_query(place->db, s_sql);
    artel_query_bind_text(&query, 1, text);
    while (n <= MAX_NAMED && artel_query_next(&query))
        s_take(&query, &found[n++]);
    int rc = artel_query_end(&query);
    if (rc != 0)
        return rc;
    bool exact = n > 0 && strcmp(found[0].id, text) == 0;
    if (*text && (n == 1 || exact)) {
        *ret = found[0];
        return 0;
    }
    if (n == 0)
        artel_complain("there is no run '%s' in %s", text, place->place);
    else
        artel_complain("'%s' is the beginning of several runs: %s, %s%s", text, found[0].id,
                       found[n > 1].id, n > 2 ? ", ..." : "");
    return ARTEL_EXIT_NOT_FOUND;
}
