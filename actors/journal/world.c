//  world.c - the file runs/<run>/world.

#include "world.h"

#include "errors.h"
#include "fds.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

//  What the file says; one that was cut short by a power loss says nothing.
static uint64_t
s_read(int fd)
{
    char text[32] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    return n > 0 && text[n - 1] == '\n' ? strtoull(text, NULL, 10) : 0;
}

static int
s_write(int fd, uint64_t world)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%llu\n", (unsigned long long) world);
    ssize_t n = ftruncate(fd, 0) == 0 ? pwrite(fd, text, (size_t) len, 0) : -1;
    if (n != len)
        return n < 0 ? artel_error_of_errno(errno) : ARTEL_ENOSPC;
    return fdatasync(fd) == 0 ? 0 : artel_error_of_errno(errno);
}

//  Under the lock, of two who say it at once the second finds it said.
static int
s_say(int fd, uint64_t world)
{
    int rc = artel_fd_lock(fd, true, true);
    if (rc != 0)
        return rc;
    uint64_t said = s_read(fd);
    if (said)
        return said == world ? 0 : ARTEL_EINVAL;
    return s_write(fd, world);
}

int
artel_world_claim(const char *folder, uint64_t world)
{
    char *path = artel_format("%s/world", folder);
    int fd = path ? artel_fd_open(path, O_RDWR | O_CREAT) : -1;
    int rc = !path ? ARTEL_ENOMEM : fd < 0 ? artel_error_of_errno(errno) : s_say(fd, world);
    artel_fd_close(fd);
    free(path);
    return rc;
}

uint64_t
artel_world_of(const char *state, const char *run)
{
    char *path = artel_format("%s/runs/%s/world", state, run);
    int fd = path ? artel_fd_open(path, O_RDONLY) : -1;
    uint64_t world = fd >= 0 ? s_read(fd) : 0;
    artel_fd_close(fd);
    free(path);
    return world;
}
