//  also.c - sinks that a journal is to go to besides those of its birth.

#include "also.h"

#include "errors.h"
#include "fds.h"
#include "layout.h"
#include "pending.h"
#include "reader.h"
#include "state.h"
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LONGEST = 64 << 10 };

int
artel_also_read(const char *folder, char **ret)
{
    char *path = artel_format("%s/also", folder), *text = calloc(1, LONGEST + 1);
    int fd = path && text ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    int rc = !path || !text ? ARTEL_ENOMEM : fd < 0 && errno != ENOENT ? artel_error_of_errno(errno) : 0;
    if (fd >= 0 && artel_read_at(fd, text, LONGEST, 0) < 0)
        rc = ARTEL_EIO;
    if (fd >= 0)
        close(fd);
    free(path);
    if (rc == 0)
        *ret = text;
    else
        free(text);
    return rc;
}

static int
s_write(const char *folder, const char *text)
{
    char *draft = artel_format("%s/also.new", folder), *path = artel_format("%s/also", folder);
    int fd = draft && path ? open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    int rc = !draft || !path ? ARTEL_ENOMEM : fd < 0 ? artel_error_of_errno(errno)
             : artel_write_all(fd, text, strlen(text));
    if (rc == 0 && (fdatasync(fd) != 0 || rename(draft, path) != 0))
        rc = artel_error_of_errno(errno);
    if (fd >= 0)
        close(fd);
    free(draft);
    free(path);
    return rc == 0 ? artel_sync_dir(folder) : rc;
}

//  Where a journal goes, its own list first; ARTEL_ENOENT if there is nothing of it to go anywhere.
static int
s_wanted(const char *state, const char *run, artel_id_t writer, char **ret)
{
    artel_journal_report_t report;
    artel_journal_reader_t *reader;
    int rc = artel_journal_examine(state, run, writer, &report);
    if (rc == 0 && report.frames == 0 && report.last > 0)
        return ARTEL_ENOENT;
    if (rc == 0)
        rc = artel_journal_reader_open(state, run, writer, &reader);
    if (rc != 0)
        return rc;
    *ret = strdup(artel_journal_reader_sinks(reader));
    artel_journal_reader_close(&reader);
    return *ret ? 0 : ARTEL_ENOMEM;
}

//  The item to add for a sink, which the caller frees: NULL if the list has it, or wants all there are.
static int
s_item(const char *wanted, const artel_sink_t *sink, char **ret)
{
    char why[256];
    artel_sinks_t sinks, one = { .at = { *sink }, .n = 1 };
    *ret = NULL;
    if (!*wanted)
        return 0;
    int rc = artel_sinks_parse(wanted, &sinks, why, sizeof why);
    if (rc != 0)
        return ARTEL_EPROTO;
    if (artel_sinks_same(&sinks, sink) < 0) {
        rc = artel_sinks_add(&sinks, sink);
        if (rc == 0 && !(*ret = artel_sinks_format(&one)))
            rc = ARTEL_ENOMEM;
    }
    artel_sinks_done(&sinks);
    return rc;
}

//  The append lock is held.
static int
s_add(const char *state, const char *folder, const char *run, artel_id_t writer, const artel_sink_t *sink)
{
    char *wanted = NULL, *also = NULL, *item = NULL, *text = NULL;
    int rc = s_wanted(state, run, writer, &wanted);
    if (rc == 0)
        rc = s_item(wanted, sink, &item);
    if (rc == 0)
        rc = artel_also_read(folder, &also);
    if (rc == 0 && item) {
        text = artel_format("%s%s%s", also, *also ? "," : "", item);
        rc = text ? s_write(folder, text) : ARTEL_ENOMEM;
    }
    if (rc == 0)
        rc = artel_pending_add(state, run, writer);
    free(wanted);
    free(also);
    free(item);
    free(text);
    return rc;
}

int
artel_also_add(const char *state, const char *run, artel_id_t writer, const artel_sink_t *sink)
{
    char *folder;
    int lock, rc = artel_journal_folder(state, run, writer, &folder);
    if (rc != 0)
        return rc;
    rc = artel_append_lock(folder, 0, &lock);
    if (rc == 0) {
        rc = s_add(state, folder, run, writer, sink);
        artel_fd_close(lock);
    }
    free(folder);
    return rc;
}
