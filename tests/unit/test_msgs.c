//  Every message survives a round trip; what is no message is refused.

#include <criterion/criterion.h>

#include "artel.h"
#include "batch.h"
#include "bounds.h"
#include "errors.h"
#include "scan.h"

#include <math.h>
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

TestSuite(msgs, .init = s_setup, .fini = s_teardown, .timeout = 20);

//  Pack msg, read it, pack what was read: the bytes must be the same.
static void
s_round_trip(const artel_msg_t *msg)
{
    msgpack_sbuffer again;
    msgpack_sbuffer_init(&again);
    msgpack_sbuffer_clear(&s_out);
    artel_msg_t back;
    cr_assert_eq(artel_msg_pack(msg, &s_out), 0);
    cr_assert_eq(artel_msg_unpack_all(s_out.data, s_out.size, &s_zone, &back), 0,
                 "%s", artel_msg_name(msg->id));
    cr_assert_eq(back.id, msg->id);
    cr_assert_eq(artel_msg_pack(&back, &again), 0);
    cr_assert_eq(again.size, s_out.size);
    cr_assert_eq(memcmp(again.data, s_out.data, again.size), 0);
    msgpack_sbuffer_destroy(&again);
}

Test(msgs, every_message_survives_a_round_trip)
{
#define M(number, NAME, name) s_round_trip(&(artel_msg_t) { .id = ARTEL_MSG_##NAME });
    ARTEL_MSGS(M)
#undef M
}

Test(msgs, a_row_keeps_its_types_and_the_bits_of_its_numbers)
{
    const artel_cell_t cells[] = {
        { .key = 0, .kind = ARTEL_F64, .f64 = NAN },
        { .key = 1, .kind = ARTEL_F64, .f64 = -INFINITY },
        { .key = 2, .kind = ARTEL_F64, .f64 = -0.0 },
        { .key = 3, .kind = ARTEL_I64, .i64 = INT64_MIN },
        { .key = 4, .kind = ARTEL_I64, .i64 = 9007199254740993 },
        { .key = 5, .kind = ARTEL_BOOL, .flag = true },
        { .key = 6, .kind = ARTEL_STR, .str = { "h\0i", 3 } },
    };
    const size_t n = sizeof cells / sizeof *cells;
    artel_msg_t back;
    artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_HISTORY, .history = { 7, 8, { cells, n } } }, &s_out);
    cr_assert_eq(artel_msg_unpack_all(s_out.data, s_out.size, &s_zone, &back), 0);
    cr_assert_eq(back.history.row.n, n);
    for (size_t i = 0; i < n; i++) {
        const artel_cell_t *cell = &back.history.row.at[i];
        cr_assert_eq(cell->kind, cells[i].kind);
        if (cell->kind == ARTEL_F64)
            cr_assert_eq(memcmp(&cell->f64, &cells[i].f64, sizeof cell->f64), 0);
        if (cell->kind == ARTEL_I64)
            cr_assert_eq(cell->i64, cells[i].i64);
    }
    cr_assert(back.history.row.at[5].flag);
    cr_assert(artel_str_equal(back.history.row.at[6].str, cells[6].str));
}

Test(msgs, a_message_cut_anywhere_is_refused)
{
    artel_msg_t back;
    artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_RUN, .run = {
        .run = artel_str("r"), .project = artel_str("p") } }, &s_out);
    for (size_t len = 0; len < s_out.size; len++)
        cr_assert_eq(artel_msg_unpack_all(s_out.data, len, &s_zone, &back), ARTEL_EPROTO);
}

Test(msgs, a_field_a_reader_misses_is_zero_and_one_it_does_not_know_is_dropped)
{
    artel_msg_t back;
    cr_assert_eq(artel_msg_unpack_all("\x91\x21", 2, &s_zone, &back), 0);
    cr_assert_eq(back.flush.counter, 0);
    cr_assert_eq(artel_msg_unpack_all("\x94\x47\x01\xa1x\x05", 6, &s_zone, &back), 0);
    cr_assert_eq(back.error.code, 1);
}

Test(msgs, a_field_of_another_type_is_refused)
{
    artel_msg_t back;
    cr_assert_eq(artel_msg_unpack_all("\x92\x47\xa1x", 4, &s_zone, &back), ARTEL_EPROTO);
    cr_assert_eq(artel_msg_unpack_all("\x92\x21\xc4\x01x", 5, &s_zone, &back), ARTEL_EPROTO);
}

Test(scan, a_header_that_announces_more_than_there_is_is_refused)
{
    size_t used;
    cr_assert_eq(artel_scan("\xdd\xff\x00\x00\x00", 5, &used), ARTEL_EPROTO);
    cr_assert_eq(artel_scan("\xdb\xff\xff\xff\xff", 5, &used), ARTEL_EPROTO);
    cr_assert_eq(artel_scan("\xdf\x80\x00\x00\x00", 5, &used), ARTEL_EPROTO);
    cr_assert_eq(artel_scan("\xc1", 1, &used), ARTEL_EPROTO);
    cr_assert_eq(artel_scan("\xd4\x00\x00", 3, &used), ARTEL_EPROTO);
}

Test(scan, nesting_ends_at_the_limit)
{
    size_t used;
    cr_assert_eq(artel_scan("\x91\x91\x91\x91\xc0", 5, &used), 0);
    cr_assert_eq(used, 5);
    cr_assert_eq(artel_scan("\x91\x91\x91\x91\x91\xc0", 6, &used), ARTEL_EPROTO);
}

Test(scan, what_follows_the_value_is_left)
{
    size_t used;
    cr_assert_eq(artel_scan("\x92\x01\xcd\x01\x02\x05", 6, &used), 0);
    cr_assert_eq(used, 5);
}

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

Test(msgs, a_batch_gives_its_records)
{
    s_make_batch(0);
    artel_batch_reader_t reader;
    artel_msg_t msg;
    cr_assert_eq(artel_batch_read(s_out.data, s_out.size, &s_zone, &reader), 0);
    cr_assert_eq(reader.head.counter, 1);
    cr_assert_eq(artel_batch_next(&reader, &msg), 1);
    cr_assert_eq(msg.id, ARTEL_MSG_HISTORY);
    cr_assert_eq(artel_batch_next(&reader, &msg), 0);
}

Test(msgs, a_record_that_names_a_key_its_batch_has_not_is_refused)
{
    s_make_batch(1);
    cr_assert_eq(artel_batch_check(s_out.data, s_out.size), ARTEL_EPROTO);
}

Test(msgs, a_request_is_no_record)
{
    s_make_batch(0);
    artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_FLUSH }, &s_out);
    cr_assert_eq(artel_batch_check(s_out.data, s_out.size), ARTEL_EPROTO);
}

Test(errors, the_public_codes_are_those_of_the_table)
{
#define E(NAME, number, text) cr_assert_eq(ARTEL_##NAME, number);
    ARTEL_ERRORS(E)
#undef E
    cr_assert_str_eq(artel_error_code_name(ARTEL_EIO), "ARTEL_EIO");
    cr_assert_eq(artel_error_of_errno(28), ARTEL_ENOSPC);
}
