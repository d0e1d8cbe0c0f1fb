//  The quick way to pack a history record writes the bytes of the slow one, and the quick way
//  to check one takes nothing that the slow one would not.

#include <criterion/criterion.h>

#include "artel.h"
#include "history.h"

#include <math.h>
#include <msgpack.h>

TestSuite(history, .timeout = 20);

static void
s_same_bytes(int64_t step, int64_t at_ms, const artel_cell_t *cells, size_t n)
{
    msgpack_sbuffer quick, slow;
    msgpack_sbuffer_init(&quick);
    msgpack_sbuffer_init(&slow);
    artel_msg_t msg = { .id = ARTEL_MSG_HISTORY, .history = { step, at_ms, { cells, n } } };
    cr_assert_eq(artel_msg_pack(&msg, &slow), 0);
    cr_assert_eq(artel_pack_history(&msg.history, &quick), 0);
    cr_assert_eq(quick.size, slow.size, "step %lld, %zu cells", (long long) step, n);
    cr_assert_eq(memcmp(quick.data, slow.data, slow.size), 0, "step %lld, %zu cells", (long long) step, n);
    msgpack_sbuffer_destroy(&quick);
    msgpack_sbuffer_destroy(&slow);
}

//  Every power of two and its neighbours, of both signs.
Test(history, every_width_of_integer_is_packed_the_same)
{
    for (unsigned bit = 0; bit < 64; bit++)
        for (int64_t near = -2; near <= 2; near++) {
            int64_t v = (int64_t) ((1ULL << bit) + (uint64_t) near), minus = (int64_t) (0 - (uint64_t) v);
            artel_cell_t cells[] = { { .key = 1, .kind = ARTEL_I64, .i64 = v },
                                     { .key = 2, .kind = ARTEL_I64, .i64 = minus } };
            s_same_bytes(v, minus, cells, 2);
        }
    s_same_bytes(INT64_MIN, INT64_MAX, NULL, 0);
}

Test(history, every_length_of_text_and_index_of_key_is_packed_the_same)
{
    static const size_t lengths[] = { 0, 1, 31, 32, 255, 256, 65535, 65536 };
    static const uint32_t keys[] = { 0, 127, 128, 255, 256, 9999 };
    char *text = calloc(1, 65536);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
            s_same_bytes(7, 8, &(artel_cell_t) { .key = keys[k], .kind = ARTEL_STR,
                                                 .str = { text, lengths[i] } }, 1);
    free(text);
}

Test(history, numbers_keep_their_bits)
{
    artel_cell_t cells[] = {
        { .key = 0, .kind = ARTEL_F64, .f64 = NAN }, { .key = 1, .kind = ARTEL_F64, .f64 = -NAN },
        { .key = 2, .kind = ARTEL_F64, .f64 = INFINITY }, { .key = 3, .kind = ARTEL_F64, .f64 = -0.0 },
        { .key = 4, .kind = ARTEL_F64, .f64 = 5e-324 }, { .key = 5, .kind = ARTEL_BOOL, .flag = true },
        { .key = 6, .kind = ARTEL_BOOL, .flag = false },
    };
    s_same_bytes(1, 1700000000000, cells, sizeof cells / sizeof *cells);
}

Test(history, rows_of_every_length_are_packed_the_same)
{
    static const size_t lengths[] = { 1, 15, 16, 255, 10000, 65536 };
    artel_cell_t *cells = calloc(65536, sizeof *cells);
    for (size_t i = 0; i < 65536; i++)
        cells[i] = (artel_cell_t) { .key = (uint32_t) i % 10000, .kind = ARTEL_F64, .f64 = (double) i };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        s_same_bytes(1, 2, cells, lengths[i]);
    free(cells);
}

