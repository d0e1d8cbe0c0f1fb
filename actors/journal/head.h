//  head.h - what the head of every segment says of its journal.
//
//  A list of "key=value" texts, each ended by a NUL (as /proc/PID/environ is): format,
//  run, writer, sinks, born_ms, and host, machine, boot, pid of the program
//  that wrote this segment; rank, if it is one of several; next_step, if batches
//  before it were removed. A key that is not known is passed over.

#ifndef ARTEL_JOURNAL_HEAD_H
#define ARTEL_JOURNAL_HEAD_H

#include "id.h"

typedef struct {
    const char *run;
    artel_id_t writer;
    const char *sinks;
    const char *rank, *next_step;   //  in digits; NULL: left out
} artel_head_t;

//  The payload of a head, which the caller frees. ARTEL_ENOMEM.
int
artel_head_pack(const artel_head_t *of, char **ret, size_t *ret_len);

//  The same, with the sinks and the rank of the head before, which may be NULL.
int
artel_head_repack(const void *before, size_t len, const artel_head_t *of, char **ret, size_t *ret_len);

//  The value of a key, pointing into data, or NULL.
const char *
artel_head_get(const void *data, size_t len, const char *key);

#endif
