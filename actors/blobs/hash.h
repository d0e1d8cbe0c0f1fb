//  hash.h - SHA-256, of bytes at hand and of long streams.
//
//  A hash belongs to one thread. The bytes of a stream are hashed by a helper thread
//  while the caller reads and writes: with both on one thread a large file takes
//  half as long again. The helper starts with the first stream; without it
//  (no thread to be had) the caller hashes.

#ifndef ARTEL_HASH_H
#define ARTEL_HASH_H

#include "id.h"

typedef struct artel_hash artel_hash_t;

enum { ARTEL_HASH_BUFFER = 512 * 1024 };    //  bytes of one buffer of a stream

//  ARTEL_ENOMEM; what loading libcrypto fails with (crypto.h).
int
artel_hash_new(artel_hash_t **ret);
void
artel_hash_destroy(artel_hash_t **self_p);

//  The digest of len bytes.
void
artel_hash_bytes(artel_hash_t *self, const void *data, size_t len, artel_digest_t *ret);

//  A stream: begin; then take a buffer (this waits until one is free), fill it, and push
//  its first len bytes; then end. What was pushed may be read, not written, until
//  the next buffer is taken. A stream may be given up by beginning another.
//  begin: ARTEL_ENOMEM.
int
artel_hash_begin(artel_hash_t *self);
void *
artel_hash_buffer(artel_hash_t *self);
void
artel_hash_push(artel_hash_t *self, size_t len);
void
artel_hash_end(artel_hash_t *self, artel_digest_t *ret);

bool
artel_digest_equal(const artel_digest_t *a, const artel_digest_t *b);

#endif
