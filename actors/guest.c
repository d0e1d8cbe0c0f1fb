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
#include <unistd.h>

enum { MAX_SPARE = 512, CONTEXT_FDS = 16 };     //  libzmq's own threads take 6

static pthread_once_t s_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t s_random = PTHREAD_MUTEX_INITIALIZER;
static char s_private[256];     //  the state czmq may reseed
static char *s_hosts;           //  the host's state while ours is in
static unsigned s_depth;        //  guards now open, in any thread
static void (*_Atomic s_at_exit)(void);

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

static void
s_exit(void)
{
    void (*fn)(void) = atomic_load(&s_at_exit);
    if (fn)
        fn();
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
    sigaction(SIGINT, &on_int, NULL);
    sigaction(SIGTERM, &on_term, NULL);
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
    if (memcmp(before, s_private, sizeof before) != 0)
        zsys_set_logstream(stderr);
    artel_guest_random_end();
    //  czmq's own atexit handler aborts if an actor is left: ours must be
    //  registered after it, since handlers run in reverse.
    atexit(s_exit);
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

int
artel_guest_enter(void)
{
    int rc = artel_guest_spare_fds(CONTEXT_FDS);
    if (rc == 0)
        pthread_once(&s_once, s_init);
    return rc;
}

void
artel_guest_at_exit(void (*fn)(void))
{
    atomic_store(&s_at_exit, fn);
}
