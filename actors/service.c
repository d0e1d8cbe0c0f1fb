//  service.c - the socket and the lock of a service.

#include "service.h"

#include "errors.h"
#include "fds.h"
#include "holder.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <xxhash.h>

//  The folder of the sockets, as a path the caller frees.
static char *
s_folder(void)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    return runtime && runtime[0] == '/' ? artel_format("%s/artel", runtime)
           : artel_format("/tmp/artel-%u", (unsigned) geteuid());
}

int
artel_service_path(const char *state, char **ret)
{
    char *real = realpath(state, NULL), *folder = s_folder(), *path = NULL;
    int rc = !real ? artel_error_of_errno(errno) : folder ? 0 : ARTEL_ENOMEM;
    if (rc == 0) {
        path = artel_format("%s/%016llx", folder, (unsigned long long) XXH3_64bits(real, strlen(real)));
        rc = !path ? ARTEL_ENOMEM
             : strlen(path) >= sizeof ((struct sockaddr_un *) 0)->sun_path ? ARTEL_ELIMIT : 0;
    }
    free(real);
    free(folder);
    if (rc == 0)
        *ret = path;
    else
        free(path);
    return rc;
}

//  Whether a folder is ours alone. A link in its place is not followed.
static int
s_is_safe(const char *folder)
{
    struct stat st;
    if (lstat(folder, &st) != 0)
        return artel_error_of_errno(errno);
    return S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077) == 0 ? 0 : ARTEL_EACCES;
}

//  The folder a path lies in, which the caller frees.
static char *
s_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? strndup(path, slash > path ? (size_t) (slash - path) : 1) : strdup(".");
}

int
artel_service_folder(const char *path)
{
    char *folder = s_folder_of(path);
    int rc = folder ? 0 : ARTEL_ENOMEM;
    if (rc == 0 && mkdir(folder, 0700) != 0 && errno != EEXIST)
        rc = artel_error_of_errno(errno);
    if (rc == 0)
        rc = s_is_safe(folder);
    free(folder);
    return rc;
}

//  Whether the process at the other end is ours.
static int
s_check_peer(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return artel_error_of_errno(errno);
    return peer.uid == geteuid() ? 0 : ARTEL_EACCES;
}

int
artel_service_probe(const char *path)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof to.sun_path)
        return ARTEL_ELIMIT;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return artel_error_of_errno(errno);
    memcpy(to.sun_path, path, strlen(path));
    int rc = connect(fd, (struct sockaddr *) &to, sizeof to) == 0 ? s_check_peer(fd)
             : errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR ? ARTEL_ENOENT
             : errno == EAGAIN ? ARTEL_EUNAVAIL : artel_error_of_errno(errno);
    close(fd);
    return rc;
}

static char *
s_lock_path(const char *state)
{
    return artel_format("%s/service", state);
}

static int
s_open_lock(const char *path, int flags, int *ret_fd)
{
    int fd = path ? artel_fd_open(path, flags) : -1;
    if (fd < 0)
        return path ? artel_error_of_errno(errno) : ARTEL_ENOMEM;
    *ret_fd = fd;
    return 0;
}

//  Who holds the lock: its pid. 0: the file does not say it yet, or that process is not seen from here.
static int
s_read_pid(const char *path, int fd)
{
    char text[32] = "";
    int pid = pread(fd, text, sizeof text - 1, 0) > 0 ? atoi(text) : 0;
    return artel_lock_is_held_by(path, pid) ? pid : 0;
}

//  Who we are, for those who find the lock taken; if it can't be written the lock holds all the same.
static void
s_write_pid(int fd)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%d\n", (int) getpid());
    if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t) len, 0) != len)
        (void) ftruncate(fd, 0);
}

static void
s_name_holder(const char *path, int fd, char *ret, size_t size)
{
    int pid = s_read_pid(path, fd);
    snprintf(ret, size, pid ? "pid %d" : "a process that is not seen from here", pid);
}

int
artel_service_take(const char *state, int *ret_fd, char *why, size_t size)
{
    char *path = s_lock_path(state);
    int fd = -1, rc = s_open_lock(path, O_RDWR | O_CREAT, &fd);
    if (rc == 0) {
        rc = artel_fd_lock(fd, true, false);
        if (rc == ARTEL_ELOCKED)
            s_name_holder(path, fd, why, size);
        if (rc != 0)
            artel_fd_close(fd);
    }
    free(path);
    if (rc == 0) {
        s_write_pid(fd);
        *ret_fd = fd;
    }
    return rc;
}

int
artel_service_holder(const char *state, int *ret_pid)
{
    char *path = s_lock_path(state);
    int fd = -1, rc = s_open_lock(path, O_RDWR, &fd);
    if (rc == 0) {
        rc = artel_fd_is_locked(fd);
        if (rc > 0)
            *ret_pid = s_read_pid(path, fd);
        artel_fd_close(fd);
    }
    free(path);
    return rc == ARTEL_ENOENT ? 0 : rc;
}
