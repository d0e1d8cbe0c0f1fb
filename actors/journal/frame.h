//  frame.h - one frame of a segment: forty bytes of header, a payload, zeros to a multiple of 8.
//
//  Pure bytes (docs/store.md section 2 has the drawing). Both checksums are
//  seeded with the writer and the number of the segment, so that stale bytes and
//  frames of another journal never verify; zeros never do.

#ifndef ARTEL_JOURNAL_FRAME_H
#define ARTEL_JOURNAL_FRAME_H

#include "bounds.h"
#include "id.h"

enum {
    ARTEL_SEGMENT_MARK = 16,        //  bytes of ARTEL_SEGMENT_TEXT, in front of the first frame
    ARTEL_FRAME_HEADER = 40,
    ARTEL_FRAME_MAX = ARTEL_FRAME_HEADER + ARTEL_MAX_MESSAGE,
    ARTEL_FRAME_OPENING = 1,        //  flag of a head: its appender opened the journal here
    ARTEL_FRAME_START = 2,          //  flag of a head: all before it was delivered and is removed
};

//  What a segment begins with; the last digit is the major version of the format.
#define ARTEL_SEGMENT_TEXT "artel journal 1\n"

//  A kind below ARTEL_FRAME_OPTIONAL must be understood; others may be passed over.
typedef enum {
    ARTEL_FRAME_HEAD = 1,           //  first of a segment: what the journal is (head.h)
    ARTEL_FRAME_BATCH = 2,          //  a batch
    ARTEL_FRAME_SEAL = 3,           //  the journal was closed: nothing follows in this segment
    ARTEL_FRAME_OPTIONAL = 128,
} artel_frame_kind_t;

typedef struct {
    uint8_t kind, flags;
    uint32_t len;                   //  bytes of payload
    uint64_t counter;               //  of the batch; of a head or seal: of the last batch before it
    uint64_t durable;               //  highest counter known durable when this was written;
                                    //  of an opening head: see docs/store.md
    uint64_t sum;                   //  of the payload
} artel_frame_t;

uint64_t
artel_frame_seed(artel_id_t writer, uint32_t segment);

uint64_t
artel_frame_sum(const void *data, size_t len, uint64_t seed);

void
artel_frame_encode(const artel_frame_t *frame, uint64_t seed, uint8_t ret[ARTEL_FRAME_HEADER]);

//  Whether at holds a header that verifies, and within the bounds. Says nothing of the payload.
bool
artel_frame_decode(const uint8_t at[ARTEL_FRAME_HEADER], uint64_t seed, artel_frame_t *ret);

//  Bytes the frame takes in the segment, and how many of them are zeros at its end.
size_t
artel_frame_size(size_t payload);
size_t
artel_frame_pad(size_t payload);

#endif
