//  pending.c - the marks in pending/.
//
//  A mark is made before its journal becomes visible, so one without a journal
//  may be a birth under way. It is removed only when no birth is (layout.h).

#include "pending.h"

#include "errors.h"
#include "fds.h"
#include "frame.h"
#include "layout.h"
#include "marks.h"
#include "segment.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char s_folder[] = "pending";

static int
s_path(const char *state, const char *run, artel_id_t writer, char **ret)
{
    return artel_mark_path(state, s_folder, run, writer, ret);
}

int
artel_pending_mark(const char *state, const char *run, artel_id_t writer)
{
    char *path;
    int rc = s_path(state, run, writer, &path);
    if (rc != 0)
        return rc;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    rc = fd < 0 ? artel_error_of_errno(errno) : 0;
    if (fd >= 0)
        close(fd);
    free(path);
    return rc;
}

int
artel_pending_sync(const char *state)
{
    char *folder = artel_format("%s/%s", state, s_folder);
    int rc = folder ? artel_sync_dir(folder) : ARTEL_ENOMEM;
    free(folder);
    return rc;
}

int
artel_pending_add(const char *state, const char *run, artel_id_t writer)
{
    int rc = artel_pending_mark(state, run, writer);
    return rc == 0 ? artel_pending_sync(state) : rc;
}

int
artel_pending_has(const char *state, const char *run, artel_id_t writer)
{
    char *path;
    int rc = s_path(state, run, writer, &path);
    if (rc != 0)
        return rc;
    if (access(path, F_OK) == 0)
        rc = 1;
    else if (errno != ENOENT)
        rc = artel_error_of_errno(errno);
    free(path);
    return rc;
}

int
artel_pending_remove(const char *state, const char *run, artel_id_t writer)
{
    char *path;
    int rc = s_path(state, run, writer, &path);
    if (rc != 0)
        return rc;
    if (unlink(path) != 0 && errno != ENOENT)
        rc = artel_error_of_errno(errno);
    free(path);
    return rc;
}

//  The batch behind which the newest segment ends in a seal. ARTEL_EAGAIN if it does not.
static int
s_find_seal(const char *folder, artel_id_t writer, uint64_t *ret_last)
{
    uint32_t number;
    struct stat st;
    artel_frame_t seal;
    const void *data;
    artel_segment_t segment = ARTEL_SEGMENT_NONE;
    int rc = artel_segment_before(folder, UINT32_MAX, &number);
    if (rc > 0)
        rc = artel_segment_open(&segment, folder, writer, number);
    else
        rc = rc == 0 ? ARTEL_ENOENT : rc;
    if (rc == 0 && fstat(segment.fd, &st) != 0)
        rc = ARTEL_EIO;
    if (rc == 0 && st.st_size < ARTEL_FRAME_HEADER)
        rc = ARTEL_EAGAIN;
    if (rc == 0) {
        uint64_t at = (uint64_t) st.st_size - ARTEL_FRAME_HEADER;
        rc = artel_segment_frame(&segment, at, &seal, &data);
        rc = rc > 0 && seal.kind == ARTEL_FRAME_SEAL ? 0 : rc < 0 ? rc : ARTEL_EAGAIN;
    }
    artel_segment_done(&segment);
    if (rc == 0)
        *ret_last = seal.counter;
    return rc;
}

//  The same of a journal that is then locked; the lock is the caller's, also if this fails.
static int
s_lock_sealed(const char *state, const char *run, artel_id_t writer, uint64_t *ret_last, int *ret_lock)
{
    char *folder;
    int rc = artel_journal_folder(state, run, writer, &folder);
    if (rc != 0)
        return rc;
    rc = artel_append_lock(folder, 0, ret_lock);
    if (rc == 0)
        rc = s_find_seal(folder, writer, ret_last);
    free(folder);
    return rc;
}

int
artel_pending_sealed(const char *state, const char *run, artel_id_t writer, uint64_t *ret_last)
{
    int lock = -1;
    int rc = s_lock_sealed(state, run, writer, ret_last, &lock);
    artel_fd_close(lock);
    return rc;
}

int
artel_pending_finish(const char *state, const char *run, artel_id_t writer, uint64_t last)
{
    uint64_t end;
    int lock = -1;
    int rc = s_lock_sealed(state, run, writer, &end, &lock);
    if (rc == 0 && end != last)
        rc = ARTEL_EAGAIN;
    if (rc == 0)
        rc = artel_pending_remove(state, run, writer);
    artel_fd_close(lock);
    return rc;
}

//  Whether the mark's journal is there. A mark without one is removed if that is safe.
static bool
s_is_born(const char *state, const char *run, artel_id_t writer)
{
    char *folder;
    struct stat st;
    int lock;
    if (artel_journal_folder(state, run, writer, &folder) != 0)
        return true;
    bool orphan = stat(folder, &st) != 0 && errno == ENOENT;
    if (orphan && artel_births_stop(state, &lock) == 0) {
        if (stat(folder, &st) != 0 && errno == ENOENT)
            artel_pending_remove(state, run, writer);
        artel_fd_close(lock);
    }
    free(folder);
    return !orphan;
}

int
artel_pending_each(const char *state,
                   int (*fn)(void *arg, const char *run, artel_id_t writer), void *arg)
{
    return artel_marks_each(state, s_folder, s_is_born, fn, arg);
}
