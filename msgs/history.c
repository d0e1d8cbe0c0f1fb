//  history.c - a history record written straight into its buffer, and checked where it lies
//  (the format's specification: github.com/msgpack/msgpack/blob/master/spec.md).

#include "history.h"

#include "errors.h"

#include <msgpack.h>
#include <string.h>

enum {
    HEAD = 1 + 1 + 9 + 9 + 5,   //  most bytes of the array, id, step, at_ms and map header
    CELL = 5 + 9,               //  and of a key's index and a number
    MAX_QUICK = 15,             //  cells of a row whose header is a byte
};

//  A tag and the low n bytes of v, most significant first.
static uint8_t *
s_tagged(uint8_t *at, uint8_t tag, uint64_t v, unsigned n)
{
    *at++ = tag;
    while (n--)
        *at++ = (uint8_t) (v >> (8 * n));
    return at;
}

static uint8_t *
s_wide(uint8_t *at, uint8_t tag, uint64_t v)
{
    v = __builtin_bswap64(v);
    *at++ = tag;
    memcpy(at, &v, sizeof v);
    return at + sizeof v;
}

static uint8_t *
s_u64(uint8_t *at, uint64_t v)
{
    if (v < 0x80) {
        *at++ = (uint8_t) v;
        return at;
    }
    if (v > UINT32_MAX)
        return s_wide(at, 0xcf, v);
    if (v > UINT16_MAX)
        return s_tagged(at, 0xce, v, 4);
    return v > UINT8_MAX ? s_tagged(at, 0xcd, v, 2) : s_tagged(at, 0xcc, v, 1);
}

static uint8_t *
s_i64(uint8_t *at, int64_t v)
{
    if (v >= 0)
        return s_u64(at, (uint64_t) v);
    if (v >= -32) {
        *at++ = (uint8_t) v;
        return at;
    }
    if (v < INT32_MIN)
        return s_wide(at, 0xd3, (uint64_t) v);
    if (v < INT16_MIN)
        return s_tagged(at, 0xd2, (uint64_t) v, 4);
    return v < INT8_MIN ? s_tagged(at, 0xd1, (uint64_t) v, 2) : s_tagged(at, 0xd0, (uint64_t) v, 1);
}

static uint8_t *
s_f64(uint8_t *at, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return s_wide(at, 0xcb, bits);
}

static uint8_t *
s_str(uint8_t *at, artel_str_t v)
{
    if (v.len < 32)
        *at++ = (uint8_t) (0xa0 | v.len);
    else if (v.len <= UINT8_MAX)
        at = s_tagged(at, 0xd9, v.len, 1);
    else
        at = v.len <= UINT16_MAX ? s_tagged(at, 0xda, v.len, 2) : s_tagged(at, 0xdb, v.len, 4);
    if (v.len)
        memcpy(at, v.at, v.len);
    return at + v.len;
}

static uint8_t *
s_cell(uint8_t *at, const artel_cell_t *cell)
{
    at = s_u64(at, cell->key);
    switch (cell->kind) {
    case ARTEL_F64: return s_f64(at, cell->f64);
    case ARTEL_I64: return s_i64(at, cell->i64);
    case ARTEL_BOOL: *at++ = cell->flag ? 0xc3 : 0xc2; return at;
    case ARTEL_STR: return s_str(at, cell->str);
    }
    return at;
}

static uint8_t *
s_row(uint8_t *at, artel_row_t row)
{
    if (row.n < 16)
        *at++ = (uint8_t) (0x80 | row.n);
    else
        at = row.n <= UINT16_MAX ? s_tagged(at, 0xde, row.n, 2) : s_tagged(at, 0xdf, row.n, 4);
    for (size_t i = 0; i < row.n; i++)
        at = s_cell(at, &row.at[i]);
    return at;
}

