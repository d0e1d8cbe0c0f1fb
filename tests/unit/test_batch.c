//  Batches: a head, and records that name its keys.

#include <criterion/criterion.h>

#include "batch.h"
#include "errors.h"

#include <msgpack.h>

static msgpack_sbuffer s_out;
static msgpack_zone s_zone;

static void
s_setup(void)
{
    msgpack_sbuffer_init(&s_out);
    msgpack_zone_init(&s_zone, 4096);
}

static void
s_teardown(void)
{
    msgpack_sbuffer_destroy(&s_out);
    msgpack_zone_destroy(&s_zone);
}

TestSuite(batch, .init = s_setup, .fini = s_teardown, .timeout = 20);

//  A batch of one history record that names key `key` of one.
static void
s_make_batch(uint32_t key)
{
    const artel_str_t keys[] = { { "loss", 4 } };
    const artel_cell_t cell = { .key = key, .kind = ARTEL_F64, .f64 = 1 };
    artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_BATCH, .batch = {
        .run = artel_str("r"), .counter = 1, .keys = { keys, 1 } } }, &s_out);
    artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_HISTORY, .history = { 0, 0, { &cell, 1 } } }, &s_out);
}

Test(batch, gives_its_records)
{
    s_make_batch(0);
    artel_batch_reader_t reader;
    artel_msg_t msg;
    cr_assert_eq(artel_batch_read(s_out.data, s_out.size, &s_zone, &reader), 0);
    cr_assert_eq(reader.head.counter, 1);
    cr_assert_eq(artel_batch_next(&reader, &msg), 1);
    cr_assert_eq(msg.id, ARTEL_MSG_HISTORY);
    cr_assert_eq(artel_batch_next(&reader, &msg), 0);
    cr_assert_eq(artel_batch_check(s_out.data, s_out.size), 0);
}

Test(batch, a_record_that_names_a_key_its_batch_has_not_is_refused)
{
    s_make_batch(1);
    cr_assert_eq(artel_batch_check(s_out.data, s_out.size), ARTEL_EPROTO);
}

Test(batch, a_request_is_no_record)
{
    s_make_batch(0);
    artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_FLUSH }, &s_out);
    cr_assert_eq(artel_batch_check(s_out.data, s_out.size), ARTEL_EPROTO);
}

Test(batch, cut_inside_a_record_or_the_head_is_refused)
{
    artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_BATCH, .batch = { .run = artel_str("r") } }, &s_out);
    size_t head = s_out.size;
    msgpack_sbuffer_clear(&s_out);
    s_make_batch(0);
    for (size_t len = 0; len < s_out.size; len++)
        if (artel_batch_check(s_out.data, len) == 0)
            cr_assert_geq(len, head, "%zu", len);
    cr_assert_eq(artel_batch_check(s_out.data, s_out.size - 1), ARTEL_EPROTO);
}

Test(batch, whose_xids_are_no_multiple_of_16_bytes_is_refused)
{
    artel_batch_reader_t reader;
    artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_BATCH, .batch = {
        .run = artel_str("r"), .xids = { "fifteen bytes..", 15 } } }, &s_out);
    cr_assert_eq(artel_batch_read(s_out.data, s_out.size, &s_zone, &reader), ARTEL_EPROTO);
}

Test(batch, another_message_is_none)
{
    artel_batch_reader_t reader;
    artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_FLUSH }, &s_out);
    cr_assert_eq(artel_batch_read(s_out.data, s_out.size, &s_zone, &reader), ARTEL_EPROTO);
}
