//  Every message survives a round trip; what is no message is refused.

#include <criterion/criterion.h>

#include "errors.h"
#include "msgs.h"

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

Test(msgs, a_message_is_printed_on_one_line_with_its_fields)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    artel_msg_print(&(artel_msg_t) { .id = ARTEL_MSG_RUN_OPEN, .run_open = {
        artel_str("r1"), { "a writer id 16b" }, 2 } }, out);
    fclose(out);
    cr_assert_str_eq(text, "run_open run='r1' writer=61207772697465722069642031366200 resume=2 world=0 rank=0");
    free(text);
}

Test(msgs, a_message_is_known_by_its_first_bytes)
{
    artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_FLUSH }, &s_out);
    cr_assert_eq(artel_msg_peek(s_out.data, s_out.size), ARTEL_MSG_FLUSH);
    cr_assert_eq(artel_msg_peek(s_out.data, 1), 0);
    cr_assert_eq(artel_msg_peek("\x91\x7f", 2), 0, "no message has this id");
    cr_assert_eq(artel_msg_peek("hello", 5), 0);
}

Test(msgs, the_five_messages_of_the_exchange_carry_their_xid)
{
    static const int with[] = { ARTEL_MSG_ARTIFACT_SEND, ARTEL_MSG_ARTIFACT_SEND_RESPONSE,
        ARTEL_MSG_ARTIFACT_POLL, ARTEL_MSG_ARTIFACT_POLL_RESPONSE, ARTEL_MSG_ARTIFACT_DONE };
    for (size_t i = 0; i < sizeof with / sizeof *with; i++)
        cr_assert_not_null(artel_msg_xid(&(artel_msg_t) { .id = with[i] }));
    cr_assert_null(artel_msg_xid(&(artel_msg_t) { .id = ARTEL_MSG_FLUSH }));
}

Test(msgs, an_integer_too_large_for_its_field_is_refused)
{
    artel_msg_t back;
    cr_assert_eq(artel_msg_unpack_all("\x92\x47\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 11,
                                      &s_zone, &back), ARTEL_EPROTO);
    cr_assert_eq(artel_msg_unpack_all("\x93\x0a\xff\x00", 4, &s_zone, &back), ARTEL_EPROTO,
                 "a counter is not negative");
}
