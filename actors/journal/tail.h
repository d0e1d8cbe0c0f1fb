//  tail.h - the segment at the end of a journal, as the file that is written.
//
//  It is written in room that is reserved on the disk, and synced through the
//  descriptor that wrote it. One that rests has neither. No locks: journal.c says
//  whose turn it is.

#ifndef ARTEL_JOURNAL_TAIL_H
#define ARTEL_JOURNAL_TAIL_H

#include "id.h"

#include <sys/uio.h>

typedef struct artel_tail {
    int fd;                     //  -1: it rests
    uint32_t number;
    uint64_t seed;
    uint64_t end;               //  behind the last frame; the appender's until there is a next
    uint64_t room;              //  bytes that are reserved on the disk
    struct artel_tail *next;
} artel_tail_t;

//  Make the file with that number, or the next one that is free (a number that is taken
//  is the leftover of a failure), and reserve room for it. ARTEL_ENOSPC, ARTEL_EIO,
//  ARTEL_ENOMEM, ARTEL_EMFILE.
int
artel_tail_new(const char *folder, artel_id_t writer, uint32_t number, uint64_t room, artel_tail_t **ret);

//  Close and free.
void
artel_tail_destroy(artel_tail_t **self_p);

//  Write all parts at offset: 0 or a code, and then perhaps some of them are there. The
//  parts are used up.
int
artel_tail_write(const artel_tail_t *self, struct iovec *parts, int n, uint64_t offset);

//  fdatasync it. Blocks.
int
artel_tail_sync(const artel_tail_t *self);

//  Give back what is reserved behind size. If that fails only space is lost: it is zeros.
void
artel_tail_trim(const artel_tail_t *self, uint64_t size);

//  Trim and close it; all it has is durable.
void
artel_tail_rest(artel_tail_t *self);

//  Open it if it rests; artel_tail_wake also reserves its room again.
int
artel_tail_reopen(artel_tail_t *self, const char *folder);
int
artel_tail_wake(artel_tail_t *self, const char *folder);

#endif
