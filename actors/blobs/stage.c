//  stage.c - the order of writes that makes blobs durable before they are seen.

#include "stage.h"

#include "bounds.h"
#include "errors.h"
#include "folders.h"
#include "pack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TEMPORARY = 4 + ARTEL_ID_TEXT + 20,
    WAITING = 8,                    //  large files that are synced together
};

struct artel_stage {
    int blobs;                      //  descriptor of blobs/
    char id[ARTEL_ID_TEXT];         //  of the pack; begins every temporary name
    artel_ingest_known_fn *known;
    void *arg;
    artel_hash_t *hash;
    artel_packer_t *packer;
    void *room;                     //  the packer's, as it was last given
    bool sealed;                    //  the pack is whole and still has its temporary name
    artel_places_t loose;           //  large blobs; the offset is the number of the temporary file
    size_t published;               //  so many of them have their names
    uint64_t files;                 //  temporary files so far
    struct {
        int fd;
        uint64_t number;
    } waiting[WAITING];             //  those that are written and not synced
    size_t n_waiting;
    bool touched[256];              //  folders ab/ with a name that may not be durable
    bool made;                      //  there is a new ab/ itself
    char failed[TEMPORARY];         //  what could not be published
};

static void
s_pack_temporary(const artel_stage_t *self, char ret[TEMPORARY])
{
    snprintf(ret, TEMPORARY, "tmp/%s.pack", self->id);
}

static void
s_temporary(const artel_stage_t *self, uint64_t number, char ret[TEMPORARY])
{
    snprintf(ret, TEMPORARY, "tmp/%s-%llx", self->id, (unsigned long long) number);
}

//  Note what it was about.
static int
s_failed(artel_stage_t *self, int code, const char *name)
{
    snprintf(self->failed, sizeof self->failed, "%s", name);
    return code;
}

const char *
artel_stage_failed(const artel_stage_t *self)
{
    return self->failed;
}

int
artel_stage_new(const char *store, artel_ingest_known_fn *known, void *arg, artel_stage_t **ret)
{
    artel_stage_t *self = calloc(1, sizeof *self);
    if (!self)
        return ARTEL_ENOMEM;
    char name[TEMPORARY];
    artel_id_t id = artel_id_new();
    artel_hex(id.at, sizeof id.at, self->id);
    self->known = known;
    self->arg = arg;
    self->blobs = -1;
    s_pack_temporary(self, name);
    int rc = artel_blobs_folder(store, &self->blobs);
    if (rc == 0)
        rc = artel_hash_new(&self->hash);
    if (rc == 0)
        rc = artel_packer_new(self->blobs, name, &self->packer);
    if (rc == 0)
        *ret = self;
    else
        artel_stage_destroy(&self);
    return rc;
}

void
artel_stage_destroy(artel_stage_t **self_p)
{
    artel_stage_t *self = *self_p;
    if (!self)
        return;
    while (self->n_waiting > 0)
        close(self->waiting[--self->n_waiting].fd);
    for (size_t i = self->published; i < self->loose.n; i++) {
        char name[TEMPORARY];
        s_temporary(self, self->loose.at[i].offset, name);
        unlinkat(self->blobs, name, 0);
    }
    if (self->sealed) {
        char name[TEMPORARY];
        s_pack_temporary(self, name);
        unlinkat(self->blobs, name, 0);
    }
    artel_packer_destroy(&self->packer);
    artel_hash_destroy(&self->hash);
    artel_places_done(&self->loose);
    if (self->blobs >= 0)
        close(self->blobs);
    free(self);
    *self_p = NULL;
}

//  Whether the store has the blob as a file. Its name may be new: then its
//  folder is synced with those of our own.
static bool
s_is_loose(artel_stage_t *self, const artel_digest_t *digest, uint64_t size)
{
    char name[ARTEL_LOOSE_TEXT];
    struct stat st;
    artel_loose_name(digest, name);
    if (size < ARTEL_LOOSE_FROM || fstatat(self->blobs, name, &st, AT_SYMLINK_NOFOLLOW) != 0
        || !S_ISREG(st.st_mode) || (uint64_t) st.st_size != size)
        return false;
    self->touched[digest->at[0]] = true;
    return true;
}

