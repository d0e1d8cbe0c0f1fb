//  The store between a sender that the test plays and a folder on the disk.

#include "batches.h"

#include "blobs.h"
#include "bounds.h"
#include "checkout.h"
#include "guest.h"
#include "ingest.h"
#include "store.h"
#include "wire.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char *s_state, *s_place;
static zactor_t *s_store;
static zsock_t *s_sender;
static artel_wire_t s_wire;
static zmq_msg_t s_frame;           //  what s_recv received last
static msgpack_sbuffer s_out;
static const artel_id_t s_writer = { "a writer id 16b" }, s_other = { "another writer." };
static const artel_strs_t s_keys = { (const artel_str_t[]) { { "loss", 4 } }, 1 };

//  A store at place, fed from s_state.
static void
s_start(const char *place)
{
    zsock_t *end;
    cr_assert_eq(artel_sock_pair(&s_sender, &end), 0);
    artel_store_args_t args = {
        .start.name = "artel/store", .state = s_state, .place = place, .sender = end
    };
    cr_assert_eq(artel_actor_start(&s_store, artel_store, &args.start), 0);
}

static void
s_stop(void)
{
    cr_assert_eq(artel_actor_stop(&s_store, 5000), 0);
    zsock_destroy(&s_sender);
}

static void
s_setup(void)
{
    zmq_msg_init(&s_frame);
    msgpack_sbuffer_init(&s_out);
    cr_assert_eq(artel_guest_enter(), 0);
    cr_assert_eq(artel_wire_init(&s_wire, "sender"), 0);
    s_state = folder_new();
    s_place = folder_new();
    cr_assert_eq(artel_state_make(s_state), 0);
    s_start(s_state);
}

static void
s_teardown(void)
{
    if (s_store)
        s_stop();
    artel_wire_done(&s_wire);
    zmq_msg_close(&s_frame);
    msgpack_sbuffer_destroy(&s_out);
    folder_destroy(s_state);
    folder_destroy(s_place);
}

TestSuite(store, .init = s_setup, .fini = s_teardown, .timeout = 60);

static void
s_send(artel_msg_t msg)
{
    cr_assert_eq(artel_wire_send(&s_wire, s_sender, "store", &msg), 0);
}

//  The next message of the store; fails the test if none comes.
static artel_msg_t
s_recv(void)
{
    zmq_pollitem_t item = { zsock_resolve(s_sender), 0, ZMQ_POLLIN, 0 };
    cr_assert_gt(zmq_poll(&item, 1, 20000), 0, "no answer");
    artel_msg_t msg;
    cr_assert(artel_wire_take(s_sender, &s_frame));
    cr_assert_eq(artel_wire_unpack(&s_wire, &s_frame, &msg), 0);
    return msg;
}

static void
s_send_batch(const batch_t *batch)
{
    s_send((artel_msg_t) { .id = ARTEL_MSG_DELIVER, .deliver = batch_pack(batch, &s_out) });
}

//  A batch of one row.
static void
s_send_row(artel_id_t writer, uint64_t counter, double value)
{
    artel_cell_t cell = { .kind = ARTEL_F64, .f64 = value };
    artel_msg_t record = { .id = ARTEL_MSG_HISTORY,
                           .history = { (int64_t) counter, 7, { &cell, 1 } } };
    s_send_batch(&(batch_t) { .writer = writer,
                              .counter = counter,
                              .after = counter - 1,
                              .keys = s_keys,
                              .records = &record,
                              .n = 1 });
}

static artel_msg_artifact_send_t
s_artifact(const artel_ingest_result_t *result)
{
    return (artel_msg_artifact_send_t) { .xid = artel_id_new(), .name = artel_str("m"),
        .type = artel_str("t"), .manifest = result->manifest, .pack = artel_str(result->pack),
        .files = result->files, .bytes = result->bytes };
}

static void
s_send_artifact(artel_id_t writer, uint64_t counter, const artel_msg_artifact_send_t *send)
{
    artel_msg_t record = { .id = ARTEL_MSG_ARTIFACT_SEND, .artifact_send = *send };
    s_send_batch(&(batch_t) { .writer = writer, .counter = counter, .after = counter - 1,
        .xids = { (const char *) send->xid.at, sizeof send->xid }, .records = &record, .n = 1 });
}

static void
s_expect_delivered(artel_id_t writer, uint64_t counter, int64_t code)
{
    artel_msg_t msg = s_recv();
    cr_assert_eq(msg.id, ARTEL_MSG_DELIVERED);
    cr_expect(artel_id_equal(msg.delivered.writer, writer));
    cr_expect_eq(msg.delivered.counter, counter);
    cr_expect_eq(msg.delivered.code, code, "%d: %.*s", (int) msg.delivered.code,
                 (int) msg.delivered.text.len, msg.delivered.text.at);
}

