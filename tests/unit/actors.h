//  actors.h - what the tests of actors share: a state directory, neighbours that
//  the test plays, and batches.

#ifndef ACTORS_H
#define ACTORS_H

#include <criterion/criterion.h>

#include "actor.h"
#include "bounds.h"
#include "errors.h"
#include "guest.h"
#include "journal.h"
#include "layout.h"
#include "sinks.h"
#include "state.h"
#include "wire.h"

#include <stdlib.h>
#include <string.h>

static char s_state[64];            //  the state directory
static artel_wire_t s_wire;
static zmq_msg_t s_frame;           //  what s_recv received last
static const artel_id_t s_id = { "a writer id 16b" };
static const artel_id_t s_xid = { "some xid of 16b" };

static inline void
s_begin(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(s_state, sizeof s_state, "%.40s/artel-test-XXXXXX", tmp ? tmp : "/tmp");
    cr_assert(mkdtemp(s_state));
    cr_assert_eq(artel_state_make(s_state), 0);
    zmq_msg_init(&s_frame);
    cr_assert_eq(artel_guest_enter(), 0);
    cr_assert_eq(artel_wire_init(&s_wire, "test"), 0);
}

static inline void
s_end(void)
{
    zmq_msg_close(&s_frame);
    artel_wire_done(&s_wire);
    artel_remove_tree(s_state);
}

//  The next message on a socket within timeout_ms; it lives until the next call.
//  Of a batch only the head.
static inline bool
s_try_recv(zsock_t *sock, int timeout_ms, artel_msg_t *ret)
{
    size_t used;
    zmq_pollitem_t item = { zsock_resolve(sock), 0, ZMQ_POLLIN, 0 };
    if (zmq_poll(&item, 1, timeout_ms) != 1)
        return false;
    cr_assert_eq(artel_wire_take(sock, &s_frame), 1);
    msgpack_zone_clear(&s_wire.zone);
    cr_assert_eq(artel_msg_unpack(zmq_msg_data(&s_frame), zmq_msg_size(&s_frame), &s_wire.zone, ret, &used), 0);
    return true;
}

static inline artel_msg_t
s_recv(zsock_t *sock)
{
    artel_msg_t msg = { 0 };
    cr_assert(s_try_recv(sock, 5000, &msg), "nothing came");
    return msg;
}

//  The next message on a socket with this id; others are passed over.
static inline artel_msg_t
s_await(zsock_t *sock, artel_msg_id_t id)
{
    artel_msg_t msg = { 0 };
    while (msg.id != id)
        cr_assert(s_try_recv(sock, 5000, &msg), "no %s came", artel_msg_name(id));
    return msg;
}

//  Nothing is on its way: only for what would have come by now.
static inline void
s_expect_silence(zsock_t *sock)
{
    artel_msg_t msg = { 0 };
    cr_assert_not(s_try_recv(sock, 50, &msg), "%s came", artel_msg_name(msg.id));
}

static inline void
s_send(zsock_t *sock, artel_msg_t msg)
{
    cr_assert_eq(artel_wire_send(&s_wire, sock, "other", &msg), 0);
}

//  A batch without keys, and its one record if it has one.
typedef struct {
    const char *run;                //  NULL: "r"
    artel_id_t writer;
    uint64_t counter;
    bool with_xid;
    bool ends;
    int64_t next_step;
    size_t padding;                 //  bytes of a text in it
} batch_t;

static inline msgpack_sbuffer
s_pack_batch(const batch_t *batch)
{
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    char *text = calloc(1, batch->padding + 1);
    memset(text, 'x', batch->padding);
    artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_BATCH, .batch = {
        .run = artel_str(batch->run ? batch->run : "r"), .writer = batch->writer,
        .counter = batch->counter, .ends = batch->ends, .next_step = batch->next_step,
        .xids = { (const char *) s_xid.at, batch->with_xid ? sizeof s_xid : 0 } } }, &out);
    if (batch->with_xid)
        artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_SEND, .artifact_send = { .xid = s_xid } }, &out);
    if (batch->padding)
        artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_LOST, .lost = { .reason = artel_str(text) } }, &out);
    if (batch->ends)
        artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_EXIT, .exit = { .code = 0 } }, &out);
    free(text);
    return out;
}

static inline void
s_send_batch(zsock_t *sock, batch_t batch)
{
    msgpack_sbuffer packed = s_pack_batch(&batch);
    zmq_msg_t frame;
    zmq_msg_init_size(&frame, packed.size);
    memcpy(zmq_msg_data(&frame), packed.data, packed.size);
    cr_assert_eq(artel_wire_forward(sock, &frame), 0);
    msgpack_sbuffer_destroy(&packed);
}

//  A thread that takes structs over one PAIR and answers with structs.

static inline void
s_stop_worker(zactor_t **worker, zsock_t **sock)
{
    cr_assert_eq(artel_actor_stop(worker, 5000), 0);
    zsock_destroy(sock);
    s_end();
}

static inline void
s_send_struct(zsock_t *sock, const void *data, size_t size)
{
    cr_assert_eq(zmq_send(zsock_resolve(sock), data, size, 0), (int) size);
}

static inline void
s_recv_struct(zsock_t *sock, void *ret, size_t size)
{
    zmq_pollitem_t item = { zsock_resolve(sock), 0, ZMQ_POLLIN, 0 };
    cr_assert_eq(zmq_poll(&item, 1, 5000), 1);
    cr_assert_eq(zmq_recv(zsock_resolve(sock), ret, size, 0), (int) size);
}

//  Journals, made by the test itself.

static inline artel_journal_t *
s_create(const char *run, artel_id_t writer, const char *sinks)
{
    artel_journal_t *journal = NULL;
    artel_journal_birth_t birth = { .run = run, .writer = writer, .sinks = sinks, .resumes = ARTEL_RESUMES_ALLOW };
    cr_assert_eq(artel_journal_create(s_state, &birth, &journal), 0);
    return journal;
}

static inline void
s_append(artel_journal_t *journal, batch_t batch)
{
    msgpack_sbuffer packed = s_pack_batch(&batch);
    artel_journal_frame_t frame = { batch.counter, packed.data, packed.size };
    cr_assert_eq(artel_journal_append(journal, &frame, 1), 0);
    msgpack_sbuffer_destroy(&packed);
}

//  A closed journal of n batches.
static inline void
s_make_journal(const char *run, artel_id_t writer, const char *sinks, uint64_t n, bool ends)
{
    artel_journal_t *journal = s_create(run, writer, sinks);
    for (uint64_t i = 1; i <= n; i++)
        s_append(journal, (batch_t) { .run = run, .writer = writer, .counter = i, .ends = ends && i == n });
    artel_journal_close(&journal);
}

static inline bool
s_is_pending(const char *run, artel_id_t writer)
{
    char id[ARTEL_ID_TEXT];
    artel_hex(writer.at, sizeof writer.at, id);
    char *path = artel_format("%s/pending/%s.%s", s_state, run, id);
    bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

#endif