bool
artel_stage_has(artel_stage_t *self, const artel_digest_t *digest, uint64_t size)
{
    return artel_packer_has(self->packer, digest) || artel_places_find(&self->loose, digest)
           || (self->known && self->known(self->arg, digest, size))
           || s_is_loose(self, digest, size);
}

int
artel_stage_room(artel_stage_t *self, size_t size, void **ret)
{
    int rc = artel_packer_room(self->packer, size, &self->room);
    if (rc == 0)
        *ret = self->room;
    return rc;
}

int
artel_stage_small(artel_stage_t *self, size_t size, artel_digest_t *ret)
{
    artel_digest_t digest;
    int rc = 0;
    artel_hash_bytes(self->hash, self->room, size, &digest);
    if (!artel_stage_has(self, &digest, size))
        rc = artel_packer_add(self->packer, &digest, size);
    if (rc == 0)
        *ret = digest;
    return rc;
}

//  Where the file system can, the file shares the blocks of in, and only the
//  hash has to read them.
static void
s_try_clone(artel_stream_t *stream)
{
    if (stream->data || stream->offset != 0 || ioctl(stream->out, FICLONE, stream->in) != 0)
        return;
    stream->in = stream->out;
    stream->out = -1;
}

//  Make the large files that wait durable. The first makes the file system commit
//  what it knows of all of them, so that many are little dearer than one.
static int
s_sync_waiting(artel_stage_t *self)
{
    int rc = 0;
    for (size_t i = 0; i < self->n_waiting; i++) {
        char name[TEMPORARY];
        s_temporary(self, self->waiting[i].number, name);
        if (rc == 0 && fdatasync(self->waiting[i].fd) != 0)
            rc = s_failed(self, artel_error_of_errno(errno), name);
        if (close(self->waiting[i].fd) != 0 && rc == 0)
            rc = s_failed(self, artel_error_of_errno(errno), name);
    }
    self->n_waiting = 0;
    return rc;
}

//  A full temporary file that is to be kept: the disk starts on it, the sync may
//  wait. Takes fd, on success only.
static int
s_keep(artel_stage_t *self, int fd, const artel_place_t *place)
{
    int rc = self->n_waiting == WAITING ? s_sync_waiting(self) : 0;
    if (rc == 0)
        rc = artel_places_add(&self->loose, place);
    if (rc != 0)
        return rc;
    (void) sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    self->waiting[self->n_waiting].fd = fd;
    self->waiting[self->n_waiting++].number = place->offset;
    return 0;
}

static int
s_fill(artel_stage_t *self, int fd, artel_stream_t *stream, artel_place_t *place)
{
    stream->out = fd;
    stream->sparse = stream->write_back = true;
    s_try_clone(stream);
    int rc = artel_stream(self->hash, stream, &place->digest);
    place->size = stream->bytes;
    return rc;
}