static size_t
s_most(artel_row_t row)
{
    size_t most = HEAD + row.n * CELL;
    for (size_t i = 0; i < row.n; i++)
        if (row.at[i].kind == ARTEL_STR)
            most += row.at[i].str.len;
    return most;
}

//  Room for more bytes, as msgpack_sbuffer_write makes it.
static int
s_reserve(msgpack_sbuffer *out, size_t more)
{
    if (out->alloc - out->size >= more)
        return 0;
    size_t alloc = out->alloc ? out->alloc : MSGPACK_SBUFFER_INIT_SIZE;
    while (alloc < out->size + more)
        alloc *= 2;
    char *data = realloc(out->data, alloc);
    if (!data)
        return ARTEL_ENOMEM;
    out->data = data;
    out->alloc = alloc;
    return 0;
}

int
artel_pack_history(const artel_msg_history_t *history, msgpack_sbuffer *out)
{
    int rc = s_reserve(out, s_most(history->row));
    if (rc != 0)
        return rc;
    uint8_t *at = (uint8_t *) out->data + out->size;
    *at++ = 0x94;                               //  an array of 4
    *at++ = ARTEL_MSG_HISTORY;
    at = s_i64(at, history->step);
    at = s_i64(at, history->at_ms);
    at = s_row(at, history->row);
    out->size = (size_t) (at - (uint8_t *) out->data);
    return 0;
}

//  Checking: each step takes one value and returns where the next begins, or NULL.

//  A number of a tag behind which 1, 2, 4 or 8 bytes follow, as its last two bits say.
static const uint8_t *
s_skip_tagged(const uint8_t *at, const uint8_t *end)
{
    ptrdiff_t bytes = 1 + (1 << (*at & 3));
    return bytes <= end - at ? at + bytes : NULL;
}

//  An integer that an int64_t holds.
static const uint8_t *
s_skip_i64(const uint8_t *at, const uint8_t *end)
{
    if (*at < 0x80 || *at >= 0xe0)
        return at + 1;
    if (*at < 0xcc || *at > 0xd3)
        return NULL;
    const uint8_t *next = s_skip_tagged(at, end);
    return next && *at == 0xcf && at[1] >= 0x80 ? NULL : next;
}

static const uint8_t *
s_skip_key(const uint8_t *at, const uint8_t *end, size_t n_keys)
{
    size_t key = *at;
    const uint8_t *next = at + 1;
    if (*at >= 0x80) {
        next = *at == 0xcc || *at == 0xcd ? s_skip_tagged(at, end) : NULL;
        key = !next ? SIZE_MAX : *at == 0xcc ? at[1] : (size_t) (at[1] << 8 | at[2]);
    }
    return key < n_keys ? next : NULL;
}

static const uint8_t *
s_skip_value(const uint8_t *at, const uint8_t *end)
{
    if (*at == 0xcb)
        return end - at >= 9 ? at + 9 : NULL;
    if (*at == 0xc2 || *at == 0xc3)
        return at + 1;
    if ((*at & 0xe0) != 0xa0)
        return s_skip_i64(at, end);
    ptrdiff_t bytes = 1 + (*at & 31);           //  a short text
    return bytes <= end - at ? at + bytes : NULL;
}

size_t
artel_check_history(const void *data, size_t len, size_t n_keys)
{
    const uint8_t *at = data, *end = at + len;
    if (len < 5 || at[0] != 0x94 || at[1] != ARTEL_MSG_HISTORY)
        return 0;
    at = s_skip_i64(at + 2, end);
    if (at && at < end)
        at = s_skip_i64(at, end);
    if (!at || at == end || (*at & 0xf0) != 0x80)
        return 0;
    for (unsigned left = *at++ & MAX_QUICK; left > 0; left--) {
        at = at < end ? s_skip_key(at, end, n_keys) : NULL;
        at = at && at < end ? s_skip_value(at, end) : NULL;
        if (!at)
            return 0;
    }
    return (size_t) (at - (const uint8_t *) data);
}
