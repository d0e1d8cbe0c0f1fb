//  Versions: dense, once for each xid, moved by content, found by alias.

#include "batches.h"

static char *s_folder;
static artel_catalogue_t *s_catalogue;
static artel_verdicts_t s_verdicts;
static uint64_t s_counter;
static const artel_id_t s_writer = { "a writer id 16b" };

static void
s_setup(void)
{
    s_folder = folder_new();
    cr_assert_eq(artel_catalogue_open(s_folder, true, &s_catalogue), 0);
}

static void
s_teardown(void)
{
    artel_verdicts_done(&s_verdicts);
    artel_catalogue_close(&s_catalogue);
    folder_destroy(s_folder);
}

TestSuite(catalogue_artifacts, .init = s_setup, .fini = s_teardown, .timeout = 20);

//  A manifest of which only the digest matters, as if it were filed.
static artel_digest_t
s_content(char c)
{
    artel_digest_t digest;
    char hex[ARTEL_DIGEST_TEXT];
    memset(digest.at, c, sizeof digest.at);
    artel_hex(digest.at, sizeof digest.at, hex);
    char *sql =
        artel_format("INSERT OR IGNORE INTO manifests (digest, complete) VALUES (X'%s', 1)", hex);
    query(s_catalogue, sql);
    free(sql);
    return digest;
}

static artel_msg_artifact_send_t
s_artifact(const char *name, char content)
{
    return (artel_msg_artifact_send_t) { .xid = artel_id_new(), .name = artel_str(name),
        .type = artel_str("model"), .manifest = s_content(content), .files = 2, .bytes = 10,
        .history_step = -1, .at_ms = 77 };
}

//  Deliver it, and what became of it.
static artel_verdict_t
s_send(artel_msg_artifact_send_t send)
{
    artel_msg_t record = { .id = ARTEL_MSG_ARTIFACT_SEND, .artifact_send = send };
    s_verdicts.n = 0;
    s_counter++;
    int rc = batch_apply(s_catalogue, &(batch_t) { .writer = s_writer, .counter = s_counter,
        .after = s_counter - 1, .xids = { (const char *) send.xid.at, sizeof send.xid },
        .records = &record, .n = 1 }, &s_verdicts);
    cr_assert_eq(rc, 0, "%d: %s", rc, artel_catalogue_error(s_catalogue));
    cr_assert_eq(s_verdicts.n, 1);
    cr_assert(artel_id_equal(s_verdicts.at[0].xid, send.xid));
    return s_verdicts.at[0];
}

static void
s_expect(artel_verdict_t verdict, int64_t version, bool fresh)
{
    cr_expect_eq(verdict.code, 0, "%s", verdict.text);
    cr_expect_eq(verdict.version, version);
    cr_expect_eq(verdict.fresh, fresh);
}

static int64_t
s_resolve(const char *name, const char *version)
{
    artel_version_t found;
    int rc = artel_catalogue_resolve(s_catalogue, name, version, &found);
    return rc == 0 ? found.version : rc;
}

Test(catalogue_artifacts, numbers_versions_from_0_without_a_gap)
{
    s_expect(s_send(s_artifact("m", 'a')), 0, true);
    s_expect(s_send(s_artifact("m", 'b')), 1, true);
    s_expect(s_send(s_artifact("other", 'a')), 0, true);
    s_expect(s_send(s_artifact("m", 'c')), 2, true);
    cr_expect_str_eq(
        query(s_catalogue,
              "SELECT name, type, version, files, bytes, aliases, run, history_step,"
              " created_ms FROM artifact_versions WHERE name = 'm' ORDER BY version LIMIT 1"),
        "m|model|0|2|10|NULL|r|NULL|77");
}

Test(catalogue_artifacts, makes_no_version_of_equal_content)
{
    s_expect(s_send(s_artifact("m", 'a')), 0, true);
    s_expect(s_send(s_artifact("m", 'a')), 0, false);
    s_expect(s_send(s_artifact("m", 'b')), 1, true);
}

Test(catalogue_artifacts, moves_latest_to_an_older_version_of_the_same_content)
{
    s_send(s_artifact("m", 'a'));
    s_send(s_artifact("m", 'b'));
    cr_expect_eq(s_resolve("m", "latest"), 1);
    s_expect(s_send(s_artifact("m", 'a')), 0, false);
    cr_expect_eq(s_resolve("m", ""), 0);
}

