//  rank.c - the locks clients/<run>.<rank>.

#include "rank.h"

#include "clients.h"
#include "errors.h"
#include "fds.h"
#include "holder.h"
#include "id.h"
#include "state.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *
s_path(const char *state, const char *run, uint32_t rank)
{
    return artel_format("%s/clients/%s.%u", state, run, (unsigned) rank);
}

//  Whether the file still has its name: who had the rank removes it before giving up the lock.
static bool
s_is_named(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && st.st_nlink > 0;
}

static int
s_claim(const char *path, int *ret_fd)
{
    int rc;
    while ((rc = artel_clients_lock(path, ret_fd)) == 0 && !s_is_named(*ret_fd))
        artel_fd_close(*ret_fd);
    return rc;
}

int
artel_rank_claim(const char *state, const char *run, uint32_t rank, int *ret_fd)
{
    int busy, fd;
    if (!artel_is_run_id(run, strlen(run)))
        return ARTEL_EINVAL;
    int rc = artel_clients_begin(state, &busy);
    if (rc != 0)
        return rc;
    char *path = s_path(state, run, rank);
    rc = path ? s_claim(path, &fd) : ARTEL_ENOMEM;
    artel_fd_close(busy);
    free(path);
    if (rc == 0)
        *ret_fd = fd;
    return rc;
}

void
artel_rank_release(const char *state, const char *run, uint32_t rank, int fd)
{
    char *path = fd >= 0 ? s_path(state, run, rank) : NULL;
    if (path)
        unlink(path);
    artel_fd_close(fd);
    free(path);
}

const char *
artel_rank_holder(const char *state, const char *run, uint32_t rank, char *ret, size_t size)
{
    char *path = s_path(state, run, rank);
    *ret = 0;
    if (path)
        artel_lock_holders(path, ret, size);
    free(path);
    return ret;
}
