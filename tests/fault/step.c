//  step.c - libstep.so: counts the calls of a program that change files, and
//  strikes at one of them. Preloaded, so that it also sees what SQLite and czmq do.
//
//  STEP_ROOT   calls on files and sockets below this directory count, and writes to stdout
//  STEP_CALLS  comma list of calls that count, without 64 or 2; nothing: all but reads
//  STEP_K      the call to strike, from 1; 0: only count
//  STEP_MODE   before, after   SIGKILL before or after the call
//              half            write half of it, then SIGKILL
//              hold            the call hangs; the other threads go on for 100 ms, then SIGKILL
//              stop            SIGSTOP before the call; what follows is the driver's to do
//              fail, stuck     this call fails with STEP_ERRNO, or this and all later ones
//              short           the call writes half and says so
//              full            the call writes half, all later ones fail with ENOSPC
//              slow            this call and all later ones take STEP_MS longer
//  STEP_SYNCED folder to keep what is synced in, for a power cut (synced.h)
//  STEP_FILE   what happened, for the driver (step_t), shared by mmap so that a
//              SIGKILL does not lose it
//
//  Calls of several threads are counted in the order they come, so the k-th is
//  not always the same one; the driver says which it was.

#include "step.h"
#include "synced.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

//  What to do about one call.
typedef enum { GO_ON, KILL_BEFORE, KILL_AFTER, HALF_AND_KILL, HALF, FAIL, HOLD, STOP, SLOW } strike_t;

enum { MAX_FD = 65536, HOLD_MS = 100 };

static step_t s_own, *s_step = &s_own;
static const char *s_root = "", *s_calls = "", *s_mode = "";
static unsigned long s_k;
static int s_errno = EIO, s_slow_ms;
static bool s_watched[MAX_FD];      //  descriptors of files below the root

static const char *
s_env(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

__attribute__((constructor)) static void
s_init(void)
{
    s_root = s_env("STEP_ROOT");
    s_calls = s_env("STEP_CALLS");
    s_mode = s_env("STEP_MODE");
    s_k = strtoul(s_env("STEP_K"), NULL, 10);
    if (*s_env("STEP_ERRNO"))
        s_errno = atoi(s_env("STEP_ERRNO"));
    s_slow_ms = atoi(s_env("STEP_MS"));
    int (*real_open)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
    int fd = *s_env("STEP_FILE") ? real_open(s_env("STEP_FILE"), O_RDWR | O_CLOEXEC) : -1;
    void *at = fd < 0 ? MAP_FAILED
             : mmap(NULL, sizeof *s_step, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at != MAP_FAILED)
        s_step = at;
    if (fd >= 0)
        close(fd);
    s_watched[STDOUT_FILENO] = true;
    step_synced_init(s_env("STEP_SYNCED"));
}

static bool
s_is_watched(int fd)
{
    return fd >= 0 && fd < MAX_FD && s_watched[fd];
}

//  STEP_ROOT ends in a slash, the root's own name does not.
static bool
s_is_below(int dir, const char *path)
{
    size_t root = strlen(s_root);
    if (*path != '/')
        return s_is_watched(dir);
    return root && (strncmp(path, s_root, root) == 0
                    || (strlen(path) == root - 1 && strncmp(path, s_root, root - 1) == 0));
}

static int
s_note_open(int fd, bool watched)
{
    if (fd >= 0 && fd < MAX_FD)
        s_watched[fd] = watched || fd == STDOUT_FILENO;
    return fd;
}

//  Whether STEP_CALLS has the name, where pwrite64 is a pwrite; without a list
//  everything but reads counts.
static bool
s_counts(const char *call)
{
    size_t len = strcspn(call, "0123456789");
    if (!*s_calls)
        return strcmp(call, "read") != 0 && strncmp(call, "pread", 5) != 0;
    for (const char *at = s_calls; *at; at += strspn(at, ",")) {
        size_t name = strcspn(at, ",");
        if (name == len && strncmp(at, call, len) == 0)
            return true;
        at += name;
    }
    return false;
}

//  Leave in the file which call it was.
static void
s_note_strike(const char *call, int fd, const char *path)
{
    char link[64], target[PATH_MAX] = "";
    if (!path) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, target, sizeof target - 1);
        target[n > 0 ? n : 0] = '\0';
        path = target;
    }
    size_t root = strlen(s_root);
    if (strncmp(path, s_root, root) == 0)
        path += root;
    snprintf(s_step->what, sizeof s_step->what, "%s %.400s", call, path);
}

