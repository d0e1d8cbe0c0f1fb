//  cmd_history.c - artel history: the rows of a run as a table, CSV, JSON or a plot.

#include "cells.h"
#include "command.h"
#include "curves.h"
#include "history.h"
#include "listing.h"
#include "runs.h"
#include "term.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PLOT_HEIGHT = 18, PLOT_WIDTH = 100 };

static int
s_plot_one(const artel_args_t *args, const artel_place_t *place, const artel_found_run_t *run,
           int64_t rank, const char *key)
{
    int width = artel_term_width(stdout);
    artel_plot_style_t style = { .width = width < PLOT_WIDTH ? width : PLOT_WIDTH,
        .height = PLOT_HEIGHT, .utf8 = artel_term_utf8(),
        .colours = artel_term_colours(args, stdout) };
    artel_points_t points;
    int rc = artel_curve_load(place->db, run, rank, key, &points);
    if (rc == 0 && artel_plot(&(artel_curve_t) { key, points.x, points.y, points.n }, style,
                              stdout) != 0) {
        artel_complain("out of memory");
        rc = ARTEL_EXIT_FAILED;
    }
    artel_points_done(&points);
    return rc;
}

static int
s_plot(const artel_args_t *args, const artel_place_t *place, const artel_found_run_t *run, int64_t rank)
{
    int rc = 0;
    const char *key;
    for (size_t i = 0; rc == 0 && (key = artel_args_nth(args, "plot", i)) != NULL; i++) {
        if (i)
            putchar('\n');
        rc = s_plot_one(args, place, run, rank, key);
    }
    return rc;
}

static int
s_show(const artel_args_t *args, const artel_place_t *place)
{
    artel_found_run_t run;
    int64_t rank;
    int rc = artel_args_number(args, "rank", UINT32_MAX, &rank);
    if (rc == 0)
        rc = artel_runs_find(place, args->operands[0], &run);
    if (rc != 0)
        return rc;
    return artel_args_has(args, "plot") ? s_plot(args, place, &run, rank)
                                        : artel_history_print(args, place->db, &run, rank);
}

static int
s_run(const artel_args_t *args)
{
    if (artel_args_has(args, "csv") + artel_args_has(args, "json") + artel_args_has(args, "plot") > 1) {
        artel_complain("only one of --csv, --json and --plot");
        return ARTEL_EXIT_USAGE;
    }
    return artel_reach_read(args, s_show);
}

static const artel_option_t s_options[] = {
    { "csv", 0, NULL, "comma-separated values with a heading" },
    { "plot", 0, "KEY", "draw this key's values; repeats" },
    { "rank", 0, "N", "only the rows of this rank" },
    { "time", 't', NULL, "also when each row was logged: _timestamp, seconds since 1970" },
    { 0 },
};

const artel_command_t artel_cmd_history = {
    .name = "history", .operands = "RUN [KEY...]", .min = 1, .max = -1,
    .brief = "print or plot the rows of a run",
    .about =
        "One row a row that was logged, in that order, with _step and the logged keys; with KEYs\n"
        "only those, and only rows that have one. RUN is an id or its unique beginning. Rows of a\n"
        "run with ranks ('artel log --rank') have _rank as well, none if nobody's in particular. --json\n"
        "prints integers exactly and reals as they can be read back exactly; JSON has no NaN, so\n"
        "NaN and the infinities are the texts \"NaN\", \"Infinity\" and \"-Infinity\".",
    .options = s_options,
    .examples = "artel history first --plot loss\n"
                "artel history first loss --csv > loss.csv\n"
                "artel history eight --rank 3 --plot loss\n"
                "artel history first --json | tail -1",
    .run = s_run,
};