static artel_msg_artifact_done_t
s_expect_done(const artel_msg_artifact_send_t *send)
{
    artel_msg_t msg = s_recv();
    cr_assert_eq(msg.id, ARTEL_MSG_ARTIFACT_DONE);
    cr_expect(artel_id_equal(msg.artifact_done.xid, send->xid));
    return msg.artifact_done;
}

static artel_msg_position_t
s_position(artel_id_t writer)
{
    s_send(
        (artel_msg_t) { .id = ARTEL_MSG_POSITION_GET, .position_get = { artel_str("r"), writer } });
    artel_msg_t msg = s_recv();
    cr_assert_eq(msg.id, ARTEL_MSG_POSITION);
    return msg.position;
}

//  What the catalogue of a folder says.
static void
s_expect(const char *folder, const char *sql, const char *wanted)
{
    artel_catalogue_t *catalogue;
    cr_assert_eq(artel_catalogue_open(folder, false, &catalogue), 0);
    cr_expect_str_eq(query(catalogue, sql), wanted, "%s: %s", sql, query(catalogue, sql));
    artel_catalogue_close(&catalogue);
}

//  Ingest what add puts into an artifact.
static artel_ingest_result_t
s_ingest(void (*add)(artel_ingest_t *ingest))
{
    artel_ingest_t *ingest;
    artel_ingest_result_t result;
    cr_assert_eq(artel_ingest_begin(&(artel_ingest_options_t) { .store = s_state }, &ingest), 0);
    add(ingest);
    cr_assert_eq(artel_ingest_finish(ingest, &result), 0, "%s", artel_ingest_error(ingest));
    artel_ingest_destroy(&ingest);
    return result;
}

static void
s_add_two(artel_ingest_t *ingest)
{
    cr_assert_eq(artel_ingest_bytes(ingest, "one", "12345", 5), 0);
    cr_assert_eq(artel_ingest_bytes(ingest, "two", "67890", 5), 0);
}

//  One that gets a file of its own.
static void
s_add_large(artel_ingest_t *ingest)
{
    char *bytes = calloc(1, ARTEL_LOOSE_FROM);
    cr_assert_eq(artel_ingest_bytes(ingest, "large", bytes, ARTEL_LOOSE_FROM), 0);
    free(bytes);
}

static int
s_remove_loose(void *arg, const artel_digest_t *digest, uint64_t size)
{
    (void) arg, (void) size;
    return artel_loose_remove(s_state, digest);
}

static void
s_add_many(artel_ingest_t *ingest)
{
    char name[64];
    for (int i = 0; i < 300000; i++) {
        snprintf(name, sizeof name, "data/%06d", i);
        cr_assert_eq(artel_ingest_reference(ingest, name, "s3://bucket/key", "etag", 1), 0);
    }
}

Test(store, says_how_far_a_writer_has_come)
{
    artel_msg_position_t position = s_position(s_writer);
    cr_expect_eq(position.code, 0);
    cr_expect_eq(position.counter, 0);
    s_send_row(s_writer, 1, 0.5);
    s_expect_delivered(s_writer, 1, 0);
    cr_expect_eq(s_position(s_writer).counter, 1);
    cr_expect_eq(s_position(s_other).counter, 0);
}

Test(store, answers_every_delivery_once_and_in_order)
{
    for (uint64_t i = 1; i <= 200; i++)
        s_send_row(i % 2 ? s_writer : s_other, (i + 1) / 2, 1);
    uint64_t last[2] = { 0, 0 };
    for (int i = 0; i < 200; i++) {
        artel_msg_t msg = s_recv();
        cr_assert_eq(msg.delivered.code, 0);
        cr_assert_eq(msg.delivered.counter, ++last[artel_id_equal(msg.delivered.writer, s_other)]);
    }
    s_expect(s_state, "SELECT count(*) FROM history", "200");
}

Test(store, delivers_once_what_comes_twice)
{
    s_send_row(s_writer, 1, 0.5);
    s_send_row(s_writer, 1, 0.5);
    s_expect_delivered(s_writer, 1, 0);
    s_expect_delivered(s_writer, 1, 0);
    s_expect(s_state, "SELECT count(*) FROM history", "1");
}

