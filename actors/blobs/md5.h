//  md5.h - MD5, which other people's stores name bytes by. We trust SHA-256 (hash.h).

#ifndef ARTEL_MD5_H
#define ARTEL_MD5_H

#include "base64.h"
#include "crypto.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint8_t at[16];
} artel_md5_t;

enum { ARTEL_MD5_TEXT = ARTEL_BASE64_TEXT(16), ARTEL_MD5_HEX = 33 };   //  with the NUL

//  Bytes that come in pieces: begin, add, end. begin: what crypto.h fails with.
typedef struct {
    const artel_crypto_t *crypto;
    MD5_CTX state;
} artel_md5_pieces_t;

int
artel_md5_begin(artel_md5_pieces_t *self);
void
artel_md5_add(artel_md5_pieces_t *self, const void *data, size_t len);
void
artel_md5_end(artel_md5_pieces_t *self, artel_md5_t *ret);

//  Bytes at hand. What crypto.h fails with.
int
artel_md5_bytes(const void *data, size_t len, artel_md5_t *ret);

typedef struct {
    int fd;                     //  a regular file
    uint64_t offset, size;
    uint64_t part;              //  bytes of a part; 0: no parts
    const atomic_bool *cancel;  //  NULL: it cannot be
} artel_md5_range_t;

//  Of a range of a file, and of each of its parts (ret_parts has room for size / part, rounded up; or is NULL);
//  read once, in buffers, by whoever calls. ARTEL_ECORRUPT if the file ends before, ARTEL_EIO, ARTEL_ENOMEM,
//  ARTEL_ECANCELED, what crypto.h fails with.
int
artel_md5_range(const artel_md5_range_t *range, artel_md5_t *ret_parts, artel_md5_t *ret);

//  As base64.
void
artel_md5_text(const artel_md5_t *md5, char ret[ARTEL_MD5_TEXT]);

#endif
