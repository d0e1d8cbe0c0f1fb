//  filing.c - entries and blob places, in chunks, and their removal.

#include "filing.h"

#include "blobs.h"
#include "errors.h"
#include "manifest.h"
#include "pack.h"
#include "sql.h"

#include <msgpack.h>

enum { ZONE = 4096, LOOK_EVERY = 128 };     //  entries between two looks at the clock

struct artel_filing {
    artel_digest_t manifest;
    char pack[ARTEL_ID_TEXT];
    char *data;                 //  the manifest
    size_t len, head, at;       //  its bytes; where the entries start; the next entry
    artel_place_t *blobs;       //  of the pack, sorted by digest
    size_t n_blobs, next;       //  the next of them to file
    int64_t manifest_id, pack_id;
    msgpack_zone zone;
};

bool
artel_filing_is_hopeless(int code)
{
    return code == ARTEL_ENOENT || code == ARTEL_ECORRUPT || code == ARTEL_EPROTO
           || code == ARTEL_ELIMIT;
}

//  Whether the row that find finds is complete.
static int
s_is_complete(artel_catalogue_t *self, artel_sql_t find, artel_arg_t what)
{
    sqlite3_stmt *stmt;
    int rc = artel_sql_row(self, find, &what, 1, &stmt);
    if (rc > 0) {
        rc = sqlite3_column_int(stmt, 1);
        sqlite3_reset(stmt);
    }
    return rc;
}

int
artel_filing_is_done(artel_catalogue_t *self, const artel_digest_t *manifest, artel_str_t pack)
{
    int rc = s_is_complete(self, ARTEL_SQL_FIND_MANIFEST, DIGEST(manifest));
    return rc > 0 && pack.len ? s_is_complete(self, ARTEL_SQL_FIND_PACK, TEXT(pack)) : rc;
}

//  The index of a pack. One that is not there any more was not needed: gc has
//  found everything in it elsewhere.
static int
s_load_pack(artel_catalogue_t *self, artel_filing_t *filing)
{
    artel_pack_t pack;
    if (*filing->pack == 0)
        return 0;
    int rc = artel_pack_open(self->store, filing->pack, &pack);
    if (rc == ARTEL_ENOENT) {
        filing->pack[0] = 0;
        return 0;
    }
    if (rc != 0)
        return rc;
    rc = artel_pack_load(&pack, &filing->blobs);
    filing->n_blobs = rc == 0 ? pack.count : 0;
    artel_pack_close(&pack);
    return rc;
}

static int
s_compare(const void *digest, const void *place)
{
    return memcmp(digest, ((const artel_place_t *) place)->digest.at, sizeof(artel_digest_t));
}

//  Looks for the blobs of entries.
typedef struct {
    artel_catalogue_t *catalogue;
    artel_filing_t *filing;
} look_t;

//  Whether the blob of an entry is there: in the pack that came with it, in one
//  that is filed, or somewhere.
static int
s_see_entry(void *arg, const artel_msg_entry_t *entry)
{
    const look_t *look = arg;
    const artel_filing_t *filing = look->filing;
    artel_blob_place_t place;
    if (entry->kind != ARTEL_ENTRY_FILE)
        return 0;
    if (filing->n_blobs && bsearch(entry->digest.at, filing->blobs, filing->n_blobs,
                                   sizeof *filing->blobs, s_compare))
        return 0;
    if (artel_catalogue_knows_blob(look->catalogue, &entry->digest, entry->size))
        return 0;
    int rc = artel_blob_find(look->catalogue->store, &entry->digest, NULL, &place);
    return rc == 0 && place.size != entry->size ? ARTEL_ECORRUPT : rc;
}

//  The pack that has the manifest if it did not come with one: its content was known.
static void
s_find_hint(artel_catalogue_t *self, artel_filing_t *filing, char ret[ARTEL_ID_TEXT])
{
    sqlite3_stmt *stmt;
    memcpy(ret, filing->pack, ARTEL_ID_TEXT);
    if (*ret)
        return;
    if (artel_sql_row(self, ARTEL_SQL_FIND_BLOB, ARGS(DIGEST(&filing->manifest)), &stmt) <= 0)
        return;
    snprintf(ret, ARTEL_ID_TEXT, "%s", artel_sql_text(stmt, 0).at);
    sqlite3_reset(stmt);
}

static int
s_read(artel_catalogue_t *self, artel_filing_t *filing)
{
    char hint[ARTEL_ID_TEXT];
    void *data;
    int rc = s_load_pack(self, filing);
    if (rc != 0)
        return rc;
    s_find_hint(self, filing, hint);
    rc = artel_blob_read(self->store, &filing->manifest, hint, ARTEL_MAX_MANIFEST, &data,
                         &filing->len);
    if (rc != 0)
        return rc;
    filing->data = data;
    rc = artel_manifest_each(data, filing->len, s_see_entry, &(look_t) { self, filing });
    if (rc == 0)
        filing->head = (size_t) ((char *) memchr(data, '\n', filing->len) - filing->data) + 1;
    return rc;
}