Test(store, asks_again_for_what_is_missing)
{
    s_send_row(s_writer, 1, 0.5);
    s_send_row(s_writer, 3, 0.5);
    s_expect_delivered(s_writer, 1, 0);
    s_expect_delivered(s_writer, 3, ARTEL_EAGAIN);
    cr_expect_eq(s_position(s_writer).counter, 1);
}

Test(store, goes_on_where_it_was_after_a_restart)
{
    s_send_row(s_writer, 1, 0.5);
    s_expect_delivered(s_writer, 1, 0);
    s_stop();
    s_start(s_state);
    cr_expect_eq(s_position(s_writer).counter, 1);
    s_send_row(s_writer, 2, 0.25);
    s_expect_delivered(s_writer, 2, 0);
    s_expect(s_state, "SELECT step, value FROM history", "1|0.5 2|0.25");
}

Test(store, passes_over_what_is_no_batch)
{
    s_send((artel_msg_t) { .id = ARTEL_MSG_DELIVER, .deliver = { artel_str("r"), s_writer, 1,
        { "nonsense", 8 }, 0 } });
    s_expect_delivered(s_writer, 1, 0);
    s_expect(s_state, "SELECT counter, reason FROM refused",
             "1|what was in the journal is no batch");
}

Test(store, commits_an_artifact_and_says_so_before_its_batch_is_delivered)
{
    artel_ingest_result_t result = s_ingest(s_add_two);
    artel_msg_artifact_send_t send = s_artifact(&result);
    s_send_artifact(s_writer, 1, &send);
    artel_msg_artifact_done_t done = s_expect_done(&send);
    cr_expect_eq(done.status, 0);
    cr_expect_eq(done.version, 0);
    cr_expect(done.fresh);
    cr_expect(artel_id_equal(done.writer, s_writer));
    cr_expect_eq(done.counter, 1);
    s_expect_delivered(s_writer, 1, 0);
    s_expect(s_state, "SELECT name, version, path, size FROM artifact_entries",
             "m|0|one|5 m|0|two|5");
}

Test(store, says_again_what_became_of_an_artifact)
{
    artel_ingest_result_t result = s_ingest(s_add_two);
    artel_msg_artifact_send_t send = s_artifact(&result);
    for (int i = 0; i < 2; i++) {
        s_send_artifact(s_writer, 1, &send);
        cr_expect(s_expect_done(&send).fresh);
        s_expect_delivered(s_writer, 1, 0);
    }
    send.xid = artel_id_new();                          //  the same content
    s_send_artifact(s_writer, 2, &send);
    artel_msg_artifact_done_t done = s_expect_done(&send);
    cr_expect_eq(done.version, 0);
    cr_expect_not(done.fresh);
}

Test(store, refuses_an_artifact_whose_manifest_is_not_there_and_goes_on)
{
    artel_msg_artifact_send_t send = s_artifact(&(artel_ingest_result_t) { .manifest = { { 1 } } });
    s_send_artifact(s_writer, 1, &send);
    artel_msg_artifact_done_t done = s_expect_done(&send);
    cr_expect_eq(done.status, ARTEL_ENOENT);
    cr_expect_eq(done.version, -1);
    cr_expect_gt(done.text.len, 0);
    s_expect_delivered(s_writer, 1, 0);
    s_send_row(s_writer, 2, 1);
    s_expect_delivered(s_writer, 2, 0);
}

Test(store, refuses_an_artifact_of_which_a_file_is_not_there)
{
    artel_ingest_result_t result = s_ingest(s_add_large);
    artel_msg_artifact_send_t send = s_artifact(&result);
    cr_assert_eq(artel_loose_each(s_state, s_remove_loose, NULL), 0);
    s_send_artifact(s_writer, 1, &send);
    cr_expect_eq(s_expect_done(&send).status, ARTEL_ENOENT);
    s_expect_delivered(s_writer, 1, 0);
}

Test(store, does_not_need_a_pack_whose_blobs_are_all_elsewhere)
{
    artel_ingest_result_t first = s_ingest(s_add_two), second = s_ingest(s_add_two);
    cr_assert_str_neq(first.pack, second.pack);
    artel_msg_artifact_send_t send = s_artifact(&second);
    cr_assert_eq(artel_pack_remove(s_state, second.pack), 0);
    s_send_artifact(s_writer, 1, &send);
    cr_expect_eq(s_expect_done(&send).status, 0);
    s_expect_delivered(s_writer, 1, 0);
}

