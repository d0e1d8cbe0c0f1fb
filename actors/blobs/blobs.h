//  blobs.h - immutable bytes named by their SHA-256.
//
//  blobs/ab/<sha256> holds one large blob; blobs/packs/<id>.pack holds many
//  small ones and ends in an index of its own (docs/store.md). A pack is
//  written once. Every function may be called from any thread; store is the
//  directory that holds blobs/.

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
//  ARTEL_ECORRUPT if the bytes are not the blob's, too few included; out_fd has
//  then got bytes that are not to be used.
int
artel_blob_copy(const char *store, const artel_digest_t *digest,
                const artel_blob_place_t *place, int out_fd);

//  Call fn for each entry of a pack's index. fn returns 0 to go on. 0, fn's first
//  nonzero value, ARTEL_ENOENT, ARTEL_ECORRUPT, ARTEL_EVERSION, ARTEL_EIO.
int
artel_pack_each(const char *store, const char *pack,
                int (*fn)(void *arg, const artel_digest_t *digest, uint64_t offset, uint64_t size),
                void *arg);

//  Call fn for each pack, and for each loose blob, in no order, with the size of
//  its file. fn may remove what it is called with, and returns 0 to go on.
int
artel_packs_each(const char *store,
                 int (*fn)(void *arg, const char *pack, uint64_t size), void *arg);
int
artel_loose_each(const char *store,
                 int (*fn)(void *arg, const artel_digest_t *digest, uint64_t size), void *arg);

//  Remove a pack or a loose blob that nothing refers to, or (clean) whatever dead
//  programs left unfinished. Only with the lock held exclusively. What is gone
//  already is fine.
int
artel_pack_remove(const char *store, const char *pack);
int
artel_loose_remove(const char *store, const artel_digest_t *digest);
int
artel_blobs_clean(const char *store, uint64_t *ret_bytes);

//  Whether to wait on for a lock that others hold; asked some times a second.
typedef struct {
    bool (*go_on)(void *arg);
    void *arg;
} artel_patience_t;

//  The lock between ingest (shared) and gc (exclusive): blobs/LOCK, made if
//  missing. Waits; ARTEL_ELOCKED when patience is over.
int
artel_blobs_lock(const char *store, bool exclusive, const artel_patience_t *patience, int *ret_fd);
void
artel_blobs_unlock(int fd);

#endif
