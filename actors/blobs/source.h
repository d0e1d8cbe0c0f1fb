//  source.h - the blobs that one manifest names, found all at once.
//
//  A blob by itself is found by asking pack after pack (blobs.h). For thousands
//  of them each pack is asked once for all that are still missing.

#ifndef ARTEL_SOURCE_H
#define ARTEL_SOURCE_H

#include "id.h"

typedef struct artel_source artel_source_t;

//  Look for every blob of the manifest in data: large ones as loose files, then
//  in the pack hint (may be NULL), then everywhere. What is not found is no error
//  yet. ARTEL_EPROTO, ARTEL_EVERSION (no manifest of ours), ARTEL_ENOENT (no store),
//  ARTEL_EACCES, ARTEL_EMFILE, ARTEL_ENOMEM, ARTEL_EIO.
int
artel_source_open(const char *store, const void *data, size_t len, const char *hint,
                  artel_source_t **ret);
void
artel_source_close(artel_source_t **self_p);

//  Where to read a blob of this size: a descriptor that stays the source's, good
//  until the next call, and an offset. The bytes are not verified. ARTEL_ENOENT,
//  ARTEL_ECORRUPT (its size is another, or the pack that should have it is damaged),
//  ARTEL_EMFILE, ARTEL_EIO, ARTEL_EACCES.
int
artel_source_at(artel_source_t *self, const artel_digest_t *digest, uint64_t size,
                int *ret_fd, uint64_t *ret_offset);

#endif
