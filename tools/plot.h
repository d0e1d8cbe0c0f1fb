//  plot.h - curves in the terminal.

#ifndef ARTEL_PLOT_H
#define ARTEL_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

//  Points in the order they were logged. Those that are not finite are left out
//  and counted.
typedef struct {
    const char *title;
    const int64_t *x;
    const double *y;
    size_t n;
} artel_curve_t;

typedef struct {
    int width, height;              //  columns and lines of the whole plot
    bool utf8;                      //  braille, else ASCII
    bool colours;
} artel_plot_style_t;

//  Draw one curve with its axes. ARTEL_ENOMEM.
int
artel_plot(const artel_curve_t *curve, artel_plot_style_t style, FILE *out);

enum { ARTEL_SPARKS = 32 };

//  n values (NaN: a gap) as one line of blocks; utf8 false: ASCII. ret holds
//  4 * n + 1 bytes.
void
artel_sparkline(const double *values, size_t n, bool utf8, char *ret);

#endif
