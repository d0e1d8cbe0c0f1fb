//  figure_poll_rtt DIR - microseconds (median) for an artifact_poll of an artifact
//  that is done, from a DEALER to the handler and back, over inproc. Writer and
//  sender are played; client and handler share one CPU, as in the floor.

#include "bench.h"
#include "guest.h"
#include "handler.h"
#include "wire.h"

#include <stdio.h>

typedef struct {
    artel_sinks_t sinks;
    zsock_t *writer, *sender, *client;
    zactor_t *handler;
    artel_wire_t wire;
    zmq_msg_t frame;
} self_t;

static const artel_id_t s_writer_id = { "a writer id 16b" }, s_xid = { "some xid of 16b" };

static void
s_send(self_t *self, zsock_t *sock, const artel_msg_t *msg)
{
    BENCH_CHECK(artel_wire_send(&self->wire, sock, "handler", msg) == 0);
}

//  Wait for the next message; it lives until the next call.
static artel_msg_t
s_recv(self_t *self, zsock_t *sock)
{
    artel_msg_t msg;
    BENCH_CHECK(zmq_msg_recv(&self->frame, zsock_resolve(sock), 0) >= 0);
    BENCH_CHECK(artel_wire_unpack(&self->wire, &self->frame, &msg) == 0);
    return msg;
}

static void
s_start(self_t *self)
{
    char why[128];
    zsock_t *handler_writer, *handler_sender;
    zmq_msg_init(&self->frame);
    BENCH_CHECK(artel_guest_enter() == 0);
    BENCH_CHECK(artel_wire_init(&self->wire, "client") == 0);
    BENCH_CHECK(artel_sinks_parse("store", &self->sinks, why, sizeof why) == 0);
    BENCH_CHECK(artel_sock_pair(&self->writer, &handler_writer) == 0);
    BENCH_CHECK(artel_sock_pair(&self->sender, &handler_sender) == 0);
    artel_handler_args_t args = { .start.name = "artel/handler", .clients = "inproc://handler",
        .sinks = &self->sinks, .writer = handler_writer, .sender = handler_sender };
    BENCH_CHECK(artel_actor_start(&self->handler, artel_handler, &args.start) == 0);
    self->client = artel_sock_new(ZMQ_DEALER);
    BENCH_CHECK(zsock_connect(self->client, "inproc://handler") == 0);
}

//  One artifact_send, from its run_open until it is done.
static void
s_send_artifact(self_t *self)
{
    s_send(self, self->client, &(artel_msg_t) { .id = ARTEL_MSG_RUN_OPEN,
        .run_open = { artel_str("r"), s_writer_id, 0 } });
    s_recv(self, self->writer);
    s_send(self, self->writer, &(artel_msg_t) { .id = ARTEL_MSG_RUN_OPENED,
        .run_opened = { .writer = s_writer_id } });
    s_recv(self, self->client);
    s_send(self, self->client, &(artel_msg_t) { .id = ARTEL_MSG_BATCH, .batch = {
        .run = artel_str("r"), .writer = s_writer_id, .counter = 1,
        .xids = { (const char *) s_xid.at, sizeof s_xid } } });
    s_recv(self, self->writer);
    s_send(self, self->sender, &(artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_DONE, .artifact_done = {
        .xid = s_xid, .sink = artel_str("store"), .version = 3 } });
}

static double
s_poll(self_t *self, uint64_t wait_ms)
{
    double start = bench_now();
    s_send(self, self->client, &(artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_POLL,
        .artifact_poll = { .xid = s_xid, .wait_ms = wait_ms } });
    artel_msg_t msg = s_recv(self, self->client);
    double took = bench_now() - start;
    BENCH_CHECK(msg.id == ARTEL_MSG_ARTIFACT_POLL_RESPONSE
                && msg.artifact_poll_response.state == ARTEL_POLL_READY);
    return took * 1e6;
}

static void
s_stop(self_t *self)
{
    BENCH_CHECK(artel_actor_stop(&self->handler, 2000) == 0);
    zsock_destroy(&self->client);
    zsock_destroy(&self->writer);
    zsock_destroy(&self->sender);
    zmq_msg_close(&self->frame);
    artel_sinks_done(&self->sinks);
    artel_wire_done(&self->wire);
}

int
main(void)
{
    static double took[BENCH_POLLS];
    self_t self = { 0 };
    bench_pin();
    s_start(&self);
    s_send_artifact(&self);
    s_poll(&self, 10000);                       //  the handler may not know yet that it is done
    for (int i = 0; i < BENCH_POLLS; i++)
        took[i] = s_poll(&self, 0);
    BENCH_CHECK(zmq_msg_size(&self.frame) == BENCH_RESPONSE_BYTES
                && self.wire.out.size == BENCH_POLL_BYTES);
    printf("%.3f\n", bench_median(took, BENCH_POLLS));
    s_stop(&self);
}
