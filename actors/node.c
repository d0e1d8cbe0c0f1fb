//  node.c - starting and stopping the actors of a node.

#include "node.h"

#include "errors.h"
#include "guest.h"
#include "handler.h"
#include "sender.h"
#include "state.h"
#include "store.h"
#include "trace.h"
#include "transfer.h"
#include "wandb.h"
#include "wire.h"
#include "writer.h"

#include <stdatomic.h>

enum {
    NODE_SOCKETS = 22,          //  pairs, pipes and the clients' socket of a node
    SINK_SOCKETS = 12,          //  pairs and pipes of a backend and who works for it
    MAX_SOCKETS = 900,          //  of all nodes of a process: czmq allows 1,024, and aborts beyond
    SPARE_FDS = 48,             //  beside the sockets: journals, lanes, alarms, a client
    SINK_FDS = 8,               //  a backend's files
    LEAST_MS = 100,             //  what each actor has to stop behind the deadline
};

struct artel_node {
    char *state;
    char *wanted;               //  the sinks as journals keep them
    char endpoint[128];
    int search_ms;
    bool drains;
    artel_sinks_t sinks;
    int sockets;                //  reserved
    atomic_int_fast64_t stop_by;    //  when all are to have ended, ms monotonic
    zactor_t *writer, *sender, *handler;
    zactor_t *transfer;         //  NULL: no sink is spoken to over HTTP
    zactor_t *backends[ARTEL_MAX_SINKS];
    artel_sender_lack_t lacks[ARTEL_MAX_SINKS];
};

static atomic_int s_sockets;    //  reserved by all nodes

//  The sockets between the actors, until each has its owner.
typedef struct {
    zsock_t *handler_writer, *writer_handler;
    zsock_t *handler_sender, *sender_handler;
    zsock_t *writer_sender, *sender_writer;
    zsock_t *sender_backend[ARTEL_MAX_SINKS], *backend_sender[ARTEL_MAX_SINKS];
    zsock_t *backend_transfer[ARTEL_MAX_SINKS], *transfer_backend[ARTEL_MAX_SINKS];
} wiring_t;

//  How a sink's backend is started, by its kind.
typedef struct {
    const char *kind;
    int (*start)(artel_node_t *self, wiring_t *w, size_t i);
    bool is_remote;             //  it speaks HTTP
} backend_t;

static const backend_t *
s_backend(const artel_sink_t *sink);

static int
s_wire_up(const artel_node_t *self, wiring_t *w)
{
    int rc = artel_sock_pair(&w->handler_writer, &w->writer_handler);
    if (rc == 0)
        rc = artel_sock_pair(&w->handler_sender, &w->sender_handler);
    if (rc == 0)
        rc = artel_sock_pair(&w->writer_sender, &w->sender_writer);
    for (size_t i = 0; rc == 0 && i < self->sinks.n; i++) {
        rc = artel_sock_pair(&w->sender_backend[i], &w->backend_sender[i]);
        if (rc == 0 && s_backend(&self->sinks.at[i])->is_remote)
            rc = artel_sock_pair(&w->backend_transfer[i], &w->transfer_backend[i]);
    }
    return rc;
}

//  Destroy the sockets that no actor took.
static void
s_unwire(wiring_t *w)
{
    zsock_destroy(&w->handler_writer);
    zsock_destroy(&w->writer_handler);
    zsock_destroy(&w->handler_sender);
    zsock_destroy(&w->sender_handler);
    zsock_destroy(&w->writer_sender);
    zsock_destroy(&w->sender_writer);
    for (size_t i = 0; i < ARTEL_MAX_SINKS; i++) {
        zsock_destroy(&w->sender_backend[i]);
        zsock_destroy(&w->backend_sender[i]);
        zsock_destroy(&w->backend_transfer[i]);
        zsock_destroy(&w->transfer_backend[i]);
    }
}

//  An actor that has begun has taken its sockets.
static void
s_taken(const artel_start_t *start, zsock_t **sock_p)
{
    if (start->entered)
        *sock_p = NULL;
}

static int
s_start_writer(artel_node_t *self, wiring_t *w)
{
    artel_writer_args_t args = { .start.name = "artel/writer", .state = self->state,
        .sinks = self->wanted, .search_ms = self->search_ms,
        .rest_ms = ARTEL_REST_MS, .handler = w->writer_handler, .sender = w->writer_sender,
        .stop_by = &self->stop_by };
    int rc = artel_actor_start(&self->writer, artel_writer, &args.start);
    s_taken(&args.start, &w->writer_handler);
    s_taken(&args.start, &w->writer_sender);
    return rc;
}

