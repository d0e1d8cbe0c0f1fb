//  folders.c - names and folders of a store.

#include "folders.h"

#include "errors.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
artel_loose_name(const artel_digest_t *digest, char ret[ARTEL_LOOSE_TEXT])
{
    artel_hex(digest->at, 1, ret);
    ret[2] = '/';
    artel_hex(digest->at, sizeof digest->at, ret + 3);
}

void
artel_pack_name(const char *pack, char ret[ARTEL_PACK_TEXT])
{
    snprintf(ret, ARTEL_PACK_TEXT, "packs/%s.pack", pack);
}

bool
artel_is_pack(const char *text)
{
    uint8_t id[16];
    return strlen(text) == 2 * sizeof id && artel_unhex(text, sizeof id, id);
}

int
artel_blobs_folder(const char *store, int *ret_fd)
{
    char *path = artel_format("%s/blobs", store);
    int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int rc = !path ? ARTEL_ENOMEM : fd < 0 ? artel_error_of_errno(errno) : 0;
    free(path);
    if (rc == 0)
        *ret_fd = fd;
    return rc;
}

int
artel_sync_folder(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return artel_error_of_errno(errno);
    int rc = fsync(fd) == 0 ? 0 : artel_error_of_errno(errno);
    close(fd);
    return rc;
}

static int
s_make_in(int blobs)
{
    static const char *const names[] = { "packs", "tmp" };
    bool made = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (mkdirat(blobs, names[i], 0700) == 0)
            made = true;
        else if (errno != EEXIST)
            return artel_error_of_errno(errno);
    }
    return made && fsync(blobs) != 0 ? artel_error_of_errno(errno) : 0;
}

//  The folder itself, and its name in store if it is new.
static int
s_make_blobs(const char *store)
{
    char *path = artel_format("%s/blobs", store);
    if (!path)
        return ARTEL_ENOMEM;
    struct stat st;
    bool missing = stat(path, &st) != 0;
    int rc = artel_make_dirs(path);
    if (rc == 0 && missing)
        rc = artel_sync_dir(store);
    free(path);
    return rc;
}

int
artel_blobs_make(const char *store)
{
    int blobs;
    int rc = s_make_blobs(store);
    if (rc == 0)
        rc = artel_blobs_folder(store, &blobs);
    if (rc != 0)
        return rc;
    rc = s_make_in(blobs);
    close(blobs);
    return rc;
}
