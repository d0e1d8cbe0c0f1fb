//  stage.h - blobs on their way into a store.
//
//  Small blobs gather in one new pack, large ones in files under blobs/tmp/;
//  nobody sees them before publish, and destroy takes back what was not
//  published. The same content is stored once. A stage belongs to one thread, which
//  holds blobs/LOCK shared as long as the stage lives.

#ifndef ARTEL_STAGE_H
#define ARTEL_STAGE_H

#include "ingest.h"
#include "stream.h"

typedef struct artel_stage artel_stage_t;

//  known (may be NULL) says what the store has already. ARTEL_ENOENT if there is no
//  blobs/ in store, ARTEL_EACCES, ARTEL_EMFILE, ARTEL_ENOMEM.
int
artel_stage_new(const char *store, artel_ingest_known_fn *known, void *arg, artel_stage_t **ret);

//  Whether the stage or the store has the blob.
bool
artel_stage_has(artel_stage_t *self, const artel_digest_t *digest, uint64_t size);

//  Room for size bytes (at most ARTEL_LOOSE_FROM), until the next call. Like every call
//  below it may write: ARTEL_ENOSPC, ARTEL_EIO, ARTEL_EACCES, ARTEL_EMFILE, ARTEL_ENOMEM.
int
artel_stage_room(artel_stage_t *self, size_t size, void **ret);

//  The first size bytes in the room (fewer than ARTEL_LOOSE_FROM) are a blob.
int
artel_stage_small(artel_stage_t *self, size_t size, artel_digest_t *ret);

//  What stream reads is a blob of any size; the stage sets the stream's outputs. Also
//  the codes of artel_stream.
int
artel_stage_large(artel_stage_t *self, artel_stream_t *stream, artel_digest_t *ret);

//  The same for bytes at hand.
int
artel_stage_bytes(artel_stage_t *self, const void *data, size_t len, artel_digest_t *ret);

//  Make everything durable and visible: the pack is sealed, large blobs get
//  their names, then the pack does. ret_pack is "" if there were no small blobs
//  to store. After an error what is visible is complete, and nobody refers to it.
int
artel_stage_publish(artel_stage_t *self, char ret_pack[ARTEL_ID_TEXT]);

//  What a publish that failed was about, a name in blobs/; the stage's.
const char *
artel_stage_failed(const artel_stage_t *self);

void
artel_stage_destroy(artel_stage_t **self_p);

#endif
