//  folders.h - where the parts of a store lie, relative to its folder blobs/.
//
//  Internal to blobs/. Nothing here changes a store that has its folders.

#ifndef ARTEL_FOLDERS_H
#define ARTEL_FOLDERS_H

#include "id.h"

enum { ARTEL_LOOSE_TEXT = 3 + ARTEL_DIGEST_TEXT, ARTEL_PACK_TEXT = 6 + ARTEL_ID_TEXT + 5 };

//  "ab/<sha256>", and "packs/<id>.pack".
void
artel_loose_name(const artel_digest_t *digest, char ret[ARTEL_LOOSE_TEXT]);
void
artel_pack_name(const char *pack, char ret[ARTEL_PACK_TEXT]);

//  Whether text can be the id of a pack: 32 hex digits.
bool
artel_is_pack(const char *text);

//  Make blobs/ with packs/ and tmp/, durably, where missing. ARTEL_EACCES, ARTEL_ENOSPC,
//  ARTEL_EIO, ARTEL_ENOMEM.
int
artel_blobs_make(const char *store);

//  An open descriptor of blobs/. ARTEL_ENOENT, ARTEL_EACCES, ARTEL_EMFILE, ARTEL_ENOMEM.
int
artel_blobs_folder(const char *store, int *ret_fd);

//  fsync the folder name below dir.
int
artel_sync_folder(int dir, const char *name);

#endif
