//  fds.c - the descriptors that hold locks, closed in a forked child.

#include "fds.h"

#include "errors.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

//  A fixed table, so that the child's handler needs no memory and no lock.
enum { MAX_FDS = 32768, MAX_TRIES = 100 };
static atomic_int s_open[MAX_FDS];      //  descriptor + 1, or 0: free
static atomic_uint s_generation;
static atomic_uint s_forks_begun, s_forks_ended;
static pthread_once_t s_once = PTHREAD_ONCE_INIT;

static void
s_before(void)
{
    atomic_fetch_add(&s_forks_begun, 1);
}

static void
s_in_parent(void)
{
    atomic_fetch_add(&s_forks_ended, 1);
}

static void
s_in_child(void)
{
    for (int i = 0; i < MAX_FDS; i++) {
        int fd = atomic_exchange(&s_open[i], 0) - 1;
        if (fd >= 0)
            close(fd);
    }
    atomic_store(&s_forks_ended, atomic_load(&s_forks_begun));
    atomic_fetch_add(&s_generation, 1);
}

static void
s_install(void)
{
    pthread_atfork(s_before, s_in_parent, s_in_child);
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

//  The slot of fd, or NULL: it is not ours, or no longer in this process.
static atomic_int *
s_slot(int fd)
{
    for (int i = 0; i < MAX_FDS; i++) {
        atomic_int *slot = &s_open[(fd + i) % MAX_FDS];
        if (atomic_load(slot) == fd + 1)
            return slot;
    }
    return NULL;
}

//  Open and remember. False if a fork came between the two: its child then has
//  the descriptor and does not know it, so nothing may be locked through it.
static bool
s_try_open(const char *path, int flags, int *ret_fd)
{
    unsigned begun = atomic_load(&s_forks_begun);
    bool quiet = begun == atomic_load(&s_forks_ended);
    int fd = open(path, flags, 0600);
    if (fd >= 0 && !s_remember(fd)) {
        close(fd);
        errno = EMFILE;
        fd = -1;
    }
    *ret_fd = fd;
    return fd < 0 || (quiet && begun == atomic_load(&s_forks_begun));
}

int
artel_fd_open(const char *path, int flags)
{
    int fd;
    artel_fds_init();
    flags |= O_CLOEXEC | O_NOFOLLOW | O_NOCTTY;
    for (int i = 0; !s_try_open(path, flags, &fd) && i < MAX_TRIES; i++) {
        artel_fd_close(fd);
        flags &= ~O_EXCL;                       //  it is ours: we have just made it
        sched_yield();
    }
    return fd;
}

//  Unlocked first: a child forked before the close has the descriptor too.
void
artel_fd_close(int fd)
{
    atomic_int *slot = fd < 0 ? NULL : s_slot(fd);
    if (!slot)
        return;
    artel_fd_unlock(fd);
    atomic_store(slot, 0);
    close(fd);
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

int
artel_fd_is_locked(int fd)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    return fcntl(fd, F_OFD_GETLK, &lock) != 0 ? ARTEL_EIO : lock.l_type != F_UNLCK;
}