Test(store, lets_other_writers_pass_while_a_large_artifact_is_filed)
{
    artel_ingest_result_t result = s_ingest(s_add_many);
    artel_msg_artifact_send_t send = s_artifact(&result);
    s_send_artifact(s_writer, 1, &send);
    s_send_row(s_writer, 2, 1);
    s_send_row(s_other, 1, 1);
    s_expect_delivered(s_other, 1, 0);
    cr_expect_eq(s_expect_done(&send).status, 0);
    s_expect_delivered(s_writer, 1, 0);
    s_expect_delivered(s_writer, 2, 0);
    s_expect(s_state, "SELECT count(*) FROM artifact_entries", "300000");
}

Test(store, stops_at_once_in_the_middle_of_a_large_artifact_and_ends_it_the_next_time)
{
    artel_ingest_result_t result = s_ingest(s_add_many);
    artel_msg_artifact_send_t send = s_artifact(&result);
    s_send_artifact(s_writer, 1, &send);
    s_send_row(s_other, 1, 1);
    s_expect_delivered(s_other, 1, 0);                  //  it is in the middle of it
    int64_t before = artel_now_ms();
    s_stop();
    cr_expect_lt(artel_now_ms() - before, 2000);
    s_expect(s_state, "SELECT count(*) FROM artifact_versions", "0");
    s_start(s_state);
    s_send_artifact(s_writer, 1, &send);
    cr_expect_eq(s_expect_done(&send).version, 0);
    s_expect_delivered(s_writer, 1, 0);
    s_expect(s_state, "SELECT count(*) FROM artifact_entries", "300000");
}

Test(store, takes_a_question_for_the_position_as_a_new_beginning)
{
    artel_ingest_result_t result = s_ingest(s_add_many);
    artel_msg_artifact_send_t send = s_artifact(&result);
    s_send_artifact(s_writer, 1, &send);
    s_send_row(s_writer, 2, 1);
    s_send((artel_msg_t) { .id = ARTEL_MSG_POSITION_GET,
                           .position_get = { artel_str("r"), s_writer } });
    s_expect_delivered(s_writer, 1, ARTEL_EAGAIN);
    s_expect_delivered(s_writer, 2, ARTEL_EAGAIN);
    artel_msg_t msg = s_recv();
    cr_assert_eq(msg.id, ARTEL_MSG_POSITION);
    cr_expect_eq(msg.position.counter, 0);
}

//  Whether a folder has what s_add_two ingested, every byte of it.
static void
s_expect_two(const char *folder, const artel_ingest_result_t *result)
{
    char text[256] = "", bytes[16] = "", *into = artel_format("%s/out", s_place);
    char *one = artel_format("%s/one", into);
    int rc = artel_checkout(&(artel_checkout_t) { .store = folder, .manifest = result->manifest,
        .into = into }, text, sizeof text);
    cr_expect_eq(rc, 0, "%s", text);
    int fd = open(one, O_RDONLY);
    cr_expect_eq(read(fd, bytes, sizeof bytes), 5);
    close(fd);
    cr_expect_str_eq(bytes, "12345");
    free(one);
    free(into);
}

Test(store, in_another_directory_has_its_own_blobs_catalogue_and_position)
{
    artel_ingest_result_t result = s_ingest(s_add_two);
    artel_msg_artifact_send_t send = s_artifact(&result);
    s_send_row(s_other, 1, 1);
    s_expect_delivered(s_other, 1, 0);
    s_send_artifact(s_writer, 1, &send);
    s_expect_done(&send);
    s_expect_delivered(s_writer, 1, 0);
    s_stop();

    s_start(s_place);
    cr_expect_eq(s_position(s_writer).counter, 0);
    s_send_artifact(s_writer, 1, &send);
    s_send_row(s_writer, 2, 3);
    artel_msg_artifact_done_t done = s_expect_done(&send);
    cr_expect_eq(done.status, 0, "%.*s", (int) done.text.len, done.text.at);
    cr_expect_eq(done.version, 0);
    s_expect_delivered(s_writer, 1, 0);
    s_expect_delivered(s_writer, 2, 0);
    s_expect(s_place,
             "SELECT (SELECT count(*) FROM writers), (SELECT count(*) FROM artifact_entries)",
             "1|2");
    folder_destroy(s_state);                            //  it stands alone
    s_state = folder_new();
    s_expect_two(s_place, &result);
}

Test(store, in_another_directory_refuses_what_the_state_directory_has_lost)
{
    artel_ingest_result_t result = s_ingest(s_add_two);
    artel_msg_artifact_send_t send = s_artifact(&result);
    cr_assert_eq(artel_pack_remove(s_state, result.pack), 0);
    s_stop();
    s_start(s_place);
    s_send_artifact(s_writer, 1, &send);
    artel_msg_artifact_done_t done = s_expect_done(&send);
    cr_expect_eq(done.status, ARTEL_ENOENT);
    s_expect_delivered(s_writer, 1, 0);
    s_expect(s_place, "SELECT count(*) FROM refused", "1");
}

