//  stream.c - the loop that every large blob goes through.

#include "stream.h"

#include "errors.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { WRITE_BACK = 8 * 1024 * 1024 };      //  bytes that are sent to the disk at a time

int
artel_write_all(int fd, const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno != EINTR)
            return artel_error_of_errno(errno);
        if (n > 0) {
            at += n;
            len -= (size_t) n;
        }
    }
    return 0;
}

ssize_t
artel_read_at(int fd, void *data, size_t len, uint64_t offset)
{
    size_t got = 0;
    while (got < len) {
        ssize_t n = pread(fd, (char *) data + got, len - got, (off_t) (offset + got));
        if (n == 0)
            break;
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0)
            got += (size_t) n;
    }
    return (ssize_t) got;
}

static int
s_read(const artel_stream_t *s, void *buffer, size_t *ret_len)
{
    uint64_t left = s->limit - s->bytes;
    size_t want = left < ARTEL_HASH_BUFFER ? (size_t) left : ARTEL_HASH_BUFFER;
    if (s->data) {
        memcpy(buffer, (const char *) s->data + s->bytes, want);
        *ret_len = want;
        return 0;
    }
    ssize_t n = artel_read_at(s->in, buffer, want, s->offset + s->bytes);
    if (n < 0)
        return artel_error_of_errno(errno);
    *ret_len = (size_t) n;
    return 0;
}

static bool
s_is_zero(const char *at, size_t len)
{
    return at[0] == 0 && memcmp(at, at + 1, len - 1) == 0;
}

static int
s_write(const artel_stream_t *s, const void *buffer, size_t len)
{
    if (s->out < 0)
        return 0;
    if (s->sparse && s_is_zero(buffer, len))
        return lseek(s->out, (off_t) len, SEEK_CUR) < 0 ? artel_error_of_errno(errno) : 0;
    return artel_write_all(s->out, buffer, len);
}

//  Start the disk on what is written since it was last started. Only a hint:
//  whoever syncs the file hears of errors.
static void
s_write_back(const artel_stream_t *s, uint64_t before)
{
    uint64_t from = before / WRITE_BACK * WRITE_BACK;
    if (s->write_back && s->bytes / WRITE_BACK > before / WRITE_BACK)
        (void) sync_file_range(s->out, (off_t) from, WRITE_BACK, SYNC_FILE_RANGE_WRITE);
}

static int
s_step(artel_hash_t *hash, artel_stream_t *s, bool *ret_more)
{
    size_t len = 0;
    void *buffer = artel_hash_buffer(hash);
    int rc = s_read(s, buffer, &len);
    if (rc != 0)
        return rc;
    *ret_more = len == ARTEL_HASH_BUFFER;
    if (len == 0)
        return 0;
    artel_hash_push(hash, len);
    rc = s_write(s, buffer, len);
    if (rc != 0) {
        s->write_failed = true;
        return rc;
    }
    uint64_t before = s->bytes;
    s->bytes += len;
    s_write_back(s, before);
    return s->tick && s->tick(s->arg, len) != 0 ? ARTEL_ECANCELED : 0;
}

//  A hole at the end is no bytes of the file yet.
static int
s_set_size(artel_stream_t *s)
{
    if (!s->sparse || s->out < 0 || ftruncate(s->out, (off_t) s->bytes) == 0)
        return 0;
    s->write_failed = true;
    return artel_error_of_errno(errno);
}

int
artel_stream(artel_hash_t *hash, artel_stream_t *stream, artel_digest_t *ret)
{
    bool more = true;
    stream->bytes = 0;
    stream->write_failed = false;
    int rc = artel_hash_begin(hash);
    while (rc == 0 && more)
        rc = s_step(hash, stream, &more);
    if (rc == 0)
        rc = s_set_size(stream);
    if (rc == 0)
        artel_hash_end(hash, ret);
    return rc;
}
