//  actor.c - what zactor leaves to its caller.

#include "actor.h"

#include "errors.h"
#include "guest.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { MAX_READERS = 16, STEP_BACK = 10 };

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

static void *
s_nothing(void *arg)
{
    return arg;
}

//  zactor_new waits for ever if it gets no thread, and aborts if it gets no
//  descriptor: so ask first.
static int
s_is_possible(void)
{
    pthread_t thread;
    int rc = artel_guest_enter();
    if (rc == 0)
        rc = pthread_create(&thread, NULL, s_nothing, NULL) == 0 ? 0 : ARTEL_EAGAIN;
    if (rc == 0)
        pthread_join(thread, NULL);
    return rc;
}

//  What an actor's thread runs. Behind the function czmq still touches the pipe.
static void
s_run(zsock_t *pipe, void *arg)
{
    artel_start_t *start = arg;
    start->fn(pipe, arg);
    artel_actor_wait_if_exiting();
}

int
artel_actor_start(zactor_t **ret, zactor_fn *fn, artel_start_t *args)
{
    sigset_t old = s_block_signals();           //  the thread takes our mask
    zactor_t *actor = NULL;
    args->rc = 0;
    args->entered = false;
    args->fn = fn;
    int rc = s_is_possible();
    if (rc == 0) {
        artel_guest_random_begin();
        actor = zactor_new(s_run, args);
        artel_guest_random_end();
        rc = actor ? args->rc : ARTEL_ENOMEM;
    }
    if (rc != 0)
        zactor_destroy(&actor);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rc == 0)
        *ret = actor;
    return rc;
}

typedef enum { ROOM, GONE, STUCK } stop_t;

//  What the pipe is ready for within wait_ms.
static int
s_pipe_events(zactor_t *actor, short of, int wait_ms)
{
    zmq_pollitem_t pipe = { zsock_resolve(actor), 0, of, 0 };
    return zmq_poll(&pipe, 1, wait_ms) < 0 ? 0 : pipe.revents;
}

//  The actor has signalled its end; now see the pipe's other end closed. Were
//  $TERM still taken, zactor_destroy would wait for another signal, and a process
//  that exits with a socket open sleeps 200 ms in zsys_shutdown.
static stop_t
s_await_close(zactor_t *actor, int64_t deadline)
{
    while (s_pipe_events(actor, ZMQ_POLLOUT, 0)) {
        if (artel_now_ms() > deadline)
            return STUCK;
        sched_yield();
    }
    return GONE;
}

//  zactor_destroy sends $TERM only if there is room, and otherwise leaves the
//  thread running. So make room first: what the actor still sends to us nobody
//  reads any more.
static stop_t
s_make_room(zactor_t *actor, int64_t deadline)
{
    while (artel_now_ms() <= deadline) {
        int events = s_pipe_events(actor, ZMQ_POLLIN | ZMQ_POLLOUT, 10);
        if (!(events & ZMQ_POLLIN)) {
            if (events & ZMQ_POLLOUT)
                return ROOM;
            continue;
        }
        zmsg_t *late = zmsg_recv(actor);
        bool ended = late && zmsg_signal(late) >= 0;
        zmsg_destroy(&late);
        if (ended)
            return s_await_close(actor, deadline);
    }
    return STUCK;
}

//  Say $TERM, and wait for the signal that zactor sends when its function has returned.
static stop_t
s_terminate(zactor_t *actor, int64_t deadline)
{
    if (zstr_send(actor, "$TERM") != 0)
        return STUCK;
    int64_t left = deadline - artel_now_ms();
    if (!s_pipe_events(actor, ZMQ_POLLIN, left > 0 ? (int) left : 0))
        return STUCK;
    zmsg_t *signal = zmsg_recv(actor);
    zmsg_destroy(&signal);
    return s_await_close(actor, deadline);
}

void
artel_actor_wait_if_exiting(void)
{
    while (artel_guest_is_exiting())
        pause();
}

int
artel_actor_stop(zactor_t **self_p, int timeout_ms)
{
    if (!*self_p)
        return 0;
    sigset_t old = s_block_signals();
    int64_t deadline = artel_now_ms() + timeout_ms;
    stop_t stop = s_make_room(*self_p, deadline);
    if (stop == ROOM)
        stop = s_terminate(*self_p, deadline);
    artel_actor_wait_if_exiting();
    if (stop == GONE)
        zactor_destroy(self_p);
    *self_p = NULL;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return stop == GONE ? 0 : ARTEL_ETIMEOUT;
}

void
artel_actor_enter(artel_start_t *start)
{
    start->entered = true;
    if (start->name)
        pthread_setname_np(pthread_self(), start->name);
}

//  Linux keeps a nice value of each thread, pthreads(7).
void
artel_actor_step_back(void)
{
    int ignored = nice(STEP_BACK);
    (void) ignored;
}

//  What the loop knows of its readers.
typedef struct {
    const artel_reader_t *readers;
    size_t n;
    struct pollfd fds[MAX_READERS + 1];     //  the last is the alarm's
    int64_t rings_at;           //  when the alarm is set for, or 0
    bool dry[MAX_READERS];      //  has nothing that its descriptor does not tell of
    bool ready[MAX_READERS];    //  has input, as far as we know
    bool any;                   //  one of them has
} loop_t;

