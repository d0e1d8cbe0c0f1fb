//  source.c - resolving many digests against packs and loose files.

#include "source.h"

#include "blobs.h"
#include "bounds.h"
#include "errors.h"
#include "folders.h"
#include "manifest.h"
#include "pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MISSING = 0, LOOSE = 1, PACKED = 2 };    //  PACKED + i: in pack i
enum { LOAD_FROM = 64 };        //  with so many missing a whole index is read

typedef struct {
    artel_digest_t digest;
    uint64_t size, offset;
    uint32_t where;
} want_t;

typedef struct {
    char id[ARTEL_ID_TEXT];
} pack_id_t;

struct artel_source {
    const char *store;          //  the caller's, while it resolves
    int blobs;                  //  descriptor of blobs/
    want_t *wants;              //  sorted by digest, each once
    size_t n, room, missing;
    pack_id_t *packs;           //  those that had something
    size_t n_packs;
    int damage;                 //  why a pack could not be asked, or 0
    int fd;                     //  the file given out last
    uint32_t fd_where;          //  the pack it is, LOOSE for a loose file
};

static int
s_want(void *arg, const artel_msg_entry_t *entry)
{
    artel_source_t *self = arg;
    if (entry->kind != ARTEL_ENTRY_FILE)
        return 0;
    if (self->n == self->room) {
        size_t room = self->room ? 2 * self->room : 64;
        want_t *wants = realloc(self->wants, room * sizeof *wants);
        if (!wants)
            return ARTEL_ENOMEM;
        self->wants = wants;
        self->room = room;
    }
    self->wants[self->n++] = (want_t) { .digest = entry->digest, .size = entry->size };
    return 0;
}

static int
s_compare(const void *a, const void *b)
{
    return memcmp(((const want_t *) a)->digest.at, ((const want_t *) b)->digest.at,
                  sizeof (artel_digest_t));
}

static void
s_sort(artel_source_t *self)
{
    size_t n = 0;
    if (self->n)
        qsort(self->wants, self->n, sizeof *self->wants, s_compare);
    for (size_t i = 0; i < self->n; i++)
        if (n == 0 || s_compare(&self->wants[n - 1], &self->wants[i]) != 0)
            self->wants[n++] = self->wants[i];
    self->n = self->missing = n;
}