int
artel_stage_large(artel_stage_t *self, artel_stream_t *stream, artel_digest_t *ret)
{
    char name[TEMPORARY];
    artel_place_t place = { .offset = self->files++ };
    s_temporary(self, place.offset, name);
    stream->write_failed = true;
    int fd = openat(self->blobs, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return artel_error_of_errno(errno);
    int rc = s_fill(self, fd, stream, &place);
    bool keep = rc == 0 && !artel_stage_has(self, &place.digest, place.size);
    if (keep) {
        stream->write_failed = true;
        rc = s_keep(self, fd, &place);
    }
    if (rc != 0 || !keep) {
        close(fd);
        unlinkat(self->blobs, name, 0);
    }
    if (rc == 0)
        *ret = place.digest;
    return rc;
}

int
artel_stage_bytes(artel_stage_t *self, const void *data, size_t len, artel_digest_t *ret)
{
    if (len >= ARTEL_LOOSE_FROM) {
        artel_stream_t stream = { .data = data, .limit = len };
        return artel_stage_large(self, &stream, ret);
    }
    void *room;
    int rc = artel_stage_room(self, len, &room);
    if (rc != 0)
        return rc;
    if (len)
        memcpy(room, data, len);
    return artel_stage_small(self, len, ret);
}

//  The name is taken, by the same content if what has it is whole.
static int
s_give_way(artel_stage_t *self, const char *from, const char *to, uint64_t size)
{
    struct stat st;
    bool whole = fstatat(self->blobs, to, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode)
                 && (uint64_t) st.st_size == size;
    if (whole)
        return unlinkat(self->blobs, from, 0) != 0 ? artel_error_of_errno(errno) : 0;
    return renameat(self->blobs, from, self->blobs, to) != 0 ? artel_error_of_errno(errno) : 0;
}

//  EINVAL: this file system knows no RENAME_NOREPLACE; then what is replaced is
//  the same content.
static int
s_name(artel_stage_t *self, const char *from, const char *to, uint64_t size)
{
    if (renameat2(self->blobs, from, self->blobs, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno == EEXIST)
        return s_give_way(self, from, to, size);
    if (errno == EINVAL && renameat(self->blobs, from, self->blobs, to) == 0)
        return 0;
    return artel_error_of_errno(errno);
}

static int
s_publish_loose(artel_stage_t *self, const artel_place_t *place)
{
    char from[TEMPORARY], to[ARTEL_LOOSE_TEXT], folder[3];
    s_temporary(self, place->offset, from);
    artel_loose_name(&place->digest, to);
    memcpy(folder, to, 2);
    folder[2] = 0;
    if (mkdirat(self->blobs, folder, 0700) == 0)
        self->made = true;
    else if (errno != EEXIST)
        return s_failed(self, artel_error_of_errno(errno), folder);
    self->touched[place->digest.at[0]] = true;
    int rc = s_name(self, from, to, place->size);
    return rc == 0 ? 0 : s_failed(self, rc, from);
}

static int
s_sync_folder(artel_stage_t *self, const char *name)
{
    int rc = artel_sync_folder(self->blobs, name);
    return rc == 0 ? 0 : s_failed(self, rc, name);
}

static int
s_sync_folders(artel_stage_t *self)
{
    int rc = self->made ? s_sync_folder(self, ".") : 0;
    for (unsigned i = 0; rc == 0 && i < 256; i++) {
        char folder[3];
        artel_hex(&(uint8_t) { (uint8_t) i }, 1, folder);
        if (self->touched[i])
            rc = s_sync_folder(self, folder);
    }
    return rc;
}

static int
s_publish_pack(artel_stage_t *self)
{
    char from[TEMPORARY], to[ARTEL_PACK_TEXT];
    s_pack_temporary(self, from);
    artel_pack_name(self->id, to);
    if (renameat(self->blobs, from, self->blobs, to) != 0)
        return s_failed(self, artel_error_of_errno(errno), from);
    self->sealed = false;
    return s_sync_folder(self, "packs");
}

static int
s_seal_pack(artel_stage_t *self)
{
    char name[TEMPORARY];
    s_pack_temporary(self, name);
    int rc = artel_packer_seal(self->packer);
    return rc == 0 ? 0 : s_failed(self, rc, name);
}

int
artel_stage_publish(artel_stage_t *self, char ret_pack[ARTEL_ID_TEXT])
{
    bool packs = artel_packer_count(self->packer) > 0;
    int rc = s_sync_waiting(self);
    if (rc == 0 && packs)
        rc = s_seal_pack(self);
    self->sealed = rc == 0 && packs;
    while (rc == 0 && self->published < self->loose.n) {
        rc = s_publish_loose(self, &self->loose.at[self->published]);
        if (rc == 0)
            self->published++;
    }
    if (rc == 0)
        rc = s_sync_folders(self);
    if (rc == 0 && packs)
        rc = s_publish_pack(self);
    if (rc == 0)
        strcpy(ret_pack, packs ? self->id : "");
    return rc;
}
