//  layout.c - the names in a journal's folder, and who may be busy in tmp/.

#include "layout.h"

#include "bounds.h"
#include "errors.h"
#include "fds.h"
#include "state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
artel_journal_folder(const char *state, const char *run, artel_id_t writer, char **ret)
{
    if (!artel_is_run_id(run, strlen(run)))
        return ARTEL_EINVAL;
    char id[ARTEL_ID_TEXT];
    artel_hex(writer.at, sizeof writer.at, id);
    char *folder = artel_format("%s/runs/%s/%s", state, run, id);
    if (!folder)
        return ARTEL_ENOMEM;
    *ret = folder;
    return 0;
}

int
artel_append_lock(const char *folder, int flags, int *ret_fd)
{
    char *path = artel_format("%s/append.lock", folder);
    if (!path)
        return ARTEL_ENOMEM;
    int fd = artel_fd_open(path, O_RDWR | flags);
    int rc = fd < 0 ? artel_error_of_errno(errno) : artel_fd_lock(fd, true, false);
    //  It may be unlinked meanwhile: gc.
    struct stat st;
    if (rc == 0 && (fstat(fd, &st) != 0 || st.st_nlink == 0))
        rc = ARTEL_ENOENT;
    free(path);
    if (rc != 0)
        artel_fd_close(fd);
    else
        *ret_fd = fd;
    return rc;
}

int
artel_segment_fd(const char *folder, uint32_t number, int flags)
{
    char *path = artel_format("%s/%08u.seg", folder, number);
    if (!path) {
        errno = ENOMEM;
        return -1;
    }
    int fd = artel_fd_open(path, flags);
    int err = errno;
    free(path);
    errno = err;
    return fd;
}

void
artel_segment_unlink(const char *folder, uint32_t number)
{
    char *path = artel_format("%s/%08u.seg", folder, number);
    if (path)
        unlink(path);
    free(path);
}

//  The number in "00000001.seg", or 0.
static uint32_t
s_number(const char *name)
{
    char again[32];
    unsigned long number = strtoul(name, NULL, 10);
    snprintf(again, sizeof again, "%08lu.seg", number);
    return strcmp(name, again) == 0 && number < UINT32_MAX ? (uint32_t) number : 0;
}

//  Fold every segment number of the folder into *best with fn.
static int
s_each_segment(const char *folder, uint32_t number, uint32_t *best,
               void (*fn)(uint32_t number, uint32_t seen, uint32_t *best))
{
    DIR *dir = opendir(folder);
    if (!dir)
        return artel_error_of_errno(errno);
    errno = 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL; )
        fn(number, s_number(entry->d_name), best);
    int rc = errno ? artel_error_of_errno(errno) : 0;
    closedir(dir);
    return rc;
}

static void
s_lowest_above(uint32_t number, uint32_t seen, uint32_t *best)
{
    if (seen > number && seen < *best)
        *best = seen;
}

static void
s_highest_below(uint32_t number, uint32_t seen, uint32_t *best)
{
    if (seen < number && seen > *best)
        *best = seen;
}

int
artel_segment_after(const char *folder, uint32_t number, uint32_t *ret)
{
    uint32_t best = UINT32_MAX;
    int rc = s_each_segment(folder, number, &best, s_lowest_above);
    if (rc != 0 || best == UINT32_MAX)
        return rc;
    *ret = best;
    return 1;
}

int
artel_segment_before(const char *folder, uint32_t number, uint32_t *ret)
{
    uint32_t best = 0;
    int rc = s_each_segment(folder, number, &best, s_highest_below);
    if (rc != 0 || best == 0)
        return rc;
    *ret = best;
    return 1;
}

static int
s_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void) st;
    (void) type;
    (void) ftw;
    remove(path);
    return 0;
}

void
artel_remove_tree(const char *path)
{
    nftw(path, s_remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

unsigned
artel_births_sweep(const char *state, bool dry_run)
{
    unsigned n = 0;
    char *tmp = artel_format("%s/tmp", state);
    DIR *dir = tmp ? opendir(tmp) : NULL;
    for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL; ) {
        if (strncmp(entry->d_name, "journal.", 8) != 0)
            continue;
        char *path = dry_run ? NULL : artel_format("%s/%s", tmp, entry->d_name);
        if (path)
            artel_remove_tree(path);
        free(path);
        n++;
    }
    if (dir)
        closedir(dir);
    free(tmp);
    return n;
}

static int
s_open_lock(const char *state, int *ret_fd)
{
    char *path = artel_format("%s/tmp/LOCK", state);
    if (!path)
        return ARTEL_ENOMEM;
    int fd = artel_fd_open(path, O_RDWR | O_CREAT);
    int rc = fd < 0 ? artel_error_of_errno(errno) : 0;
    free(path);
    if (rc == 0)
        *ret_fd = fd;
    return rc;
}

int
artel_births_begin(const char *state, int *ret_fd)
{
    int fd;
    int rc = s_open_lock(state, &fd);
    if (rc != 0)
        return rc;
    if (artel_fd_lock(fd, true, false) == 0)
        artel_births_sweep(state, false);
    rc = artel_fd_lock(fd, false, true);
    if (rc != 0)
        artel_fd_close(fd);
    else
        *ret_fd = fd;
    return rc;
}

int
artel_births_stop(const char *state, int *ret_fd)
{
    int fd;
    int rc = s_open_lock(state, &fd);
    if (rc != 0)
        return rc;
    rc = artel_fd_lock(fd, true, false);
    if (rc != 0)
        artel_fd_close(fd);
    else
        *ret_fd = fd;
    return rc;
}
