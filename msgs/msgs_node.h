//  msgs_node.h - messages among the actors of a node. The rules are in msgs.h.

#ifndef ARTEL_MSGS_NODE_H
#define ARTEL_MSGS_NODE_H

//  Handler to writer (with run_open, run_close, flush and batches as they came).
#define ARTEL_RESET_FIELDS(F)           F(id, writer) F(u64, counter) F(i64, code) F(str, text)

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
//  (after: the batch before this one in the journal, or the position. taken: the backend holds
//  the batches up to counter by itself, and they count in no window any more. hurry: the node ends at until_ms, of
//  CLOCK_MONOTONIC: what is held back for company goes now.)
#define ARTEL_DELIVER_FIELDS(F)                                                 \
    F(str, run) F(id, writer) F(u64, counter) F(bin, batch) F(u64, after)
#define ARTEL_POSITION_GET_FIELDS(F)    F(str, run) F(id, writer)
#define ARTEL_POSITION_FIELDS(F)        F(id, writer) F(u64, counter) F(i64, code) F(str, text)
#define ARTEL_TAKEN_FIELDS(F)           F(id, writer) F(u64, counter)
#define ARTEL_HURRY_FIELDS(F)           F(i64, until_ms)
#define ARTEL_DELIVERED_FIELDS(F)                                               \
    F(id, writer) F(str, sink) F(u64, counter) F(i64, code) F(str, text) F(u64, lost)       \
    F(flag, stands_in)
#define ARTEL_ARTIFACT_DONE_FIELDS(F)                                           \
    F(id, xid) F(str, sink) F(i64, status) F(i64, version) F(flag, fresh) F(str, text) \
    F(id, writer) F(u64, counter)

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
    M(108, RECALLED, recalled)                                                  \
    M(109, TAKEN, taken)                                                        \
    M(110, HURRY, hurry)

#endif
