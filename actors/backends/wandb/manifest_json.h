//  manifest_json.h - W&B's manifest of an artifact: written from ours.

#ifndef ARTEL_MANIFEST_JSON_H
#define ARTEL_MANIFEST_JSON_H

#include "flat.h"
#include "md5.h"

#include <msgpack.h>

enum { ARTEL_WANDB_ID = 128 };      //  bytes of one of the server's ids, with the NUL

//  What W&B wants of a file beside what our manifest has.
typedef struct {
    artel_md5_t md5;
    const char *birth;          //  id of the artifact that brought its bytes
} artel_mark_t;

//  The digest of an artifact from the paths, in order, and digests of its entries.
int
artel_digest_begin(artel_md5_pieces_t *pieces);
void
artel_digest_add(artel_md5_pieces_t *pieces, artel_str_t path, artel_str_t digest);
void
artel_digest_end(artel_md5_pieces_t *pieces, char ret[ARTEL_MD5_HEX]);

//  The digest of the artifact: MD5 over the paths and digests of its entries. marks has one for each
//  entry, of which that of a reference is not looked at. What crypto.h fails with.
int
artel_manifest_json_digest(const artel_flat_t *flat, const artel_mark_t *marks, char ret[ARTEL_MD5_HEX]);

//  Append the JSON to out. ARTEL_ENOMEM.
int
artel_manifest_json_write(const artel_flat_t *flat, const artel_mark_t *marks, msgpack_sbuffer *out);

#endif
