//  link.c - the client's actor: its one socket to the node.

#include "link.h"

#include "actor.h"
#include "errors.h"
#include "link_self.h"

#include <unistd.h>

enum {
    DRAIN_MS = 1,               //  how often records are looked for while they come
    IDLE_MS = 100,              //  silence after which the link sleeps until it is woken
    WATCH_MS = 5000,            //  how often a service is checked for silence
};

typedef struct {
    artel_start_t start;
    artel_t *client;
} link_args_t;

static int
s_read_pipe(void *arg)
{
    return artel_actor_read_pipe(((artel_link_self_t *) arg)->pipe);
}

static void
s_take(void *arg, const artel_msg_t *msg, zmq_msg_t *frame)
{
    (void) frame;
    artel_link_self_t *self = arg;
    pthread_mutex_lock(&self->client->lock);
    artel_link_answer(self, msg);
    pthread_mutex_unlock(&self->client->lock);
    if (self->changed)
        pthread_cond_broadcast(&self->client->changed);
    self->changed = false;
    if (self->told)
        artel_warn(&self->client->notes, self->told, "%s", self->told_text);
    self->told = 0;
}

static int
s_read_node(void *arg)
{
    artel_link_self_t *self = arg;
    self->heard_at = artel_now_ms();
    self->due_at = 0;
    atomic_store_explicit(&self->client->resting, false, memory_order_relaxed);
    artel_wire_drain(&self->wire, self->node, UINT32_MAX, s_take, self);
    return 0;
}

static int
s_read_wake(void *arg)
{
    artel_link_self_t *self = arg;
    uint64_t n;
    ssize_t rc = read(self->client->wake_fd, &n, sizeof n);
    (void) rc;                                  //  somebody wants something; s_tick looks
    atomic_store_explicit(&self->client->resting, false, memory_order_relaxed);
    atomic_store_explicit(&self->client->asleep, false, memory_order_relaxed);
    return 0;
}

static void
s_free_over(artel_link_self_t *self)
{
    for (artel_run_t *run; (run = self->over); artel_run_free(run))
        self->over = run->next;
}

//  Send what there is. Open batches are sealed once a millisecond, however often we are called.
//  Who wants something says so under the lock: we see it here, or its thread sees us resting.
static bool
s_look(artel_link_self_t *self, int64_t now)
{
    bool seal = self->drained_at != now;
    atomic_store_explicit(&self->client->resting, true, memory_order_relaxed);
    pthread_mutex_lock(&self->client->lock);
    bool any = artel_link_send_runs(self, now, seal);
    artel_link_send_questions(self, now);
    pthread_mutex_unlock(&self->client->lock);
    s_free_over(self);
    if (seal)
        self->drained_at = now;
    if (any)
        self->records_at = now;
    return any;
}

//  When there is something to do unasked: a refused run, a service to look for or to give up.
static int
s_next(artel_link_self_t *self, int64_t now)
{
    pthread_mutex_lock(&self->client->lock);
    int wait = artel_link_next_retry(self, now);
    pthread_mutex_unlock(&self->client->lock);
    int look = !self->client->service ? -1 : self->state == ARTEL_LINK_DOWN ? (int) (self->next_try - now)
               : WATCH_MS;
    return wait < 0 || (look >= 0 && look < wait) ? look : wait;
}

//  Look again soon while records come. Before sleeping say so, and look once
//  more: a record added meanwhile is seen by us, or its thread sees us asleep.
static int
s_tick(void *arg)
{
    artel_link_self_t *self = arg;
    int64_t now = artel_now_ms();
    artel_tell_trace(&self->client->notes);
    if (artel_link_is_silent(self, now) || artel_link_connect(self, now))
        return ARTEL_TICK_OVER;
    s_look(self, now);
    if (now - self->records_at < IDLE_MS)
        return DRAIN_MS;
    atomic_store_explicit(&self->client->asleep, true, memory_order_relaxed);
    self->drained_at = 0;
    if (s_look(self, now)) {
        atomic_store_explicit(&self->client->asleep, false, memory_order_relaxed);
        return DRAIN_MS;
    }
    return s_next(self, now);
}

//  A linked node is there; a service is looked for from the loop.
static int
s_open(artel_link_self_t *self)
{
    int rc = artel_wire_init(&self->wire, "client");
    self->records_at = artel_now_ms() - IDLE_MS;
    if (rc != 0 || self->client->service)
        return rc;
    self->state = ARTEL_LINK_UP;
    self->node = artel_sock_new(ZMQ_DEALER);
    if (!self->node)
        return ARTEL_EMFILE;
    return zsock_connect(self->node, "%s", self->client->endpoint) == 0 ? 0 : artel_error_of_errno(errno);
}

//  Serve the sockets there are, until they are others.
static int
s_serve(artel_link_self_t *self)
{
    size_t n = 0;
    artel_reader_t readers[4];
    readers[n++] = (artel_reader_t) { .sock = self->pipe, .fn = s_read_pipe };
    if (self->node)
        readers[n++] = (artel_reader_t) { .sock = self->node, .fn = s_read_node };
    if (self->monitor)
        readers[n++] = (artel_reader_t) { .sock = self->monitor, .fn = artel_link_read_monitor };
    readers[n++] = (artel_reader_t) { .fd = self->client->wake_fd, .fn = s_read_wake };
    return artel_actor_loop(readers, n, s_tick, self);
}

static void
s_link(zsock_t *pipe, void *arg)
{
    link_args_t *args = arg;
    artel_actor_enter(&args->start);
    artel_link_self_t self = { .pipe = pipe, .client = args->client };
    int rc = s_open(&self);
    args->start.rc = rc;
    zsock_signal(pipe, 0);                      //  args is the parent's again
    if (rc == 0)
        do
            rc = s_serve(&self);
        while (rc == ARTEL_LOOP_OVER);
    artel_link_disconnect(&self);
    artel_wire_done(&self.wire);
}

int
artel_link_start(artel_t *client)
{
    link_args_t args = { .start.name = "artel/client", .client = client };
    return artel_actor_start(&client->link, s_link, &args.start);
}

static void
s_signal(artel_t *client)
{
    uint64_t one = 1;
    ssize_t rc = write(client->wake_fd, &one, sizeof one);
    (void) rc;                                  //  full: it is awake
}

void
artel_link_wake(artel_t *client)
{
    if (atomic_load_explicit(&client->resting, memory_order_relaxed)
        && atomic_exchange_explicit(&client->resting, false, memory_order_relaxed))
        s_signal(client);
}

void
artel_link_nudge(artel_t *client)
{
    if (atomic_load_explicit(&client->asleep, memory_order_relaxed)
        && atomic_exchange_explicit(&client->asleep, false, memory_order_relaxed))
        s_signal(client);
}
