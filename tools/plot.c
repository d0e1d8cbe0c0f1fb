//  plot.c - drawing curves with braille dots, two wide and four high a character.

#include "plot.h"

#include "errors.h"
#include "human.h"
#include "term.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_WIDTH = 10 };

//  A raster of dots, row 0 at the top.
typedef struct {
    int cols, rows;                 //  in characters
    int dots_x, dots_y;             //  a character's
    unsigned char *cells;           //  the bits of each character's dots
} raster_t;

typedef struct {
    double x0, x1, y0, y1;
    size_t finite;
} range_t;

static void
s_set(raster_t *r, int x, int y)
{
    static const unsigned char bits[4][2] = { { 1, 8 }, { 2, 16 }, { 4, 32 }, { 64, 128 } };
    if (x >= 0 && y >= 0 && x < r->cols * r->dots_x && y < r->rows * r->dots_y)
        r->cells[y / r->dots_y * r->cols + x / r->dots_x] |= bits[y % r->dots_y][x % r->dots_x];
}

//  Bresenham's line.
static void
s_line(raster_t *r, int x0, int y0, int x1, int y1)
{
    int dx = abs(x1 - x0), dy = -abs(y1 - y0);
    int sx = x0 < x1 ? 1 : -1, sy = y0 < y1 ? 1 : -1;
    for (int error = dx + dy;;) {
        s_set(r, x0, y0);
        if (x0 == x1 && y0 == y1)
            return;
        int twice = 2 * error;
        if (twice >= dy) {
            error += dy;
            x0 += sx;
        }
        if (twice <= dx) {
            error += dx;
            y0 += sy;
        }
    }
}

static range_t
s_range(const artel_curve_t *curve)
{
    range_t range = { HUGE_VAL, -HUGE_VAL, HUGE_VAL, -HUGE_VAL, 0 };
    for (size_t i = 0; i < curve->n; i++) {
        if (!isfinite(curve->y[i]))
            continue;
        range.x0 = fmin(range.x0, (double) curve->x[i]);
        range.x1 = fmax(range.x1, (double) curve->x[i]);
        range.y0 = fmin(range.y0, curve->y[i]);
        range.y1 = fmax(range.y1, curve->y[i]);
        range.finite++;
    }
    return range;
}

//  Where value is between low and high, from 0 to steps - 1; the middle if they are one.
static int
s_scale(double value, double low, double high, int steps)
{
    double span = high / 2 - low / 2;               //  halves: the span itself may overflow
    double at = span > 0 ? (value / 2 - low / 2) / span : 0.5;
    return (int) lround(at * (steps - 1));
}

static void
s_draw(raster_t *r, const artel_curve_t *curve, const range_t *range)
{
    int w = r->cols * r->dots_x, h = r->rows * r->dots_y, last_x = -1, last_y = 0;
    for (size_t i = 0; i < curve->n; i++) {
        if (!isfinite(curve->y[i])) {
            last_x = -1;                            //  a gap
            continue;
        }
        int x = s_scale((double) curve->x[i], range->x0, range->x1, w);
        int y = h - 1 - s_scale(curve->y[i], range->y0, range->y1, h);
        s_line(r, last_x < 0 ? x : last_x, last_x < 0 ? y : last_y, x, y);
        last_x = x;
        last_y = y;
    }
}

static void
s_put_cell(unsigned char bits, bool utf8, FILE *out)
{
    if (!bits)
        putc(' ', out);
    else if (utf8)
        fprintf(out, "\xe2%c%c", 0xa0 + (bits >> 6), 0x80 + (bits & 63));    //  U+2800 + bits
    else
        putc('*', out);
}

