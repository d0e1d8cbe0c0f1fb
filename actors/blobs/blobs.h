//  blobs.h - immutable bytes named by their SHA-256.
//
//  blobs/ab/<sha256> holds one large blob; blobs/packs/<id>.pack holds many
//  small ones and ends in an index of its own (docs/store.md). A pack is
//  written once. Every function may be called from any thread.

#ifndef ARTEL_BLOBS_H
#define ARTEL_BLOBS_H

#include "id.h"

//  Where a blob lies. pack is empty for a loose file.
typedef struct {
    char pack[ARTEL_ID_TEXT];
    uint64_t offset, size;
} artel_blob_place_t;

//  Find a blob: as a loose file, then in the pack named by hint (may be NULL
//  or ""), then in every pack. ARTEL_ENOENT; ARTEL_ECORRUPT if a pack's index is
//  damaged and nothing else has it.
int
artel_blob_find(const char *store, const artel_digest_t *digest, const char *hint,
                artel_blob_place_t *ret);

//  An open descriptor of the file that holds the blob; the caller closes it.
int
artel_blob_open(const char *store, const artel_digest_t *digest,
                const artel_blob_place_t *place, int *ret_fd);

//  Read a whole blob of at most limit bytes into memory the caller frees, and
//  verify it. ARTEL_ECORRUPT, ARTEL_ELIMIT, ARTEL_ENOENT, ARTEL_ENOMEM, ARTEL_EIO.
int
artel_blob_read(const char *store, const artel_digest_t *digest, const char *hint,
                uint64_t limit, void **ret_data, size_t *ret_len);

//  Copy a blob to out_fd (-1: only verify) and check its digest on the way.
int
artel_blob_copy(const char *store, const artel_digest_t *digest,
                const artel_blob_place_t *place, int out_fd);

//  Call fn for each entry of a pack's index. fn returns 0 to go on.
int
artel_pack_each(const char *store, const char *pack,
                int (*fn)(void *arg, const artel_digest_t *digest, uint64_t offset, uint64_t size),
                void *arg);

//  The lock between ingest (shared) and gc (exclusive): blobs/LOCK. Blocks.
int
artel_blobs_lock(const char *store, bool exclusive, int *ret_fd);
void
artel_blobs_unlock(int fd);

#endif
