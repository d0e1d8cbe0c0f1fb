//  import.h - the blobs of one manifest, from one store into another.
//
//  A sink whose store is not the state directory takes what was ingested there:
//  small blobs as one new pack, large ones as loose files, all durable and
//  visible before the call returns 0.

#ifndef ARTEL_IMPORT_H
#define ARTEL_IMPORT_H

#include "ingest.h"

typedef struct {
    const char *from, *to;              //  the directories that hold blobs/
    artel_digest_t manifest;
    const char *pack;                   //  hint where it is in from, or NULL
    artel_ingest_known_fn *known;       //  what to has already; may be NULL
    artel_ingest_progress_fn *progress; //  nonzero cancels; may be NULL
    void *arg;                          //  for both
} artel_import_t;

//  Copy the manifest and every blob it names that to does not know; each is
//  verified on the way. Blocks on the disk. The caller holds artel_blobs_lock
//  (to, shared) from before the call until what refers to the blobs is committed.
//  ret_pack: the pack with the manifest and small blobs in to; "" if none was needed,
//  because everything was known or large. A failed import leaves nothing visible but
//  complete blobs.
//  ARTEL_ECORRUPT or ARTEL_ENOENT (from lacks a blob), ARTEL_EPROTO (no manifest),
//  ARTEL_ENOSPC, ARTEL_EIO, ARTEL_EACCES, ARTEL_EMFILE, ARTEL_ENOMEM, ARTEL_ECANCELED; text (size
//  bytes) then has one sentence.
int
artel_import(const artel_import_t *how, char ret_pack[ARTEL_ID_TEXT], char *text, size_t size);

#endif
