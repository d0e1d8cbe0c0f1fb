//  batch.h - many records of one writer in one frame.
//
//  A batch is the message `batch` (its head) and the records behind it, packed
//  one after the other. It is sealed once and resent byte for byte.

#ifndef ARTEL_BATCH_H
#define ARTEL_BATCH_H

#include "msgs.h"

//  Walks over the records of a batch. The bytes must outlive it.
typedef struct {
    artel_msg_batch_t head;         //  its texts point into the bytes, keys into zone
    msgpack_zone *zone;         //  where the lists of records go; the caller's
    const char *at;             //  the next record
    size_t left;
} artel_batch_reader_t;

//  Read the head. ARTEL_EPROTO if data is not a batch.
int
artel_batch_read(const void *data, size_t len, msgpack_zone *zone, artel_batch_reader_t *ret);

//  Read the next record: 1 and the record, 0 at the end, ARTEL_EPROTO. It lives
//  until the zone is cleared; clearing it between records also drops the
//  head's keys.
int
artel_batch_next(artel_batch_reader_t *self, artel_msg_t *ret);

//  Whether data is a whole batch whose records all unpack and name only keys
//  of the head. 0 or ARTEL_EPROTO.
int
artel_batch_check(const void *data, size_t len);

#endif
