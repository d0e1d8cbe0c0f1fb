//  gc.c - mark what is needed, remove the rest, retire journals.
//
//  Under the exclusive lock of blobs/ no ingest is under way, and what an ingest
//  made is named by a record in a journal. The journals are read before the
//  catalogue: an artifact that is committed meanwhile is in the one or the other.

#include "gc.h"

#include "actor.h"
#include "blobs.h"
#include "catalogue.h"
#include "errors.h"
#include "fds.h"
#include "holder.h"
#include "layout.h"
#include "manifest.h"
#include "places.h"
#include "retire.h"
#include "state.h"
#include "undelivered.h"

#include <dirent.h>
#include <sqlite3.h>
#include <sys/stat.h>

enum { LEFTOVER_AGE_MS = 3600 * 1000 };

typedef struct {
    const char *state;
    const artel_gc_options_t *options;
    artel_gc_report_t *report;
    artel_catalogue_t *catalogue;   //  NULL: nothing was ever delivered here
    artel_places_t needed;          //  digests; where they lie does not matter
    int64_t until;                  //  when it does not wait any longer for the lock
} self_t;

//  Keep the first failure's sentence.
static int
s_say(self_t *self, int rc, const char *what)
{
    if (rc != 0 && !*self->report->text)
        snprintf(self->report->text, sizeof self->report->text, "%s in %s: %s", what, self->state,
                 artel_error_code_text(rc));
    return rc;
}

//  Marking.

static int
s_need(self_t *self, const artel_digest_t *digest)
{
    if (artel_places_find(&self->needed, digest))
        return 0;
    return artel_places_add(&self->needed, &(artel_place_t) { .digest = *digest });
}

static int
s_need_entry(void *arg, const artel_msg_entry_t *entry)
{
    return entry->kind == ARTEL_ENTRY_FILE ? s_need(arg, &entry->digest) : 0;
}

//  A manifest that is lost or damaged will be refused by every sink: of it only itself is kept.
static int
s_need_undelivered(void *arg, const artel_undelivered_t *artifact)
{
    self_t *self = arg;
    const artel_msg_artifact_send_t *send = artifact->send;
    char pack[ARTEL_ID_TEXT];
    void *data;
    size_t len;
    if (artel_places_find(&self->needed, &send->manifest))
        return 0;
    snprintf(pack, sizeof pack, "%.*s", (int) send->pack.len, send->pack.at ? send->pack.at : "");
    int rc = s_need(self, &send->manifest);
    if (rc != 0)
        return rc;
    rc = artel_blob_read(self->state, &send->manifest, pack, ARTEL_MAX_MANIFEST, &data, &len);
    if (rc == 0) {
        rc = artel_manifest_each(data, len, s_need_entry, self);
        free(data);
    }
    return rc == ARTEL_ENOENT || rc == ARTEL_ECORRUPT || rc == ARTEL_EPROTO ? 0 : rc;
}

static int
s_need_rows(self_t *self, sqlite3_stmt *stmt)
{
    int rc = 0, step = SQLITE_DONE;
    while (rc == 0 && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        artel_digest_t digest;
        if (sqlite3_column_bytes(stmt, 0) != sizeof digest.at)
            return ARTEL_ECORRUPT;
        memcpy(digest.at, sqlite3_column_blob(stmt, 0), sizeof digest.at);
        rc = s_need(self, &digest);
    }
    if (rc == 0 && step != SQLITE_DONE)
        rc = step == SQLITE_CORRUPT ? ARTEL_ECORRUPT : step == SQLITE_NOMEM ? ARTEL_ENOMEM : ARTEL_EIO;
    return rc;
}

static int
s_need_versions(self_t *self)
{
    static const char all[] =
        "SELECT digest FROM manifests WHERE id IN (SELECT manifest FROM versions) UNION ALL "
        "SELECT digest FROM entries WHERE digest IS NOT NULL"
        " AND manifest IN (SELECT manifest FROM versions)";
    sqlite3_stmt *stmt;
    if (!self->catalogue)
        return 0;
    if (sqlite3_prepare_v2(artel_catalogue_db(self->catalogue), all, -1, &stmt, NULL) != SQLITE_OK)
        return ARTEL_EIO;
    int rc = s_need_rows(self, stmt);
    sqlite3_finalize(stmt);
    return rc;
}

//  A catalogue that is not there is not made.
static int
s_open_catalogue(self_t *self)
{
    int rc = artel_catalogue_open(self->state, false, &self->catalogue);
    if (rc == 0 && !self->options->dry_run) {
        artel_catalogue_close(&self->catalogue);
        rc = artel_catalogue_open(self->state, true, &self->catalogue);
    }
    return rc == ARTEL_ENOENT ? 0 : rc;
}

static int
s_mark(self_t *self)
{
    int rc = s_say(self, artel_undelivered_each(self->state, s_need_undelivered, self),
                   "the pending journals");
    if (rc == 0)
        rc = s_say(self, s_open_catalogue(self), "the catalogue");
    return rc == 0 ? s_say(self, s_need_versions(self), "the catalogue") : rc;
}

//  Sweeping.

static int
s_sweep_loose(void *arg, const artel_digest_t *digest, uint64_t size)
{
    self_t *self = arg;
    if (artel_places_find(&self->needed, digest))
        return 0;
    int rc = self->options->dry_run ? 0 : artel_loose_remove(self->state, digest);
    if (rc == 0) {
        self->report->loose++;
        self->report->bytes += size;
    }
    return rc;
}

enum { NEEDED = 1 };

static int
s_is_needed(void *arg, const artel_digest_t *digest, uint64_t offset, uint64_t size)
{
    self_t *self = arg;
    (void) offset, (void) size;
    return artel_places_find(&self->needed, digest) ? NEEDED : 0;
}