Test(history, many_records_go_one_behind_the_other)
{
    msgpack_sbuffer quick, slow;
    msgpack_sbuffer_init(&quick);
    msgpack_sbuffer_init(&slow);
    artel_cell_t cell = { .key = 3, .kind = ARTEL_F64, .f64 = 0.1 };
    for (int64_t step = 0; step < 5000; step++) {
        artel_msg_t msg = { .id = ARTEL_MSG_HISTORY, .history = { step, 1700000000000 + step, { &cell, 1 } } };
        cr_assert_eq(artel_msg_pack(&msg, &slow), 0);
        cr_assert_eq(artel_pack_history(&msg.history, &quick), 0);
    }
    cr_assert_eq(quick.size, slow.size);
    cr_assert_eq(memcmp(quick.data, slow.data, slow.size), 0);
    msgpack_sbuffer_destroy(&quick);
    msgpack_sbuffer_destroy(&slow);
}

//  Whether the slow way takes the bytes as one history record of these keys; its length.
static size_t
s_slow_check(const uint8_t *data, size_t len, size_t n_keys)
{
    artel_msg_t msg;
    msgpack_zone zone;
    size_t used;
    cr_assert(msgpack_zone_init(&zone, 4096));
    bool ok = artel_msg_unpack(data, len, &zone, &msg, &used) == 0 && msg.id == ARTEL_MSG_HISTORY;
    for (size_t i = 0; ok && i < msg.history.row.n; i++)
        ok = msg.history.row.at[i].key < n_keys;
    msgpack_zone_destroy(&zone);
    return ok ? used : 0;
}

//  A record with every kind of value, of a key that takes a byte, two and three.
static msgpack_sbuffer
s_rich_record(int64_t step)
{
    artel_cell_t cells[] = {
        { .key = 0, .kind = ARTEL_F64, .f64 = 0.5 },       { .key = 127, .kind = ARTEL_BOOL, .flag = true },
        { .key = 200, .kind = ARTEL_I64, .i64 = -70000 },  { .key = 900, .kind = ARTEL_STR, .str = { "text", 4 } },
        { .key = 1, .kind = ARTEL_I64, .i64 = INT64_MAX }, { .key = 2, .kind = ARTEL_I64, .i64 = 200 },
    };
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    artel_msg_history_t history = { step, 1700000000000, { cells, sizeof cells / sizeof *cells } };
    cr_assert_eq(artel_pack_history(&history, &out), 0);
    return out;
}

Test(history, what_we_pack_is_checked_the_quick_way)
{
    msgpack_sbuffer out = s_rich_record(-1);
    cr_assert_eq(artel_check_history(out.data, out.size, 901), out.size);
    cr_assert_eq(artel_check_history(out.data, out.size, 900), 0, "key 900 is the 901st");
    for (size_t len = 0; len < out.size; len++) {
        char *cut = malloc(len + 1);            //  so that a sanitizer sees a step too far
        memcpy(cut, out.data, len);
        cut = realloc(cut, len ? len : 1);
        cr_assert_eq(artel_check_history(cut, len, 901), 0, "%zu", len);
        free(cut);
    }
    msgpack_sbuffer_destroy(&out);
}

//  Each byte of it as each other byte.
Test(history, the_quick_check_takes_only_what_the_slow_one_takes)
{
    static const int64_t steps[] = { -40, 0, 200, 70000, INT64_MIN };
    unsigned taken = 0;
    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
        msgpack_sbuffer out = s_rich_record(steps[s]);
        for (size_t i = 0; i < out.size; i++)
            for (unsigned byte = 0; byte < 256; byte++) {
                char was = out.data[i];
                out.data[i] = (char) byte;
                size_t quick = artel_check_history(out.data, out.size, 901);
                if (quick)
                    cr_assert_eq(quick, s_slow_check((uint8_t *) out.data, out.size, 901), "byte %zu is %02x", i, byte);
                taken += quick > 0;
                out.data[i] = was;
            }
        msgpack_sbuffer_destroy(&out);
    }
    cr_assert_gt(taken, 1000);
}
