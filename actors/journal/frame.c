//  frame.c - encoding and verifying the frames of a segment.

#include "frame.h"

#include <endian.h>
#include <string.h>
#include <xxhash.h>

//  The header as it lies on disk, little-endian; the checksum covers what is before it.
typedef struct {
    uint32_t len;
    uint8_t kind, flags;
    uint16_t reserved;
    uint64_t counter, durable, sum, check;
} header_t;

_Static_assert(sizeof(header_t) == ARTEL_FRAME_HEADER, "the header has no padding");
_Static_assert(ARTEL_SEGMENT_MARK % 8 == 0 && ARTEL_FRAME_HEADER % 8 == 0, "frames are aligned");
_Static_assert(sizeof ARTEL_SEGMENT_TEXT == ARTEL_SEGMENT_MARK + 1, "the mark is its text");

uint64_t
artel_frame_seed(artel_id_t writer, uint32_t segment)
{
    struct {
        artel_id_t writer;
        uint32_t segment;
    } of = { writer, htole32(segment) };
    return XXH3_64bits(&of, sizeof of);
}

uint64_t
artel_frame_sum(const void *data, size_t len, uint64_t seed)
{
    return XXH3_64bits_withSeed(data, len, seed);
}

static uint64_t
s_check(const header_t *header, uint64_t seed)
{
    return htole64(XXH3_64bits_withSeed(header, offsetof(header_t, check), seed));
}

void
artel_frame_encode(const artel_frame_t *frame, uint64_t seed, uint8_t ret[ARTEL_FRAME_HEADER])
{
    header_t header = { .len = htole32(frame->len), .kind = frame->kind, .flags = frame->flags,
                        .counter = htole64(frame->counter), .durable = htole64(frame->durable),
                        .sum = htole64(frame->sum) };
    header.check = s_check(&header, seed);
    memcpy(ret, &header, sizeof header);
}

bool
artel_frame_decode(const uint8_t at[ARTEL_FRAME_HEADER], uint64_t seed, artel_frame_t *ret)
{
    header_t header;
    memcpy(&header, at, sizeof header);
    if (header.kind == 0 || le32toh(header.len) > ARTEL_MAX_MESSAGE
        || header.check != s_check(&header, seed))
        return false;
    *ret = (artel_frame_t) { .kind = header.kind, .flags = header.flags,
                             .len = le32toh(header.len), .counter = le64toh(header.counter),
                             .durable = le64toh(header.durable), .sum = le64toh(header.sum) };
    return true;
}

size_t
artel_frame_pad(size_t payload)
{
    return -payload & 7;
}

size_t
artel_frame_size(size_t payload)
{
    return ARTEL_FRAME_HEADER + payload + artel_frame_pad(payload);
}
