//  What verify calls damaged, and what not.

#include "unit/stored.h"

#include "verify.h"

static char s_said[4096];

static void
s_setup(void)
{
    stored_make();
    s_said[0] = 0;
    s_counters = 0;
}

TestSuite(verify, .init = s_setup, .fini = s_scratch_remove, .timeout = 60);

static void
s_note(void *arg, const char *sentence)
{
    (void) arg;
    size_t len = strlen(s_said);
    snprintf(s_said + len, sizeof s_said - len, "%s\n", sentence);
}

static artel_verify_report_t s_report;

static int
s_verify(const char *name)
{
    s_said[0] = 0;
    return artel_verify(s_scratch, &(artel_verify_options_t) { .names = &name, .n = name != NULL,
        .damaged = s_note }, &s_report);
}

static void
s_expect(const char *name, const char *words)
{
    cr_assert_eq(s_verify(name), ARTEL_ECORRUPT);
    cr_assert_eq(s_report.damaged, 1, "%s", s_said);
    cr_assert(strstr(s_said, words), "%s", s_said);
}

//  The path of the pack, or of the only loose file.
static const char *
s_pack(const artel_msg_artifact_send_t *send)
{
    return s_in("blobs/packs/%s.pack", send->pack.at);
}

static char s_loose[ARTEL_DIGEST_TEXT];

static int
s_find_loose(void *arg, const artel_digest_t *digest, uint64_t size)
{
    (void) arg, (void) size;
    artel_hex(digest->at, sizeof digest->at, s_loose);
    return 0;
}

static const char *
s_loose_path(void)
{
    cr_assert_eq(artel_loose_each(s_scratch, s_find_loose, NULL), 0);
    return s_in("blobs/%.2s/%s", s_loose, s_loose);
}

static void
s_sql(const char *text)
{
    artel_catalogue_t *catalogue;
    cr_assert_eq(artel_catalogue_open(s_scratch, true, &catalogue), 0);
    query(catalogue, text);
    artel_catalogue_close(&catalogue);
}

Test(verify, finds_nothing_in_what_is_whole)
{
    artel_msg_artifact_send_t one = stored_ingest("m", "text", 1), two = stored_ingest("m", "other", 0);
    stored_commit(&one);
    stored_commit(&two);
    stored_journal("r", "store", &two, true);
    cr_assert_eq(s_verify(NULL), 0);
    cr_assert_eq(s_report.versions, 2);
    cr_assert_eq(s_report.journals, 1);
    cr_assert_eq(s_report.blobs, 3);
    cr_assert_eq(s_report.bytes, LARGE + 9);
    cr_assert_eq(s_verify("m"), 0);
    cr_assert_eq(s_report.versions, 2);
    cr_assert_eq(s_verify("m:v0"), 0);
    cr_assert_eq(s_report.versions, 1);
    cr_assert_eq(s_verify("m:latest"), 0);
}

Test(verify, finds_nothing_in_an_empty_directory_and_makes_none)
{
    cr_assert_eq(s_verify(NULL), 0);
    artel_verify_report_t report;
    cr_assert_eq(artel_verify(s_in("none"), &(artel_verify_options_t) { .damaged = s_note }, &report),
                 ARTEL_ENOENT);
    cr_assert_neq(access(s_in("none"), F_OK), 0);
}

Test(verify, calls_leftovers_without_reference_no_damage)
{
    artel_msg_artifact_send_t left = stored_ingest("m", "text", 1);
    s_flip(s_loose_path(), 100);
    s_write_text(s_pack(&left), "half a pack");
    s_write_text(s_in("blobs/tmp/dead"), "x");
    mkdir(s_in("tmp/journal.dead"), 0700);
    cr_assert_eq(s_verify(NULL), 0);
}

Test(verify, names_a_large_file_with_a_wrong_byte)
{
    artel_msg_artifact_send_t send = stored_ingest("m", "text", 1);
    stored_commit(&send);
    s_flip(s_loose_path(), 12345);
    s_expect("m", "artifact 'm:v0': the file 'large.bin' has other bytes");
}

Test(verify, names_a_small_file_with_a_wrong_byte)
{
    artel_msg_artifact_send_t send = stored_ingest("m", "text", 0);
    stored_commit(&send);
    s_flip(s_pack(&send), 17);
    s_expect(NULL, "artifact 'm:v0': the file 'small.txt' has other bytes");
}

Test(verify, names_a_file_that_is_missing_or_cut)
{
    artel_msg_artifact_send_t send = stored_ingest("m", "text", 1);
    stored_commit(&send);
    cr_assert_eq(truncate(s_loose_path(), 1000), 0);
    s_expect("m", "'large.bin' has other bytes");
    cr_assert_eq(unlink(s_loose_path()), 0);
    s_expect("m", "'large.bin' is missing");
}

