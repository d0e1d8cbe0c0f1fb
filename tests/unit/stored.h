//  stored.h - a state directory with artifacts: ingested, journaled, committed, as far as a test wants.

#ifndef ARTEL_TEST_STORED_H
#define ARTEL_TEST_STORED_H

#include "batches.h"
#include "scratch.h"

#include "blobs.h"
#include "filing.h"
#include "ingest.h"
#include "journal.h"
#include "outcomes.h"
#include "pending.h"

enum { LARGE = 3 * 1024 * 1024 };       //  becomes a loose blob

static uint64_t s_counters;             //  of the store's only writer

static inline void
stored_make(void)
{
    s_scratch_make();
    cr_assert_eq(artel_state_make(s_scratch), 0);
}

//  One small file with this text, and if seed is not 0 a large one.
static inline artel_msg_artifact_send_t
stored_ingest(const char *name, const char *text, unsigned seed)
{
    static char packs[16][ARTEL_ID_TEXT];
    static unsigned next;
    artel_ingest_t *ingest;
    artel_ingest_result_t result;
    char *large = s_noise(LARGE, seed);
    cr_assert_eq(artel_ingest_begin(&(artel_ingest_options_t) { .store = s_scratch }, &ingest), 0);
    cr_assert_eq(artel_ingest_bytes(ingest, "small.txt", text, strlen(text)), 0);
    if (seed)
        cr_assert_eq(artel_ingest_bytes(ingest, "large.bin", large, LARGE), 0);
    cr_assert_eq(artel_ingest_finish(ingest, &result), 0);
    artel_ingest_destroy(&ingest);
    free(large);
    char *pack = packs[next++ % 16];
    memcpy(pack, result.pack, ARTEL_ID_TEXT);
    return (artel_msg_artifact_send_t) { .xid = artel_id_new(), .name = artel_str(name),
        .type = artel_str("model"), .manifest = result.manifest, .pack = artel_str(pack),
        .files = result.files, .bytes = result.bytes, .history_step = -1 };
}

//  In the catalogue, as the store does it.
static inline void
stored_commit(const artel_msg_artifact_send_t *send)
{
    artel_catalogue_t *catalogue;
    artel_filing_t *filing;
    char text[256];
    artel_msg_t record = { .id = ARTEL_MSG_ARTIFACT_SEND, .artifact_send = *send };
    cr_assert_eq(artel_catalogue_open(s_scratch, true, &catalogue), 0);
    cr_assert_eq(artel_filing_open(catalogue, &send->manifest, send->pack.at, &filing, text, sizeof text), 0);
    cr_assert_eq(artel_catalogue_begin(catalogue), 0);
    cr_assert_eq(artel_filing_step(catalogue, filing), 0);
    cr_assert_eq(artel_catalogue_commit(catalogue), 0);
    artel_filing_close(&filing);
    s_counters++;
    cr_assert_eq(batch_apply(catalogue, &(batch_t) { .writer = { "a writer id 16b" },
        .counter = s_counters, .after = s_counters - 1, .records = &record, .n = 1 }, NULL), 0);
    artel_catalogue_close(&catalogue);
}

static inline void
stored_uncommit(const char *name, int64_t version)
{
    artel_catalogue_t *catalogue;
    cr_assert_eq(artel_catalogue_open(s_scratch, true, &catalogue), 0);
    cr_assert_eq(artel_catalogue_remove_version(catalogue, name, version), 0);
    artel_catalogue_close(&catalogue);
}

//  In a journal of its own that wants these sinks; as a record of the kind that nobody waits for, or the other.
static inline artel_id_t
stored_journal(const char *run, const char *sinks, const artel_msg_artifact_send_t *send, bool waited)
{
    artel_journal_t *journal;
    artel_id_t writer = artel_id_new();
    artel_msg_t record = { .id = waited ? ARTEL_MSG_ARTIFACT_SEND : ARTEL_MSG_ARTIFACT };
    memcpy(waited ? (void *) &record.artifact_send : (void *) &record.artifact, send, sizeof *send);
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    batch_pack(&(batch_t) { .run = run, .writer = writer, .counter = 1, .records = &record, .n = 1,
        .xids = { (const char *) send->xid.at, waited ? sizeof send->xid : 0 } }, &out);
    artel_journal_birth_t birth = { .run = run, .writer = writer, .sinks = sinks,
                                    .resumes = ARTEL_RESUMES_ALLOW };
    cr_assert_eq(artel_journal_create(s_scratch, &birth, &journal), 0);
    cr_assert_eq(artel_journal_append(journal, &(artel_journal_frame_t) { 1, out.data, out.size }, 1), 0);
    artel_journal_close(&journal);
    msgpack_sbuffer_destroy(&out);
    return writer;
}

static inline void
stored_outcome(const char *run, artel_id_t writer, const char *sink, artel_id_t xid)
{
    artel_outcomes_t *outcomes;
    artel_outcome_t outcome = { .counter = 1, .xid = xid };
    cr_assert_eq(artel_outcomes_open(s_scratch, run, writer, sink, &outcomes), 0);
    cr_assert_eq(artel_outcomes_add(outcomes, &outcome), 0);
    artel_outcomes_close(&outcomes);
}

static inline int
stored_count_pack(void *arg, const char *pack, uint64_t size)
{
    (void) pack, (void) size;
    ++*(unsigned *) arg;
    return 0;
}

static inline int
stored_count_loose(void *arg, const artel_digest_t *digest, uint64_t size)
{
    (void) digest, (void) size;
    ++*(unsigned *) arg;
    return 0;
}

//  Packs and loose files there are.
static inline unsigned
stored_packs(void)
{
    unsigned n = 0;
    cr_assert_eq(artel_packs_each(s_scratch, stored_count_pack, &n), 0);
    return n;
}

static inline unsigned
stored_loose(void)
{
    unsigned n = 0;
    cr_assert_eq(artel_loose_each(s_scratch, stored_count_loose, &n), 0);
    return n;
}

#endif
