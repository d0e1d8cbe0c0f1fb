//  catalogue.h - the store's SQLite file: what was logged, for SQL and for us.
//
//  catalogue.db beside blobs/ (schema, meaning and invariants: docs/store.md,
//  section 5). A connection belongs to one thread. Writers queue on
//  catalogue.lock before BEGIN IMMEDIATE, so that SQLite starves nobody, and
//  hold it at most ARTEL_CATALOGUE_HOLD_MS. Readers wait for nobody.

#ifndef ARTEL_CATALOGUE_H
#define ARTEL_CATALOGUE_H

#include "msgs.h"

typedef struct artel_catalogue artel_catalogue_t;
typedef struct sqlite3 sqlite3;

//  Open the catalogue in the directory store; writable: make it if it is not
//  there. ARTEL_ENOENT (only reading: nothing was ever delivered), ARTEL_EVERSION
//  if a newer major made it, ARTEL_ECORRUPT, ARTEL_ENOSPC, ARTEL_EIO, ARTEL_EACCES,
//  ARTEL_EMFILE, ARTEL_ENOMEM, ARTEL_EAGAIN.
int
artel_catalogue_open(const char *store, bool writable, artel_catalogue_t **ret);
void
artel_catalogue_close(artel_catalogue_t **self_p);

//  One sentence about the last failure; the catalogue's.
const char *
artel_catalogue_error(const artel_catalogue_t *self);

//  The connection, for queries.
sqlite3 *
artel_catalogue_db(artel_catalogue_t *self);

//  Take the lock and begin; end with commit or rollback. A commit that fails
//  has rolled back. ARTEL_ENOSPC, ARTEL_EIO, ARTEL_EAGAIN and so on; after any
//  but ARTEL_EAGAIN it is best to close the catalogue and open it again.
int
artel_catalogue_begin(artel_catalogue_t *self);
int
artel_catalogue_commit(artel_catalogue_t *self);
void
artel_catalogue_rollback(artel_catalogue_t *self);

//  If commits have made the write-ahead log long, move it into the database. To be
//  called after a commit, when nobody waits for an answer; it takes a few fsyncs,
//  and what fails is made up for by the next.
void
artel_catalogue_tidy(artel_catalogue_t *self);

//  Whether a transaction is open: some failures end it by themselves.
bool
artel_catalogue_in_transaction(const artel_catalogue_t *self);

//  Milliseconds since begin.
int64_t
artel_catalogue_held_ms(const artel_catalogue_t *self);

//  Whether the open transaction should add no more: half of what it may hold is
//  over, and the commit takes time too.
bool
artel_catalogue_is_late(const artel_catalogue_t *self);

//  The high-water mark of a writer; 0 if it is not known.
int
artel_catalogue_position(artel_catalogue_t *self, artel_id_t writer, uint64_t *ret_counter);

//  One version of an artifact.
typedef struct {
    int64_t version;
    artel_digest_t manifest;
    char pack[ARTEL_ID_TEXT];   //  where the manifest was written; "" if it is a loose file
    char type[130];
    uint64_t files, bytes;
} artel_version_t;

//  Find one by the artifact's name and "" or "latest", an alias, or "vN".
//  ARTEL_ENOENT.
int
artel_catalogue_resolve(artel_catalogue_t *self, const char *name, const char *version,
                        artel_version_t *ret);

//  Remove a version, in a transaction of its own. Its number is not used again,
//  its aliases go with it, and `latest` falls to the highest version left. Blobs
//  stay until gc. ARTEL_ENOENT.
int
artel_catalogue_remove_version(artel_catalogue_t *self, const char *name, int64_t version);

//  Whether a pack that the catalogue has filed holds this blob. (Loose blobs
//  are found by their name.)
bool
artel_catalogue_knows_blob(artel_catalogue_t *self, const artel_digest_t *digest, uint64_t size);

//  For gc, in short transactions of their own, under the exclusive lock of blobs/.
//  First forget the manifests that no version names: a manifest that is filed
//  means that its blobs are there. Then forget each pack before its file is
//  unlinked.
int
artel_catalogue_sweep(artel_catalogue_t *self);
int
artel_catalogue_forget_pack(artel_catalogue_t *self, const char *pack);

#endif
