//  forks.c - SQLite in a process that forks.

#include "forks.h"

#include "fds.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRIES = 1000, PAUSE_US = 100 };

//  Those that SQLite itself takes; an application's own are its own.
static const int s_ids[] = {
    SQLITE_MUTEX_STATIC_MAIN, SQLITE_MUTEX_STATIC_OPEN, SQLITE_MUTEX_STATIC_VFS1, SQLITE_MUTEX_STATIC_VFS2,
    SQLITE_MUTEX_STATIC_VFS3, SQLITE_MUTEX_STATIC_LRU, SQLITE_MUTEX_STATIC_PMEM, SQLITE_MUTEX_STATIC_PRNG,
    SQLITE_MUTEX_STATIC_MEM,
};
enum { N = sizeof s_ids / sizeof *s_ids };

static sqlite3_mutex *s_mutexes[N];
static atomic_bool s_known;     //  they are
static bool s_held;             //  by the thread that forks, between its handlers
static pthread_once_t s_once = PTHREAD_ONCE_INIT;

static void
s_leave(int n)
{
    while (n-- > 0)
        sqlite3_mutex_leave(s_mutexes[n]);
}

//  All or none, without waiting: their order inside SQLite is not ours to know.
static bool
s_try(void)
{
    for (int i = 0; i < N; i++)
        if (sqlite3_mutex_try(s_mutexes[i]) != SQLITE_OK) {
            s_leave(i);
            return false;
        }
    return true;
}

//  They are held for microseconds, unless a disk hangs: fork() waits 0.1 s at most.
static void
s_before(void)
{
    bool known = atomic_load(&s_known), held = known && s_try();
    for (int i = 0; known && !held && i < TRIES; i++) {
        usleep(PAUSE_US);
        held = s_try();
    }
    s_held = held;
}

static void
s_after(void)
{
    if (s_held)
        s_leave(N);
    s_held = false;
}

//  SQLite knows a file by device and inode. In a child the device is another, so
//  that what the parent has locked is not taken for locked by the child.
static int
s_fstat(int fd, struct stat *st)
{
    int rc = fstat(fd, st);
    if (rc == 0)
        st->st_dev ^= (dev_t) artel_fork_generation() << 48;
    return rc;
}

static void
s_install(void)
{
    for (int i = 0; i < N; i++)
        s_mutexes[i] = sqlite3_mutex_alloc(s_ids[i]);   //  static: only looked up
    atomic_store(&s_known, true);
    pthread_atfork(s_before, s_after, s_after);
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    if (vfs && vfs->iVersion >= 3 && vfs->xSetSystemCall)
        vfs->xSetSystemCall(vfs, "fstat", (sqlite3_syscall_ptr) s_fstat);
}

void
artel_sqlite_guard_forks(void)
{
    artel_fds_init();
    pthread_once(&s_once, s_install);
}
