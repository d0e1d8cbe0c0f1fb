//  The outbox: what goes in comes out in order, once, and stays until it is accepted.

#include <criterion/criterion.h>

#include "artel.h"
#include "batch.h"
#include "bounds.h"
#include "outbox.h"

#include <stdlib.h>

static artel_outbox_t s_box;
static msgpack_zone s_zone;
static const artel_id_t s_writer = { "a writer id 16b" };

static void
s_setup(void)
{
    cr_assert_eq(artel_outbox_init(&s_box, "r", s_writer), 0);
    msgpack_zone_init(&s_zone, 8192);
    pthread_mutex_lock(&s_box.lock);            //  as whoever uses an outbox does
}

static void
s_teardown(void)
{
    pthread_mutex_unlock(&s_box.lock);
    artel_outbox_done(&s_box);
    msgpack_zone_destroy(&s_zone);
}

TestSuite(outbox, .init = s_setup, .fini = s_teardown, .timeout = 30);

static int
s_log(const char *key, int64_t step, double value)
{
    artel_value_t row = { .key = key, .type = ARTEL_TYPE_DOUBLE, .f64 = value };
    return artel_outbox_history(&s_box, step, &row, 1);
}

static uint64_t
s_add(const artel_msg_t *record)
{
    uint64_t counter = 0;
    cr_assert_eq(artel_outbox_add(&s_box, record, &counter), 0);
    return counter;
}

//  The head of the next batch to send. The frame and the head live until the next call.
static artel_batch_reader_t
s_next(void)
{
    static zmq_msg_t frame;
    static bool held;
    if (held)
        zmq_msg_close(&frame);
    held = artel_outbox_next(&s_box, ARTEL_CREDIT, &frame);
    cr_assert(held, "there is no batch to send");
    artel_batch_reader_t reader;
    msgpack_zone_clear(&s_zone);
    cr_assert(zmq_msg_size(&frame) <= ARTEL_MAX_BATCH);
    cr_assert_eq(artel_batch_check(zmq_msg_data(&frame), zmq_msg_size(&frame)), 0);
    cr_assert_eq(artel_batch_read(zmq_msg_data(&frame), zmq_msg_size(&frame), &s_zone, &reader), 0);
    return reader;
}

static bool
s_has_next(void)
{
    zmq_msg_t frame;
    bool any = artel_outbox_next(&s_box, ARTEL_CREDIT, &frame);
    if (any)
        zmq_msg_close(&frame);
    return any;
}

Test(outbox, an_empty_batch_is_not_sealed)
{
    cr_assert_eq(artel_outbox_seal(&s_box), 0);
    cr_assert_not(s_has_next());
    cr_assert_eq(artel_outbox_last(&s_box), 0);
}

Test(outbox, a_batch_has_the_records_and_the_keys_in_order)
{
    cr_assert_eq(s_log("loss", 0, 1.5), 0);
    cr_assert_eq(s_log("acc", 1, 2.5), 0);
    cr_assert_eq(s_log("loss", 2, 3.5), 0);
    cr_assert_eq(artel_outbox_last(&s_box), 1);
    cr_assert_eq(artel_outbox_seal(&s_box), 0);
    artel_batch_reader_t reader = s_next();
    cr_assert_eq(reader.head.counter, 1);
    cr_assert(artel_id_equal(reader.head.writer, s_writer));
    cr_assert_eq(reader.head.keys.n, 2);
    cr_assert(artel_str_equal(reader.head.keys.at[0], artel_str("loss")));
    cr_assert(artel_str_equal(reader.head.keys.at[1], artel_str("acc")));
    static const uint32_t keys[] = { 0, 1, 0 };
    artel_msg_t msg;
    for (int64_t step = 0; step < 3; step++) {
        cr_assert_eq(artel_batch_next(&reader, &msg), 1);
        cr_assert_eq(msg.history.step, step);
        cr_assert_eq(msg.history.row.at[0].key, keys[step]);
        cr_assert_eq(msg.history.row.at[0].f64, 1.5 + (double) step);
    }
    cr_assert_eq(artel_batch_next(&reader, &msg), 0);
}

Test(outbox, a_batch_says_with_which_step_its_writer_goes_on)
{
    static const struct { int64_t step, next; } rows[] = { { ARTEL_AUTO_STEP, 4 }, { 10, 11 }, { ARTEL_AUTO_STEP, 12 },
        { -2, -1 }, { INT64_MAX, INT64_MAX }, { ARTEL_AUTO_STEP, INT64_MAX } };
    s_box.next_step = 3;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_assert_eq(s_log("k", rows[i].step, 0), 0);
        cr_assert_eq(s_log("", ARTEL_AUTO_STEP, 0), ARTEL_EINVAL, "what is refused takes no step");
        cr_assert_eq(artel_outbox_seal(&s_box), 0);
        cr_assert_eq(s_next().head.next_step, rows[i].next);
    }
    s_add(&(artel_msg_t) { .id = ARTEL_MSG_EXIT });
    cr_assert_eq(artel_outbox_seal(&s_box), 0);
    cr_assert_eq(s_next().head.next_step, INT64_MAX, "a batch without a row has that of the one before");
}

