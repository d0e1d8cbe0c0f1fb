//  The quick way to pack a history record writes the bytes of the slow one.

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
