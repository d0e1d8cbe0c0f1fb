//  verify.c - hashing blobs, comparing manifests with the catalogue, reading journals.

#include "verify.h"

#include "blobs.h"
#include "catalogue.h"
#include "errors.h"
#include "manifest.h"
#include "places.h"
#include "reader.h"
#include "retire.h"
#include "state.h"
#include "undelivered.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SENTENCE = 2048, SUBJECT = 512, DIFFERS = 1 };

//  A manifest in hand, and whose it is.
typedef struct {
    char subject[SUBJECT];      //  "artifact 'model:v3'"
    artel_version_t version;    //  number -1: of an artifact that is not delivered yet
} item_t;

typedef struct {
    const char *state;
    const artel_verify_options_t *options;
    artel_verify_report_t *report;
    artel_catalogue_t *catalogue;   //  NULL: nothing was ever delivered here, or it is damaged
    const item_t *item;
    artel_places_t seen;            //  blobs that were looked at; offset: minus the code of what is wrong
    int rc;                         //  the first thing that could not be found out
} self_t;

static void __attribute__((format(printf, 2, 3)))
s_say(self_t *self, const char *format, ...)
{
    char sentence[SENTENCE];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    self->report->damaged++;
    self->options->damaged(self->options->arg, sentence);
}

//  Whether a code tells of what is stored, and not of us.
static bool
s_is_damage(int code)
{
    return code == ARTEL_ENOENT || code == ARTEL_ECORRUPT || code == ARTEL_EIO || code == ARTEL_EPROTO;
}

static const char *
s_what(int code)
{
    return code == ARTEL_ENOENT ? "is missing"
        : code == ARTEL_EPROTO ? "does not follow the format"
        : code == ARTEL_EIO ? "cannot be read: the disk reported an error"
        : "has other bytes than its digest says";
}

//  A statement of the catalogue, with one text or digest bound; NULL if that fails.
static sqlite3_stmt *
s_prepare(self_t *self, const char *sql, const char *text, const artel_digest_t *digest)
{
    sqlite3_stmt *stmt;
    if (sqlite3_prepare_v2(artel_catalogue_db(self->catalogue), sql, -1, &stmt, NULL) != SQLITE_OK)
        return NULL;
    if (digest)
        sqlite3_bind_blob(stmt, 1, digest->at, sizeof digest->at, SQLITE_STATIC);
    else if (text)
        sqlite3_bind_text(stmt, 1, text, -1, SQLITE_STATIC);
    return stmt;
}

//  Blobs.

