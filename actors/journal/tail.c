//  tail.c - the segment at the end of a journal, as the file that is written.

#include "tail.h"

#include "errors.h"
#include "fds.h"
#include "frame.h"
#include "layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

//  Have the disk set room bytes aside, so that a full disk is met here and not
//  in the middle of a frame; it also halves the cost of fdatasync. A file
//  system that cannot (musl's EOPNOTSUPP, EINVAL) finds out later.
static int
s_reserve(int fd, uint64_t room)
{
    int err;
    do
        err = posix_fallocate(fd, 0, (off_t) room);
    while (err == EINTR);
    return err == 0 || err == EOPNOTSUPP || err == EINVAL ? 0 : artel_error_of_errno(err);
}

static int
s_create(const char *folder, uint32_t *number, int *ret_fd)
{
    int fd;
    while ((fd = artel_segment_fd(folder, *number, O_WRONLY | O_CREAT | O_EXCL)) < 0) {
        if (errno != EEXIST)
            return artel_error_of_errno(errno);
        ++*number;
    }
    *ret_fd = fd;
    return 0;
}

int
artel_tail_new(const char *folder, artel_id_t writer, uint32_t number, uint64_t room, artel_tail_t **ret)
{
    artel_tail_t *self = malloc(sizeof *self);
    int fd = -1, rc = self ? s_create(folder, &number, &fd) : ARTEL_ENOMEM;
    if (rc != 0) {
        free(self);
        return rc;
    }
    *self = (artel_tail_t) { .fd = fd, .number = number, .seed = artel_frame_seed(writer, number), .room = room };
    rc = s_reserve(fd, room);
    if (rc == 0) {
        *ret = self;
    } else {
        artel_segment_unlink(folder, number);
        artel_tail_destroy(&self);
    }
    return rc;
}

void
artel_tail_destroy(artel_tail_t **self_p)
{
    if (!*self_p)
        return;
    artel_fd_close((*self_p)->fd);
    free(*self_p);
    *self_p = NULL;
}

int
artel_tail_write(const artel_tail_t *self, struct iovec *parts, int n, uint64_t offset)
{
    while (n > 0) {
        ssize_t done = pwritev(self->fd, parts, n, (off_t) offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? artel_error_of_errno(errno) : ARTEL_EIO;
        offset += (uint64_t) done;
        while (n > 0 && (size_t) done >= parts->iov_len) {
            done -= (ssize_t) parts->iov_len;
            parts++;
            n--;
        }
        if (n > 0) {
            parts->iov_base = (char *) parts->iov_base + done;
            parts->iov_len -= (size_t) done;
        }
    }
    return 0;
}

int
artel_tail_sync(const artel_tail_t *self)
{
    while (fdatasync(self->fd) != 0)
        if (errno != EINTR)
            return artel_error_of_errno(errno);
    return 0;
}

void
artel_tail_trim(const artel_tail_t *self, uint64_t size)
{
    int ignored = ftruncate(self->fd, (off_t) size);
    (void) ignored;
}

void
artel_tail_rest(artel_tail_t *self)
{
    if (self->fd >= 0)
        artel_tail_trim(self, self->end);
    artel_fd_close(self->fd);
    self->fd = -1;
}

int
artel_tail_reopen(artel_tail_t *self, const char *folder)
{
    if (self->fd < 0)
        self->fd = artel_segment_fd(folder, self->number, O_WRONLY);
    return self->fd < 0 ? artel_error_of_errno(errno) : 0;
}

int
artel_tail_wake(artel_tail_t *self, const char *folder)
{
    if (self->fd >= 0)
        return 0;
    int rc = artel_tail_reopen(self, folder);
    if (rc == 0)
        rc = s_reserve(self->fd, self->room);
    if (rc != 0)
        artel_tail_rest(self);
    return rc;
}
