//  Manifests and packs, copied into the catalogue: whole, in pieces, and out again.

#include "batches.h"

#include "blobs.h"
#include "filing.h"
#include "ingest.h"

#include <fcntl.h>
#include <unistd.h>

static char *s_folder;
static artel_catalogue_t *s_catalogue;
static artel_ingest_t *s_ingest;
static char s_text[256];

static void
s_setup(void)
{
    s_folder = folder_new();
    cr_assert_eq(artel_catalogue_open(s_folder, true, &s_catalogue), 0);
    cr_assert_eq(artel_ingest_begin(&(artel_ingest_options_t) { .store = s_folder }, &s_ingest), 0);
}

static void
s_teardown(void)
{
    artel_ingest_destroy(&s_ingest);
    artel_catalogue_close(&s_catalogue);
    folder_destroy(s_folder);
}

TestSuite(catalogue_filing, .init = s_setup, .fini = s_teardown, .timeout = 60);

static artel_ingest_result_t
s_finish(void)
{
    artel_ingest_result_t result;
    cr_assert_eq(artel_ingest_finish(s_ingest, &result), 0, "%s", artel_ingest_error(s_ingest));
    artel_ingest_destroy(&s_ingest);
    return result;
}

static void
s_add_references(int n)
{
    char name[64];
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "data/%06d", i);
        cr_assert_eq(
            artel_ingest_reference(s_ingest, name, "s3://bucket/key", "etag", (uint64_t) i), 0);
    }
}

static artel_filing_t *
s_open(const artel_ingest_result_t *result)
{
    artel_filing_t *filing = NULL;
    int rc = artel_filing_open(s_catalogue, &result->manifest, result->pack, &filing, s_text,
                               sizeof s_text);
    cr_assert_eq(rc, 0, "%d: %s", rc, s_text);
    return filing;
}

//  One transaction of it.
static int
s_step(artel_filing_t *filing)
{
    cr_assert_eq(artel_catalogue_begin(s_catalogue), 0);
    int rc = artel_filing_step(s_catalogue, filing);
    cr_assert_geq(rc, 0, "%s", artel_catalogue_error(s_catalogue));
    cr_assert_eq(artel_catalogue_commit(s_catalogue), 0);
    return rc;
}

//  How many pieces it took.
static int
s_file(const artel_ingest_result_t *result)
{
    artel_filing_t *filing = s_open(result);
    int pieces = 1;
    while (s_step(filing) > 0)
        pieces++;
    artel_filing_close(&filing);
    return pieces;
}

static void
s_send(const artel_ingest_result_t *result)
{
    artel_msg_t record = { .id = ARTEL_MSG_ARTIFACT_SEND, .artifact_send = { .xid = artel_id_new(),
        .name = artel_str("m"), .type = artel_str("t"), .manifest = result->manifest } };
    cr_assert_eq(batch_apply(s_catalogue, &(batch_t) { .writer = artel_id_new(), .counter = 1,
        .records = &record, .n = 1 }, NULL), 0, "%s", artel_catalogue_error(s_catalogue));
}

static void
s_expect(const char *sql, const char *wanted)
{
    cr_expect_str_eq(query(s_catalogue, sql), wanted, "%s: %s", sql, query(s_catalogue, sql));
}

