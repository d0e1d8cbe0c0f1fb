//  guest.c - the guards around czmq and libzmq in a host program.

#include "guest.h"

#include "errors.h"
#include "fds.h"

#include <czmq.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { SPARE_FDS = 64 };        //  a node takes about 40

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

//  czmq's own atexit handler aborts if an actor is left, so ours must be
//  registered after it: handlers run in reverse.
static void
s_init(void)
{
    artel_fds_init();
    artel_guest_random_begin();
    zsys_handler_set(NULL);
    zsys_init();
    zsys_set_logstream(stderr);
    artel_guest_random_end();
    atexit(s_exit);
}

//  libzmq aborts the process when it gets no descriptor (libzmq#1306).
static int
s_spare_fds(void)
{
    int fds[SPARE_FDS], n = 0;
    while (n < SPARE_FDS && (fds[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        n++;
    for (int i = 0; i < n; i++)
        close(fds[i]);
    return n == SPARE_FDS ? 0 : ARTEL_EMFILE;
}

int
artel_guest_enter(void)
{
    int rc = s_spare_fds();
    if (rc == 0)
        pthread_once(&s_once, s_init);
    return rc;
}

void
artel_guest_at_exit(void (*fn)(void))
{
    atomic_store(&s_at_exit, fn);
}