//  A store that cannot deliver says why, and journaling goes on without it.

static void
s_expect_refusal(int64_t code)
{
    artel_msg_position_t position = s_position(s_writer);
    cr_expect_eq(position.code, code, "%d", (int) position.code);
    cr_expect_gt(position.text.len, 0);
    s_send_row(s_writer, 1, 1);
    s_expect_delivered(s_writer, 1, code);
}

static void
s_write_file(const char *name, const char *text)
{
    char *path = artel_format("%s/%s", s_state, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t) strlen(text));
    close(fd);
    free(path);
}

Test(store, delivers_nothing_into_another_machines_directory)
{
    s_write_file("host", "elsewhere 0123456789abcdef\n");
    s_expect_refusal(ARTEL_EACCES);
    char *path = artel_format("%s/catalogue.db", s_state);
    cr_expect_neq(access(path, F_OK), 0);
    free(path);
}

Test(store, delivers_nothing_into_what_is_no_catalogue)
{
    s_write_file("catalogue.db",
                 "This is a file of somebody else, and longer than a header of SQLite is, "
                 "so that it is not taken for one that is torn.");
    s_expect_refusal(ARTEL_ECORRUPT);
}

Test(store, delivers_nothing_into_the_catalogue_of_a_newer_major)
{
    artel_catalogue_t *catalogue;
    cr_assert_eq(artel_catalogue_open(s_state, true, &catalogue), 0);
    query(catalogue, "UPDATE meta SET value = 2 WHERE key = 'major'");
    artel_catalogue_close(&catalogue);
    s_expect_refusal(ARTEL_EVERSION);
}

//  A limit on files stands for a full disk; SQLite calls what comes of it an error of the disk.
static void
s_expect_failed(artel_id_t writer, uint64_t counter)
{
    artel_msg_t msg = s_recv();
    cr_assert_eq(msg.id, ARTEL_MSG_DELIVERED);
    cr_expect(artel_id_equal(msg.delivered.writer, writer));
    cr_expect_eq(msg.delivered.counter, counter);
    cr_expect(msg.delivered.code == ARTEL_EIO || msg.delivered.code == ARTEL_ENOSPC);
}

Test(store, loses_nothing_when_the_disk_takes_no_more_and_goes_on_when_it_does)
{
    s_send_row(s_writer, 1, 1);
    s_expect_delivered(s_writer, 1, 0);
    struct rlimit limit, unlimited;
    getrlimit(RLIMIT_FSIZE, &unlimited);
    limit = unlimited;
    limit.rlim_cur = 1000;
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    s_send_row(s_writer, 2, 2);
    s_send_row(s_other, 1, 2);
    s_expect_failed(s_writer, 2);
    s_expect_failed(s_other, 1);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
    cr_expect_eq(s_position(s_writer).counter, 1);
    s_send_row(s_writer, 2, 2);
    s_expect_delivered(s_writer, 2, 0);
    s_expect(s_state, "SELECT value FROM history", "1.0 2.0");
}

Test(store, resolves_versions_and_aliases)
{
    artel_ingest_result_t result = s_ingest(s_add_two);
    artel_msg_artifact_send_t send = s_artifact(&result);
    s_send_artifact(s_writer, 1, &send);
    s_expect_done(&send);
    s_expect_delivered(s_writer, 1, 0);
    s_send((artel_msg_t) { .id = ARTEL_MSG_RESOLVE,
                           .resolve = { 42, { 0 }, artel_str("m"), artel_str("v0") } });
    artel_msg_t msg = s_recv();
    cr_assert_eq(msg.id, ARTEL_MSG_RESOLVED);
    cr_expect_eq(msg.resolved.token, 42);
    cr_expect_eq(msg.resolved.code, 0);
    cr_expect_eq(msg.resolved.version, 0);
    cr_expect(artel_str_equal(msg.resolved.type, artel_str("t")));
    cr_expect_eq(memcmp(&msg.resolved.manifest, &result.manifest, sizeof result.manifest), 0);
    s_send((artel_msg_t) { .id = ARTEL_MSG_RESOLVE,
                           .resolve = { 43, { 0 }, artel_str("m"), artel_str("best") } });
    msg = s_recv();
    cr_expect_eq(msg.resolved.token, 43);
    cr_expect_eq(msg.resolved.code, ARTEL_ENOENT);
    cr_expect(artel_str_equal(msg.resolved.text, artel_str("there is no artifact 'm:best'")));
}