//  Whether a backend may be missing: not if it is memory or threads that lack.
static bool
s_is_no_reason(int rc)
{
    return rc != ARTEL_EMFILE && rc != ARTEL_ENOMEM && rc != ARTEL_EAGAIN;
}

//  The one actor for all sinks that are spoken to over HTTP, if there are any.
static int
s_start_transfer(artel_node_t *self, wiring_t *w)
{
    artel_transfer_args_t args = { .start.name = "artel/transfer" };
    for (size_t i = 0; i < self->sinks.n; i++)
        if (w->transfer_backend[i])
            args.askers[args.n++] = w->transfer_backend[i];
    if (args.n == 0)
        return 0;
    int rc = artel_actor_start(&self->transfer, artel_transfer, &args.start);
    for (size_t i = 0; i < self->sinks.n; i++)
        s_taken(&args.start, &w->transfer_backend[i]);
    return rc == ARTEL_ENOLIB ? 0 : rc;         //  the backends that need it do not start either
}

static int
s_start_store(artel_node_t *self, wiring_t *w, size_t i)
{
    artel_sink_t *sink = &self->sinks.at[i];
    artel_store_args_t args = { .start.name = "artel/store", .state = self->state,
        .place = sink->place ? sink->place : self->state, .sender = w->backend_sender[i] };
    int rc = artel_actor_start(&self->backends[i], artel_store, &args.start);
    s_taken(&args.start, &w->backend_sender[i]);
    return rc;
}

static int
s_start_wandb(artel_node_t *self, wiring_t *w, size_t i)
{
    artel_sink_t *sink = &self->sinks.at[i];
    artel_wandb_args_t args = { .start.name = "artel/wandb", .state = self->state, .sink = sink->name,
        .place = sink->place, .sender = w->backend_sender[i], .transfer = w->backend_transfer[i] };
    if (!self->transfer)
        return ARTEL_ENOLIB;
    int rc = artel_actor_start(&self->backends[i], artel_wandb, &args.start);
    s_taken(&args.start, &w->backend_sender[i]);
    s_taken(&args.start, &w->backend_transfer[i]);
    return rc;
}

//  sinks.c has the kinds.
static const backend_t *
s_backend(const artel_sink_t *sink)
{
    static const backend_t table[] = {
        { "store", s_start_store, false },
        { "wandb", s_start_wandb, true },
    };
    const backend_t *backend = table;
    while (strcmp(backend->kind, sink->kind) != 0)
        backend++;
    return backend;
}

static int
s_start_backend(artel_node_t *self, wiring_t *w, size_t i)
{
    int rc = s_backend(&self->sinks.at[i])->start(self, w, i);
    if (rc == 0)
        return 0;
    self->lacks[i] = (artel_sender_lack_t) { rc, artel_error_code_text(rc) };
    zsock_destroy(&w->sender_backend[i]);
    return s_is_no_reason(rc) ? 0 : rc;
}

static int
s_start_backends(artel_node_t *self, wiring_t *w)
{
    int ours = artel_state_is_ours(self->state), rc = ours > 0 ? s_start_transfer(self, w) : 0;
    for (size_t i = 0; rc == 0 && i < self->sinks.n; i++) {
        if (ours > 0) {
            rc = s_start_backend(self, w, i);
            continue;
        }
        self->lacks[i] = (artel_sender_lack_t) { ours < 0 ? ours : ARTEL_EACCES,
            "the state directory is another machine's, or on a network: `artel sync` there delivers" };
        zsock_destroy(&w->sender_backend[i]);
    }
    return rc;
}

static int
s_start_sender(artel_node_t *self, wiring_t *w)
{
    artel_sender_args_t args = { .start.name = "artel/sender", .state = self->state,
        .sinks = &self->sinks, .handler = w->sender_handler, .writer = w->sender_writer,
        .drain_by = self->drains ? &self->stop_by : NULL };
    memcpy(args.lacks, self->lacks, sizeof args.lacks);
    memcpy(args.backends, w->sender_backend, sizeof args.backends);
    int rc = artel_actor_start(&self->sender, artel_sender, &args.start);
    s_taken(&args.start, &w->sender_handler);
    s_taken(&args.start, &w->sender_writer);
    for (size_t i = 0; i < ARTEL_MAX_SINKS; i++)
        s_taken(&args.start, &w->sender_backend[i]);
    return rc;
}

