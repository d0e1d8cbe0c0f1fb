//  segment.c - reading one segment: the frame at an offset, through one buffer.

#include "segment.h"

#include "errors.h"
#include "fds.h"
#include "layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

//  A reader that keeps up with a writer reads little at a time: behind the last
//  frame there are only zeros. One that catches up reads more and more.
enum { AHEAD_MIN = 16 * 1024, AHEAD_MAX = 256 * 1024, BUFFER = (ARTEL_FRAME_MAX | 4095) + 1 };

_Static_assert((int) BUFFER >= (int) ARTEL_FRAME_MAX && BUFFER >= AHEAD_MAX, "any frame fits");

int
artel_segment_open(artel_segment_t *self, const char *folder, artel_id_t writer, uint32_t number)
{
    if (!self->buffer && !(self->buffer = malloc(BUFFER)))
        return ARTEL_ENOMEM;
    int fd = artel_segment_fd(folder, number, O_RDONLY);
    if (fd < 0)
        return artel_error_of_errno(errno);
    artel_fd_close(self->fd);
    self->fd = fd;
    self->number = number;
    self->seed = artel_frame_seed(writer, number);
    artel_segment_forget(self);
    return 0;
}

void
artel_segment_done(artel_segment_t *self)
{
    artel_fd_close(self->fd);
    free(self->buffer);
    *self = (artel_segment_t) ARTEL_SEGMENT_NONE;
}

void
artel_segment_forget(artel_segment_t *self)
{
    self->have = 0;
    self->ahead = AHEAD_MIN;
}

//  Fill the buffer from offset on, with at least need bytes if the file has them.
static int
s_fill(artel_segment_t *self, uint64_t offset, size_t need)
{
    size_t want = need > self->ahead ? need : self->ahead;
    self->ahead = self->ahead * 2 < AHEAD_MAX ? self->ahead * 2 : AHEAD_MAX;
    self->base = offset;
    self->have = 0;
    while (self->have < need) {
        ssize_t n = pread(self->fd, self->buffer + self->have, want - self->have,
                          (off_t) (offset + self->have));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ARTEL_EIO;
        if (n == 0)
            break;
        self->have += (size_t) n;
    }
    return 0;
}

//  The bytes at offset: *ret_have of them are buffered, fewer than need only at the end.
static int
s_bytes(artel_segment_t *self, uint64_t offset, size_t need, const uint8_t **ret, size_t *ret_have)
{
    bool inside = offset >= self->base && offset + need <= self->base + self->have;
    int rc = inside ? 0 : s_fill(self, offset, need);
    if (rc != 0)
        return rc;
    *ret = self->buffer + (offset - self->base);
    *ret_have = (size_t) (self->base + self->have - offset);
    return 0;
}

static bool
s_is_zero(const uint8_t *at, size_t n)
{
    return n == 0 || (at[0] == 0 && memcmp(at, at + 1, n - 1) == 0);
}

int
artel_segment_frame(artel_segment_t *self, uint64_t offset, artel_frame_t *ret,
                    const void **ret_data)
{
    const uint8_t *at;
    size_t have;
    artel_frame_t frame;
    int rc = s_bytes(self, offset, ARTEL_FRAME_HEADER, &at, &have);
    if (rc != 0 || have < ARTEL_FRAME_HEADER || !artel_frame_decode(at, self->seed, &frame))
        return rc;
    //  The zeros behind the last payload may be past the end of a file that was cut.
    size_t size = ARTEL_FRAME_HEADER + frame.len;
    rc = s_bytes(self, offset, size, &at, &have);
    if (rc != 0 || have < size)
        return rc;
    const uint8_t *data = at + ARTEL_FRAME_HEADER;
    if (artel_frame_sum(data, frame.len, self->seed) != frame.sum)
        return 0;
    *ret = frame;
    *ret_data = data;
    return 1;
}

//  "artel journal " and then a digit above ours.
static int
s_check_version(artel_segment_t *self)
{
    const uint8_t *at;
    size_t have, digit = ARTEL_SEGMENT_MARK - 2;
    int rc = s_bytes(self, 0, ARTEL_SEGMENT_MARK, &at, &have);
    if (rc != 0 || have < ARTEL_SEGMENT_MARK || memcmp(at, ARTEL_SEGMENT_TEXT, digit) != 0)
        return rc;
    return at[digit] > ARTEL_SEGMENT_TEXT[digit] && at[digit] <= '9' ? ARTEL_EVERSION : 0;
}

int
artel_segment_head(artel_segment_t *self, artel_frame_t *ret, const void **ret_data)
{
    artel_frame_t frame;
    const void *data = NULL;
    int rc = artel_segment_frame(self, ARTEL_SEGMENT_MARK, &frame, &data);
    if (rc == 0)
        return s_check_version(self);
    if (rc < 0 || frame.kind != ARTEL_FRAME_HEAD)
        return rc < 0 ? rc : 0;
    *ret = frame;
    *ret_data = data;
    return 1;
}