int
artel_filing_open(artel_catalogue_t *self, const artel_digest_t *manifest, const char *pack,
                  artel_filing_t **ret, char *text, size_t size)
{
    artel_filing_t *filing = calloc(1, sizeof *filing);
    if (!filing || !msgpack_zone_init(&filing->zone, ZONE)) {
        free(filing);
        return ARTEL_ENOMEM;
    }
    filing->manifest = *manifest;
    snprintf(filing->pack, sizeof filing->pack, "%s", pack);
    int rc = s_read(self, filing);
    if (rc == 0) {
        *ret = filing;
        return 0;
    }
    char hex[ARTEL_DIGEST_TEXT];
    artel_hex(manifest->at, sizeof manifest->at, hex);
    snprintf(text, size, "its manifest %s, or a blob of it, in %s%s%s: %s", hex, self->store,
             *pack ? ", pack " : "", pack, artel_error_code_text(rc));
    artel_filing_close(&filing);
    return rc;
}

void
artel_filing_close(artel_filing_t **self_p)
{
    artel_filing_t *self = *self_p;
    if (!self)
        return;
    msgpack_zone_destroy(&self->zone);
    free(self->blobs);
    free(self->data);
    free(self);
    *self_p = NULL;
}

//  The row of a pack or manifest, found or added, and whether it is complete.
static int
s_claim(artel_catalogue_t *self, const artel_sql_t find_add[2], const artel_arg_t *args, size_t n,
        int64_t *ret_id)
{
    sqlite3_stmt *stmt;
    int rc = artel_sql_row(self, find_add[0], args, 1, &stmt);
    if (rc == 0)
        return artel_sql_insert(self, find_add[1], args, n, ret_id);
    if (rc < 0)
        return rc;
    *ret_id = sqlite3_column_int64(stmt, 0);
    rc = sqlite3_column_int(stmt, 1);
    sqlite3_reset(stmt);
    return rc;
}

static int
s_add_blob(artel_catalogue_t *self, int64_t pack, const artel_place_t *blob)
{
    return artel_sql_run(self, ARTEL_SQL_ADD_BLOB, ARGS(
        DIGEST(&blob->digest), INT(pack), INT((int64_t) blob->offset),
        INT((int64_t) blob->size)));
}

//  1: it is late, 0: all of them are there.
static int
s_file_pack(artel_catalogue_t *self, artel_filing_t *filing)
{
    static const artel_sql_t rows[2] = { ARTEL_SQL_FIND_PACK, ARTEL_SQL_ADD_PACK };
    int64_t id = 0;
    int rc = *filing->pack == 0 ? 1 : s_claim(self, rows, ARGS(TEXT(artel_str(filing->pack))), &id);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (id != filing->pack_id)                  //  ours has gone with a gc: from the start
        filing->next = 0;
    filing->pack_id = id;
    while (rc == 0 && filing->next < filing->n_blobs) {
        if (filing->next % LOOK_EVERY == LOOK_EVERY - 1 && artel_catalogue_is_late(self))
            return 1;
        rc = s_add_blob(self, id, &filing->blobs[filing->next++]);
    }
    return rc == 0 ? artel_sql_run(self, ARTEL_SQL_END_PACK, ARGS(INT(id))) : rc;
}

static int
s_add_entry(artel_catalogue_t *self, int64_t manifest, const artel_msg_entry_t *entry)
{
    artel_arg_t none = ID(NULL);
    bool is_file = entry->kind == ARTEL_ENTRY_FILE;
    bool has_size = is_file || entry->kind == ARTEL_ENTRY_REFERENCE;
    return artel_sql_run(self, ARTEL_SQL_ADD_ENTRY, ARGS(
        INT(manifest), TEXT(entry->path), INT((int64_t) entry->kind),
        is_file ? DIGEST(&entry->digest) : none,
        has_size ? INT((int64_t) entry->size) : none,
        is_file ? INT(entry->exec) : none, SOME(entry->target),
        SOME(entry->uri)));
}

//  artel_manifest_each has been over these bytes.
static int
s_next_entry(artel_catalogue_t *self, artel_filing_t *filing)
{
    artel_msg_t msg;
    size_t used;
    msgpack_zone_clear(&filing->zone);
    int rc = artel_msg_unpack(filing->data + filing->at, filing->len - filing->at, &filing->zone,
                              &msg, &used);
    if (rc == 0)
        rc = s_add_entry(self, filing->manifest_id, &msg.entry);
    if (rc == 0)
        filing->at += used;
    return rc;
}