Test(catalogue_artifacts, makes_one_version_of_an_xid_however_often_it_comes)
{
    artel_msg_artifact_send_t send = s_artifact("m", 'a'), again = s_artifact("m", 'b');
    s_expect(s_send(send), 0, true);
    s_send(again);
    s_expect(s_send(send), 0, true);
    cr_expect_eq(s_resolve("m", "latest"), 1);          //  the repeat moved nothing
}

Test(catalogue_artifacts, applies_aliases_also_when_the_content_was_there)
{
    artel_str_t best[] = { { "best", 4 }, { "final", 5 } };
    artel_msg_artifact_send_t send = s_artifact("m", 'a');
    send.aliases = (artel_strs_t) { best, 1 };
    s_send(send);
    s_send(s_artifact("m", 'b'));
    cr_expect_eq(s_resolve("m", "best"), 0);
    send = s_artifact("m", 'b');
    send.aliases = (artel_strs_t) { best, 2 };
    s_expect(s_send(send), 1, false);
    cr_expect_eq(s_resolve("m", "best"), 1);
    cr_expect_eq(s_resolve("m", "final"), 1);
}

Test(catalogue_artifacts, refuses_another_type_with_a_sentence)
{
    s_send(s_artifact("m", 'a'));
    artel_msg_artifact_send_t send = s_artifact("m", 'b');
    send.type = artel_str("dataset");
    artel_verdict_t verdict = s_send(send);
    cr_expect_eq(verdict.code, ARTEL_EREFUSED);
    cr_expect_eq(verdict.version, -1);
    cr_expect_str_eq(verdict.text, "artifact 'm' has type 'model', not 'dataset'");
    cr_expect_str_eq(query(s_catalogue, "SELECT counter, message, reason FROM refused"),
                     "2|artifact_send|artifact 'm' has type 'model', not 'dataset'");
    s_expect(s_send(s_artifact("m", 'b')), 1, true);
}

Test(catalogue_artifacts, keeps_the_type_if_none_is_said)
{
    artel_msg_artifact_send_t send = s_artifact("m", 'a');
    s_send(send);
    send = s_artifact("m", 'b');
    send.type = (artel_str_t) { 0 };
    s_expect(s_send(send), 1, true);
    send = s_artifact("new", 'b');
    send.type = (artel_str_t) { 0 };
    s_expect(s_send(send), 0, true);
    cr_expect_str_eq(query(s_catalogue, "SELECT name, type FROM artifacts ORDER BY name"),
                     "m|model new|artifact");
}

Test(catalogue_artifacts, refuses_names_and_aliases_that_could_not_be_asked_for)
{
    artel_str_t alias[] = { { "v12", 3 } };
    artel_msg_artifact_send_t send = s_artifact("a/b", 'a');
    cr_expect_eq(s_send(send).code, ARTEL_EINVAL);
    send = s_artifact("", 'a');
    cr_expect_eq(s_send(send).code, ARTEL_EINVAL);
    send = s_artifact("m", 'a');
    send.aliases = (artel_strs_t) { alias, 1 };
    cr_expect_eq(s_send(send).code, ARTEL_EINVAL);
    alias[0] = artel_str("v12b");
    s_expect(s_send(send), 0, true);
}

Test(catalogue_artifacts, tells_again_what_became_of_the_artifacts_of_a_repeated_batch)
{
    artel_msg_artifact_send_t good = s_artifact("m", 'a'), bad = s_artifact("a:b", 'a');
    s_send(good);
    s_send(bad);
    s_counter = 0;
    s_expect(s_send(good), 0, true);
    artel_verdict_t verdict = s_send(bad);
    cr_expect_eq(verdict.code, ARTEL_EINVAL);
    cr_expect(strstr(verdict.text, "name"));
}

Test(catalogue_artifacts, decides_on_every_xid_of_a_batch_even_if_its_record_is_not_to_be_read)
{
    artel_id_t xid = artel_id_new();
    cr_assert_eq(batch_apply(s_catalogue, &(batch_t) { .writer = s_writer, .counter = 1,
        .xids = { (const char *) xid.at, sizeof xid } }, &s_verdicts), 0);
    cr_assert_eq(s_verdicts.n, 1);
    cr_expect_eq(s_verdicts.at[0].code, ARTEL_EREFUSED);
}