Test(catalogue_filing, keeps_every_kind_of_entry)
{
    char *link = artel_format("%s/tree/link", s_folder), *tree = artel_format("%s/tree", s_folder);
    char *file = artel_format("%s/tree/run me", s_folder),
         *empty = artel_format("%s/tree/none", s_folder);
    cr_assert_eq(artel_make_dirs(empty), 0);
    int fd = open(file, O_CREAT | O_WRONLY, 0755);
    cr_assert_eq(write(fd, "abc", 3), 3);
    close(fd);
    cr_assert_eq(symlink("run me", link), 0);
    cr_assert_eq(artel_ingest_dir(s_ingest, tree, NULL), 0);
    s_add_references(1);
    artel_ingest_result_t result = s_finish();
    cr_expect_eq(s_file(&result), 1);
    s_send(&result);
    s_expect("SELECT path, kind, size, exec, target, uri FROM artifact_entries",
             "data/000000|reference|0|NULL|etag|s3://bucket/key link|link|NULL|NULL|run me|NULL "
             "none|dir|NULL|NULL|NULL|NULL run me|file|3|1|NULL|NULL");
    s_expect("SELECT digest FROM artifact_entries WHERE kind = 'file'",
             "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    free(link);
    free(tree);
    free(file);
    free(empty);
}

Test(catalogue_filing, takes_as_many_transactions_as_it_needs_and_shows_nothing_before_a_version)
{
    s_add_references(200000);
    artel_ingest_result_t result = s_finish();
    cr_expect_gt(s_file(&result), 1);
    s_expect("SELECT count(*) FROM artifact_entries", "0");
    s_send(&result);
    s_expect("SELECT count(*), sum(size), min(path), max(path) FROM artifact_entries",
             "200000|19999900000|data/000000|data/199999");
}

Test(catalogue_filing, starts_again_when_a_gc_took_its_beginning)
{
    s_add_references(200000);
    artel_ingest_result_t result = s_finish();
    artel_filing_t *filing = s_open(&result);
    cr_assert_eq(s_step(filing), 1);
    cr_assert_eq(artel_catalogue_sweep(s_catalogue), 0);
    s_expect("SELECT (SELECT count(*) FROM entries), (SELECT count(*) FROM manifests)", "0|0");
    while (s_step(filing) > 0)
        continue;
    artel_filing_close(&filing);
    s_send(&result);
    s_expect("SELECT count(*) FROM artifact_entries", "200000");
}

Test(catalogue_filing, is_repeated_without_harm)
{
    s_add_references(10);
    artel_ingest_result_t result = s_finish();
    cr_assert_eq(s_file(&result), 1);
    query(s_catalogue, "UPDATE manifests SET complete = 0");        //  as if killed before the end
    query(s_catalogue, "UPDATE packs SET complete = 0");
    cr_assert_eq(s_file(&result), 1);
    cr_assert_eq(s_file(&result), 1);
    s_expect("SELECT (SELECT count(*) FROM entries), (SELECT count(*) FROM blobs)", "10|1");
}

static bool
s_knows(const char *content, size_t len, uint64_t size)
{
    sqlite3_stmt *stmt;
    cr_assert_eq(sqlite3_prepare_v2(artel_catalogue_db(s_catalogue),
        "SELECT digest FROM entries WHERE path = ?1", -1, &stmt, NULL), SQLITE_OK);
    sqlite3_bind_text(stmt, 1, content, (int) len, SQLITE_STATIC);
    artel_digest_t digest = { { 0 } };
    if (sqlite3_step(stmt) == SQLITE_ROW)
        memcpy(digest.at, sqlite3_column_blob(stmt, 0), sizeof digest.at);
    sqlite3_finalize(stmt);
    return artel_catalogue_knows_blob(s_catalogue, &digest, size);
}

Test(catalogue_filing, knows_the_blobs_of_a_filed_pack_until_it_is_forgotten)
{
    cr_assert_eq(artel_ingest_bytes(s_ingest, "a", "12345", 5), 0);
    artel_ingest_result_t result = s_finish();
    cr_expect_not(s_knows("a", 1, 5));
    s_file(&result);
    s_send(&result);
    cr_expect(s_knows("a", 1, 5));
    cr_expect_not(s_knows("a", 1, 6));
    cr_assert_eq(artel_catalogue_forget_pack(s_catalogue, result.pack), 0);
    cr_expect_not(s_knows("a", 1, 5));
    s_expect("SELECT (SELECT count(*) FROM blobs), (SELECT count(*) FROM packs)", "0|0");
    cr_assert_eq(artel_catalogue_forget_pack(s_catalogue, result.pack), 0);
}

Test(catalogue_filing, forgets_a_pack_whose_file_has_gone)
{
    cr_assert_eq(artel_ingest_bytes(s_ingest, "a", "12345", 5), 0);
    artel_ingest_result_t result = s_finish();
    s_file(&result);
    cr_assert_eq(artel_pack_remove(s_folder, result.pack), 0);
    cr_assert_eq(artel_catalogue_forget_pack(s_catalogue, result.pack), 0);
    s_expect("SELECT count(*) FROM blobs", "0");
}

Test(catalogue_filing, keeps_what_a_version_names_when_it_sweeps)
{
    s_add_references(3);
    artel_ingest_result_t result = s_finish();
    s_file(&result);
    s_send(&result);
    cr_assert_eq(artel_catalogue_sweep(s_catalogue), 0);
    s_expect("SELECT count(*) FROM artifact_entries", "3");
    cr_assert_eq(artel_catalogue_remove_version(s_catalogue, "m", 0), 0);
    cr_assert_eq(artel_catalogue_sweep(s_catalogue), 0);
    s_expect("SELECT count(*) FROM entries", "0");
}

Test(catalogue_filing, says_which_manifest_cannot_be_had)
{
    artel_filing_t *filing = NULL;
    artel_digest_t digest = { { 0xab } };
    int rc = artel_filing_open(s_catalogue, &digest, "", &filing, s_text, sizeof s_text);
    cr_expect_eq(rc, ARTEL_ENOENT);
    cr_expect(artel_filing_is_hopeless(rc));
    cr_expect(strstr(s_text, "manifest ab0000"), "%s", s_text);
    cr_expect_null(filing);
}

Test(catalogue_filing, does_not_file_what_is_no_manifest)
{
    cr_assert_eq(artel_ingest_bytes(s_ingest, "a", "12345", 5), 0);
    artel_ingest_result_t result = s_finish();
    s_file(&result);
    artel_filing_t *filing = NULL;
    artel_digest_t digest;
    cr_assert(artel_unhex("5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5", 32,
                          digest.at));
    cr_expect_eq(
        artel_filing_open(s_catalogue, &digest, result.pack, &filing, s_text, sizeof s_text),
        ARTEL_EPROTO);
}