static _Noreturn void
s_die(void)
{
    for (;;)
        kill(getpid(), SIGKILL);
}

static strike_t
s_strike_of_mode(bool later)
{
    static const struct { const char *mode; strike_t first, later; } modes[] = {
        { "before", KILL_BEFORE, GO_ON }, { "after", KILL_AFTER, GO_ON },
        { "half", HALF_AND_KILL, GO_ON }, { "hold", HOLD, GO_ON }, { "stop", STOP, GO_ON },
        { "fail", FAIL, GO_ON }, { "stuck", FAIL, FAIL }, { "short", HALF, GO_ON },
        { "full", HALF, FAIL },            { "slow", SLOW, SLOW },
    };
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcmp(s_mode, modes[i].mode) == 0)
            return later ? modes[i].later : modes[i].first;
    return GO_ON;
}

static void
s_sleep(int ms)
{
    nanosleep(&(struct timespec) { ms / 1000, ms % 1000 * 1000000L }, NULL);
}

//  The disk hangs, and what does not need it goes on, until the machine is gone.
static _Noreturn void
s_hold(void)
{
    s_sleep(HOLD_MS);
    s_die();
}

//  Count a call, and say what is to become of it; may not return.
static strike_t
s_enter(const char *call, bool watched, int fd, const char *path)
{
    if (!watched || !s_counts(call))
        return GO_ON;
    unsigned long n = atomic_fetch_add(&s_step->calls, 1) + 1;
    if (!s_k || n < s_k)
        return GO_ON;
    strike_t strike = s_strike_of_mode(n > s_k);
    if (n == s_k)
        s_note_strike(call, fd, path);
    if (strike == KILL_BEFORE)
        s_die();
    if (strike == HOLD)
        s_hold();
    if (strike == STOP)
        raise(SIGSTOP);
    if (strike == SLOW)
        s_sleep(s_slow_ms);
    if (strike == FAIL)
        errno = strcmp(s_mode, "full") == 0 ? ENOSPC : s_errno;
    return strike;
}

static void
s_leave(strike_t strike)
{
    if (strike == KILL_AFTER || strike == HALF_AND_KILL)
        s_die();
}

//  The first half of what iov holds.
static int
s_halve(const struct iovec *iov, int n, struct iovec *ret)
{
    size_t left = 0;
    for (int i = 0; i < n; i++)
        left += iov[i].iov_len;
    left /= 2;
    int used = 0;
    for (; used < n && left; used++) {
        ret[used] = iov[used];
        if (ret[used].iov_len > left)
            ret[used].iov_len = left;
        left -= ret[used].iov_len;
    }
    return used;
}

