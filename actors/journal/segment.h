//  segment.h - reading one segment: the frame at an offset, through one buffer.
//
//  Reads with pread and ahead, never past what it needs to answer, and never
//  through a map: a file that is cut meanwhile is a short read. What is
//  buffered may be older than the file; artel_segment_forget drops it.

#ifndef ARTEL_JOURNAL_SEGMENT_H
#define ARTEL_JOURNAL_SEGMENT_H

#include "frame.h"

typedef struct {
    int fd;                     //  -1: none open
    uint32_t number;
    uint64_t seed;
    uint8_t *buffer;            //  ARTEL_SEGMENT_BUFFER bytes, kept from one segment to the next
    uint64_t base;              //  offset of buffer[0] in the file
    size_t have;                //  bytes in the buffer
    size_t ahead;               //  how much to read next
} artel_segment_t;

//  Before the first open.
#define ARTEL_SEGMENT_NONE { .fd = -1 }

//  Go to a segment of the folder (what was open is closed). ARTEL_ENOENT, ARTEL_ENOMEM, …
int
artel_segment_open(artel_segment_t *self, const char *folder, artel_id_t writer, uint32_t number);

//  Close and free.
void
artel_segment_done(artel_segment_t *self);

//  The frame at offset: 1, with *ret_data valid until the next call; 0 if what
//  is there does not verify, or ARTEL_EIO.
int
artel_segment_frame(artel_segment_t *self, uint64_t offset, artel_frame_t *ret,
                    const void **ret_data);

//  The head: 1, 0, ARTEL_EIO; ARTEL_EVERSION if a newer artel wrote this segment.
int
artel_segment_head(artel_segment_t *self, artel_frame_t *ret, const void **ret_data);

//  The first offset from this one on, in steps of 8, with a frame that verifies: 1,
//  0, ARTEL_EIO. It is the first also if an appender is at work.
int
artel_segment_find(artel_segment_t *self, uint64_t offset, uint64_t *ret_offset);

//  Where a segment begins: the counter before its first frame.
typedef struct {
    uint32_t number;
    uint64_t before;
    bool is_first;              //  nothing before it is missed
} artel_segment_start_t;

//  The first segment with a higher number that has begun: its head verifies, or, with
//  any_frame, some frame. 1, 0, or a code. One without a frame is the leftover
//  of a failure, or is being made. Once this returns 1, the segment `number` is final.
int
artel_segment_find_next(const char *folder, artel_id_t writer, uint32_t number, bool any_frame,
                        artel_segment_start_t *ret);

//  Whether there is nothing but zeros from offset on: 1, 0, ARTEL_EIO.
int
artel_segment_is_blank(artel_segment_t *self, uint64_t offset);

//  Read again what is asked for next.
void
artel_segment_forget(artel_segment_t *self);

#endif
