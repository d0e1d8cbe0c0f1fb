//  md5.c - MD5, which other people's stores name bytes by.

#include "md5.h"

#include "errors.h"
#include "stream.h"

#include <errno.h>
#include <stdlib.h>

int
artel_md5_begin(artel_md5_pieces_t *self)
{
    int rc = artel_crypto_get(&self->crypto);
    if (rc == 0)
        self->crypto->MD5_Init(&self->state);
    return rc;
}

void
artel_md5_add(artel_md5_pieces_t *self, const void *data, size_t len)
{
    self->crypto->MD5_Update(&self->state, data, len);
}

void
artel_md5_end(artel_md5_pieces_t *self, artel_md5_t *ret)
{
    self->crypto->MD5_Final(ret->at, &self->state);
}

int
artel_md5_bytes(const void *data, size_t len, artel_md5_t *ret)
{
    artel_md5_pieces_t pieces;
    int rc = artel_md5_begin(&pieces);
    if (rc != 0)
        return rc;
    artel_md5_add(&pieces, data, len);
    artel_md5_end(&pieces, ret);
    return 0;
}

//  What is hashed at a time: the whole, and the part that is read.
typedef struct {
    artel_md5_pieces_t whole, part;
    bool parts;
    void *buffer;
} digests_t;

static int
s_add_buffer(digests_t *digests, const artel_md5_range_t *range, uint64_t at, size_t size)
{
    if (range->cancel && atomic_load(range->cancel))
        return ARTEL_ECANCELED;
    ssize_t got = artel_read_at(range->fd, digests->buffer, size, range->offset + at);
    if (got < 0)
        return artel_error_of_errno(errno);
    if ((size_t) got < size)
        return ARTEL_ECORRUPT;
    artel_md5_add(&digests->whole, digests->buffer, size);
    if (digests->parts)
        artel_md5_add(&digests->part, digests->buffer, size);
    return 0;
}

static int
s_add_part(digests_t *digests, const artel_md5_range_t *range, uint64_t from, uint64_t to)
{
    int rc = digests->parts ? artel_md5_begin(&digests->part) : 0;
    for (uint64_t at = from; rc == 0 && at < to;) {
        size_t size = to - at < ARTEL_HASH_BUFFER ? (size_t) (to - at) : ARTEL_HASH_BUFFER;
        rc = s_add_buffer(digests, range, at, size);
        at += size;
    }
    return rc;
}

int
artel_md5_range(const artel_md5_range_t *range, artel_md5_t *ret_parts, artel_md5_t *ret)
{
    uint64_t size = range->size, part = range->part ? range->part : size;
    digests_t digests = { .parts = ret_parts != NULL };
    int rc = artel_md5_begin(&digests.whole);
    if (rc != 0)
        return rc;
    digests.buffer = malloc(size < ARTEL_HASH_BUFFER ? (size_t) size + 1 : ARTEL_HASH_BUFFER);
    if (!digests.buffer)
        return ARTEL_ENOMEM;
    for (uint64_t from = 0; rc == 0 && from < size; from += part) {
        rc = s_add_part(&digests, range, from, size - from < part ? size : from + part);
        if (rc == 0 && ret_parts)
            artel_md5_end(&digests.part, ret_parts++);
    }
    free(digests.buffer);
    if (rc == 0)
        artel_md5_end(&digests.whole, ret);
    return rc;
}

void
artel_md5_text(const artel_md5_t *md5, char ret[ARTEL_MD5_TEXT])
{
    artel_base64(md5->at, sizeof md5->at, ret);
}