Test(verify, names_every_version_that_needs_a_damaged_blob)
{
    artel_msg_artifact_send_t one = stored_ingest("m", "text", 1), two = stored_ingest("n", "other", 1);
    stored_commit(&one);
    stored_commit(&two);
    s_flip(s_loose_path(), 5);
    cr_assert_eq(s_verify(NULL), ARTEL_ECORRUPT);
    cr_assert_eq(s_report.damaged, 2);
    cr_assert(strstr(s_said, "'m:v0'") && strstr(s_said, "'n:v0'"), "%s", s_said);
    cr_assert_eq(s_report.blobs, 3);
}

Test(verify, names_a_manifest_that_cannot_be_read)
{
    artel_msg_artifact_send_t send = stored_ingest("m", "text", 0);
    stored_commit(&send);
    s_flip(s_pack(&send), 30);
    s_expect("m", "artifact 'm:v0': its manifest has other bytes");
    cr_assert_eq(unlink(s_pack(&send)), 0);
    s_expect("m", "artifact 'm:v0': its manifest is missing");
}

Test(verify, compares_the_catalogue_with_the_manifest)
{
    artel_msg_artifact_send_t send = stored_ingest("m", "text", 0);
    static const char *const changes[] = {
        "UPDATE entries SET path = 'other'", "UPDATE entries SET path = 'small.txt'",
        "UPDATE entries SET size = 5", "UPDATE entries SET size = 4",
        "UPDATE entries SET exec = 1", "UPDATE entries SET exec = 0",
        "UPDATE versions SET bytes = 5", "UPDATE versions SET bytes = 4",
        "INSERT INTO entries SELECT manifest, 'z', kind, digest, size, exec, target, uri FROM entries",
        "DELETE FROM entries WHERE path = 'z'" };
    stored_commit(&send);
    for (size_t i = 0; i < 10; i += 2) {
        s_sql(changes[i]);
        s_expect("m", "artifact 'm:v0': the catalogue lists other entries than its manifest");
        s_sql(changes[i + 1]);
        cr_assert_eq(s_verify("m"), 0, "%s", s_said);
    }
}

Test(verify, names_what_it_does_not_know)
{
    artel_msg_artifact_send_t send = stored_ingest("m", "text", 0);
    cr_assert_eq(s_verify("m"), ARTEL_ENOENT);
    stored_commit(&send);
    cr_assert_eq(s_verify("m:v7"), ARTEL_ENOENT);
    cr_assert(strstr(s_said, "there is no artifact 'm:v7'"), "%s", s_said);
}

Test(verify, looks_at_what_is_not_delivered_yet)
{
    artel_msg_artifact_send_t send = stored_ingest("m", "text", 1);
    stored_journal("r", "store", &send, false);
    s_flip(s_loose_path(), 9);
    s_expect(NULL, "artifact 'm' of run r, not delivered yet: the file 'large.bin' has other bytes");
}

Test(verify, names_a_journal_with_a_hole)
{
    artel_msg_artifact_send_t send = stored_ingest("m", "text", 0);
    artel_id_t writer = stored_journal("r", "store", &send, true);
    char id[ARTEL_ID_TEXT];
    artel_hex(writer.at, sizeof writer.at, id);
    size_t len;
    free(s_read_whole(s_in("runs/r/%s/00000001.seg", id), &len));
    s_flip(s_in("runs/r/%s/00000001.seg", id), (off_t) len - 60);
    s_expect(NULL, "batches from 1 to 1 are missing: the disk lost or changed");
}

Test(verify, names_a_catalogue_that_is_damaged)
{
    artel_msg_artifact_send_t send = stored_ingest("m", "text", 0);
    stored_commit(&send);
    s_write_text(s_in("catalogue.db"), "this is no database, but text that is long enough");
    s_expect(NULL, "the catalogue is damaged");
}

static int
s_cancel(void *arg, uint64_t blobs, uint64_t bytes)
{
    (void) arg, (void) bytes;
    return blobs == 1;
}

Test(verify, ends_when_it_is_told_to)
{
    artel_verify_report_t report;
    artel_msg_artifact_send_t send = stored_ingest("m", "text", 1);
    stored_commit(&send);
    cr_assert_eq(artel_verify(s_scratch, &(artel_verify_options_t) { .damaged = s_note,
        .progress = s_cancel }, &report), ARTEL_ECANCELED);
    cr_assert_eq(report.blobs, 1);
}