Test(outbox, each_batch_names_its_own_keys)
{
    s_log("a", 0, 0);
    artel_outbox_seal(&s_box);
    s_log("b", 1, 0);
    s_log("a", 2, 0);
    artel_outbox_seal(&s_box);
    s_next();
    artel_batch_reader_t reader = s_next();
    cr_assert_eq(reader.head.counter, 2);
    cr_assert_eq(reader.head.keys.n, 2);
    cr_assert(artel_str_equal(reader.head.keys.at[0], artel_str("b")));
}

//  The cache of keys goes by address, and must not believe it.
Test(outbox, a_key_is_its_text_and_not_its_address)
{
    char key[8] = "one";
    s_log(key, 0, 0);
    strcpy(key, "two");
    s_log(key, 1, 0);
    strcpy(key, "one");
    s_log(key, 2, 0);
    artel_outbox_seal(&s_box);
    artel_batch_reader_t reader = s_next();
    cr_assert_eq(reader.head.keys.n, 2);
    artel_msg_t msg;
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert_eq(artel_batch_next(&reader, &msg), 1);
        cr_assert_eq(msg.history.row.at[0].key, i % 2);
    }
}

Test(outbox, keys_survive_the_growth_of_their_table)
{
    char key[16];
    for (int i = 0; i < 2000; i++) {
        snprintf(key, sizeof key, "key-%d", i);
        cr_assert_eq(s_log(key, i, i), 0);
    }
    artel_outbox_seal(&s_box);
    int seen = 0;
    while (seen < 2000) {
        artel_batch_reader_t reader = s_next();
        artel_msg_t msg;
        for (; artel_batch_next(&reader, &msg) > 0; seen++) {
            snprintf(key, sizeof key, "key-%d", seen);
            cr_assert(artel_str_equal(reader.head.keys.at[msg.history.row.at[0].key], artel_str(key)));
        }
    }
    cr_assert_not(s_has_next());
}

Test(outbox, refuses_a_bad_key_and_keeps_nothing_of_it)
{
    static char long_key[ARTEL_MAX_KEY + 2];
    memset(long_key, 'k', ARTEL_MAX_KEY + 1);
    cr_assert_eq(s_log("", 0, 0), ARTEL_EINVAL);
    cr_assert_eq(s_log(NULL, 0, 0), ARTEL_EINVAL);
    cr_assert_eq(s_log(long_key, 0, 0), ARTEL_EINVAL);
    cr_assert_eq(s_log("\xff", 0, 0), ARTEL_EINVAL);
    long_key[ARTEL_MAX_KEY] = 0;
    cr_assert_eq(s_log(long_key, 0, 0), 0);
    cr_assert_eq(s_box.logged, 1);
}

Test(outbox, refuses_a_row_that_names_a_key_twice_and_takes_its_keys_back)
{
    artel_value_t row[] = { { .key = "a" }, { .key = "b" }, { .key = "a" } };
    cr_assert_eq(artel_outbox_history(&s_box, 0, row, 3), ARTEL_EINVAL);
    cr_assert_eq(s_box.keys.n_open, 0);
    cr_assert_eq(artel_outbox_history(&s_box, 0, row, 2), 0);
    artel_outbox_seal(&s_box);
    cr_assert_eq(s_next().head.keys.n, 2);
}

Test(outbox, refuses_key_number_10001)
{
    char key[16];
    for (int i = 0; i < ARTEL_MAX_KEYS; i++) {
        snprintf(key, sizeof key, "%d", i);
        cr_assert_eq(s_log(key, i, 0), 0);
    }
    cr_assert_eq(s_log("one more", 0, 0), ARTEL_ELIMIT);
    cr_assert_eq(s_log("77", 0, 0), 0);
}

//  Keys of 255 bytes: the head grows faster than the records.
Test(outbox, a_batch_never_outgrows_a_message_however_long_its_keys)
{
    char key[ARTEL_MAX_KEY + 1];
    memset(key, 'x', sizeof key);
    key[ARTEL_MAX_KEY] = 0;
    for (int i = 0; i < 3000; i++) {
        snprintf(key, sizeof key, "%0255d", i);
        cr_assert_eq(s_log(key, i, i), 0);
    }
    artel_outbox_seal(&s_box);
    uint64_t records = 0;
    artel_msg_t msg;
    while (records < 3000) {                    //  s_next looks at the size
        artel_batch_reader_t reader = s_next();
        while (artel_batch_next(&reader, &msg) > 0)
            records++;
    }
}

