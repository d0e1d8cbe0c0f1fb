//  pack.h - one file of many small blobs, with an index at its end.
//
//  A packer writes it, once, under a name that nobody looks for; a pack reads
//  it. The format is docs/store.md, section 3.

#ifndef ARTEL_PACK_H
#define ARTEL_PACK_H

#include "places.h"

typedef struct artel_packer artel_packer_t;

//  A packer of the file name in the folder dir, which it borrows. Nothing is made
//  there before there is a blob. ARTEL_ENOMEM.
int
artel_packer_new(int dir, const char *name, artel_packer_t **ret);

//  Room to read size bytes of a blob into, until the next call. Writes out what
//  came before if there is none: ARTEL_ENOSPC, ARTEL_EIO, ARTEL_EACCES, ARTEL_EMFILE, ARTEL_ENOMEM.
int
artel_packer_room(artel_packer_t *self, size_t size, void **ret);

//  The first size bytes in the room are a blob to keep. ARTEL_ENOMEM.
int
artel_packer_add(artel_packer_t *self, const artel_digest_t *digest, size_t size);

bool
artel_packer_has(const artel_packer_t *self, const artel_digest_t *digest);

//  How many blobs there are.
size_t
artel_packer_count(const artel_packer_t *self);

//  Write the index, fdatasync and close: the file is then the caller's, to rename
//  or remove. If not 0, it is the packer's or gone.
int
artel_packer_seal(artel_packer_t *self);

//  Removes the file unless it is sealed.
void
artel_packer_destroy(artel_packer_t **self_p);

//  An open pack; the header and footer are checked.
typedef struct {
    int fd;
    uint64_t index;             //  where the index starts and the blobs end
    uint64_t count;
} artel_pack_t;

//  pack is 32 hex digits. ARTEL_ENOENT, ARTEL_ECORRUPT, ARTEL_EVERSION, ARTEL_EIO, ARTEL_EMFILE,
//  ARTEL_EACCES.
int
artel_pack_open(const char *store, const char *pack, artel_pack_t *ret);
void
artel_pack_close(artel_pack_t *self);

//  Search the index on disk: log2(count) small reads. ARTEL_ENOENT, ARTEL_ECORRUPT, ARTEL_EIO.
int
artel_pack_find(const artel_pack_t *self, const artel_digest_t *digest, artel_place_t *ret);

//  Read the whole index, which is sorted by digest; the caller frees it (NULL if
//  it is empty). ARTEL_ECORRUPT, ARTEL_ENOMEM, ARTEL_EIO.
int
artel_pack_load(const artel_pack_t *self, artel_place_t **ret);

#endif
