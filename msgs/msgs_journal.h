//  msgs_journal.h - messages that are kept: a journal's records, the head of their batch,
//  and the entries of a manifest. The rules are in msgs.h.

#ifndef ARTEL_MSGS_JOURNAL_H
#define ARTEL_MSGS_JOURNAL_H

//  Records: what a journal keeps. They travel in batches (batch.h).
#define ARTEL_RUN_FIELDS(F)                                                     \
    F(str, run) F(str, project) F(str, name) F(str, group) F(str, job_type)     \
    F(str, notes) F(strs, tags) F(i64, at_ms) F(flag, hidden) F(flag, keeps_tags) \
    F(str, entity)
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

#endif