//  The label of a line of the plot: the highest, middle and lowest value.
static void
s_put_label(const raster_t *r, const range_t *range, int row, bool utf8, FILE *out)
{
    char text[ARTEL_HUMAN_TEXT] = "";
    bool flat = range->y0 == range->y1;
    if (row == 0 && !flat)
        artel_human_real(range->y1, text);
    else if (row == r->rows / 2)
        artel_human_real(range->y0 / 2 + range->y1 / 2, text);
    else if (row == r->rows - 1 && !flat)
        artel_human_real(range->y0, text);
    fprintf(out, "%*s %s", LABEL_WIDTH, text, utf8 ? *text ? "┤" : "│" : *text ? "+" : "|");
}

static void
s_put_rows(const raster_t *r, const range_t *range, artel_plot_style_t style, FILE *out)
{
    for (int row = 0; row < r->rows; row++) {
        s_put_label(r, range, row, style.utf8, out);
        int end = r->cols;
        while (end > 0 && !r->cells[row * r->cols + end - 1])
            end--;
        fputs(artel_term_ink(style.colours, ARTEL_INK_CYAN), out);
        for (int col = 0; col < end; col++)
            s_put_cell(r->cells[row * r->cols + col], style.utf8, out);
        fprintf(out, "%s\n", artel_term_ink(style.colours, ARTEL_INK_NONE));
    }
}

static void
s_put_axis(const raster_t *r, const range_t *range, bool utf8, FILE *out)
{
    char first[24], last[24];
    fprintf(out, "%*s %s", LABEL_WIDTH, "", utf8 ? "└" : "+");
    for (int col = 0; col < r->cols; col++)
        fputs(utf8 ? "─" : "-", out);
    snprintf(first, sizeof first, "%.0f", range->x0);
    snprintf(last, sizeof last, "%.0f", range->x1);
    int gap = r->cols - (int) strlen(first) - (int) strlen(last);
    fprintf(out, "\n%*s  %s", LABEL_WIDTH, "", first);
    if (range->x0 < range->x1)
        fprintf(out, "%*s%s", gap > 1 ? gap : 1, "", last);
    putc('\n', out);
}

static void
s_put_title(const artel_curve_t *curve, const range_t *range, artel_plot_style_t style, FILE *out)
{
    fprintf(out, "%*s  %s", LABEL_WIDTH, "", artel_term_ink(style.colours, ARTEL_INK_BOLD));
    artel_term_put(curve->title, out);
    fputs(artel_term_ink(style.colours, ARTEL_INK_NONE), out);
    if (curve->n > range->finite)
        fprintf(out, "  (%zu of %zu values are not finite)", curve->n - range->finite, curve->n);
    putc('\n', out);
}

int
artel_plot(const artel_curve_t *curve, artel_plot_style_t style, FILE *out)
{
    range_t range = s_range(curve);
    s_put_title(curve, &range, style, out);
    if (!range.finite)
        return 0;
    raster_t r = { .cols = style.width - LABEL_WIDTH - 2, .rows = style.height - 3,
                   .dots_x = style.utf8 ? 2 : 1, .dots_y = style.utf8 ? 4 : 1 };
    r.cells = calloc((size_t) r.cols * (size_t) r.rows, 1);
    if (!r.cells)
        return ARTEL_ENOMEM;
    s_draw(&r, curve, &range);
    s_put_rows(&r, &range, style, out);
    s_put_axis(&r, &range, style.utf8, out);
    free(r.cells);
    return 0;
}

void
artel_sparkline(const double *values, size_t n, bool utf8, char *ret)
{
    static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
    static const char ascii[] = "_.-=+*#@";
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (size_t i = 0; i < n; i++)
        if (isfinite(values[i])) {
            low = fmin(low, values[i]);
            high = fmax(high, values[i]);
        }
    char *at = ret;
    for (size_t i = 0; i < n; i++) {
        int level = isfinite(values[i]) ? s_scale(values[i], low, high, 8) : -1;
        if (level < 0)
            *at++ = ' ';
        else if (!utf8)
            *at++ = ascii[level];
        else
            at = stpcpy(at, blocks[level]);
    }
    *at = 0;
}