//  A row that needs a batch of its own goes behind what was there, and is whole.
Test(outbox, a_large_row_gets_a_batch_of_its_own_and_one_too_large_is_refused)
{
    enum { N = 600 };
    static char keys[900][ARTEL_MAX_KEY + 1];
    static artel_value_t row[900];
    for (int i = 0; i < 900; i++) {
        snprintf(keys[i], sizeof keys[i], "%0255d", i);
        row[i] = (artel_value_t) { .key = keys[i], .type = ARTEL_TYPE_INT, .i64 = i };
    }
    for (int i = 0; i < 2000; i++)
        s_log("small", i, i);
    cr_assert_eq(artel_outbox_history(&s_box, 1, row, N), 0);
    cr_assert_eq(artel_outbox_history(&s_box, 2, row, 900), 0);
    static char text[100 * 1024];
    memset(text, 't', sizeof text - 1);
    artel_value_t texts[] = { { .key = "a", .type = ARTEL_TYPE_STRING, .string = text },
                              { .key = "b", .type = ARTEL_TYPE_STRING, .string = text } };
    uint64_t before = s_box.logged;
    cr_assert_eq(artel_outbox_history(&s_box, 3, texts, 2), ARTEL_ELIMIT);
    cr_assert_eq(s_box.logged, before);
    artel_outbox_seal(&s_box);
    size_t widest = 0;
    for (uint64_t n = 0; n < before; ) {
        artel_batch_reader_t reader = s_next();
        artel_msg_t msg;
        for (; artel_batch_next(&reader, &msg) > 0; n++)
            widest = msg.history.row.n > widest ? msg.history.row.n : widest;
    }
    cr_assert_eq(widest, 900);
}

Test(outbox, config_and_summary_are_rows_of_their_own_kind)
{
    artel_value_t row = { .key = "lr", .type = ARTEL_TYPE_STRING, .string = "fast" };
    cr_assert_eq(artel_outbox_set(&s_box, ARTEL_MSG_CONFIG, &row, 1), 0);
    cr_assert_eq(artel_outbox_set(&s_box, ARTEL_MSG_SUMMARY, &row, 1), 0);
    artel_outbox_seal(&s_box);
    artel_batch_reader_t reader = s_next();
    artel_msg_t msg;
    cr_assert_eq(artel_batch_next(&reader, &msg), 1);
    cr_assert_eq(msg.id, ARTEL_MSG_CONFIG);
    cr_assert(artel_str_equal(msg.config.row.at[0].str, artel_str("fast")));
    cr_assert_eq(artel_batch_next(&reader, &msg), 1);
    cr_assert_eq(msg.id, ARTEL_MSG_SUMMARY);
}

Test(outbox, the_head_lists_the_artifact_sends_of_its_batch_and_no_others)
{
    artel_msg_t send = { .id = ARTEL_MSG_ARTIFACT_SEND, .artifact_send.xid = { "some xid of 16b" } };
    msgpack_sbuffer packed;
    msgpack_sbuffer_init(&packed);
    cr_assert_eq(artel_msg_pack(&send, &packed), 0);
    uint64_t counter;
    cr_assert_eq(artel_outbox_add_packed(&s_box, packed.data, packed.size, &send.artifact_send.xid, &counter), 0);
    msgpack_sbuffer_destroy(&packed);
    cr_assert_eq(counter, 1);
    s_add(&(artel_msg_t) { .id = ARTEL_MSG_ARTIFACT });
    artel_outbox_seal(&s_box);
    s_log("k", 0, 0);
    artel_outbox_seal(&s_box);
    artel_batch_reader_t first = s_next();
    cr_assert_eq(first.head.xids.len, 16);
    cr_assert_eq(memcmp(first.head.xids.at, send.artifact_send.xid.at, 16), 0);
    cr_assert_eq(s_next().head.xids.len, 0);
}

Test(outbox, what_is_sent_again_is_the_same_byte_for_byte)
{
    s_log("k", 0, 0.25);
    artel_outbox_seal(&s_box);
    zmq_msg_t first, again;
    cr_assert(artel_outbox_next(&s_box, ARTEL_CREDIT, &first));
    s_log("l", 1, 0.5);                         //  goes to another batch
    artel_outbox_rewind(&s_box);
    cr_assert(artel_outbox_next(&s_box, ARTEL_CREDIT, &again));
    cr_assert_eq(zmq_msg_size(&first), zmq_msg_size(&again));
    cr_assert_eq(memcmp(zmq_msg_data(&first), zmq_msg_data(&again), zmq_msg_size(&first)), 0);
    zmq_msg_close(&first);
    zmq_msg_close(&again);
}

