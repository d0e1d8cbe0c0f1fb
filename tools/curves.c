//  curves.c - the values of one key of a run as points.

#include "curves.h"

#include "cells.h"
#include "command.h"
#include "term.h"

#include <stdlib.h>

static int
s_add(artel_points_t *self, int64_t x, double y)
{
    if (self->n == self->room) {
        size_t room = self->room ? 2 * self->room : 1024;
        int64_t *xs = realloc(self->x, room * sizeof *xs);
        if (xs)
            self->x = xs;
        double *ys = realloc(self->y, room * sizeof *ys);
        if (ys)
            self->y = ys;
        if (!xs || !ys)
            return -1;
        self->room = room;
    }
    self->x[self->n] = x;
    self->y[self->n++] = y;
    return 0;
}

int
artel_curve_load(sqlite3 *db, const artel_found_run_t *run, int64_t rank, const char *key,
                 artel_points_t *ret)
{
    *ret = (artel_points_t) { .n = 0 };
    artel_query_t query = artel_query(db, "SELECT step, type, value FROM history"
                                          " WHERE run = ?1 AND key = ?2 AND (?3 < 0 OR rank = ?3) ORDER BY row");
    artel_query_bind_text(&query, 1, run->id);
    artel_query_bind_text(&query, 2, key);
    artel_query_bind_int(&query, 3, rank);
    double y;
    int failed = 0;
    while (!failed && artel_query_next(&query))
        if (artel_cell_number(&query, 1, &y))
            failed = s_add(ret, artel_query_int(&query, 0), y);
    int rc = artel_query_end(&query);
    if (failed) {
        artel_complain("out of memory");
        rc = ARTEL_EXIT_FAILED;
    } else if (rc == 0 && ret->n == 0) {
        artel_complain("run %s has no number under '%s'", run->id, key);
        rc = ARTEL_EXIT_NOT_FOUND;
    }
    return rc;
}

void
artel_points_done(artel_points_t *self)
{
    free(self->x);
    free(self->y);
    *self = (artel_points_t) { .n = 0 };
}