//  Where the file has data from offset on; false if it has none. Preallocated
//  space that was never written is no data, and need not be read.
static bool
s_skip_hole(artel_segment_t *self, uint64_t offset, uint64_t *ret)
{
    off_t data = lseek(self->fd, (off_t) offset, SEEK_DATA);
    if (data < 0 && errno == ENXIO)
        return false;
    *ret = data > (off_t) offset ? (uint64_t) data & ~(uint64_t) 7 : offset;
    return true;
}

//  Bytes to pass, in steps of 8, until a header that verifies or too few bytes for one.
static size_t
s_pass(const artel_segment_t *self, const uint8_t *at, size_t have)
{
    artel_frame_t frame;
    size_t passed = 0;
    while (have - passed >= ARTEL_FRAME_HEADER && !artel_frame_decode(at + passed, self->seed, &frame))
        passed += 8;
    return passed;
}

static int
s_scan(artel_segment_t *self, uint64_t offset, uint64_t *ret_offset)
{
    offset = (offset + 7) & ~(uint64_t) 7;
    for (;;) {
        const uint8_t *at;
        size_t have;
        if (!s_skip_hole(self, offset, &offset))
            return 0;
        int rc = s_bytes(self, offset, ARTEL_FRAME_HEADER, &at, &have);
        if (rc != 0 || have < ARTEL_FRAME_HEADER)
            return rc;
        size_t passed = s_pass(self, at, have);
        artel_frame_t frame;
        const void *data;
        offset += passed;
        if (have - passed < ARTEL_FRAME_HEADER)
            continue;
        rc = artel_segment_frame(self, offset, &frame, &data);
        if (rc != 0) {
            *ret_offset = offset;
            return rc;
        }
        offset += 8;
    }
}

//  The writer's bytes become visible in their order, but a read beside a write may
//  miss what it copied first and see what it copied last. Once a frame is
//  seen, what lies before it is final; so look again.
int
artel_segment_find(artel_segment_t *self, uint64_t offset, uint64_t *ret_offset)
{
    uint64_t seen;
    int rc = s_scan(self, offset, &seen);
    artel_segment_forget(self);
    return rc > 0 ? s_scan(self, offset, ret_offset) : rc;
}

int
artel_segment_is_blank(artel_segment_t *self, uint64_t offset)
{
    for (;;) {
        const uint8_t *at;
        size_t have;
        if (!s_skip_hole(self, offset, &offset))
            return 1;
        int rc = s_bytes(self, offset, 1, &at, &have);
        if (rc != 0)
            return rc;
        if (have == 0)
            return 1;
        if (!s_is_zero(at, have))
            return 0;
        offset += have;
    }
}

static int
s_begins(artel_segment_t *self, bool any_frame, artel_segment_start_t *ret)
{
    artel_frame_t frame;
    const void *data;
    uint64_t offset;
    int rc = artel_segment_head(self, &frame, &data);
    if (rc == 0 && any_frame) {
        rc = artel_segment_find(self, ARTEL_SEGMENT_MARK, &offset);
        if (rc > 0)
            rc = artel_segment_frame(self, offset, &frame, &data);
    }
    if (rc > 0)
        *ret = (artel_segment_start_t) { .number = self->number,
            .before = frame.counter - (frame.kind == ARTEL_FRAME_BATCH),
            .is_first = frame.kind == ARTEL_FRAME_HEAD && frame.flags & ARTEL_FRAME_START };
    return rc;
}

static int
s_find_begun(const char *folder, artel_id_t writer, uint32_t number, bool any_frame,
             artel_segment_start_t *ret)
{
    artel_segment_t segment = ARTEL_SEGMENT_NONE;
    int rc, found = 0;
    while (found == 0 && (rc = artel_segment_after(folder, number, &number)) > 0) {
        rc = artel_segment_open(&segment, folder, writer, number);
        if (rc == 0)
            found = s_begins(&segment, any_frame, ret);
        else if (rc != ARTEL_ENOENT)            //  its birth failed
            found = rc;
    }
    artel_segment_done(&segment);
    return found != 0 ? found : rc;
}

//  One that was passed over may have begun meanwhile. But once a later one has,
//  it is final which have; so look again.
int
artel_segment_find_next(const char *folder, artel_id_t writer, uint32_t number, bool any_frame,
                        artel_segment_start_t *ret)
{
    artel_segment_start_t found;
    int rc = s_find_begun(folder, writer, number, any_frame, &found);
    if (rc > 0 && found.number != number + 1)
        rc = s_find_begun(folder, writer, number, any_frame, &found);
    if (rc > 0)
        *ret = found;
    return rc;
}
