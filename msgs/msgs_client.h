//  msgs_client.h - messages between a client and the handler. The rules are in msgs.h.

#ifndef ARTEL_MSGS_CLIENT_H
#define ARTEL_MSGS_CLIENT_H

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
    F(i64, code) F(str, text) F(u64, credit) F(u64, lost)
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

#endif
