//  msgs.h - every message of the system.
//
//  The tables are the wire format: msgs_journal.h has what is kept, msgs_client.h what
//  clients and the handler say to each other, msgs_node.h what the actors do. A message
//  is the msgpack array [id, field...], in the order written there. To add a message, add
//  its line of fields and its line in a list, both in one of these files; to add a field,
//  append it to its line. Never reuse an id, and never move or retype a field: a reader
//  drops fields it doesn't know and takes fields it misses as zero.

#ifndef ARTEL_MSGS_H
#define ARTEL_MSGS_H

#include "msgs_client.h"
#include "msgs_journal.h"
#include "msgs_node.h"
#include "msgs_types.h"

#include <stdio.h>

#define ARTEL_MSGS(M)                                                           \
    ARTEL_RECORDS(M) ARTEL_HEADS(M) ARTEL_CLIENT_MSGS(M) ARTEL_REPLY_MSGS(M) ARTEL_NODE_MSGS(M)

//  One enum, one struct a message, and a union of them all.
#define FIELD(type, name) artel_##type##_t name;
#define M(id, NAME, name) typedef struct { ARTEL_##NAME##_FIELDS(FIELD) } artel_msg_##name##_t;
ARTEL_MSGS(M)
#undef M
#undef FIELD

typedef enum {
#define M(id, NAME, name) ARTEL_MSG_##NAME = id,
    ARTEL_MSGS(M)
#undef M
} artel_msg_id_t;

typedef struct {
    artel_msg_id_t id;
    union {
#define M(id, NAME, name) artel_msg_##name##_t name;
        ARTEL_MSGS(M)
#undef M
    };
} artel_msg_t;

//  Levels of flush, whether a writer may join an existing run, what a poll may answer.
typedef enum { ARTEL_TO_ACCEPTED = 1, ARTEL_TO_DURABLE, ARTEL_TO_DELIVERED } artel_to_t;
typedef enum { ARTEL_RESUMES_NEVER, ARTEL_RESUMES_ALLOW, ARTEL_RESUMES_MUST } artel_resumes_t;
typedef enum { ARTEL_POLL_UNKNOWN, ARTEL_POLL_PENDING, ARTEL_POLL_READY } artel_poll_state_t;

typedef struct msgpack_sbuffer msgpack_sbuffer;
typedef struct msgpack_zone msgpack_zone;

//  Append msg to out. ARTEL_ENOMEM if out could not grow; its size is then
//  what it was.
int
artel_msg_pack(const artel_msg_t *msg, msgpack_sbuffer *out);

//  Read the one message at data. Its texts point into data, its lists into
//  zone: it lives as long as both. Returns 0 and the bytes it took, ARTEL_EPROTO
//  if that is no message of ours, ARTEL_ENOMEM; *ret is then untouched. The
//  bytes may be anyone's: they are scanned for bounds first (scan.h).
int
artel_msg_unpack(const void *data, size_t len, msgpack_zone *zone,
                 artel_msg_t *ret, size_t *ret_used);

//  The same for a frame that must be one message and nothing more.
int
artel_msg_unpack_all(const void *data, size_t len, msgpack_zone *zone, artel_msg_t *ret);

//  The id of the message at data, or 0 if its first bytes are none of ours.
int
artel_msg_peek(const void *data, size_t len);

//  "artifact_send", or NULL if there is no such message.
const char *
artel_msg_name(int id);

//  The xid a message carries, or NULL.
const artel_id_t *
artel_msg_xid(const artel_msg_t *msg);

//  Print msg on one line without a newline, for people.
void
artel_msg_print(const artel_msg_t *msg, FILE *out);

//  A NUL-terminated text as a field; NULL is empty.
artel_str_t
artel_str(const char *text);

bool
artel_str_equal(artel_str_t a, artel_str_t b);

#endif
