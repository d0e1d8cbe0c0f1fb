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

static int
s_add_file(artel_md5_pieces_t *pieces, int fd, uint64_t offset, uint64_t size, void *buffer)
{
    while (size > 0) {
        size_t want = size < ARTEL_HASH_BUFFER ? (size_t) size : ARTEL_HASH_BUFFER;
        ssize_t got = artel_read_at(fd, buffer, want, offset);
        if (got < 0)
            return artel_error_of_errno(errno);
        if ((size_t) got < want)
            return ARTEL_ECORRUPT;
        artel_md5_add(pieces, buffer, want);
        offset += want;
        size -= want;
    }
    return 0;
}

int
artel_md5_file(int fd, uint64_t offset, uint64_t size, artel_md5_t *ret)
{
    artel_md5_pieces_t pieces;
    int rc = artel_md5_begin(&pieces);
    if (rc != 0)
        return rc;
    void *buffer = malloc(size < ARTEL_HASH_BUFFER ? (size_t) size + 1 : ARTEL_HASH_BUFFER);
    if (!buffer)
        return ARTEL_ENOMEM;
    rc = s_add_file(&pieces, fd, offset, size, buffer);
    free(buffer);
    if (rc == 0)
        artel_md5_end(&pieces, ret);
    return rc;
}

void
artel_md5_text(const artel_md5_t *md5, char ret[ARTEL_MD5_TEXT])
{
    artel_base64(md5->at, sizeof md5->at, ret);
}
