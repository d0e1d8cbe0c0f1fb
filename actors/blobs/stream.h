//  stream.h - one pass over bytes: read, hash and write them.
//
//  Nothing is read twice. Reading and writing go on while the bytes before are
//  hashed (hash.h), and written bytes are on their way to the disk long before
//  anybody syncs them.

#ifndef ARTEL_STREAM_H
#define ARTEL_STREAM_H

#include "hash.h"

#include <sys/types.h>

//  Called after each buffer with its bytes; nonzero cancels.
typedef int artel_stream_tick_fn(void *arg, uint64_t bytes);

typedef struct {
    int in;                     //  a regular file, read from offset on
    const void *data;           //  or, if not NULL, limit bytes at hand
    uint64_t offset;
    uint64_t limit;             //  end here, if the file does not end before
    int out;                    //  written from its position on; -1: only hash
    bool sparse;                //  out is a new file: buffers of zeros become holes in it
    bool write_back;            //  out will be synced: the disk may start at once
    artel_stream_tick_fn *tick; //  may be NULL
    void *arg;
    uint64_t bytes;             //  out: how many there were
    bool write_failed;          //  out: an error was out's, not in's
} artel_stream_t;

//  0 and the digest, ARTEL_ECANCELED, ARTEL_ENOMEM, or the code of a failed read or write.
int
artel_stream(artel_hash_t *hash, artel_stream_t *stream, artel_digest_t *ret);

//  Write all of len bytes; 0 or the code of the error.
int
artel_write_all(int fd, const void *data, size_t len);

//  Read len bytes at offset, or fewer if the file ends before; EINTR goes on. -1 and errno.
ssize_t
artel_read_at(int fd, void *data, size_t len, uint64_t offset);

#endif
