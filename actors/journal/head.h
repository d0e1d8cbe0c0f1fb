//  head.h - what the head of every segment says of its journal.
//
//  A list of "key=value" texts, each ended by a NUL (as /proc/PID/environ is): format,
//  run, writer, sinks, born_ms, and host, machine, boot, pid of the program
//  that wrote this segment. A key that is not known is passed over.

#ifndef ARTEL_JOURNAL_HEAD_H
#define ARTEL_JOURNAL_HEAD_H

#include "id.h"

//  The payload of a head, which the caller frees. ARTEL_ENOMEM.
int
artel_head_pack(const char *run, artel_id_t writer, const char *sinks, char **ret, size_t *ret_len);

//  The value of a key, pointing into data, or NULL.
const char *
artel_head_get(const void *data, size_t len, const char *key);

#endif
