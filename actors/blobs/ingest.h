//  ingest.h - from a user's files to durable blobs and a manifest.
//
//  Reads, hashes and writes each file in one pass; small ones go into one new
//  pack, large ones become loose files. After finish everything the manifest
//  names is on disk (fdatasync of files and folders), or nothing is referenced.
//  An ingest belongs to one thread. It holds blobs/LOCK shared from begin to
//  destroy: destroy it when artifact_send is accepted.

#ifndef ARTEL_INGEST_H
#define ARTEL_INGEST_H

#include "id.h"

typedef struct artel_ingest artel_ingest_t;

//  What to do with symbolic links (design: docs/store.md). AUTO keeps a link to
//  something beneath the added folder, follows one that leaves it, and refuses
//  one that dangles outside or loops.
typedef enum { ARTEL_LINKS_AUTO, ARTEL_LINKS_KEEP, ARTEL_LINKS_FOLLOW } artel_links_t;

//  Tells a known blob's place, so that it is not written again: returns true if the
//  store has it. May be NULL.
typedef bool artel_ingest_known_fn(void *arg, const artel_digest_t *digest, uint64_t size);

//  Called as bytes are read; return nonzero to cancel (ARTEL_ECANCELED).
typedef int artel_ingest_progress_fn(void *arg, uint64_t files, uint64_t bytes);

typedef struct {
    const char *store;                  //  the directory that holds blobs/
    artel_links_t links;
    artel_ingest_known_fn *known;
    artel_ingest_progress_fn *progress;
    void *arg;                          //  for both
} artel_ingest_options_t;

int
artel_ingest_begin(const artel_ingest_options_t *options, artel_ingest_t **ret);

//  Add one file under name (NULL: its base name), what is in a folder under
//  prefix (NULL or "": the top), or bytes. Each file arrives exactly or is
//  refused: ARTEL_EINVAL (socket, FIFO, device, bad name), ARTEL_EACCES,
//  ARTEL_ECHANGED, ARTEL_ENOENT, ARTEL_ENOSPC, ARTEL_EEXIST (the path is taken),
//  and artel_ingest_error says which and why. After an error the ingest can
//  only be destroyed.
int
artel_ingest_file(artel_ingest_t *self, const char *path, const char *name);
int
artel_ingest_dir(artel_ingest_t *self, const char *path, const char *prefix);
int
artel_ingest_bytes(artel_ingest_t *self, const char *name, const void *data, size_t len);

//  Add something that is not fetched: uri, its digest as the owner says, size.
int
artel_ingest_reference(artel_ingest_t *self, const char *name, const char *uri,
                       const char *digest, uint64_t size);

typedef struct {
    artel_digest_t manifest;            //  also the artifact's digest
    char pack[ARTEL_ID_TEXT];           //  where the manifest and small blobs are; "" if all was known
    uint64_t files, bytes;              //  entries that are files or references; their sizes
} artel_ingest_result_t;

//  Write the manifest (entries sorted by path bytes), sync, and make the pack visible.
int
artel_ingest_finish(artel_ingest_t *self, artel_ingest_result_t *ret);

//  One sentence about the last error, with the escaped path; never NULL.
const char *
artel_ingest_error(const artel_ingest_t *self);

//  Release the lock and, if not finished, remove what was written.
void
artel_ingest_destroy(artel_ingest_t **self_p);

#endif