//  REAL is the function that would have been called. A call on a descriptor or
//  a path has its body made here; prepare changes the arguments of a halved one.
#define REAL(type, name, params)                                                \
    static type (*real) params;                                                 \
    if (!real)                                                                  \
        real = dlsym(RTLD_NEXT, #name)

#define STEP(type, name, params, args, watched, fd, path, failed, prepare)      \
    type name params                                                            \
    {                                                                           \
        REAL(type, name, params);                                               \
        strike_t strike = s_enter(#name, watched, fd, path);                    \
        if (strike == FAIL)                                                     \
            return failed;                                                      \
        if (strike == HALF || strike == HALF_AND_KILL) {                        \
            prepare;                                                            \
        }                                                                       \
        type rc = real args;                                                    \
        s_leave(strike);                                                        \
        return rc;                                                              \
    }

#define ON_FD(type, name, params, args, failed, prepare)                        \
    STEP(type, name, params, args, s_is_watched(fd), fd, NULL, failed, prepare)
#define ON_PATH(name, params, args, dir, path)                                  \
    STEP(int, name, params, args, s_is_below(dir, path), -1, path, -1, (void) 0)

#define WRITE(name)                                                             \
    ON_FD(ssize_t, name, (int fd, const void *buf, size_t n), (fd, buf, n), -1, n /= 2)
#define PWRITE(name)                                                            \
    ON_FD(ssize_t, name, (int fd, const void *buf, size_t n, off_t at), (fd, buf, n, at), -1, n /= 2)
#define TRUNCATE(name) ON_FD(int, name, (int fd, off_t size), (fd, size), -1, (void) 0)

//  What it has synced is kept before a strike can end the program.
#define SYNC(name)                                                              \
    int name(int fd)                                                            \
    {                                                                           \
        REAL(int, name, (int));                                                 \
        bool watched = s_is_watched(fd);                                        \
        strike_t strike = s_enter(#name, watched, fd, NULL);                    \
        int rc = strike == FAIL ? -1 : real(fd);                                \
        if (watched && rc == 0)                                                 \
            step_synced(fd);                                                    \
        s_leave(strike);                                                        \
        return rc;                                                              \
    }

WRITE(write)
PWRITE(pwrite)
PWRITE(pwrite64)
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)
SYNC(fsync)
SYNC(fdatasync)
ON_FD(int, fallocate, (int fd, int mode, off_t at, off_t n), (fd, mode, at, n), -1, n /= 2)
ON_FD(int, fallocate64, (int fd, int mode, off_t at, off_t n), (fd, mode, at, n), -1, n /= 2)
ON_FD(int, posix_fallocate, (int fd, off_t at, off_t n), (fd, at, n), errno, n /= 2)
ON_FD(int, posix_fallocate64, (int fd, off_t at, off_t n), (fd, at, n), errno, n /= 2)
ON_FD(ssize_t, read, (int fd, void *buf, size_t n), (fd, buf, n), -1, n /= 2)
ON_FD(ssize_t, pread, (int fd, void *buf, size_t n, off_t at), (fd, buf, n, at), -1, n /= 2)
ON_FD(ssize_t, pread64, (int fd, void *buf, size_t n, off_t at), (fd, buf, n, at), -1, n /= 2)
STEP(ssize_t, copy_file_range, (int in, off_t *in_at, int fd, off_t *at, size_t n, unsigned flags),
     (in, in_at, fd, at, n, flags), s_is_watched(fd), fd, NULL, -1, n /= 2)

//  The array of a halved vector must outlive the block that makes it.
#define VECTOR(name, params, args)                                              \
    ssize_t name params                                                         \
    {                                                                           \
        REAL(ssize_t, name, params);                                            \
        struct iovec half[IOV_MAX];                                             \
        strike_t strike = s_enter(#name, s_is_watched(fd), fd, NULL);           \
        if (strike == FAIL)                                                     \
            return -1;                                                          \
        if (strike == HALF || strike == HALF_AND_KILL) {                        \
            n = s_halve(iov, n, half);                                          \
            iov = half;                                                         \
        }                                                                       \
        ssize_t rc = real args;                                                 \
        s_leave(strike);                                                        \
        return rc;                                                              \
    }

VECTOR(writev, (int fd, const struct iovec *iov, int n), (fd, iov, n))
VECTOR(pwritev, (int fd, const struct iovec *iov, int n, off_t at), (fd, iov, n, at))
VECTOR(pwritev64, (int fd, const struct iovec *iov, int n, off_t at), (fd, iov, n, at))
VECTOR(pwritev2, (int fd, const struct iovec *iov, int n, off_t at, int flags), (fd, iov, n, at, flags))

ON_PATH(rename, (const char *from, const char *to), (from, to), AT_FDCWD, to)
ON_PATH(renameat, (int a, const char *from, int b, const char *to), (a, from, b, to), b, to)
ON_PATH(renameat2, (int a, const char *from, int b, const char *to, unsigned flags),
        (a, from, b, to, flags), b, to)
ON_PATH(link, (const char *from, const char *to), (from, to), AT_FDCWD, to)
ON_PATH(linkat, (int a, const char *from, int b, const char *to, int flags),
        (a, from, b, to, flags), b, to)
ON_PATH(symlink, (const char *text, const char *to), (text, to), AT_FDCWD, to)
ON_PATH(symlinkat, (const char *text, int dir, const char *to), (text, dir, to), dir, to)
ON_PATH(unlink, (const char *path), (path), AT_FDCWD, path)
ON_PATH(unlinkat, (int dir, const char *path, int flags), (dir, path, flags), dir, path)
ON_PATH(mkdir, (const char *path, mode_t mode), (path, mode), AT_FDCWD, path)
ON_PATH(mkdirat, (int dir, const char *path, mode_t mode), (dir, path, mode), dir, path)
ON_PATH(rmdir, (const char *path), (path), AT_FDCWD, path)

//  An open counts if it may make a file; what it opens below the root is watched.
static int
s_open(const char *call, int (*real)(int, const char *, int, ...), int dir, const char *path,
       int flags, mode_t mode)
{
    bool below = s_is_below(dir, path);
    strike_t strike = s_enter(call, below && (flags & (O_CREAT | O_TRUNC)), -1, path);
    if (strike == FAIL)
        return -1;
    int fd = s_note_open(real(dir, path, flags, mode), below);
    s_leave(strike);
    return fd;
}

#define OPEN(name, params, dir, last)                                           \
    int name params                                                             \
    {                                                                           \
        static int (*real)(int, const char *, int, ...);                        \
        if (!real)                                                              \
            real = dlsym(RTLD_NEXT, "openat");                                  \
        va_list more;                                                           \
        va_start(more, last);                                                   \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; \
        va_end(more);                                                           \
        return s_open(#name, real, dir, path, flags, mode);                     \
    }

OPEN(open, (const char *path, int flags, ...), AT_FDCWD, flags)
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD, flags)
OPEN(openat, (int dir, const char *path, int flags, ...), dir, flags)
OPEN(openat64, (int dir, const char *path, int flags, ...), dir, flags)

//  The C library opens it without a call that could be seen.
int
mkostemp(char *path, int flags)
{
    REAL(int, mkostemp, (char *, int));
    bool below = s_is_below(AT_FDCWD, path);
    strike_t strike = s_enter("mkostemp", below, -1, path);
    if (strike == FAIL)
        return -1;
    int fd = s_note_open(real(path, flags), below);
    s_leave(strike);
    return fd;
}

//  Sockets: those of a file below the root count, from either end.

static bool
s_is_socket_below(const struct sockaddr *address, socklen_t size)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *) (const void *) address;
    return size > sizeof un->sun_family && un->sun_family == AF_UNIX && un->sun_path[0]
           && s_is_below(AT_FDCWD, un->sun_path);
}

static int
s_note_accepted(int fd)
{
    struct sockaddr_un local = { 0 };
    socklen_t size = sizeof local;
    bool below = fd >= 0 && getsockname(fd, (struct sockaddr *) &local, &size) == 0
                 && s_is_socket_below((struct sockaddr *) &local, size);
    return s_note_open(fd, below);
}

int
accept4(int listener, struct sockaddr *address, socklen_t *size, int flags)
{
    REAL(int, accept4, (int, struct sockaddr *, socklen_t *, int));
    return s_note_accepted(real(listener, address, size, flags));
}

int
connect(int fd, const struct sockaddr *address, socklen_t size)
{
    REAL(int, connect, (int, const struct sockaddr *, socklen_t));
    bool below = s_is_socket_below(address, size);
    strike_t strike = s_enter("connect", below, fd, NULL);
    if (strike == FAIL)
        return -1;
    int rc = real(fd, address, size);
    if (below)
        s_note_open(fd, true);
    s_leave(strike);
    return rc;
}

ON_FD(ssize_t, send, (int fd, const void *buf, size_t n, int flags), (fd, buf, n, flags), -1, n /= 2)
ON_FD(ssize_t, recv, (int fd, void *buf, size_t n, int flags), (fd, buf, n, flags), -1, n /= 2)

int
close(int fd)
{
    REAL(int, close, (int));
    s_note_open(fd, false);
    return real(fd);
}