//  Look for loose files of at least this size.
static void
s_resolve_loose(artel_source_t *self, uint64_t least)
{
    for (size_t i = 0; i < self->n; i++) {
        want_t *want = &self->wants[i];
        char name[ARTEL_LOOSE_TEXT];
        struct stat st;
        if (want->where != MISSING || want->size < least)
            continue;
        artel_loose_name(&want->digest, name);
        if (fstatat(self->blobs, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
            continue;
        want->where = LOOSE;
        want->size = (uint64_t) st.st_size;
        self->missing--;
    }
}

static void
s_found(artel_source_t *self, want_t *want, const artel_place_t *place)
{
    want->where = PACKED + (uint32_t) self->n_packs;
    want->offset = place->offset;
    want->size = place->size;
    self->missing--;
}

static int
s_resolve_few(artel_source_t *self, const artel_pack_t *pack)
{
    for (size_t i = 0; i < self->n; i++) {
        want_t *want = &self->wants[i];
        artel_place_t place;
        if (want->where != MISSING)
            continue;
        int rc = artel_pack_find(pack, &want->digest, &place);
        if (rc == 0)
            s_found(self, want, &place);
        else if (rc != ARTEL_ENOENT)
            return rc;
    }
    return 0;
}

//  Both are sorted by digest: one pass over both.
static int
s_resolve_many(artel_source_t *self, const artel_pack_t *pack)
{
    artel_place_t *places;
    int rc = artel_pack_load(pack, &places);
    if (rc != 0)
        return rc;
    uint64_t at = 0;
    for (size_t i = 0; i < self->n && at < pack->count;) {
        want_t *want = &self->wants[i];
        int order = memcmp(want->digest.at, places[at].digest.at, sizeof want->digest.at);
        if (order == 0 && want->where == MISSING)
            s_found(self, want, &places[at]);
        if (order <= 0)
            i++;
        else
            at++;
    }
    free(places);
    return 0;
}

//  Ask one pack for all that is missing. A pack that cannot be asked is kept in mind.
static int
s_resolve_pack(artel_source_t *self, const char *id)
{
    artel_pack_t pack;
    size_t before = self->missing;
    int rc = artel_pack_open(self->store, id, &pack);
    if (rc == ARTEL_ENOENT)
        return 0;
    if (rc == 0) {
        rc = before < LOAD_FROM ? s_resolve_few(self, &pack) : s_resolve_many(self, &pack);
        artel_pack_close(&pack);
    }
    if (rc == ARTEL_ECORRUPT || rc == ARTEL_EVERSION || rc == ARTEL_EIO) {
        self->damage = rc;
        rc = 0;
    }
    if (rc != 0 || self->missing == before)
        return rc;
    pack_id_t *packs = realloc(self->packs, (self->n_packs + 1) * sizeof *packs);
    if (!packs)
        return ARTEL_ENOMEM;
    self->packs = packs;
    memcpy(packs[self->n_packs++].id, id, sizeof packs->id);
    return 0;
}

enum { ENOUGH = 1 };

static int
s_each_pack(void *arg, const char *id, uint64_t size)
{
    (void) size;
    artel_source_t *self = arg;
    int rc = s_resolve_pack(self, id);
    return rc == 0 && self->missing == 0 ? ENOUGH : rc;
}

static int
s_resolve(artel_source_t *self, const char *hint)
{
    int rc = 0;
    s_sort(self);
    s_resolve_loose(self, ARTEL_LOOSE_FROM);
    if (self->missing && hint && *hint)
        rc = s_resolve_pack(self, hint);
    if (rc == 0 && self->missing)
        s_resolve_loose(self, 0);
    if (rc == 0 && self->missing)
        rc = artel_packs_each(self->store, s_each_pack, self);
    return rc == ENOUGH ? 0 : rc;
}

int
artel_source_open(const char *store, const void *data, size_t len, const char *hint,
                  artel_source_t **ret)
{
    artel_source_t *self = calloc(1, sizeof *self);
    if (!self)
        return ARTEL_ENOMEM;
    self->store = store;
    self->blobs = self->fd = -1;
    int rc = artel_blobs_folder(store, &self->blobs);
    if (rc == 0)
        rc = artel_manifest_each(data, len, s_want, self);
    if (rc == 0)
        rc = s_resolve(self, hint);
    self->store = NULL;
    if (rc == 0)
        *ret = self;
    else
        artel_source_close(&self);
    return rc;
}

static void
s_close_file(artel_source_t *self)
{
    if (self->fd >= 0)
        close(self->fd);
    self->fd = -1;
}

void
artel_source_close(artel_source_t **self_p)
{
    artel_source_t *self = *self_p;
    if (!self)
        return;
    s_close_file(self);
    if (self->blobs >= 0)
        close(self->blobs);
    free(self->wants);
    free(self->packs);
    free(self);
    *self_p = NULL;
}

//  Open the file that has want, unless it is the pack that is open.
static int
s_open_file(artel_source_t *self, const want_t *want)
{
    if (self->fd >= 0 && want->where == self->fd_where && want->where >= PACKED)
        return 0;
    char loose[ARTEL_LOOSE_TEXT], pack[ARTEL_PACK_TEXT];
    artel_loose_name(&want->digest, loose);
    if (want->where >= PACKED)
        artel_pack_name(self->packs[want->where - PACKED].id, pack);
    s_close_file(self);
    self->fd = openat(self->blobs, want->where >= PACKED ? pack : loose,
                      O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    self->fd_where = want->where;
    return self->fd < 0 ? artel_error_of_errno(errno) : 0;
}

int
artel_source_at(artel_source_t *self, const artel_digest_t *digest, uint64_t size,
                int *ret_fd, uint64_t *ret_offset)
{
    want_t key = { .digest = *digest };
    const want_t *want = NULL;
    if (self->n)
        want = bsearch(&key, self->wants, self->n, sizeof key, s_compare);
    if (!want || want->where == MISSING)
        return self->damage ? self->damage : ARTEL_ENOENT;
    if (want->size != size)
        return ARTEL_ECORRUPT;
    int rc = s_open_file(self, want);
    if (rc == 0) {
        *ret_fd = self->fd;
        *ret_offset = want->offset;
    }
    return rc;
}