static int
s_start_handler(artel_node_t *self, wiring_t *w)
{
    artel_handler_args_t args = { .start.name = "artel/handler", .clients = self->endpoint,
        .state = self->state, .wanted = self->wanted, .sinks = &self->sinks, .writer = w->handler_writer, .sender = w->handler_sender };
    int rc = artel_actor_start(&self->handler, artel_handler, &args.start);
    s_taken(&args.start, &w->handler_writer);
    s_taken(&args.start, &w->handler_sender);
    return rc;
}

//  Whether a sink is one whose deliveries take so long that they are not over when the primary has everything.
static bool
s_is_remote(const artel_node_t *self)
{
    for (size_t i = 0; i < self->sinks.n; i++)
        if (s_backend(&self->sinks.at[i])->is_remote)
            return true;
    return false;
}

//  czmq and libzmq abort when sockets or descriptors run out: so count before.
static int
s_reserve(artel_node_t *self)
{
    int n = (int) self->sinks.n, sockets = NODE_SOCKETS + n * SINK_SOCKETS;
    int fds = sockets + SPARE_FDS + n * SINK_FDS + (s_is_remote(self) ? ARTEL_TRANSFER_FDS : 0);
    int rc = artel_guest_enter();
    if (rc == 0)
        rc = artel_guest_spare_fds(fds);
    if (rc != 0)
        return rc;
    self->sockets = sockets;
    return atomic_fetch_add(&s_sockets, sockets) + sockets <= MAX_SOCKETS ? 0 : ARTEL_EMFILE;
}

static int
s_start_all(artel_node_t *self)
{
    wiring_t w = { 0 };
    int rc = s_reserve(self);
    if (rc == 0)
        rc = s_wire_up(self, &w);
    if (rc == 0)
        rc = s_start_writer(self, &w);
    if (rc == 0)
        rc = s_start_backends(self, &w);
    if (rc == 0)
        rc = s_start_sender(self, &w);
    if (rc == 0)
        rc = s_start_handler(self, &w);
    s_unwire(&w);
    return rc;
}

//  The endpoint that is asked for, or an inproc that nobody else has.
static void
s_name_endpoint(artel_node_t *self, const char *given)
{
    char name[ARTEL_ID_TEXT];
    artel_id_t id = artel_id_new();
    artel_hex(id.at, sizeof id.at, name);
    if (given)
        snprintf(self->endpoint, sizeof self->endpoint, "%s", given);
    else
        snprintf(self->endpoint, sizeof self->endpoint, "inproc://artel-%s", name);
}

int
artel_node_start(const artel_node_args_t *args, artel_node_t **ret, char *why, size_t size)
{
    artel_node_t *self = calloc(1, sizeof *self);
    int rc = self ? artel_sinks_parse(args->sinks, &self->sinks, why, size) : ARTEL_ENOMEM;
    if (rc != 0) {
        free(self);
        return rc;
    }
    s_name_endpoint(self, args->endpoint);
    self->search_ms = args->search_ms;
    self->drains = args->drains || s_is_remote(self);
    (void) artel_trace_open();
    self->state = strdup(args->state);
    self->wanted = artel_sinks_format(&self->sinks);
    rc = self->state && self->wanted ? s_start_all(self) : ARTEL_ENOMEM;
    if (rc != 0) {
        snprintf(why, size, "the node over %s did not start: %s", args->state, artel_error_code_text(rc));
        artel_node_stop(&self, 1000);
        return rc;
    }
    *ret = self;
    return 0;
}

//  Stop one actor, soon after the deadline at the latest: it may itself have waited
//  until then for one of its own.
static bool
s_stop(zactor_t **actor, int64_t deadline)
{
    int64_t left = deadline - artel_now_ms();
    return artel_actor_stop(actor, (left > 0 ? (int) left : 0) + LEAST_MS) == 0;
}

void
artel_node_stop(artel_node_t **self_p, int timeout_ms)
{
    artel_node_t *self = *self_p;
    if (!self)
        return;
    int64_t deadline = artel_now_ms() + timeout_ms;
    self->stop_by = deadline;
    bool over = s_stop(&self->handler, deadline);
    over &= s_stop(&self->writer, deadline);
    over &= s_stop(&self->sender, deadline);
    for (size_t i = 0; i < self->sinks.n; i++)
        over &= s_stop(&self->backends[i], deadline);
    over &= s_stop(&self->transfer, deadline);
    *self_p = NULL;
    if (!over)
        return;                                 //  a stuck actor still looks at what is ours
    atomic_fetch_sub(&s_sockets, self->sockets);
    artel_sinks_done(&self->sinks);
    free(self->state);
    free(self->wanted);
    free(self);
}

const char *
artel_node_endpoint(const artel_node_t *self)
{
    return self->endpoint;
}
