//  fds.c - the descriptors that hold locks, closed in a forked child.

#include "fds.h"

#include "errors.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

//  A fixed table, so that the child's handler needs no memory and no lock.
enum { MAX_FDS = 8192 };
static atomic_int s_open[MAX_FDS];      //  descriptor + 1, or 0: free
static atomic_uint s_generation;
static pthread_once_t s_once = PTHREAD_ONCE_INIT;

static void
s_in_child(void)
{
    for (int i = 0; i < MAX_FDS; i++) {
        int fd = atomic_exchange(&s_open[i], 0) - 1;
        if (fd >= 0)
            close(fd);
    }
    atomic_fetch_add(&s_generation, 1);
}

static void
s_install(void)
{
    pthread_atfork(NULL, NULL, s_in_child);
}

void
artel_fds_init(void)
{
    pthread_once(&s_once, s_install);
}

unsigned
artel_fork_generation(void)
{
    return atomic_load_explicit(&s_generation, memory_order_relaxed);
}

//  Put fd in a free slot, tried from its own number on.
static bool
s_remember(int fd)
{
    for (int i = 0; i < MAX_FDS; i++) {
        int none = 0;
        if (atomic_compare_exchange_strong(&s_open[(fd + i) % MAX_FDS], &none, fd + 1))
            return true;
    }
    return false;
}

int
artel_fd_open(const char *path, int flags)
{
    artel_fds_init();
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
    if (fd >= 0 && !s_remember(fd)) {
        close(fd);
        errno = EMFILE;
        return -1;
    }
    return fd;
}

void
artel_fd_close(int fd)
{
    for (int i = 0; fd >= 0 && i < MAX_FDS; i++) {
        int mine = fd + 1;
        if (atomic_compare_exchange_strong(&s_open[(fd + i) % MAX_FDS], &mine, 0)) {
            close(fd);
            return;
        }
    }
}

int
artel_fd_lock(int fd, bool exclusive, bool wait)
{
    struct flock lock = { .l_type = exclusive ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET };
    while (fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock) < 0) {
        if (errno == EAGAIN || errno == EACCES)
            return ARTEL_ELOCKED;
        if (errno != EINTR)
            return ARTEL_EIO;
    }
    return 0;
}

void
artel_fd_unlock(int fd)
{
    struct flock lock = { .l_type = F_UNLCK, .l_whence = SEEK_SET };
    (void) fcntl(fd, F_OFD_SETLK, &lock);
}