//  A pack whose index cannot be read may hold something: it stays.
static int
s_sweep_pack(void *arg, const char *pack, uint64_t size)
{
    self_t *self = arg;
    int rc = artel_pack_each(self->state, pack, s_is_needed, self);
    if (rc == NEEDED || rc == ARTEL_ECORRUPT || rc == ARTEL_EVERSION || rc == ARTEL_ENOENT)
        return 0;
    if (rc == 0 && !self->options->dry_run && self->catalogue)
        rc = artel_catalogue_forget_pack(self->catalogue, pack);
    if (rc == 0 && !self->options->dry_run)
        rc = artel_pack_remove(self->state, pack);
    if (rc == 0) {
        self->report->packs++;
        self->report->bytes += size;
    }
    return rc;
}

//  Count what a folder holds that was not changed for age_ms; remove it if asked to.
static int
s_leftovers(self_t *self, const char *folder, int64_t age_ms, bool removing)
{
    char *path = artel_format("%s/%s", self->state, folder);
    DIR *dir = path ? opendir(path) : NULL;
    int rc = path ? 0 : ARTEL_ENOMEM;
    free(path);
    for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL; ) {
        struct stat st;
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "LOCK") == 0
            || fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0
            || !S_ISREG(st.st_mode) || st.st_mtim.tv_sec * INT64_C(1000) + age_ms > artel_wall_ms())
            continue;
        if (removing && unlinkat(dirfd(dir), entry->d_name, 0) != 0)
            continue;
        self->report->leftovers++;
        self->report->bytes += (uint64_t) st.st_size;
    }
    if (dir)
        closedir(dir);
    return rc;
}

static int
s_clean(self_t *self)
{
    uint64_t bytes;
    int rc = s_leftovers(self, "blobs/tmp", 0, false);
    return rc != 0 || self->options->dry_run ? rc : artel_blobs_clean(self->state, &bytes);
}

static int
s_sweep(self_t *self)
{
    int rc = s_say(self, artel_loose_each(self->state, s_sweep_loose, self), "the loose blobs");
    if (rc == 0)
        rc = s_say(self, artel_packs_each(self->state, s_sweep_pack, self), "the packs");
    if (rc == 0)
        rc = s_say(self, s_clean(self), "the unfinished blobs");
    if (rc == 0 && self->catalogue && !self->options->dry_run)
        rc = s_say(self, artel_catalogue_sweep(self->catalogue), "the catalogue");
    return rc;
}

static bool
s_is_wanted(void *arg)
{
    return artel_now_ms() < ((const self_t *) arg)->until;
}

//  A program that stores artifacts has the store, or another gc.
static int
s_say_locked(self_t *self)
{
    char who[128] = "", *path = artel_format("%s/blobs/LOCK", self->state);
    if (path)
        artel_lock_holders(path, who, sizeof who);
    free(path);
    snprintf(self->report->text, sizeof self->report->text, "the blobs are in use by %s, for longer than %lld s; "
             "nothing was removed", *who ? who : "other programs", (long long) (self->options->wait_ms / 1000));
    return ARTEL_ELOCKED;
}

static int
s_lock(self_t *self, int *ret)
{
    int rc = artel_blobs_lock(self->state, true, &(artel_patience_t) { s_is_wanted, self }, ret);
    return rc == ARTEL_ELOCKED ? s_say_locked(self) : s_say(self, rc, "the lock of the blobs");
}

static int
s_collect_blobs(self_t *self)
{
    int lock;
    int rc = s_lock(self, &lock);
    if (rc != 0)
        return rc;
    rc = s_mark(self);
    if (rc == 0)
        rc = s_sweep(self);
    artel_catalogue_close(&self->catalogue);
    artel_blobs_unlock(lock);
    artel_places_done(&self->needed);
    return rc;
}

//  Journals, and what dead programs left in tmp/.

static int
s_retire(void *arg, const char *run, artel_id_t writer)
{
    self_t *self = arg;
    artel_retire_t how = { self->options->dry_run, self->options->journal_age_ms };
    uint64_t bytes;
    int rc = artel_journal_retire(self->state, run, writer, &how, &bytes);
    if (rc > 0) {
        self->report->journals++;
        self->report->bytes += bytes;
    }
    return rc < 0 && rc != ARTEL_ENOENT && rc != ARTEL_ECORRUPT && rc != ARTEL_EVERSION ? rc : 0;
}

//  Dead births go with the lock that says there is none under way; of other files
//  there only the age tells.
static int
s_sweep_tmp(self_t *self)
{
    int lock;
    if (artel_births_stop(self->state, &lock) == 0) {
        self->report->leftovers += artel_births_sweep(self->state, self->options->dry_run);
        artel_fd_close(lock);
    }
    return s_leftovers(self, "tmp", LEFTOVER_AGE_MS, !self->options->dry_run);
}

int
artel_gc(const char *state, const artel_gc_options_t *options, artel_gc_report_t *ret)
{
    self_t self = { .state = state, .options = options, .report = ret,
                    .until = artel_now_ms() + options->wait_ms };
    *ret = (artel_gc_report_t) { .loose = 0 };
    int ours = artel_state_is_ours(state);
    if (ours < 0)
        return s_say(&self, ours, "the host file");
    if (ours == 0) {
        snprintf(ret->text, sizeof ret->text, "%s belongs to another machine", state);
        return ARTEL_EACCES;
    }
    int rc = s_collect_blobs(&self);
    if (rc == 0 && options->journal_age_ms >= 0)
        rc = s_say(&self, artel_journal_each(state, s_retire, &self), "the journals");
    if (rc == 0)
        rc = s_say(&self, s_sweep_tmp(&self), "tmp/");
    return rc;
}
