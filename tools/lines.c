//  lines.c - lines from a descriptor, as they come.

#include "lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 64 * 1024, ROOM = ARTEL_MAX_LINE + BLOCK };

int
artel_lines_fill(artel_lines_t *self)
{
    if (!self->at && !(self->at = malloc(ROOM))) {
        errno = ENOMEM;
        return -1;
    }
    memmove(self->at, self->at + self->from, self->used - self->from);
    self->used -= self->from;
    self->from = 0;
    ssize_t n = read(self->fd, self->at + self->used, BLOCK);
    if (n < 0)
        return -1;
    self->used += (size_t) n;
    self->ended = n == 0;
    return n > 0;
}

//  What was read holds no whole line: the rest of one that is given out
//  already, one that is too long, or the beginning of one.
static bool
s_take_part(artel_lines_t *self, size_t *ret_len)
{
    size_t len = self->used - self->from;
    if (self->skipping) {
        self->from = self->used;
        return false;
    }
    self->too_long = len > ARTEL_MAX_LINE;
    self->skipping = self->too_long;
    if (!self->too_long && (!self->ended || len == 0))
        return false;
    *ret_len = len;
    self->from = self->used;
    return true;
}

bool
artel_lines_next(artel_lines_t *self, const char **ret_line, size_t *ret_len)
{
    for (;;) {
        const char *line = self->at + self->from;
        char *end = memchr(line, '\n', self->used - self->from);
        size_t len = end ? (size_t) (end - line) : 0;
        if (!end && !s_take_part(self, &len))
            return false;
        if (end)
            self->from += len + 1;
        bool rest = end && self->skipping;
        if (end) {
            self->skipping = false;
            self->too_long = len > ARTEL_MAX_LINE;
        }
        if (rest)
            continue;
        self->number++;
        *ret_line = line;
        *ret_len = len;
        return true;
    }
}

void
artel_lines_done(artel_lines_t *self)
{
    free(self->at);
    self->at = NULL;
}