static _Thread_local loop_t *s_loop;    //  the one this thread is in

void
artel_actor_saw(const zsock_t *sock, bool dry)
{
    for (size_t i = 0; s_loop && i < s_loop->n; i++)
        if (s_loop->readers[i].sock == sock)
            s_loop->dry[i] = dry;
}

//  Whether a socket has input: 1, 0, or -1: the context is gone. Its descriptor tells only of
//  what came after libzmq last looked, and a send looks too: so ask before going to sleep
//  whatever was used since it was known to have nothing.
static int
s_has_input(loop_t *self, size_t i)
{
    int events;
    size_t size = sizeof events;
    while (zmq_getsockopt(zsock_resolve(self->readers[i].sock), ZMQ_EVENTS, &events, &size) != 0)
        if (errno != EINTR)
            return -1;
    self->dry[i] = !(events & ZMQ_POLLIN);
    return !self->dry[i];
}

static int
s_note(loop_t *self, size_t i)
{
    int rc = self->readers[i].sock ? s_has_input(self, i) : 1;
    if (rc > 0)
        self->ready[i] = true;
    return rc < 0 ? rc : 0;
}

//  The alarm. To sleep with a time-out sets and clears a timer of the CPU each time, which on a
//  virtual machine costs more than all else in a round. An alarm that is set stays, and one that
//  is early costs a round.

static void
s_set_alarm(loop_t *self, int64_t at)
{
    struct pollfd *alarm = &self->fds[self->n];
    struct itimerspec when = { .it_value = { at / 1000, at % 1000 * 1000000 } };
    if (alarm->fd < 0 && at)
        alarm->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (alarm->fd >= 0 && timerfd_settime(alarm->fd, TFD_TIMER_ABSTIME, &when, NULL) == 0)
        self->rings_at = at;
}

static void
s_clear_alarm(loop_t *self)
{
    uint64_t times;
    ssize_t rc = read(self->fds[self->n].fd, &times, sizeof times);
    (void) rc;                                  //  it rang, or was set anew meanwhile
    self->rings_at = 0;
}

//  What poll is to wait for at most, besides the alarm.
static int
s_timeout(loop_t *self, int wait_ms)
{
    if (self->any || wait_ms == 0)
        return 0;
    int64_t now = artel_now_ms(), at = wait_ms < 0 ? 0 : now + wait_ms;
    bool set = at ? self->rings_at > now && self->rings_at <= at : self->rings_at == 0;
    if (!set)
        s_set_alarm(self, at);
    return !at || self->rings_at ? -1 : wait_ms;
}

//  Sleep until a reader has input, at most wait_ms; not at all if one has.
static int
s_sleep(loop_t *self, int wait_ms)
{
    if (poll(self->fds, self->n + 1, s_timeout(self, wait_ms)) < 0)
        return errno == EINTR ? 0 : -1;
    artel_actor_wait_if_exiting();
    if (self->fds[self->n].revents)
        s_clear_alarm(self);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < self->n; i++)
        if (self->fds[i].revents && !self->ready[i])
            rc = s_note(self, i);
    return rc;
}

static int
s_serve(loop_t *self, void *arg)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < self->n; i++)
        rc = self->ready[i] ? self->readers[i].fn(arg) : 0;
    return rc;
}

//  Which readers have more, or input that a send of this round found.
static int
s_look(loop_t *self)
{
    int rc = 0;
    self->any = false;
    for (size_t i = 0; rc == 0 && i < self->n; i++) {
        self->ready[i] = false;
        if (self->readers[i].sock && !self->dry[i])
            rc = s_note(self, i);
        self->any |= self->ready[i];
    }
    return rc;
}

static int
s_round(loop_t *self, int (*tick)(void *self), void *arg)
{
    int wait_ms = tick ? tick(arg) : -1;        //  it may send: so look after it
    int rc = wait_ms == ARTEL_TICK_OVER ? ARTEL_LOOP_OVER : s_look(self);
    if (rc == 0)
        rc = s_sleep(self, wait_ms);
    return rc == 0 ? s_serve(self, arg) : rc;
}

int
artel_actor_loop(const artel_reader_t *readers, size_t n, int (*tick)(void *self), void *self)
{
    assert(n <= MAX_READERS);
    loop_t loop = { .readers = readers, .n = n };
    loop.fds[n] = (struct pollfd) { .fd = -1, .events = POLLIN };
    for (size_t i = 0; i < n; i++)
        loop.fds[i] = (struct pollfd) { .events = POLLIN,
            .fd = readers[i].sock ? zsock_fd(readers[i].sock) : readers[i].fd };
    int rc = 0;
    s_loop = &loop;
    while (rc == 0)
        rc = s_round(&loop, tick, self);
    s_loop = NULL;
    if (loop.fds[n].fd >= 0)
        close(loop.fds[n].fd);
    return rc;
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
    return s_clock_ms(CLOCK_REALTIME);
}

int64_t
artel_wall_coarse_ms(void)
{
    return s_clock_ms(CLOCK_REALTIME_COARSE);
}
