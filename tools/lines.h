//  lines.h - lines from a descriptor, as they come.

#ifndef ARTEL_LINES_H
#define ARTEL_LINES_H

#include <stdbool.h>
#include <stddef.h>

enum { ARTEL_MAX_LINE = 1024 * 1024 };

typedef struct {
    int fd;
    char *at;                       //  what was read; NULL before the first
    size_t from, used;              //  of it, what is not given out yet
    size_t number;                  //  of the last line given out
    bool too_long;                  //  the last line is cut: it was over ARTEL_MAX_LINE
    bool skipping;                  //  its rest is still to come
    bool ended;                     //  nothing more is to come
} artel_lines_t;

//  Read what is there, waiting for something. 1, 0 at the end, or -1 with errno.
int
artel_lines_fill(artel_lines_t *self);

//  The next whole line of what was read, without its newline; at the end also a
//  last one that has none. It lives until the next call of fill.
bool
artel_lines_next(artel_lines_t *self, const char **ret_line, size_t *ret_len);

void
artel_lines_done(artel_lines_t *self);

#endif
