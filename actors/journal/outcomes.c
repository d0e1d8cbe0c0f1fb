//  outcomes.c - the lines of <sink>.outcomes.
//
//  A line is sixteen hex digits of XXH3-64 (seeded with the writer) over the rest of the line,
//  then counter, xid, status, version, fresh, and the text with \n, \r and \\ escaped:
//
//      5f2c… 12 00112233445566778899aabbccddeeff 0 3 1 \n

#include "outcomes.h"

#include "errors.h"
#include "fds.h"
#include "frame.h"
#include "layout.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SUM = 16,                   //  digits of the checksum
    MAX_TEXT = sizeof(((artel_outcome_t *) 0)->text),
    MAX_LINE = 2 * MAX_TEXT + 256,
};

struct artel_outcomes {
    int fd;                     //  holds the sink's lock
    uint64_t seed;
    bool torn;                  //  the file does not end in a newline
};

static bool
s_sink_legal(const char *sink)
{
    size_t len = strspn(sink, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
    return len > 0 && sink[len] == 0;
}

static int
s_path(const char *state, const char *run, artel_id_t writer, const char *sink, char **ret)
{
    char *folder;
    if (!s_sink_legal(sink))
        return ARTEL_EINVAL;
    int rc = artel_journal_folder(state, run, writer, &folder);
    if (rc != 0)
        return rc;
    char *path = artel_format("%s/%s.outcomes", folder, sink);
    free(folder);
    if (!path)
        return ARTEL_ENOMEM;
    *ret = path;
    return 0;
}

//  Whether the last line was cut off by a crash or a full disk.
static int
s_find_end(artel_outcomes_t *self)
{
    struct stat st;
    char last = '\n';
    if (fstat(self->fd, &st) != 0 || (st.st_size > 0 && pread(self->fd, &last, 1, st.st_size - 1) != 1))
        return ARTEL_EIO;
    self->torn = last != '\n';
    return 0;
}

int
artel_outcomes_open(const char *state, const char *run, artel_id_t writer,
                    const char *sink, artel_outcomes_t **ret)
{
    char *path;
    int rc = s_path(state, run, writer, sink, &path);
    if (rc != 0)
        return rc;
    artel_outcomes_t *self = calloc(1, sizeof *self);
    if (!self) {
        free(path);
        return ARTEL_ENOMEM;
    }
    self->seed = artel_frame_seed(writer, 0);
    self->fd = artel_fd_open(path, O_RDWR | O_APPEND | O_CREAT);
    rc = self->fd < 0 ? artel_error_of_errno(errno) : artel_fd_lock(self->fd, true, false);
    free(path);
    if (rc == 0)
        rc = s_find_end(self);
    if (rc == 0)
        *ret = self;
    else
        artel_outcomes_close(&self);
    return rc;
}

void
artel_outcomes_close(artel_outcomes_t **self_p)
{
    if (!*self_p)
        return;
    artel_fd_close((*self_p)->fd);
    free(*self_p);
    *self_p = NULL;
}

//  The text without line ends, so that a line is one fact.
static void
s_escape(const char *text, char *ret)
{
    for (; *text; text++) {
        const char *escape = *text == '\n' ? "\\n" : *text == '\r' ? "\\r" : *text == '\\' ? "\\\\" : NULL;
        if (escape)
            *ret++ = *escape++;
        *ret++ = escape ? *escape : *text;
    }
    *ret = 0;
}

static void
s_unescape(const char *text, char *ret, size_t size)
{
    size_t n = 0;
    for (; *text && n < size - 1; text++) {
        bool escaped = *text == '\\' && text[1];
        text += escaped;
        ret[n++] = !escaped ? *text : *text == 'n' ? '\n' : *text == 'r' ? '\r' : *text;
    }
    ret[n] = 0;
}

//  The line with its newline; returns its length.
static size_t
s_print(const artel_outcomes_t *self, const artel_outcome_t *outcome, char line[MAX_LINE])
{
    char xid[ARTEL_ID_TEXT], text[2 * MAX_TEXT];
    artel_hex(outcome->xid.at, sizeof outcome->xid.at, xid);
    s_escape(outcome->text, text);
    char *rest = line + SUM + 1;
    int len = snprintf(rest, MAX_LINE - SUM - 1, "%" PRIu64 " %s %" PRId64 " %" PRId64 " %d %s",
                       outcome->counter, xid, outcome->status, outcome->version, outcome->fresh, text);
    snprintf(line, SUM + 1, "%016" PRIx64, artel_frame_sum(rest, (size_t) len, self->seed));
    line[SUM] = ' ';
    rest[len] = '\n';
    return SUM + 1 + (size_t) len + 1;
}

int
artel_outcomes_add(artel_outcomes_t *self, const artel_outcome_t *outcome)
{
    char line[1 + MAX_LINE] = "\n";
    size_t len = 1 + s_print(self, outcome, line + 1), done = !self->torn;
    while (done < len) {
        ssize_t n = write(self->fd, line + done, len - done);
        if (n < 0 && errno != EINTR)
            return artel_error_of_errno(errno);
        if (n > 0) {
            done += (size_t) n;
            self->torn = done < len;
        }
    }
    return 0;
}

//  Whether line (without its newline) is intact, and what it says.
static bool
s_parse(char *line, size_t len, uint64_t seed, artel_outcome_t *ret)
{
    artel_outcome_t found = { .counter = 0 };
    char xid[ARTEL_ID_TEXT], sum[SUM + 2], *rest = line + SUM + 1;
    int fresh, text;
    if (len < SUM + 1 || strlen(line) != len)
        return false;
    snprintf(sum, sizeof sum, "%016" PRIx64 " ", artel_frame_sum(rest, len - SUM - 1, seed));
    if (memcmp(line, sum, SUM + 1) != 0
        || sscanf(rest, "%" SCNu64 " %32s %" SCNd64 " %" SCNd64 " %d%n", &found.counter, xid,
                  &found.status, &found.version, &fresh, &text) != 5
        || strlen(xid) != ARTEL_ID_TEXT - 1 || !artel_unhex(xid, sizeof found.xid.at, found.xid.at)
        || rest[text] != ' ')
        return false;
    found.fresh = fresh;
    s_unescape(rest + text + 1, found.text, sizeof found.text);
    *ret = found;
    return true;
}

int
artel_outcomes_each(const char *state, const char *run, artel_id_t writer, const char *sink,
                    void (*fn)(void *arg, const artel_outcome_t *outcome), void *arg)
{
    char *path, *line = NULL;
    int rc = s_path(state, run, writer, sink, &path);
    if (rc != 0)
        return rc;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    FILE *in = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (!in)
        rc = errno == ENOENT ? 0 : artel_error_of_errno(errno);
    free(path);
    size_t size = 0;
    ssize_t len;
    while (in && (len = getline(&line, &size, in)) > 0) {
        artel_outcome_t outcome;
        bool whole = line[len - 1] == '\n';
        line[len - whole] = 0;
        if (whole && s_parse(line, (size_t) len - 1, artel_frame_seed(writer, 0), &outcome))
            fn(arg, &outcome);
    }
    if (in && ferror(in))
        rc = ARTEL_EIO;
    free(line);
    if (in)
        fclose(in);
    return rc;
}
