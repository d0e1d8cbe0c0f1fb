//  guest.c - the guards around czmq and libzmq in a host program.

#include "guest.h"

#include "errors.h"
#include "fds.h"

#include <czmq.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MAX_SPARE = 512, CONTEXT_FDS = 16 };     //  libzmq's own threads take 6

static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;      //  of s_init
static atomic_uint s_ready;     //  fork generation + 1 that czmq is initialised in
static pthread_mutex_t s_random = PTHREAD_MUTEX_INITIALIZER;
static char s_private[256];     //  the state czmq may reseed
static char *s_hosts;           //  the host's state while ours is in
static unsigned s_depth;        //  guards now open, in any thread
static void (*_Atomic s_at_exit)(void);
static atomic_bool s_exit_begun, s_exiting;
static bool s_is_czmq_ours;     //  we have initialised it, not the host

//  Guards overlap: a thread that starts an actor waits in one while the actor
//  makes its sockets in another. The first puts the host's state aside, the last
//  puts it back.
void
artel_guest_random_begin(void)
{
    pthread_mutex_lock(&s_random);
    if (s_depth++ == 0)
        s_hosts = initstate(1, s_private, sizeof s_private);
    pthread_mutex_unlock(&s_random);
}

void
artel_guest_random_end(void)
{
    pthread_mutex_lock(&s_random);
    if (--s_depth == 0)
        setstate(s_hosts);
    pthread_mutex_unlock(&s_random);
}

//  What exit() calls, and nothing the second time.
static void
s_exit(void)
{
    void (*fn)(void) = atomic_load(&s_at_exit);
    if (atomic_exchange(&s_exit_begun, true))
        return;
    if (fn)
        fn();
    atomic_store(&s_exiting, true);
    if (s_is_czmq_ours)                         //  what hangs is no news to a person
        zsys_set_logstream(NULL);
}

//  Give a signal back if it was taken.
static void
s_give_back(int sig, const struct sigaction *host)
{
    struct sigaction now;
    sigaction(sig, NULL, &now);
    if (now.sa_handler != host->sa_handler)
        sigaction(sig, host, NULL);
}

//  czmq is told to leave SIGINT and SIGTERM alone; if the host uses czmq and has
//  had it take them, they are given back.
static void
s_init_czmq(void)
{
    struct sigaction on_int, on_term;
    sigaction(SIGINT, NULL, &on_int);
    sigaction(SIGTERM, NULL, &on_term);
    zsys_handler_set(NULL);
    zsys_init();
    s_give_back(SIGINT, &on_int);
    s_give_back(SIGTERM, &on_term);
}

//  A child's only thread is the one that forked: whatever lock another held is free.
static void
s_in_child(void)
{
    static const pthread_mutex_t unlocked = PTHREAD_MUTEX_INITIALIZER;
    memcpy(&s_lock, &unlocked, sizeof unlocked);
    memcpy(&s_random, &unlocked, sizeof unlocked);
    s_depth = 0;
}

//  czmq seeds random() when it is initialised, and only then: so whether this
//  did it is seen in the state we lend it. Nothing of ours goes to stdout.
static void
s_init(void)
{
    char before[sizeof s_private];
    artel_fds_init();
    artel_guest_random_begin();
    memcpy(before, s_private, sizeof before);
    s_init_czmq();
    s_is_czmq_ours = memcmp(before, s_private, sizeof before) != 0;
    if (s_is_czmq_ours)
        zsys_set_logstream(stderr);
    artel_guest_random_end();
    //  czmq's own atexit handler aborts if an actor is left: ours must be registered
    //  after it, since handlers run in reverse.
    atexit(s_exit);
}

//  czmq forgets in a forked child that it was initialised, and that it was to
//  leave signals alone: there it is done again.
static void
s_init_once(void)
{
    unsigned now = artel_fork_generation() + 1;
    pthread_mutex_lock(&s_lock);
    if (!atomic_load(&s_ready))
        pthread_atfork(NULL, NULL, s_in_child);
    if (atomic_load(&s_ready) != now)
        s_init();
    atomic_store(&s_ready, now);
    pthread_mutex_unlock(&s_lock);
}

//  libzmq aborts the process when it gets no descriptor (libzmq#1306).
int
artel_guest_spare_fds(int n)
{
    int fds[MAX_SPARE], got = 0;
    while (got < n && got < MAX_SPARE && (fds[got] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        got++;
    for (int i = 0; i < got; i++)
        close(fds[i]);
    return got == n ? 0 : ARTEL_EMFILE;
}

//  The highest are free unless nearly all are taken.
bool
artel_guest_has_fds(int n)
{
    struct rlimit limit;
    int got = 0;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return false;
    for (int fd = limit.rlim_cur < INT_MAX ? (int) limit.rlim_cur : INT_MAX; got < n && fd-- > 0;)
        got += fcntl(fd, F_GETFD) < 0;
    return got >= n;
}

int
artel_guest_enter(void)
{
    int rc = artel_guest_is_exiting() ? ARTEL_ECLOSED : artel_guest_spare_fds(CONTEXT_FDS);
    if (rc == 0)
        s_init_once();
    return rc;
}

void
artel_guest_at_exit(void (*fn)(void))
{
    atomic_store(&s_at_exit, fn);
}

bool
artel_guest_is_exiting(void)
{
    return atomic_load(&s_exiting);
}
