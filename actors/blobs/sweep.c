//  sweep.c - the walk over all that a store holds, and taking things out of it.

#include "blobs.h"

#include "errors.h"
#include "folders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

//  A folder's regular files, one after the other. fn returns 0 to go on.
typedef int file_fn(void *arg, int dir, const char *name, uint64_t size);

static int
s_file(DIR *dir, const char *name, file_fn *fn, void *arg)
{
    struct stat st;
    if (fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? 0 : artel_error_of_errno(errno);
    return S_ISREG(st.st_mode) ? fn(arg, dirfd(dir), name, (uint64_t) st.st_size) : 0;
}

static int
s_each_file(int parent, const char *folder, file_fn *fn, void *arg)
{
    int fd = openat(parent, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        int rc = fd < 0 && errno == ENOENT ? 0 : artel_error_of_errno(errno);
        if (fd >= 0)
            close(fd);
        return rc;
    }
    int rc = 0;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (!entry && errno != 0)
            rc = artel_error_of_errno(errno);
        if (!entry)
            break;
        rc = s_file(dir, entry->d_name, fn, arg);
        if (rc != 0)
            break;
    }
    closedir(dir);
    return rc;
}

typedef struct {
    int (*fn)(void *arg, const char *pack, uint64_t size);
    void *arg;
} packs_t;

static int
s_pack(void *arg, int dir, const char *name, uint64_t size)
{
    (void) dir;
    packs_t *packs = arg;
    char pack[ARTEL_ID_TEXT] = "";
    memcpy(pack, name, strnlen(name, sizeof pack - 1));
    if (!artel_is_pack(pack) || strcmp(name + strlen(pack), ".pack") != 0)
        return 0;
    return packs->fn(packs->arg, pack, size);
}

int
artel_packs_each(const char *store,
                 int (*fn)(void *arg, const char *pack, uint64_t size), void *arg)
{
    int blobs;
    int rc = artel_blobs_folder(store, &blobs);
    if (rc != 0)
        return rc == ARTEL_ENOENT ? 0 : rc;
    rc = s_each_file(blobs, "packs", s_pack, &(packs_t) { fn, arg });
    close(blobs);
    return rc;
}

typedef struct {
    int (*fn)(void *arg, const artel_digest_t *digest, uint64_t size);
    void *arg;
} loose_t;

static int
s_loose(void *arg, int dir, const char *name, uint64_t size)
{
    (void) dir;
    loose_t *loose = arg;
    artel_digest_t digest;
    if (strlen(name) != 2 * sizeof digest || !artel_unhex(name, sizeof digest, digest.at))
        return 0;
    return loose->fn(loose->arg, &digest, size);
}

int
artel_loose_each(const char *store,
                 int (*fn)(void *arg, const artel_digest_t *digest, uint64_t size), void *arg)
{
    int blobs;
    int rc = artel_blobs_folder(store, &blobs);
    if (rc != 0)
        return rc == ARTEL_ENOENT ? 0 : rc;
    for (unsigned i = 0; rc == 0 && i < 256; i++) {
        char folder[3];
        artel_hex(&(uint8_t) { (uint8_t) i }, 1, folder);
        rc = s_each_file(blobs, folder, s_loose, &(loose_t) { fn, arg });
    }
    close(blobs);
    return rc;
}

static int
s_remove(const char *store, const char *name)
{
    int blobs;
    int rc = artel_blobs_folder(store, &blobs);
    if (rc != 0)
        return rc == ARTEL_ENOENT ? 0 : rc;
    if (unlinkat(blobs, name, 0) != 0 && errno != ENOENT)
        rc = artel_error_of_errno(errno);
    close(blobs);
    return rc;
}

int
artel_pack_remove(const char *store, const char *pack)
{
    char name[ARTEL_PACK_TEXT];
    if (!artel_is_pack(pack))
        return 0;
    artel_pack_name(pack, name);
    return s_remove(store, name);
}

int
artel_loose_remove(const char *store, const artel_digest_t *digest)
{
    char name[ARTEL_LOOSE_TEXT];
    artel_loose_name(digest, name);
    return s_remove(store, name);
}

static int
s_clean(void *arg, int dir, const char *name, uint64_t size)
{
    uint64_t *bytes = arg;
    if (unlinkat(dir, name, 0) != 0)
        return errno == ENOENT ? 0 : artel_error_of_errno(errno);
    *bytes += size;
    return 0;
}

int
artel_blobs_clean(const char *store, uint64_t *ret_bytes)
{
    int blobs;
    uint64_t bytes = 0;
    int rc = artel_blobs_folder(store, &blobs);
    if (rc == 0) {
        rc = s_each_file(blobs, "tmp", s_clean, &bytes);
        close(blobs);
    }
    if (rc == ARTEL_ENOENT)
        rc = 0;
    if (rc == 0)
        *ret_bytes = bytes;
    return rc;
}