//  The pack in which the catalogue has seen the blob, else the artifact's own.
static void
s_hint(self_t *self, const artel_digest_t *digest, char ret[ARTEL_ID_TEXT])
{
    snprintf(ret, ARTEL_ID_TEXT, "%s", self->item->version.pack);
    sqlite3_stmt *stmt = !self->catalogue ? NULL : s_prepare(self,
        "SELECT p.pack FROM blobs b JOIN packs p ON p.id = b.pack WHERE b.digest = ?1", NULL, digest);
    if (stmt && sqlite3_step(stmt) == SQLITE_ROW)
        snprintf(ret, ARTEL_ID_TEXT, "%s", (const char *) sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
}

//  What is wrong with a blob, 0, or a code that is ours; hashed once.
static int
s_look(self_t *self, const artel_digest_t *digest, uint64_t size)
{
    const artel_place_t *seen = artel_places_find(&self->seen, digest);
    if (seen)
        return -(int) seen->offset;
    char hint[ARTEL_ID_TEXT];
    artel_blob_place_t place;
    s_hint(self, digest, hint);
    int rc = artel_blob_find(self->state, digest, hint, &place);
    if (rc == 0)
        rc = place.size == size ? artel_blob_copy(self->state, digest, &place, -1) : ARTEL_ECORRUPT;
    if (rc != 0 && !s_is_damage(rc))
        return rc;
    self->report->blobs++;
    self->report->bytes += size;
    int added = artel_places_add(&self->seen, &(artel_place_t) { *digest, (uint64_t) -rc, size });
    return added != 0 ? added : rc;
}

static int
s_check_entry(void *arg, const artel_msg_entry_t *entry)
{
    self_t *self = arg;
    if (entry->kind != ARTEL_ENTRY_FILE)
        return 0;
    int rc = s_look(self, &entry->digest, entry->size);
    if (rc != 0 && !s_is_damage(rc))
        return rc;
    if (rc != 0) {
        char path[SUBJECT];
        artel_path_escape(entry->path, path, sizeof path);
        s_say(self, "%s: the file '%s' %s", self->item->subject, path, s_what(rc));
    }
    bool go_on = !self->options->progress || self->options->progress(
        self->options->arg, self->report->blobs, self->report->bytes) == 0;
    return go_on ? 0 : ARTEL_ECANCELED;
}

//  Manifests.

//  Entries and rows, side by side.
typedef struct {
    sqlite3_stmt *rows;
    uint64_t files, bytes;
} pair_t;

static bool
s_is_same(sqlite3_stmt *rows, int column, const void *data, size_t len)
{
    return (size_t) sqlite3_column_bytes(rows, column) == len
        && (len == 0 || memcmp(sqlite3_column_blob(rows, column), data, len) == 0);
}

static int
s_compare_entry(void *arg, const artel_msg_entry_t *entry)
{
    pair_t *pair = arg;
    bool file = entry->kind == ARTEL_ENTRY_FILE, sized = file || entry->kind == ARTEL_ENTRY_REFERENCE;
    pair->files += sized;
    pair->bytes += sized ? entry->size : 0;
    return sqlite3_step(pair->rows) == SQLITE_ROW
        && s_is_same(pair->rows, 0, entry->path.at, entry->path.len)
        && (uint64_t) sqlite3_column_int64(pair->rows, 1) == entry->kind
        && s_is_same(pair->rows, 2, entry->digest.at, file ? sizeof entry->digest.at : 0)
        && (uint64_t) sqlite3_column_int64(pair->rows, 3) == (sized ? entry->size : 0)
        && sqlite3_column_int(pair->rows, 4) == (file && entry->exec)
        && s_is_same(pair->rows, 5, entry->target.at, entry->target.len)
        && s_is_same(pair->rows, 6, entry->uri.at, entry->uri.len) ? 0 : DIFFERS;
}

//  The catalogue lists what the manifest says.
static int
s_compare(self_t *self, const void *data, size_t len)
{
    const artel_version_t *version = &self->item->version;
    pair_t pair = { .rows = s_prepare(self,
        "SELECT path, kind, digest, size, exec, target, uri FROM entries"
        " WHERE manifest = (SELECT id FROM manifests WHERE digest = ?1) ORDER BY path", NULL,
        &version->manifest) };
    if (!pair.rows)
        return ARTEL_EIO;
    int rc = artel_manifest_each(data, len, s_compare_entry, &pair);
    if (rc == 0)
        rc = sqlite3_step(pair.rows) != SQLITE_DONE || pair.files != version->files
            || pair.bytes != version->bytes ? DIFFERS : 0;
    sqlite3_finalize(pair.rows);
    if (rc == DIFFERS)
        s_say(self, "%s: the catalogue lists other entries than its manifest", self->item->subject);
    return rc == DIFFERS ? 0 : rc;
}

static int
s_check_item(self_t *self, const item_t *item)
{
    void *data;
    size_t len;
    self->item = item;
    int rc = artel_blob_read(self->state, &item->version.manifest, item->version.pack,
                             ARTEL_MAX_MANIFEST, &data, &len);
    if (rc == 0) {
        if (item->version.version >= 0)
            rc = s_compare(self, data, len);
        if (rc == 0)
            rc = artel_manifest_each(data, len, s_check_entry, self);
        free(data);
    }
    if (s_is_damage(rc)) {
        s_say(self, "%s: its manifest %s", item->subject, s_what(rc));
        rc = 0;
    }
    return rc;
}

//  Versions.

static int
s_check_version(self_t *self, const char *name, const char *which)
{
    item_t item;
    int rc = artel_catalogue_resolve(self->catalogue, name, which, &item.version);
    if (rc != 0)
        return rc;
    self->report->versions++;
    snprintf(item.subject, sizeof item.subject, "artifact '%s:v%lld'", name,
             (long long) item.version.version);
    return s_check_item(self, &item);
}

//  Call s_check_version for each version of one artifact, or (NULL) of all. They
//  are listed first, so that nothing of the catalogue is held meanwhile.
static int
s_check_versions(self_t *self, const char *name)
{
    char *list = NULL;
    size_t size = 0, n = 0;
    FILE *out = open_memstream(&list, &size);
    sqlite3_stmt *stmt = s_prepare(self, "SELECT a.name, v.version FROM versions v"
        " JOIN artifacts a ON a.id = v.artifact WHERE ?1 IS NULL OR a.name = ?1"
        " ORDER BY a.id, v.version", name, NULL);
    for (; out && stmt && sqlite3_step(stmt) == SQLITE_ROW; n++)
        fprintf(out, "%s%cv%lld%c", (const char *) sqlite3_column_text(stmt, 0), 0,
                (long long) sqlite3_column_int64(stmt, 1), 0);
    int rc = !stmt || sqlite3_finalize(stmt) != SQLITE_OK ? ARTEL_EIO : 0;
    if (!out || fclose(out) != 0)
        rc = ARTEL_ENOMEM;
    if (rc == 0 && n == 0 && name)
        rc = ARTEL_ENOENT;
    for (const char *at = list; rc == 0 && at < list + size; ) {
        const char *which = at + strlen(at) + 1;
        rc = s_check_version(self, at, which);
        if (rc == ARTEL_ENOENT)
            rc = 0;                             //  removed meanwhile
        at = which + strlen(which) + 1;
    }
    free(list);
    return rc;
}

//  "NAME" or "NAME:VERSION". One that is not there does not keep from the others.
static int
s_check_name(self_t *self, const char *text)
{
    char *name = strdup(text), *colon = name ? strrchr(name, ':') : NULL;
    int rc = !name ? ARTEL_ENOMEM : !self->catalogue ? ARTEL_ENOENT : 0;
    if (colon)
        *colon = 0;
    if (rc == 0)
        rc = colon ? s_check_version(self, name, colon + 1) : s_check_versions(self, name);
    free(name);
    if (rc != ARTEL_ENOENT)
        return rc;
    s_say(self, "there is no artifact '%s'", text);
    self->rc = ARTEL_ENOENT;
    return 0;
}

//  Everything else.

static int
s_check_undelivered(void *arg, const artel_undelivered_t *artifact)
{
    const artel_msg_artifact_send_t *send = artifact->send;
    item_t item = { .version = { .version = -1, .manifest = send->manifest } };
    snprintf(item.version.pack, sizeof item.version.pack, "%.*s", (int) send->pack.len,
             send->pack.at ? send->pack.at : "");
    snprintf(item.subject, sizeof item.subject, "artifact '%.*s' of run %s, not delivered yet",
             (int) send->name.len, send->name.at, artifact->run);
    return s_check_item(arg, &item);
}

//  A journal that is not whole.
typedef struct {
    self_t *self;
    const char *subject, *why;
} marred_t;

static void
s_say_range(void *arg, uint64_t from, uint64_t to)
{
    const marred_t *marred = arg;
    s_say(marred->self, "%s: batches from %llu to %llu are missing: %s", marred->subject,
          (unsigned long long) from, (unsigned long long) to, marred->why);
}

static int
s_say_lost(self_t *self, const char *run, artel_id_t writer, const char *subject,
           const artel_journal_report_t *report)
{
    marred_t marred = { self, subject, report->class == ARTEL_JOURNAL_CORRUPT
        ? "the disk lost or changed what it once had"
        : "they were not synced before a crash, or are damaged" };
    if (report->lost_from)
        return artel_journal_lost(self->state, run, writer, s_say_range, &marred);
    s_say(self, "%s: damaged bytes, which cost no record", subject);
    return 0;
}

static int
s_check_journal(void *arg, const char *run, artel_id_t writer)
{
    self_t *self = arg;
    artel_journal_report_t report;
    char id[ARTEL_ID_TEXT], subject[SUBJECT];
    artel_hex(writer.at, sizeof writer.at, id);
    snprintf(subject, sizeof subject, "the journal of run %s, writer %s", run, id);
    int rc = artel_journal_examine(self->state, run, writer, &report);
    if (rc == ARTEL_ENOENT)
        return 0;
    self->report->journals++;
    if (rc == ARTEL_ECORRUPT || rc == ARTEL_EIO)
        s_say(self, "%s: %s", subject, rc == ARTEL_EIO ? s_what(rc) : "nothing in it can be read");
    else if (rc == ARTEL_EVERSION)
        self->rc = rc;
    else if (rc == 0 && report.class > ARTEL_JOURNAL_TORN_TAIL)
        rc = s_say_lost(self, run, writer, subject, &report);
    return rc == ARTEL_ENOMEM || rc == ARTEL_EMFILE || rc == ARTEL_EACCES ? rc : 0;
}

static int
s_check_catalogue(self_t *self)
{
    sqlite3_stmt *stmt = s_prepare(self, "PRAGMA quick_check(1)", NULL, NULL);
    const char *found = stmt && sqlite3_step(stmt) == SQLITE_ROW
        ? (const char *) sqlite3_column_text(stmt, 0) : NULL;
    if (!found || strcmp(found, "ok") != 0)
        s_say(self, "the catalogue is damaged: %s", found ? found
              : sqlite3_errmsg(artel_catalogue_db(self->catalogue)));
    sqlite3_finalize(stmt);
    return 0;
}

static int
s_check_all(self_t *self)
{
    int rc = self->catalogue ? s_check_catalogue(self) : 0;
    if (rc == 0 && self->catalogue)
        rc = s_check_versions(self, NULL);
    if (rc == 0)
        rc = artel_undelivered_each(self->state, s_check_undelivered, self);
    return rc == 0 ? artel_journal_each(self->state, s_check_journal, self) : rc;
}

static int
s_open_catalogue(self_t *self)
{
    int rc = artel_catalogue_open(self->state, false, &self->catalogue);
    if (rc == ARTEL_ECORRUPT)
        s_say(self, "the catalogue is damaged: it cannot be opened");
    return rc == ARTEL_ECORRUPT || rc == ARTEL_ENOENT ? 0 : rc;
}

static bool
s_is_wanted(void *arg)
{
    const artel_verify_options_t *options = arg;
    return !options->progress || options->progress(options->arg, 0, 0) == 0;
}

int
artel_verify(const char *state, const artel_verify_options_t *options, artel_verify_report_t *ret)
{
    self_t self = { .state = state, .options = options, .report = ret };
    int lock;
    *ret = (artel_verify_report_t) { .versions = 0 };
    if (access(state, F_OK) != 0)
        return artel_error_of_errno(errno);     //  taking the lock would make it
    int rc = artel_blobs_lock(state, false, &(artel_patience_t) { s_is_wanted, (void *) (uintptr_t) options }, &lock);
    if (rc != 0)
        return rc == ARTEL_ELOCKED ? ARTEL_ECANCELED : rc;
    rc = s_open_catalogue(&self);
    for (size_t i = 0; rc == 0 && i < options->n; i++)
        rc = s_check_name(&self, options->names[i]);
    if (rc == 0 && options->n == 0)
        rc = s_check_all(&self);
    artel_catalogue_close(&self.catalogue);
    artel_blobs_unlock(lock);
    artel_places_done(&self.seen);
    if (rc == 0)
        rc = self.rc;
    return rc == 0 && ret->damaged ? ARTEL_ECORRUPT : rc;
}
