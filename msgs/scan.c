//  scan.c - one structural pass over msgpack bytes (the format's specification:
//  github.com/msgpack/msgpack/blob/master/spec.md).

#include "scan.h"

#include "errors.h"
#include "bounds.h"

#include <stdbool.h>
#include <stdint.h>

//  What a first byte announces: bytes of a length field behind it, payload
//  bytes, and items if it opens a container.
typedef struct {
    uint8_t width;          //  bytes of the big-endian length that follows
    uint64_t payload;       //  bytes of content, beside the length
    uint64_t items;         //  values inside
    bool counts_items;      //  the length counts items (times pair), not bytes
    uint8_t pair;           //  2 for a map
    bool legal;
} head_t;

static head_t
s_fixed(uint64_t payload)
{
    return (head_t) { .payload = payload, .legal = true };
}

static head_t
s_sized(uint8_t width, bool counts_items, uint8_t pair)
{
    return (head_t) { .width = width, .counts_items = counts_items, .pair = pair, .legal = true };
}

static head_t
s_head_above_bf(uint8_t b)
{
    static const uint8_t numbers[] = { 4, 8, 1, 2, 4, 8, 1, 2, 4, 8 };  //  ca..d3
    if (b == 0xc0 || b == 0xc2 || b == 0xc3)
        return s_fixed(0);
    if (b >= 0xc4 && b <= 0xc6)
        return s_sized((uint8_t) (1 << (b - 0xc4)), false, 1);          //  bin
    if (b >= 0xca && b <= 0xd3)
        return s_fixed(numbers[b - 0xca]);
    if (b >= 0xd9 && b <= 0xdb)
        return s_sized((uint8_t) (1 << (b - 0xd9)), false, 1);          //  str
    if (b == 0xdc || b == 0xdd)
        return s_sized(b == 0xdc ? 2 : 4, true, 1);
    if (b == 0xde || b == 0xdf)
        return s_sized(b == 0xde ? 2 : 4, true, 2);
    return (head_t) { .legal = false };                                 //  ext, c1
}

static head_t
s_head(uint8_t b)
{
    if (b < 0x80 || b >= 0xe0)
        return s_fixed(0);
    if (b < 0x90)
        return (head_t) { .items = 2 * (b & 15u), .pair = 2, .counts_items = true, .legal = true };
    if (b < 0xa0)
        return (head_t) { .items = b & 15u, .pair = 1, .counts_items = true, .legal = true };
    if (b < 0xc0)
        return s_fixed(b & 31u);
    return s_head_above_bf(b);
}

//  Read the length behind the first byte; false if the bytes end before it.
static bool
s_read_length(head_t *head, const uint8_t *at, const uint8_t *end)
{
    if (head->width > end - at)
        return false;
    uint64_t length = 0;
    for (unsigned i = 0; i < head->width; i++)
        length = length << 8 | at[i];
    if (head->width && head->counts_items)
        head->items = length * head->pair;
    else if (head->width)
        head->payload = length;
    return true;
}

int
artel_scan(const void *data, size_t len, size_t *ret_used)
{
    const uint8_t *at = data, *end = at + len;
    uint64_t open[ARTEL_MAX_DEPTH + 1] = { 1 };     //  values still to come at each depth
    uint64_t wanted = 1, nodes = 0;                 //  their sum; values seen
    unsigned depth = 0;
    while (wanted) {
        while (open[depth] == 0)
            depth--;
        if (at == end || ++nodes > ARTEL_MAX_NODES)
            return ARTEL_EPROTO;
        head_t head = s_head(*at++);
        if (!head.legal || !s_read_length(&head, at, end))
            return ARTEL_EPROTO;
        at += head.width;
        if (head.payload > (uint64_t) (end - at))
            return ARTEL_EPROTO;
        at += head.payload;
        open[depth]--;
        wanted = wanted - 1 + head.items;
        if (wanted > (uint64_t) (end - at))
            return ARTEL_EPROTO;
        if (head.items) {
            if (++depth > ARTEL_MAX_DEPTH)
                return ARTEL_EPROTO;
            open[depth] = head.items;
        }
    }
    *ret_used = (size_t) (at - (const uint8_t *) data);
    return 0;
}