Test(catalogue_artifacts, waits_for_a_manifest_that_is_not_filed)
{
    artel_msg_artifact_send_t send = s_artifact("m", 'a');
    query(s_catalogue, "UPDATE manifests SET complete = 0");
    artel_msg_t record = { .id = ARTEL_MSG_ARTIFACT_SEND, .artifact_send = send };
    cr_assert_eq(
        batch_apply(s_catalogue,
                    &(batch_t) { .writer = s_writer, .counter = 1, .records = &record, .n = 1 },
                    &s_verdicts),
        ARTEL_EPENDING);
    cr_expect_eq(s_verdicts.n, 0);
    cr_expect_str_eq(query(s_catalogue, "SELECT count(*) FROM artifacts"), "0");
}

Test(catalogue_artifacts, records_who_made_and_who_used_a_version)
{
    s_send(s_artifact("m", 'a'));
    artel_msg_t use = { .id = ARTEL_MSG_USE_ARTIFACT,
                        .use_artifact = { .name = artel_str("m"),
                                          .version = 7,
                                          .manifest = s_content('a'),
                                          .at_ms = 5 } };     //  v7 was another sink's number
    cr_assert_eq(
        batch_apply(
            s_catalogue,
            &(batch_t) { .run = "user", .writer = { "x" }, .counter = 1, .records = &use, .n = 1 },
            NULL),
        0);
    cr_expect_str_eq(query(s_catalogue,
                           "SELECT run, direction, name, version, time_ms FROM artifact_lineage"
                           " ORDER BY run"),
                     "r|out|m|0|77 user|in|m|0|5");
}

Test(catalogue_artifacts, refuses_a_use_of_what_the_store_does_not_have)
{
    artel_msg_t use = { .id = ARTEL_MSG_USE_ARTIFACT, .use_artifact = { .name = artel_str("m") } };
    cr_assert_eq(batch_apply(s_catalogue, &(batch_t) { .writer = s_writer, .counter = 1,
        .records = &use, .n = 1 }, NULL), 0);
    cr_expect_str_eq(query(s_catalogue, "SELECT message, code FROM refused"), "use_artifact|-5");
}

Test(catalogue_artifacts, resolves_names_aliases_and_numbers)
{
    artel_version_t found;
    s_send(s_artifact("m", 'a'));
    s_send(s_artifact("m", 'b'));
    cr_assert_eq(artel_catalogue_resolve(s_catalogue, "m", "v0", &found), 0);
    cr_expect_eq(found.version, 0);
    cr_expect_eq(found.manifest.at[31], 'a');
    cr_expect_str_eq(found.type, "model");
    cr_expect_eq(found.files, 2);
    cr_expect_eq(found.bytes, 10);
    cr_expect_str_eq(found.pack, "");
    cr_expect_eq(s_resolve("m", "v2"), ARTEL_ENOENT);
    cr_expect_eq(s_resolve("m", "v"), ARTEL_ENOENT);
    cr_expect_eq(s_resolve("m", "v99999999999999999999"), ARTEL_ENOENT);
    cr_expect_eq(s_resolve("nothing", ""), ARTEL_ENOENT);
    cr_expect_str_eq(artel_catalogue_error(s_catalogue), "there is no artifact 'nothing:latest'");
}

Test(catalogue_artifacts, removes_a_version_with_its_aliases_and_never_reuses_its_number)
{
    artel_str_t best[] = { { "best", 4 } };
    artel_msg_artifact_send_t send = s_artifact("m", 'b');
    send.aliases = (artel_strs_t) { best, 1 };
    s_send(s_artifact("m", 'a'));
    s_send(send);
    cr_assert_eq(artel_catalogue_remove_version(s_catalogue, "m", 1), 0);
    cr_expect_eq(s_resolve("m", "latest"), 0);
    cr_expect_eq(s_resolve("m", "best"), ARTEL_ENOENT);
    cr_expect_eq(artel_catalogue_remove_version(s_catalogue, "m", 1), ARTEL_ENOENT);
    s_expect(s_send(s_artifact("m", 'b')), 2, true);
    cr_assert_eq(artel_catalogue_remove_version(s_catalogue, "m", 0), 0);
    cr_assert_eq(artel_catalogue_remove_version(s_catalogue, "m", 2), 0);
    cr_expect_eq(s_resolve("m", "latest"), ARTEL_ENOENT);
    s_expect(s_send(s_artifact("m", 'b')), 3, true);
    cr_expect_str_eq(query(s_catalogue, "SELECT count(*) FROM artifact_lineage"), "4");
}
