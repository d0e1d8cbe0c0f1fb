//  msgs.h - every message of the system, and the fields of each.
//
//  This table is the wire format. A message is the msgpack array
//  [id, field...], in the order written here. To add a message, add its line
//  of fields and its line in a list; to add a field, append it to its line.
//  Never reuse an id, and never move or retype a field: a reader drops fields
//  it doesn't know and takes fields it misses as zero.

#ifndef ARTEL_MSGS_H
#define ARTEL_MSGS_H

#include "id.h"

#include <stdio.h>

//  Records: what a journal keeps. They travel in batches (batch.h).
#define ARTEL_RUN_FIELDS(F)                                                     \
    F(str, run) F(str, project) F(str, name) F(str, group) F(str, job_type)     \
    F(str, notes) F(strs, tags) F(i64, at_ms) F(flag, hidden) F(flag, keeps_tags)
#define ARTEL_RUN_START_FIELDS(F)                                               \
    F(u64, resume) F(str, host) F(u64, pid) F(str, program) F(i64, at_ms)       \
    F(u64, rank) F(u64, world)
#define ARTEL_HISTORY_FIELDS(F)     F(i64, step) F(i64, at_ms) F(row, row)
#define ARTEL_CONFIG_FIELDS(F)      F(row, row)
#define ARTEL_SUMMARY_FIELDS(F)     F(row, row)
#define ARTEL_ARTIFACT_SEND_FIELDS(F)                                           \
    F(id, xid) F(str, name) F(str, type) F(digest, manifest) F(str, pack)       \
    F(u64, files) F(u64, bytes) F(str, description) F(str, metadata)            \
    F(strs, aliases) F(i64, history_step) F(i64, at_ms)
#define ARTEL_ARTIFACT_FIELDS(F)    ARTEL_ARTIFACT_SEND_FIELDS(F)
#define ARTEL_USE_ARTIFACT_FIELDS(F)                                            \
    F(str, name) F(i64, version) F(digest, manifest) F(i64, at_ms)
#define ARTEL_EXIT_FIELDS(F)        F(i64, code) F(flag, crashed) F(i64, at_ms)
#define ARTEL_LOST_FIELDS(F)        F(u64, from) F(u64, to) F(str, reason)

//  The head of a batch: keys are named by their index in the records behind
//  it, xids holds 16 bytes for each artifact_send among them; ends: the last of
//  them is an exit; next_step: what the writer would give the next row without a step.
#define ARTEL_BATCH_FIELDS(F)                                                   \
    F(str, run) F(id, writer) F(u64, counter) F(strs, keys) F(bin, xids) F(flag, ends) \
    F(i64, next_step)

//  One entry of a manifest (blobs/manifest.h).
#define ARTEL_ENTRY_FIELDS(F)                                                   \
    F(str, path) F(u64, kind) F(digest, digest) F(u64, size) F(flag, exec)      \
    F(str, target) F(str, uri)

//  Client to handler.
#define ARTEL_RUN_OPEN_FIELDS(F)        F(str, run) F(id, writer) F(u64, resume) F(u64, world) \
    F(u64, rank)
#define ARTEL_FLUSH_FIELDS(F)           F(id, writer) F(u64, counter) F(u64, level)
#define ARTEL_ARTIFACT_POLL_FIELDS(F)   F(id, xid) F(str, sink) F(u64, wait_ms)
#define ARTEL_ARTIFACT_CANCEL_FIELDS(F) F(id, xid)
#define ARTEL_RESOLVE_FIELDS(F)         F(u64, token) F(str, sink) F(str, name) F(str, version)
#define ARTEL_RUN_CLOSE_FIELDS(F)       F(id, writer)
#define ARTEL_ADOPT_FIELDS(F)           F(u64, token) F(u64, wait_ms)
#define ARTEL_HELLO_FIELDS(F)           F(u64, version) F(str, program) F(u64, pid)