static int
s_file_entries(artel_catalogue_t *self, artel_filing_t *filing)
{
    static const artel_sql_t rows[2] = { ARTEL_SQL_FIND_MANIFEST, ARTEL_SQL_ADD_MANIFEST };
    int64_t id = 0;
    int rc = s_claim(self, rows, ARGS(DIGEST(&filing->manifest),
        filing->pack_id ? INT(filing->pack_id) : ID(NULL)), &id);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (id != filing->manifest_id)
        filing->at = filing->head;
    filing->manifest_id = id;
    for (unsigned n = 1; rc == 0 && filing->at < filing->len; n++) {
        if (n % LOOK_EVERY == 0 && artel_catalogue_is_late(self))
            return 1;
        rc = s_next_entry(self, filing);
    }
    return rc == 0 ? artel_sql_run(self, ARTEL_SQL_END_MANIFEST, ARGS(INT(id))) : rc;
}

int
artel_filing_step(artel_catalogue_t *self, artel_filing_t *filing)
{
    int rc = s_file_pack(self, filing);
    return rc == 0 ? s_file_entries(self, filing) : rc;
}

//  Call fn in one transaction after the other until it says that all is done (0).
static int
s_in_pieces(artel_catalogue_t *self, int (*fn)(artel_catalogue_t *self, void *arg), void *arg)
{
    for (;;) {
        int rc = artel_catalogue_begin(self);
        if (rc != 0)
            return rc;
        int more = fn(self, arg);
        if (more < 0)
            artel_catalogue_rollback(self);
        else
            rc = artel_catalogue_commit(self);
        artel_catalogue_tidy(self);
        if (more <= 0 || rc != 0)
            return more < 0 ? more : rc;
    }
}

//  One manifest that no version names, or a part of it.
static int
s_sweep_one(artel_catalogue_t *self, void *arg)
{
    (void) arg;
    sqlite3_stmt *stmt;
    int rc = artel_sql_row(self, ARTEL_SQL_FIND_UNUSED, NULL, 0, &stmt);
    if (rc <= 0)
        return rc;
    int64_t id = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    do
        rc = artel_sql_run(self, ARTEL_SQL_DROP_ENTRIES, ARGS(INT(id)));
    while (rc == 0 && sqlite3_changes(self->db) && !artel_catalogue_is_late(self));
    if (rc == 0 && sqlite3_changes(self->db) == 0)
        rc = artel_sql_run(self, ARTEL_SQL_DROP_MANIFEST, ARGS(INT(id)));
    return rc != 0 ? rc : 1;
}

int
artel_catalogue_sweep(artel_catalogue_t *self)
{
    return s_in_pieces(self, s_sweep_one, NULL);
}

//  Some of a pack's blobs; then the pack. If its index cannot be read, the whole
//  table is gone through.
static int
s_forget_some(artel_catalogue_t *self, void *arg)
{
    artel_filing_t *filing = arg;
    sqlite3_stmt *stmt;
    int rc = artel_sql_row(self, ARTEL_SQL_FIND_PACK, ARGS(TEXT(artel_str(filing->pack))), &stmt);
    if (rc <= 0)
        return rc;
    artel_arg_t pack = INT(sqlite3_column_int64(stmt, 0));
    sqlite3_reset(stmt);
    rc = filing->n_blobs ? 0 : artel_sql_run(self, ARTEL_SQL_DROP_BLOBS, &pack, 1);
    for (unsigned n = 1; rc == 0 && filing->next < filing->n_blobs; n++) {
        if (n % LOOK_EVERY == 0 && artel_catalogue_is_late(self))
            return 1;
        rc = artel_sql_run(self, ARTEL_SQL_DROP_BLOB, ARGS(
            DIGEST(&filing->blobs[filing->next++].digest), pack));
    }
    return rc == 0 ? artel_sql_run(self, ARTEL_SQL_DROP_PACK, &pack, 1) : rc;
}

int
artel_catalogue_forget_pack(artel_catalogue_t *self, const char *pack)
{
    artel_filing_t filing = { .data = NULL };
    snprintf(filing.pack, sizeof filing.pack, "%s", pack);
    int rc = s_load_pack(self, &filing);
    snprintf(filing.pack, sizeof filing.pack, "%s", pack);
    if (rc == 0 || rc == ARTEL_ECORRUPT)
        rc = s_in_pieces(self, s_forget_some, &filing);
    free(filing.blobs);
    return rc;
}

bool
artel_catalogue_knows_blob(artel_catalogue_t *self, const artel_digest_t *digest, uint64_t size)
{
    sqlite3_stmt *stmt;
    if (artel_sql_row(self, ARTEL_SQL_FIND_BLOB, ARGS(DIGEST(digest)), &stmt) <= 0)
        return false;
    bool same = (uint64_t) sqlite3_column_int64(stmt, 2) == size;
    sqlite3_reset(stmt);
    return same;
}
