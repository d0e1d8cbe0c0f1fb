//  metrics.c - one pass over the rows of a run.

#include "metrics.h"

#include "cells.h"
#include "command.h"
#include "json.h"
#include "plot.h"
#include "term.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char *key;
    uint64_t count;
    double min, max, last;
    int64_t exact_min, exact_max, exact_last;   //  if every value is an integer
    bool exact;
    double sums[ARTEL_SPARKS];
    uint64_t counts[ARTEL_SPARKS];
} metric_t;

typedef struct {
    metric_t *at;
    size_t n;
    size_t hint;                    //  where the last key was: they come in the same order in each row
    uint64_t rows;
} metrics_t;

static metric_t *
s_find(metrics_t *self, const char *key)
{
    for (size_t i = 0; i < self->n; i++) {
        size_t k = (self->hint + 1 + i) % self->n;
        if (strcmp(self->at[k].key, key) == 0) {
            self->hint = k;
            return &self->at[k];
        }
    }
    metric_t *at = realloc(self->at, (self->n + 1) * sizeof *at);
    if (!at)
        return NULL;
    self->at = at;
    self->hint = self->n;
    at[self->n] = (metric_t) { .key = strdup(key), .min = HUGE_VAL, .max = -HUGE_VAL, .last = NAN,
                               .exact_min = INT64_MAX, .exact_max = INT64_MIN, .exact = true };
    return at[self->n].key ? &at[self->n++] : NULL;
}

static void
s_add_exact(metric_t *metric, int64_t value)
{
    metric->exact_last = value;
    metric->exact_min = value < metric->exact_min ? value : metric->exact_min;
    metric->exact_max = value > metric->exact_max ? value : metric->exact_max;
}

static void
s_add(metric_t *metric, double value, size_t spark)
{
    metric->count++;
    metric->last = value;
    if (!isfinite(value))
        return;
    metric->min = fmin(metric->min, value);
    metric->max = fmax(metric->max, value);
    metric->sums[spark] += value;
    metric->counts[spark]++;
}

//  Take the cell in hand, if it is a number. -1 if out of memory.
static int
s_take(metrics_t *self, const artel_query_t *query)
{
    double value;
    if (!artel_cell_number(query, 2, &value))
        return 0;
    metric_t *metric = s_find(self, artel_query_text(query, 1));
    if (!metric)
        return -1;
    uint64_t row = (uint64_t) artel_query_int(query, 0);
    uint64_t spark = self->rows ? row * ARTEL_SPARKS / self->rows : 0;
    s_add(metric, value, spark < ARTEL_SPARKS ? spark : ARTEL_SPARKS - 1);
    metric->exact &= artel_cell_is_int(query, 2);
    if (metric->exact)
        s_add_exact(metric, artel_query_int(query, 3));
    return 0;
}

static json_t *
s_pack(const metric_t *metric)
{
    json_t *spark = json_array();
    for (size_t i = 0; spark && i < ARTEL_SPARKS; i++)
        if (metric->counts[i])
            json_array_append_new(spark, artel_json_real(metric->sums[i]
                                                         / (double) metric->counts[i]));
    if (metric->exact)
        return json_pack("{s:I s:I s:I s:I s:o}", "count", (json_int_t) metric->count, "min",
                         (json_int_t) metric->exact_min, "max", (json_int_t) metric->exact_max,
                         "last", (json_int_t) metric->exact_last, "spark", spark);
    bool any = metric->min <= metric->max;
    return json_pack("{s:I s:o s:o s:o s:o}", "count", (json_int_t) metric->count,
                     "min", any ? json_real(metric->min) : json_null(),
                     "max", any ? json_real(metric->max) : json_null(),
                     "last", artel_json_real(metric->last), "spark", spark);
}

static int
s_scan(metrics_t *self, sqlite3 *db, const artel_found_run_t *run)
{
    artel_query_t query = artel_query(db,
        "SELECT row, key, type, value FROM history WHERE run = ?1 ORDER BY row");
    artel_query_bind_text(&query, 1, run->id);
    int failed = 0;
    while (!failed && artel_query_next(&query))
        failed = s_take(self, &query);
    int rc = artel_query_end(&query);
    if (failed)
        artel_complain("out of memory");
    return failed ? ARTEL_EXIT_FAILED : rc;
}

int
artel_metrics_load(sqlite3 *db, const artel_found_run_t *run, json_t **ret)
{
    metrics_t self = { .n = 0 };
    artel_query_t query = artel_query(db, "SELECT rows FROM runs WHERE id = ?1");
    artel_query_bind_int(&query, 1, run->row);
    if (artel_query_next(&query))
        self.rows = (uint64_t) artel_query_int(&query, 0);
    int rc = artel_query_end(&query);
    if (rc == 0)
        rc = s_scan(&self, db, run);
    json_t *metrics = json_object();
    for (size_t i = 0; i < self.n; i++) {
        json_object_set_new(metrics, self.at[i].key, s_pack(&self.at[i]));
        free(self.at[i].key);
    }
    free(self.at);
    *ret = metrics;
    return rc;
}