//  Handler to client. Every answer is absolute: a later one replaces it.
#define ARTEL_RUN_OPENED_FIELDS(F)                                              \
    F(id, writer) F(u64, accepted) F(u64, durable) F(u64, credit) F(i64, code) F(str, text) \
    F(i64, next_step)
#define ARTEL_ACCEPTED_FIELDS(F)                                                \
    F(id, writer) F(u64, accepted) F(u64, durable) F(u64, delivered)            \
    F(i64, code) F(str, text)
#define ARTEL_REFUSED_FIELDS(F)         F(id, writer) F(u64, counter) F(i64, code) F(str, text)
#define ARTEL_ARTIFACT_SEND_RESPONSE_FIELDS(F)  F(id, xid)
#define ARTEL_ARTIFACT_POLL_RESPONSE_FIELDS(F)                                  \
    F(id, xid) F(u64, state) F(str, sink) F(i64, status) F(i64, version)        \
    F(flag, fresh) F(str, text)
#define ARTEL_RESOLVED_FIELDS(F)                                                \
    F(u64, token) F(i64, code) F(str, name) F(str, type) F(i64, version)        \
    F(digest, manifest) F(str, text) F(str, pack) F(u64, files) F(u64, bytes)
#define ARTEL_ADOPTED_FIELDS(F)                                                 \
    F(u64, token) F(u64, journals) F(u64, undelivered) F(i64, code) F(str, text) \
    F(u64, lost)
#define ARTEL_ERROR_FIELDS(F)           F(i64, code) F(str, text)
#define ARTEL_WELCOME_FIELDS(F)                                                 \
    F(u64, version) F(i64, code) F(str, text) F(str, state) F(str, sinks) F(u64, pid)

//  Handler to writer (with run_open, run_close, flush and batches as they came).
#define ARTEL_RESET_FIELDS(F)           F(id, writer)

//  Writer to handler and sender (with adopt and adopted).
#define ARTEL_COMMITTED_FIELDS(F)       F(str, run) F(id, writer) F(u64, counter)
#define ARTEL_DURABLE_FIELDS(F)         F(id, writer) F(u64, counter) F(i64, code) F(str, text)
#define ARTEL_CLOSED_FIELDS(F)          F(str, run) F(id, writer) F(flag, ended)

//  Sender to writer and handler.
#define ARTEL_NOTED_FIELDS(F)           F(u64, notices)
#define ARTEL_RETIRED_FIELDS(F)         F(id, writer) F(u64, counter)

//  Handler to sender to backend, and back: what a sink knows of an artifact_send that
//  the handler does not.
#define ARTEL_RECALL_FIELDS(F)          F(u64, token) F(id, xid) F(str, sink)
#define ARTEL_RECALLED_FIELDS(F)                                                \
    F(u64, token) F(id, xid) F(flag, known) F(i64, status) F(i64, version) F(flag, fresh) F(str, text)

//  Sender to backend and back; delivered and done also go on to the handler.
//  (after: the batch before this one in the journal, or the position.)
#define ARTEL_DELIVER_FIELDS(F)                                                 \
    F(str, run) F(id, writer) F(u64, counter) F(bin, batch) F(u64, after)
#define ARTEL_POSITION_GET_FIELDS(F)    F(str, run) F(id, writer)
#define ARTEL_POSITION_FIELDS(F)        F(id, writer) F(u64, counter) F(i64, code) F(str, text)
#define ARTEL_DELIVERED_FIELDS(F)                                               \
    F(id, writer) F(str, sink) F(u64, counter) F(i64, code) F(str, text)
#define ARTEL_ARTIFACT_DONE_FIELDS(F)                                           \
    F(id, xid) F(str, sink) F(i64, status) F(i64, version) F(flag, fresh) F(str, text) \
    F(id, writer) F(u64, counter)

