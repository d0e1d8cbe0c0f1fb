//  node.c - starting and stopping the actors of a node.

#include "node.h"

#include "errors.h"
#include "handler.h"
#include "sender.h"
#include "state.h"
#include "store.h"
#include "trace.h"
#include "wire.h"
#include "writer.h"

struct artel_node {
    char *state;
    char *wanted;               //  the sinks as given
    char endpoint[64];
    artel_sinks_t sinks;
    zactor_t *writer, *sender, *handler;
    zactor_t *backends[ARTEL_MAX_SINKS];
};

//  The sockets between the actors, until each has its owner.
typedef struct {
    zsock_t *handler_writer, *writer_handler;
    zsock_t *handler_sender, *sender_handler;
    zsock_t *writer_sender, *sender_writer;
    zsock_t *sender_backend[ARTEL_MAX_SINKS], *backend_sender[ARTEL_MAX_SINKS];
} wiring_t;

static int
s_wire_up(wiring_t *w, size_t backends)
{
    int rc = artel_sock_pair(&w->handler_writer, &w->writer_handler);
    if (rc == 0)
        rc = artel_sock_pair(&w->handler_sender, &w->sender_handler);
    if (rc == 0)
        rc = artel_sock_pair(&w->writer_sender, &w->sender_writer);
    for (size_t i = 0; rc == 0 && i < backends; i++)
        rc = artel_sock_pair(&w->sender_backend[i], &w->backend_sender[i]);
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
    }
}

//  The socket, which is no longer ours.
static zsock_t *
s_take(zsock_t **sock_p)
{
    zsock_t *sock = *sock_p;
    *sock_p = NULL;
    return sock;
}

static int
s_start_writer(artel_node_t *self, wiring_t *w)
{
    artel_writer_args_t args = { .start.name = "artel/writer", .state = self->state,
        .sinks = self->wanted, .handler = s_take(&w->writer_handler),
        .sender = s_take(&w->writer_sender) };
    return artel_actor_start(&self->writer, artel_writer, &args.start);
}

static int
s_start_sender(artel_node_t *self, wiring_t *w)
{
    artel_sender_args_t args = { .start.name = "artel/sender", .state = self->state,
        .sinks = &self->sinks, .handler = s_take(&w->sender_handler),
        .writer = s_take(&w->sender_writer) };
    for (size_t i = 0; i < self->sinks.n; i++)
        args.backends[i] = s_take(&w->sender_backend[i]);
    return artel_actor_start(&self->sender, artel_sender, &args.start);
}

static int
s_start_backend(artel_node_t *self, wiring_t *w, size_t i)
{
    artel_sink_t *sink = &self->sinks.at[i];
    artel_store_args_t args = { .start.name = "artel/store", .state = self->state,
        .place = sink->place ? sink->place : self->state, .sender = s_take(&w->backend_sender[i]) };
    return artel_actor_start(&self->backends[i], artel_store, &args.start);
}

static int
s_start_handler(artel_node_t *self, wiring_t *w)
{
    artel_handler_args_t args = { .start.name = "artel/handler", .clients = self->endpoint,
        .sinks = &self->sinks, .writer = s_take(&w->handler_writer),
        .sender = s_take(&w->handler_sender) };
    return artel_actor_start(&self->handler, artel_handler, &args.start);
}

static int
s_start_all(artel_node_t *self)
{
    wiring_t w = { 0 };
    int rc = s_wire_up(&w, self->sinks.n);
    if (rc == 0)
        rc = s_start_writer(self, &w);
    if (rc == 0)
        rc = s_start_sender(self, &w);
    for (size_t i = 0; rc == 0 && i < self->sinks.n; i++)
        rc = s_start_backend(self, &w, i);
    if (rc == 0)
        rc = s_start_handler(self, &w);
    s_unwire(&w);
    return rc;
}

int
artel_node_start(const char *state, const char *sinks, artel_node_t **ret,
                 char *why, size_t size)
{
    artel_node_t *self = calloc(1, sizeof *self);
    if (!self)
        return ARTEL_ENOMEM;
    char name[ARTEL_ID_TEXT];
    artel_id_t id = artel_id_new();
    artel_hex(id.at, sizeof id.at, name);
    snprintf(self->endpoint, sizeof self->endpoint, "inproc://artel-%s", name);
    artel_trace_open();
    int rc = artel_sinks_parse(sinks, &self->sinks, why, size);
    if (rc == 0) {
        self->state = strdup(state);
        self->wanted = strdup(sinks && *sinks ? sinks : "store");
        rc = self->state && self->wanted ? s_start_all(self) : ARTEL_ENOMEM;
        if (rc != 0)
            snprintf(why, size, "the node did not start: %s", artel_error_code_text(rc));
    }
    if (rc == 0)
        *ret = self;
    else
        artel_node_stop(&self, 1000);
    return rc;
}

void
artel_node_stop(artel_node_t **self_p, int timeout_ms)
{
    artel_node_t *self = *self_p;
    if (!self)
        return;
    int stuck = artel_actor_stop(&self->handler, timeout_ms);
    stuck |= artel_actor_stop(&self->writer, timeout_ms);
    stuck |= artel_actor_stop(&self->sender, timeout_ms);
    for (size_t i = 0; i < self->sinks.n; i++)
        stuck |= artel_actor_stop(&self->backends[i], timeout_ms);
    *self_p = NULL;
    if (stuck)
        return;                                 //  a stuck actor still looks at what is ours
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