static void
s_accept(uint64_t counter)
{
    artel_sealed_free(artel_outbox_accept(&s_box, counter));
}

Test(outbox, goes_on_behind_what_is_accepted_after_a_rewind)
{
    for (int i = 0; i < 4; i++) {
        s_log("k", i, 0);
        artel_outbox_seal(&s_box);
    }
    for (uint64_t counter = 1; counter <= 4; counter++)
        cr_assert_eq(s_next().head.counter, counter);
    s_accept(2);
    cr_assert_eq(s_box.accepted_records, 2);
    artel_outbox_rewind(&s_box);
    cr_assert_eq(s_next().head.counter, 3);
    s_accept(4);                                //  4 was accepted in its first sending
    cr_assert_not(s_has_next());
    cr_assert_eq(s_box.queued_bytes, 0);
    cr_assert_eq(s_box.sent_bytes, 0);
}

Test(outbox, an_old_acceptance_changes_nothing)
{
    s_log("k", 0, 0);
    artel_outbox_seal(&s_box);
    s_next();
    s_accept(1);
    s_log("k", 1, 0);
    artel_outbox_seal(&s_box);
    s_accept(1);
    cr_assert_eq(s_box.accepted, 1);
    cr_assert_eq(s_next().head.counter, 2);
}

Test(outbox, sends_no_more_than_the_credit_but_always_one)
{
    for (int i = 0; i < 3; i++) {
        s_log("k", i, 0);
        artel_outbox_seal(&s_box);
    }
    zmq_msg_t frame;
    cr_assert(artel_outbox_next(&s_box, 1, &frame));
    zmq_msg_close(&frame);
    cr_assert_not(artel_outbox_next(&s_box, 1, &frame));
    s_accept(1);
    cr_assert(artel_outbox_next(&s_box, 1, &frame));
    zmq_msg_close(&frame);
}

//  Log until there is no room; how many went in.
static uint64_t
s_fill(void)
{
    while (artel_outbox_wait(&s_box, 0) == 0)
        cr_assert_eq(s_log("k", 0, 0), 0);
    return s_box.logged;
}

Test(outbox, holds_at_most_the_credit_and_counts_what_it_drops)
{
    s_fill();
    cr_assert(s_box.queued_bytes + s_box.open.size <= ARTEL_CREDIT + ARTEL_MAX_RECORD);
    cr_assert(s_box.queued_bytes > ARTEL_CREDIT / 2);
    cr_assert_eq(artel_outbox_wait(&s_box, 0), ARTEL_EFULL);
    cr_assert_eq(s_box.dropped, 2);
}

Test(outbox, says_why_the_node_takes_nothing_when_it_is_full)
{
    s_fill();
    s_box.refused = ARTEL_ENOSPC;
    cr_assert_eq(artel_outbox_wait(&s_box, 0), ARTEL_ENOSPC);
}

Test(outbox, has_room_again_once_something_is_accepted)
{
    s_fill();
    while (s_has_next())
        continue;
    s_accept(s_box.first->counter);
    cr_assert_eq(artel_outbox_wait(&s_box, 0), 0);
    cr_assert_not(s_box.stalled);
}

static int64_t
s_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

Test(outbox, waits_for_room_as_long_as_it_may_and_then_not_again)
{
    s_fill();
    s_box.stalled = false;
    int64_t begin = s_now_ms();
    cr_assert_eq(artel_outbox_wait(&s_box, 200), ARTEL_EFULL);
    int64_t waited = s_now_ms() - begin;
    cr_assert(waited >= 200 && waited < 1200, "waited %lld ms", (long long) waited);
    begin = s_now_ms();
    cr_assert_eq(artel_outbox_wait(&s_box, 10000), ARTEL_EFULL);
    cr_assert(s_now_ms() - begin < 1000);
}

static void *
s_accept_all(void *arg)
{
    (void) arg;
    pthread_mutex_lock(&s_box.lock);
    s_accept(s_box.counter);
    pthread_mutex_unlock(&s_box.lock);
    return NULL;
}

Test(outbox, who_waits_for_room_is_woken_when_there_is)
{
    s_fill();
    s_box.stalled = false;
    pthread_t thread;
    pthread_create(&thread, NULL, s_accept_all, NULL);      //  it gets the lock while we wait
    int64_t begin = s_now_ms();
    cr_assert_eq(artel_outbox_wait(&s_box, 20000), 0);
    cr_assert(s_now_ms() - begin < 10000);
    pthread_join(thread, NULL);
}

Test(outbox, nobody_gets_room_once_it_is_closed)
{
    s_box.closed = true;
    cr_assert_eq(artel_outbox_wait(&s_box, 10000), ARTEL_ECLOSED);
}