#define ARTEL_RECORDS(M)                                                        \
    M(1, RUN, run)                                                              \
    M(2, RUN_START, run_start)                                                  \
    M(3, HISTORY, history)                                                      \
    M(4, CONFIG, config)                                                        \
    M(5, SUMMARY, summary)                                                      \
    M(6, ARTIFACT_SEND, artifact_send)                                          \
    M(7, ARTIFACT, artifact)                                                    \
    M(8, USE_ARTIFACT, use_artifact)                                            \
    M(9, EXIT, exit)                                                            \
    M(10, LOST, lost)

#define ARTEL_HEADS(M)                                                          \
    M(30, BATCH, batch)                                                         \
    M(31, ENTRY, entry)

#define ARTEL_CLIENT_MSGS(M)                                                    \
    M(32, RUN_OPEN, run_open)                                                   \
    M(33, FLUSH, flush)                                                         \
    M(34, ARTIFACT_POLL, artifact_poll)                                         \
    M(35, ARTIFACT_CANCEL, artifact_cancel)                                     \
    M(36, RESOLVE, resolve)                                                     \
    M(37, RUN_CLOSE, run_close)                                                 \
    M(38, ADOPT, adopt)                                                         \
    M(39, HELLO, hello)

#define ARTEL_REPLY_MSGS(M)                                                     \
    M(64, RUN_OPENED, run_opened)                                               \
    M(65, ACCEPTED, accepted)                                                   \
    M(66, REFUSED, refused)                                                     \
    M(67, ARTIFACT_SEND_RESPONSE, artifact_send_response)                       \
    M(68, ARTIFACT_POLL_RESPONSE, artifact_poll_response)                       \
    M(69, RESOLVED, resolved)                                                   \
    M(70, ADOPTED, adopted)                                                     \
    M(71, ERROR, error)                                                         \
    M(72, WELCOME, welcome)

#define ARTEL_NODE_MSGS(M)                                                      \
    M(96, RESET, reset)                                                         \
    M(97, COMMITTED, committed)                                                 \
    M(98, DURABLE, durable)                                                     \
    M(99, CLOSED, closed)                                                       \
    M(100, DELIVER, deliver)                                                    \
    M(101, POSITION_GET, position_get)                                          \
    M(102, POSITION, position)                                                  \
    M(103, DELIVERED, delivered)                                                \
    M(104, ARTIFACT_DONE, artifact_done)                                        \
    M(105, NOTED, noted)                                                        \
    M(106, RETIRED, retired)                                                    \
    M(107, RECALL, recall)                                                      \
    M(108, RECALLED, recalled)

#define ARTEL_MSGS(M)                                                           \
    ARTEL_RECORDS(M) ARTEL_HEADS(M) ARTEL_CLIENT_MSGS(M) ARTEL_REPLY_MSGS(M) ARTEL_NODE_MSGS(M)

//  Text or bytes that someone else owns: in an unpacked message it points
//  into the frame the message came in.
typedef struct {
    const char *at;
    size_t len;
} artel_str_t;

typedef artel_str_t artel_bin_t;
typedef uint64_t artel_u64_t;
typedef int64_t artel_i64_t;
typedef bool artel_flag_t;

//  A list of texts. Unpacked, the array lives in the zone.
typedef struct {
    const artel_str_t *at;
    size_t n;
} artel_strs_t;

typedef enum { ARTEL_F64, ARTEL_I64, ARTEL_BOOL, ARTEL_STR } artel_kind_t;

//  One value of a row: a key by its index, and a typed scalar. NaN and
//  infinities keep their bits.
typedef struct {
    uint32_t key;
    artel_kind_t kind;
    union {
        double f64;
        int64_t i64;
        bool flag;
        artel_str_t str;
    };
} artel_cell_t;

//  The cells of a row. Unpacked, the array lives in the zone.
typedef struct {
    const artel_cell_t *at;
    size_t n;
} artel_row_t;

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
