//  catalogue.h - the store's SQLite file: what was logged, for SQL and for us.
//
//  catalogue.db beside blobs/ (the schema is documented in docs/store.md). One
//  connection belongs to one thread. Writers queue on catalogue.lock before
//  BEGIN IMMEDIATE, so that SQLite starves nobody.

#ifndef ARTEL_CATALOGUE_H
#define ARTEL_CATALOGUE_H

#include "msgs.h"

typedef struct artel_catalogue artel_catalogue_t;
typedef struct sqlite3 sqlite3;

//  Open (writable: make, with schema) the catalogue of the store directory.
//  ARTEL_EVERSION if a newer major made it, ARTEL_ENOENT (only reading),
//  ARTEL_ENOSPC, ARTEL_EIO, ARTEL_ECORRUPT.
int
artel_catalogue_open(const char *store, bool writable, artel_catalogue_t **ret);
void
artel_catalogue_close(artel_catalogue_t **self_p);

//  One sentence about the last failure; the catalogue's.
const char *
artel_catalogue_error(const artel_catalogue_t *self);

//  The connection, for queries (read only, please).
sqlite3 *
artel_catalogue_db(artel_catalogue_t *self);

//  Take the lock and begin; end with commit or rollback, in at most
//  ARTEL_CATALOGUE_HOLD_MS.
int
artel_catalogue_begin(artel_catalogue_t *self);
int
artel_catalogue_commit(artel_catalogue_t *self);
void
artel_catalogue_rollback(artel_catalogue_t *self);

//  Milliseconds since begin.
int64_t
artel_catalogue_held_ms(const artel_catalogue_t *self);

//  The high-water mark of a writer; 0 if it is not known.
int
artel_catalogue_position(artel_catalogue_t *self, artel_id_t writer, uint64_t *ret_counter);

//  Apply one record in the open transaction (an artifact_send through
//  artel_catalogue_artifact). keys are the head's.
typedef struct {
    artel_str_t run;
    artel_id_t writer;
    const artel_strs_t *keys;
} artel_catalogue_scope_t;

int
artel_catalogue_record(artel_catalogue_t *self, const artel_catalogue_scope_t *scope,
                       const artel_msg_t *record);
int
artel_catalogue_set_position(artel_catalogue_t *self, const artel_catalogue_scope_t *scope,
                             uint64_t counter);

//  Store the entries of a manifest, in transactions of its own (invisible until
//  a version names it), with the blobs of the pack; nothing to do if it is there.
int
artel_catalogue_manifest(artel_catalogue_t *self, const char *store,
                         const artel_msg_artifact_send_t *send);

//  What a version came to be. *ret_fresh: this send made it; otherwise its
//  content equals the latest, or the xid was here before.
typedef struct {
    int64_t version;
    bool fresh;
} artel_commit_t;

int
artel_catalogue_artifact(artel_catalogue_t *self, const artel_catalogue_scope_t *scope,
                         const artel_msg_artifact_send_t *send, artel_commit_t *ret);

//  A version by name and "latest", an alias, or "vN". ARTEL_ENOENT.
typedef struct {
    int64_t id;                 //  versions.id
    int64_t version;
    artel_digest_t manifest;
    char pack[ARTEL_ID_TEXT];
    char type[ARTEL_DIGEST_TEXT * 2];
    uint64_t files, bytes;
} artel_version_t;

int
artel_catalogue_resolve(artel_catalogue_t *self, const char *name, const char *version,
                        artel_version_t *ret);

//  The place of a blob if the catalogue knows it.
bool
artel_catalogue_knows_blob(artel_catalogue_t *self, const artel_digest_t *digest, uint64_t size);

#endif
