//  presence.c - the locks in clients/.

#include "presence.h"

#include "clients.h"
#include "errors.h"
#include "fds.h"
#include "marks.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char s_folder[] = "clients";

//  Locked under a name that is no mark, then renamed: nobody sees it unlocked.
static int
s_lock_as(const char *path, int *ret_fd)
{
    char *birth = artel_format("%s~", path);
    int fd = -1;
    int rc = birth ? artel_clients_lock(birth, &fd) : ARTEL_ENOMEM;
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
    int busy, rc = artel_mark_path(state, s_folder, run, writer, &path);
    if (rc != 0)
        return rc;
    rc = artel_clients_begin(state, &busy);
    if (rc == 0) {
        rc = s_lock_as(path, ret_fd);
        artel_fd_close(busy);
    }
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

int
artel_presence_check(const char *state, const char *run, artel_id_t writer)
{
    char *path;
    int rc = artel_mark_path(state, s_folder, run, writer, &path);
    if (rc != 0)
        return rc;
    int fd = artel_fd_open(path, O_RDWR);
    rc = fd < 0 ? artel_error_of_errno(errno) : 0;
    free(path);
    if (rc != 0)
        return rc;
    rc = artel_fd_is_locked(fd);
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
