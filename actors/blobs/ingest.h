//  ingest.h - from a user's files to durable blobs and a manifest.
//
//  Reads, hashes and writes each file in one pass; small ones go into one new
//  pack, large ones become loose files. After finish everything the manifest
//  names is on disk (fdatasync of files and folders), or nothing is referenced.
//  An ingest belongs to one thread, which every callback comes from; a forked child
//  can only forget it. It holds blobs/LOCK shared from begin to destroy: destroy it
//  when artifact_send is accepted.

#ifndef ARTEL_INGEST_H
#define ARTEL_INGEST_H

#include "id.h"

typedef struct artel_ingest artel_ingest_t;

//  What to do with symbolic links beneath an added folder (docs/store.md, section 4).
//  AUTO keeps a link to something beneath the folder, follows one that leaves
//  it, and refuses one that dangles outside or loops.
typedef enum { ARTEL_LINKS_AUTO, ARTEL_LINKS_KEEP, ARTEL_LINKS_FOLLOW } artel_links_t;

//  Whether the store has a blob, durably, so that it need not be written again. May be
//  asked twice about one.
typedef bool artel_ingest_known_fn(void *arg, const artel_digest_t *digest, uint64_t size);

//  Called after each file, and within large ones after each half MiB, and with nothing while gc
//  has the store; return nonzero to cancel (ARTEL_ECANCELED).
typedef int artel_ingest_progress_fn(void *arg, uint64_t files, uint64_t bytes);

typedef struct {
    const char *store;                  //  the directory that holds blobs/; borrowed for begin
    artel_links_t links;
    artel_ingest_known_fn *known;       //  may be NULL
    artel_ingest_progress_fn *progress; //  may be NULL
    void *arg;                          //  for both
} artel_ingest_options_t;

//  Make blobs/ if missing and take its lock; waits while gc has it. ARTEL_EACCES,
//  ARTEL_ENOSPC, ARTEL_EMFILE, ARTEL_EIO, ARTEL_ENOMEM, ARTEL_ECANCELED.
int
artel_ingest_begin(const artel_ingest_options_t *options, artel_ingest_t **ret);

//  Add one file under name (NULL: its base name), what is in a folder under
//  prefix (NULL or "": the top), or bytes. Each file arrives exactly or is
//  refused: ARTEL_EINVAL (socket, FIFO, device, bad name or link), ARTEL_EACCES,
//  ARTEL_ECHANGED, ARTEL_ENOENT, ARTEL_ELIMIT, ARTEL_ENOSPC, ARTEL_EIO, ARTEL_EMFILE, ARTEL_ENOMEM,
//  ARTEL_ECANCELED; artel_ingest_error says which and why. After an error the ingest
//  can only be destroyed (ARTEL_ECLOSED).
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
    char pack[ARTEL_ID_TEXT];           //  with the manifest and small blobs; "" if all was known
    uint64_t files, bytes;              //  entries that are files or references; their sizes
} artel_ingest_result_t;

//  Write the manifest (entries sorted by path bytes), sync, and make everything
//  visible. ARTEL_EEXIST if a path is taken twice or lies beneath a file.
int
artel_ingest_finish(artel_ingest_t *self, artel_ingest_result_t *ret);

//  One sentence about the last error, with the escaped path; never NULL.
const char *
artel_ingest_error(const artel_ingest_t *self);

//  Release the lock and, if not finished, remove what was written.
void
artel_ingest_destroy(artel_ingest_t **self_p);

#endif
