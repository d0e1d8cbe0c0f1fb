//  presence.c - the locks in clients/.

#include "presence.h"

#include "errors.h"
#include "fds.h"
#include "marks.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char s_folder[] = "clients";

static int
s_make_folder(const char *state)
{
    char *path = artel_format("%s/%s", state, s_folder);
    int rc = !path ? ARTEL_ENOMEM : mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : artel_error_of_errno(errno);
    free(path);
    return rc;
}

//  Locked under a name that is no mark, then renamed: nobody sees it unlocked.
static int
s_lock_as(const char *path, int *ret_fd)
{
    char *birth = artel_format("%s~", path);
    int fd = birth ? artel_fd_open(birth, O_RDWR | O_CREAT) : -1;
    int rc = !birth ? ARTEL_ENOMEM : fd < 0 ? artel_error_of_errno(errno) : artel_fd_lock(fd, true, false);
    if (rc == 0 && rename(birth, path) != 0)
        rc = artel_error_of_errno(errno);
    free(birth);
    if (rc == 0)
        *ret_fd = fd;
    else
        artel_fd_close(fd);
    return rc;
}

int
artel_presence_begin(const char *state, const char *run, artel_id_t writer, int *ret_fd)
{
    char *path;
    int rc = s_make_folder(state);
    if (rc == 0)
        rc = artel_mark_path(state, s_folder, run, writer, &path);
    if (rc != 0)
        return rc;
    rc = s_lock_as(path, ret_fd);
    free(path);
    return rc;
}

void
artel_presence_forget(const char *state, const char *run, artel_id_t writer)
{
    char *path;
    if (artel_mark_path(state, s_folder, run, writer, &path) != 0)
        return;
    unlink(path);
    free(path);
}

//  Only asks, and so never keeps the program itself from locking.
int
artel_presence_check(const char *state, const char *run, artel_id_t writer)
{
    struct flock lock = { .l_type = F_WRLCK };
    char *path;
    int rc = artel_mark_path(state, s_folder, run, writer, &path);
    if (rc != 0)
        return rc;
    int fd = artel_fd_open(path, O_RDWR);
    rc = fd < 0 ? artel_error_of_errno(errno) : 0;
    free(path);
    if (rc != 0)
        return rc == ARTEL_ENOENT ? 0 : rc;
    rc = fcntl(fd, F_OFD_GETLK, &lock) != 0 ? ARTEL_EIO : lock.l_type != F_UNLCK;
    artel_fd_close(fd);
    return rc;
}

static bool
s_is_dead(const char *state, const char *run, artel_id_t writer)
{
    return artel_presence_check(state, run, writer) == 0;
}

int
artel_presence_each_dead(const char *state, int (*fn)(void *arg, const char *run, artel_id_t writer),
                         void *arg)
{
    int rc = artel_marks_each(state, s_folder, s_is_dead, fn, arg);
    return rc == ARTEL_ENOENT ? 0 : rc;
}
