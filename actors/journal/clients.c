//  clients.c - making what lies in clients/, and sweeping what nobody holds.

#include "clients.h"

#include "errors.h"
#include "fds.h"
#include "id.h"
#include "layout.h"
#include "state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
s_make_folder(const char *state)
{
    char *path = artel_format("%s/clients", state);
    int rc = !path ? ARTEL_ENOMEM : mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : artel_error_of_errno(errno);
    free(path);
    return rc;
}

int
artel_clients_begin(const char *state, int *ret_busy)
{
    int rc = s_make_folder(state);
    return rc == 0 ? artel_births_begin(state, ret_busy) : rc;
}

int
artel_clients_lock(const char *path, int *ret_fd)
{
    int fd = artel_fd_open(path, O_RDWR | O_CREAT);
    int rc = fd < 0 ? artel_error_of_errno(errno) : artel_fd_lock(fd, true, false);
    if (rc == 0)
        *ret_fd = fd;
    else
        artel_fd_close(fd);
    return rc;
}

//  The mark of a writer is told of before it goes (presence.h); the rest stands for nothing without its lock.
static bool
s_is_swept(const char *name)
{
    const char *dot = strchr(name, '.');
    return dot > name && strlen(dot + 1) != ARTEL_ID_TEXT - 1;
}

static void
s_sweep_one(const char *folder, const char *name)
{
    char *path = artel_format("%s/%s", folder, name);
    int fd = path ? artel_fd_open(path, O_RDWR) : -1;
    if (fd >= 0 && artel_fd_is_locked(fd) == 0)
        unlink(path);
    artel_fd_close(fd);
    free(path);
}

static void
s_sweep_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL; )
        if (s_is_swept(entry->d_name))
            s_sweep_one(folder, entry->d_name);
    if (dir)
        closedir(dir);
}

void
artel_clients_sweep(const char *state)
{
    int births;
    if (artel_births_stop(state, &births) != 0)
        return;
    char *folder = artel_format("%s/clients", state);
    if (folder)
        s_sweep_folder(folder);
    artel_fd_close(births);
    free(folder);
}
