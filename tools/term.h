//  term.h - what the terminal can show, and what is said to the person at it.
//
//  Data goes to stdout, talk to stderr. Colour says nothing that words do not.

#ifndef ARTEL_TERM_H
#define ARTEL_TERM_H

#include "args.h"

#include <stdio.h>

typedef enum {
    ARTEL_INK_NONE, ARTEL_INK_BOLD, ARTEL_INK_DIM, ARTEL_INK_RED, ARTEL_INK_GREEN,
    ARTEL_INK_YELLOW, ARTEL_INK_BLUE, ARTEL_INK_MAGENTA, ARTEL_INK_CYAN,
} artel_ink_t;

//  Use the user's characters; where nobody chose a locale, UTF-8. Numbers stay C's.
void
artel_term_start(void);

//  Whether out takes colour: --color, else NO_COLOR, else a terminal that is not dumb.
bool
artel_term_colours(const artel_args_t *args, FILE *out);

//  The escape that begins an ink, or ends it (ARTEL_INK_NONE); "" without colours.
const char *
artel_term_ink(bool colours, artel_ink_t ink);

//  The ink of a state: green if all is well, red if not, yellow between.
artel_ink_t
artel_term_state_ink(const char *state);

//  Columns of the terminal at out: COLUMNS, what the terminal says, or 80.
int
artel_term_width(FILE *out);

bool
artel_term_utf8(void);

//  Whether a line on out can be drawn over: a terminal that is not dumb.
bool
artel_term_redraws(FILE *out);

//  Print a text somebody else wrote: control characters as \xNN, so that it cannot
//  steer the terminal.
void
artel_term_put(const char *text, FILE *out);

//  One sentence on stderr. say is talk, which --quiet silences.
void
artel_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
void
artel_say(const artel_args_t *args, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
