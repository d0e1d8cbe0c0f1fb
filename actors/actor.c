//  actor.c - what zactor leaves to its caller.

#include "actor.h"

#include "errors.h"
#include "guest.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

enum { MAX_READERS = 16 };

//  czmq takes any EINTR for the end of the wait: zactor_new and zactor_destroy
//  then return too early, and a poller says it was terminated. So no signal
//  may reach an actor's thread, nor this one while it waits for an actor.
static sigset_t
s_block_signals(void)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    return old;
}

int
artel_actor_start(zactor_t **ret, zactor_fn *fn, artel_start_t *args)
{
    sigset_t old = s_block_signals();
    args->rc = 0;
    artel_guest_random_begin();
    zactor_t *actor = zactor_new(fn, args);     //  the thread takes our mask
    artel_guest_random_end();
    int rc = args->rc;
    if (rc != 0)
        zactor_destroy(&actor);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rc == 0)
        *ret = actor;
    return rc;
}

//  zactor_destroy sends $TERM only if there is room, and otherwise leaves the
//  thread running. So make room first: what the actor still sends to us nobody
//  reads any more.
static bool
s_make_room(zactor_t *actor, int64_t deadline)
{
    zmq_pollitem_t pipe = { zsock_resolve(actor), 0, ZMQ_POLLIN | ZMQ_POLLOUT, 0 };
    while (artel_now_ms() <= deadline) {
        if (zmq_poll(&pipe, 1, 10) < 0)
            return false;
        if (pipe.revents & ZMQ_POLLOUT)
            return true;
        if (pipe.revents & ZMQ_POLLIN) {
            zmsg_t *late = zmsg_recv(actor);
            zmsg_destroy(&late);
        }
    }
    return false;
}

//  Say $TERM, and wait for the signal that zactor sends when its function has
//  returned; zactor_destroy then finds the actor gone and does not wait.
static bool
s_terminate(zactor_t *actor, int64_t deadline)
{
    if (zstr_send(actor, "$TERM") != 0)
        return false;
    zmq_pollitem_t pipe = { zsock_resolve(actor), 0, ZMQ_POLLIN, 0 };
    int64_t left = deadline - artel_now_ms();
    return zmq_poll(&pipe, 1, left > 0 ? (long) left : 0) > 0;
}

int
artel_actor_stop(zactor_t **self_p, int timeout_ms)
{
    if (!*self_p)
        return 0;
    sigset_t old = s_block_signals();
    int64_t deadline = artel_now_ms() + timeout_ms;
    int rc = s_make_room(*self_p, deadline) && s_terminate(*self_p, deadline) ? 0 : ARTEL_ETIMEOUT;
    if (rc == 0)
        zactor_destroy(self_p);
    *self_p = NULL;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc;
}

void
artel_actor_enter(const artel_start_t *start)
{
    if (start->name)
        pthread_setname_np(pthread_self(), start->name);
}

int
artel_actor_loop(const artel_reader_t *readers, size_t n, int (*tick)(void *self), void *self)
{
    assert(n <= MAX_READERS);
    zmq_pollitem_t items[MAX_READERS];
    for (size_t i = 0; i < n; i++)
        items[i] = (zmq_pollitem_t) { readers[i].sock ? zsock_resolve(readers[i].sock) : NULL,
                                      readers[i].fd, ZMQ_POLLIN, 0 };
    for (;;) {
        long wait_ms = tick ? tick(self) : -1;
        if (zmq_poll(items, (int) n, wait_ms) < 0) {
            if (errno == EINTR)
                continue;
            return -1;                          //  the context is gone
        }
        for (size_t i = 0; i < n; i++) {
            int rc = items[i].revents ? readers[i].fn(self) : 0;
            if (rc != 0)
                return rc;
        }
    }
}

int
artel_actor_read_pipe(zsock_t *pipe)
{
    zmsg_t *msg = zmsg_recv(pipe);
    zmsg_destroy(&msg);
    return 1;
}

static int64_t
s_clock_ms(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
artel_now_ms(void)
{
    return s_clock_ms(CLOCK_MONOTONIC);
}

int64_t
artel_wall_ms(void)
{
    return s_clock_ms(CLOCK_REALTIME_COARSE);
}
