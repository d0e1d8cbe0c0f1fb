//  blobs.c - finding and reading blobs; the walk over all of them is in sweep.c.

#include "blobs.h"

#include "errors.h"
#include "fds.h"
#include "folders.h"
#include "pack.h"
#include "state.h"
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LONGEST_PAUSE_MS = 50 };     //  between two looks at a lock that others hold

static int
s_find_loose(const char *store, const artel_digest_t *digest, artel_blob_place_t *ret)
{
    int blobs;
    int rc = artel_blobs_folder(store, &blobs);
    if (rc != 0)
        return rc;
    char name[ARTEL_LOOSE_TEXT];
    struct stat st;
    artel_loose_name(digest, name);
    if (fstatat(blobs, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        rc = artel_error_of_errno(errno);
    else if (!S_ISREG(st.st_mode))
        rc = ARTEL_ENOENT;
    else
        *ret = (artel_blob_place_t) { .size = (uint64_t) st.st_size };
    close(blobs);
    return rc;
}

static int
s_find_in(const char *store, const char *pack, const artel_digest_t *digest,
          artel_blob_place_t *ret)
{
    artel_pack_t open;
    artel_place_t place;
    int rc = artel_pack_open(store, pack, &open);
    if (rc != 0)
        return rc;
    rc = artel_pack_find(&open, digest, &place);
    artel_pack_close(&open);
    if (rc != 0)
        return rc;
    *ret = (artel_blob_place_t) { .offset = place.offset, .size = place.size };
    strcpy(ret->pack, pack);
    return 0;
}

//  The search through every pack. rc is what to say if none has the blob.
typedef struct {
    const char *store;
    const artel_digest_t *digest;
    artel_blob_place_t found;
    int rc;
} search_t;

enum { FOUND = 1 };

static int
s_search(void *arg, const char *pack, uint64_t size)
{
    (void) size;
    search_t *search = arg;
    int rc = s_find_in(search->store, pack, search->digest, &search->found);
    if (rc == 0)
        return FOUND;
    if (rc != ARTEL_ENOENT)
        search->rc = rc;
    return 0;
}

int
artel_blob_find(const char *store, const artel_digest_t *digest, const char *hint,
                artel_blob_place_t *ret)
{
    int rc = s_find_loose(store, digest, ret);
    if (rc == ARTEL_ENOENT && hint && *hint)
        rc = s_find_in(store, hint, digest, ret);
    if (rc == 0)
        return 0;
    search_t search = { .store = store, .digest = digest, .rc = rc };
    rc = artel_packs_each(store, s_search, &search);
    if (rc == FOUND)
        *ret = search.found;
    return rc == FOUND ? 0 : rc == 0 ? search.rc : rc;
}

int
artel_blob_open(const char *store, const artel_digest_t *digest,
                const artel_blob_place_t *place, int *ret_fd)
{
    int blobs;
    int rc = artel_blobs_folder(store, &blobs);
    if (rc != 0)
        return rc;
    char loose[ARTEL_LOOSE_TEXT], pack[ARTEL_PACK_TEXT];
    artel_loose_name(digest, loose);
    artel_pack_name(place->pack, pack);
    int fd = openat(blobs, *place->pack ? pack : loose, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        rc = artel_error_of_errno(errno);
    else
        *ret_fd = fd;
    close(blobs);
    return rc;
}

//  Read size bytes at place and compare their digest.
static int
s_read_verified(int fd, const artel_digest_t *digest, const artel_blob_place_t *place, void *data)
{
    ssize_t n = artel_read_at(fd, data, place->size, place->offset);
    if (n < 0)
        return artel_error_of_errno(errno);
    if ((uint64_t) n < place->size)
        return ARTEL_ECORRUPT;
    artel_hash_t *hash;
    artel_digest_t found;
    int rc = artel_hash_new(&hash);
    if (rc != 0)
        return rc;
    artel_hash_bytes(hash, data, place->size, &found);
    artel_hash_destroy(&hash);
    return artel_digest_equal(&found, digest) ? 0 : ARTEL_ECORRUPT;
}

int
artel_blob_read(const char *store, const artel_digest_t *digest, const char *hint,
                uint64_t limit, void **ret_data, size_t *ret_len)
{
    artel_blob_place_t place;
    int fd = -1;
    int rc = artel_blob_find(store, digest, hint, &place);
    if (rc == 0 && place.size > limit)
        rc = ARTEL_ELIMIT;
    if (rc == 0)
        rc = artel_blob_open(store, digest, &place, &fd);
    if (rc != 0)
        return rc;
    void *data = malloc(place.size + 1);        //  a size of zero must not give NULL
    rc = data ? s_read_verified(fd, digest, &place, data) : ARTEL_ENOMEM;
    close(fd);
    if (rc != 0) {
        free(data);
        return rc;
    }
    *ret_data = data;
    *ret_len = place.size;
    return 0;
}

int
artel_blob_copy(const char *store, const artel_digest_t *digest,
                const artel_blob_place_t *place, int out_fd)
{
    artel_hash_t *hash;
    artel_digest_t found;
    artel_stream_t stream = { .offset = place->offset, .limit = place->size, .out = out_fd };
    int rc = artel_blob_open(store, digest, place, &stream.in);
    if (rc != 0)
        return rc;
    rc = artel_hash_new(&hash);
    if (rc == 0) {
        rc = artel_stream(hash, &stream, &found);
        artel_hash_destroy(&hash);
    }
    close(stream.in);
    if (rc == 0 && !artel_digest_equal(&found, digest))
        rc = ARTEL_ECORRUPT;
    return rc;
}

int
artel_pack_each(const char *store, const char *pack,
                int (*fn)(void *arg, const artel_digest_t *digest, uint64_t offset, uint64_t size),
                void *arg)
{
    artel_pack_t open;
    artel_place_t *all;
    int rc = artel_pack_open(store, pack, &open);
    if (rc != 0)
        return rc;
    uint64_t count = open.count;
    rc = artel_pack_load(&open, &all);
    artel_pack_close(&open);
    if (rc != 0)
        return rc;
    for (uint64_t i = 0; rc == 0 && i < count; i++)
        rc = fn(arg, &all[i].digest, all[i].offset, all[i].size);
    free(all);
    return rc;
}

static int
s_wait_for_lock(int fd, bool exclusive, const artel_patience_t *patience)
{
    int rc, pause_ms = 1;
    while ((rc = artel_fd_lock(fd, exclusive, false)) == ARTEL_ELOCKED && patience->go_on(patience->arg)) {
        poll(NULL, 0, pause_ms);
        pause_ms = pause_ms < LONGEST_PAUSE_MS ? 2 * pause_ms : LONGEST_PAUSE_MS;
    }
    return rc;
}

int
artel_blobs_lock(const char *store, bool exclusive, const artel_patience_t *patience, int *ret_fd)
{
    int rc = artel_blobs_make(store);
    if (rc != 0)
        return rc;
    char *path = artel_format("%s/blobs/LOCK", store);
    if (!path)
        return ARTEL_ENOMEM;
    int fd = artel_fd_open(path, O_RDWR | O_CREAT);
    free(path);
    if (fd < 0)
        return artel_error_of_errno(errno);
    rc = s_wait_for_lock(fd, exclusive, patience);
    if (rc == 0)
        *ret_fd = fd;
    else
        artel_fd_close(fd);
    return rc;
}

void
artel_blobs_unlock(int fd)
{
    artel_fd_close(fd);
}
