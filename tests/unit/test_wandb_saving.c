//  An artifact on its way to W&B: which requests in which order, and what becomes of what goes wrong.

#include "played_wandb.h"
#include "scratch.h"

#include "ingest.h"
#include "saving.h"

static artel_saving_args_t s_args = { .store = s_scratch, .base = "http://h/api", .graphql = "http://h/api/graphql",
    .entity = "quarry", .project = "digits", .run = "r1" };
static artel_http_key_t s_key = { "http://h/api", "Authorization: Basic eA==" };
static char s_pack[ARTEL_ID_TEXT];
static artel_msg_artifact_send_t s_send;
static artel_saving_state_t s_end;
static artel_saving_t *s_saving;

static void
s_begin(void)
{
    s_scratch_make();
    s_args.key = &s_key;
}

static void
s_done(void)
{
    artel_saving_destroy(&s_saving);
    played_reset();
    s_scratch_remove();
}

//  An artifact of files f0, f1, ..., each with its name for content.
static void
s_ingest(unsigned n, size_t large)
{
    artel_ingest_t *ingest;
    artel_ingest_result_t result;
    char name[16], *noise = s_noise(large, 3);
    cr_assert_eq(artel_ingest_begin(&(artel_ingest_options_t) { .store = s_scratch }, &ingest), 0);
    for (unsigned i = 0; i < n; i++) {
        snprintf(name, sizeof name, "f%u", i);
        cr_assert_eq(artel_ingest_bytes(ingest, name, name, strlen(name)), 0);
    }
    if (large)
        cr_assert_eq(artel_ingest_bytes(ingest, "large", noise, large), 0);
    cr_assert_eq(artel_ingest_finish(ingest, &result), 0);
    artel_ingest_destroy(&ingest);
    free(noise);
    memcpy(s_pack, result.pack, sizeof s_pack);
    s_send = (artel_msg_artifact_send_t) { .xid = { "an xid of 16 byt" }, .name = artel_str("set"),
        .type = artel_str("data"), .manifest = result.manifest, .pack = artel_str(s_pack), .history_step = -1 };
}

static void
s_new(void)
{
    cr_assert_eq(artel_saving_new(&s_args, &s_send, &s_saving), 0);
    artel_saving_hash(s_saving);
}

//  Answer whatever is asked, the last first, until it is over or nothing is asked.
static void
s_drive(void)
{
    artel_http_t *out[128];
    size_t n = 0;
    for (;;) {
        artel_http_t *http;
        while ((http = artel_saving_next(s_saving)))
            out[n++] = http;
        s_played.most_out = n > s_played.most_out ? (unsigned) n : s_played.most_out;
        if (n == 0)
            break;
        cr_assert_not(artel_saving_state(s_saving)->over, "it is over with a request out");
        played_answer(out[--n]);
        artel_saving_take(s_saving, out[n]);
    }
    cr_assert(artel_saving_state(s_saving)->over, "it is stuck after %s", s_played.asked);
    s_end = *artel_saving_state(s_saving);
}

static void
s_save(void)
{
    s_new();
    s_drive();
}

static char *
s_entry(const char *path)
{
    json_t *manifest = json_loads(s_played.manifest, 0, NULL);
    char *text = json_dumps(json_object_get(json_object_get(manifest, "contents"), path), JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(manifest);
    return text;
}

TestSuite(saving, .init = s_begin, .fini = s_done);

Test(saving, asks_no_more_than_the_protocol_needs)
{
    s_ingest(1, 0);
    s_save();
    cr_expect_eq(s_end.code, 0, "%s", s_end.text);
    cr_expect_str_eq(s_played.asked, "CreateArtifact CreateArtifactManifest CreateArtifactFiles f0 "
                                     "CreateArtifactManifest manifest%20now CommitArtifact ");
    cr_expect_eq(s_end.version, 5);
    cr_expect(s_end.fresh);
    cr_expect_str_eq(s_end.id, "A1");
}

Test(saving, the_manifest_has_what_the_server_said_of_births)
{
    s_ingest(2, 0);
    s_played.known = "f1";
    s_save();
    char *first = s_entry("f0"), *second = s_entry("f1");
    //  printf f0 | md5sum | xxd -r -p | base64
    cr_expect_str_eq(first, "{\"birthArtifactID\":\"A1\",\"digest\":\"yuimI8xBfSGZNmdgKOJtTw==\",\"size\":2}");
    cr_expect_str_eq(second, "{\"birthArtifactID\":\"older\",\"digest\":\"vRmDbdtiwRxVqyUcyspWRQ==\",\"size\":2}");
    cr_expect_null(strstr(s_played.asked, " f1 "), "what is there was sent");
    free(first);
    free(second);
}

Test(saving, what_is_asked_of_a_new_artifact_is_what_it_was_logged_with)
{
    artel_str_t aliases[] = { artel_str("best"), artel_str("latest") };
    s_ingest(1, 0);
    s_send.aliases = (artel_strs_t) { aliases, 2 };
    s_send.description = artel_str("words");
    s_send.metadata = artel_str("{\"n\": 1}");
    s_send.history_step = 6;
    s_save();
    json_t *want = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:[s], s:[{s:s, s:s}, {s:s, s:s}]}",
        "entityName", "quarry", "projectName", "digits", "runName", "r1", "artifactTypeName", "data",
        "description", "words", "metadata", "{\"n\": 1}", "historyStep", 7, "artifactCollectionNames", "set",
        "aliases", "artifactCollectionName", "set", "alias", "latest", "artifactCollectionName", "set", "alias", "best");
    json_t *got = json_deep_copy(s_played.create);
    json_object_del(got, "clientID");
    json_object_del(got, "sequenceClientID");
    json_object_del(got, "digest");
    cr_expect(json_equal(want, got));
    json_decref(want);
    json_decref(got);
}

static const char *
s_created(const char *name)
{
    return json_string_value(json_object_get(s_played.create, name));
}

Test(saving, a_retry_has_the_same_client_ids_and_another_artifact_others)
{
    char first[256], sequence[256];
    s_ingest(1, 0);
    s_save();
    strcpy(first, s_created("clientID"));
    strcpy(sequence, s_created("sequenceClientID"));
    cr_expect_eq(strlen(first), 128);
    cr_expect_eq(strspn(first, "abcdefghijklmnopqrstuvwxyz0123456789"), 128);
    cr_expect_neq(strncmp(first, first + 64, 64), 0);
    cr_expect_null(json_object_get(s_played.create, "historyStep"));
    artel_saving_destroy(&s_saving);
    s_save();
    cr_expect_str_eq(s_created("clientID"), first);
    artel_saving_destroy(&s_saving);
    s_send.xid.at[0]++;
    s_save();
    cr_expect_str_neq(s_created("clientID"), first);
    cr_expect_str_eq(s_created("sequenceClientID"), sequence);
}

Test(saving, what_the_server_has_already_ends_with_its_version)
{
    s_ingest(1, 0);
    s_played.state = "COMMITTED";
    s_save();
    cr_expect_eq(s_end.code, 0);
    cr_expect_not(s_end.fresh);
    cr_expect_eq(s_end.version, 4);
    cr_expect_str_eq(s_played.asked, "CreateArtifact ");
}

Test(saving, a_version_that_is_not_told_is_asked_for)
{
    s_ingest(0, 0);
    s_played.committed = "{\"data\": {\"commitArtifact\": {\"artifact\": {\"id\": \"A1\"}}}}";
    s_save();
    cr_expect_eq(s_end.code, 0);
    cr_expect_eq(s_end.version, 6);
    cr_expect_str_eq(s_played.asked, "CreateArtifact CreateArtifactManifest CreateArtifactManifest "
                                     "manifest%20now CommitArtifact ArtifactState ");
}

Test(saving, a_commit_without_an_answer_may_have_happened)
{
    s_ingest(0, 0);
    s_played.commit_code = ARTEL_ETIMEOUT;
    s_save();
    cr_expect_eq(s_end.code, 0, "%s", s_end.text);
    cr_expect_eq(s_end.version, 6);
    cr_expect(s_end.fresh);
}

Test(saving, a_commit_that_did_not_happen_has_failed_as_it_was_told)
{
    s_ingest(0, 0);
    s_played.commit_code = ARTEL_ETIMEOUT;
    s_played.looked = "{\"data\": {\"artifact\": {\"state\": \"PENDING\"}}}";
    s_save();
    cr_expect_eq(s_end.code, ARTEL_ETIMEOUT);
    cr_expect_str_eq(s_end.text, "CommitArtifact: no answer came");
}

Test(saving, many_files_go_in_batches_with_at_most_64_requests_out)
{
    s_ingest(4100, 0);
    s_save();
    cr_expect_eq(s_end.code, 0, "%s", s_end.text);
    cr_expect_eq(s_played.batches, 3);
    cr_expect_eq(s_played.most_out, 64);
    cr_expect_eq(s_end.files, 4100);
    cr_expect_eq(s_end.bytes, 10 * 2 + 90 * 3 + 900 * 4 + 3100 * 5);
    json_t *manifest = json_loads(s_played.manifest, 0, NULL);
    cr_expect_eq(json_object_size(json_object_get(manifest, "contents")), 4100);
    json_decref(manifest);
}

Test(saving, a_url_that_is_refused_is_renewed_for_those_files_only)
{
    s_ingest(3, 0);
    s_played.refuses = "f1";
    s_played.refusals = 1;
    s_save();
    cr_expect_eq(s_end.code, 0, "%s", s_end.text);
    cr_expect_str_eq(s_played.asked, "CreateArtifact CreateArtifactManifest CreateArtifactFiles f2 f1 f0 "
        "CreateArtifactFiles f1 CreateArtifactManifest manifest%20now CommitArtifact ");
}

Test(saving, it_ends_when_most_of_those_that_failed_fail_again)
{
    s_ingest(3, 0);
    s_played.refuses = "f1";
    s_played.refusals = 9;
    s_save();
    cr_expect_eq(s_end.code, ARTEL_EREFUSED);
    cr_expect(s_end.passes);
    cr_expect_str_eq(s_end.text, "1 of 1 files were not taken: HTTP 403");
    cr_expect_eq(s_played.refusals, 7);
}

Test(saving, the_url_of_the_manifest_is_renewed_too)
{
    s_ingest(0, 0);
    s_played.refuses = "manifest";
    s_played.refusals = 1;
    s_save();
    cr_expect_eq(s_end.code, 0, "%s", s_end.text);
    artel_saving_destroy(&s_saving);
    s_played.refusals = 9;
    s_save();
    cr_expect_eq(s_end.code, ARTEL_EREFUSED);
    cr_expect_str_eq(s_end.text, "the manifest was not taken: HTTP 403");
}

static void
s_with_parts(size_t size)
{
    s_args.parts_from = 10;
    s_args.part = 8;
    s_ingest(1, size);
    s_save();
    s_args.parts_from = s_args.part = 0;
}

Test(saving, a_large_file_goes_in_parts_if_the_server_wants_it_so)
{
    s_played.parts = true;
    s_with_parts(20);
    cr_expect_eq(s_end.code, 0, "%s", s_end.text);
    cr_expect_str_eq(s_played.asked, "CreateArtifact CreateArtifactManifest CreateArtifactFiles part3 part2 part1 "
        "CompleteMultipartUploadArtifact f0 CreateArtifactManifest manifest%20now CommitArtifact ");
    json_t *got = json_loads(s_played.completed, 0, NULL), *parts = json_object_get(got, "completedParts"), *part;
    char *noise = s_noise(20, 3), etag[16];
    size_t i;
    json_array_foreach(parts, i, part) {
        snprintf(etag, sizeof etag, "\"%.*s\"", i < 2 ? 8 : 4, noise + 8 * i);
        cr_expect_eq(json_integer_value(json_object_get(part, "partNumber")), (json_int_t) i + 1);
        cr_expect_str_eq(json_string_value(json_object_get(part, "hexMD5")), etag);
    }
    json_object_del(got, "completedParts");
    char *rest = json_dumps(got, JSON_COMPACT | JSON_SORT_KEYS);
    cr_expect_str_eq(rest, "{\"artifactID\":\"A1\",\"completeMultipartAction\":\"Complete\",\"storagePath\":\"stored/at\","
                           "\"uploadID\":\"U7\"}");
    free(rest);
    free(noise);
    json_decref(got);
}

Test(saving, a_large_file_goes_as_a_whole_if_the_server_wants_no_parts)
{
    s_with_parts(20);
    cr_expect_eq(s_end.code, 0, "%s", s_end.text);
    cr_expect_not_null(strstr(s_played.asked, " large "));
    cr_expect_null(s_played.completed);
}

Test(saving, a_file_of_which_a_part_is_refused_is_sent_again)
{
    s_played.parts = true;
    s_played.refuses = "part2";
    s_played.refusals = 1;
    s_with_parts(20);
    cr_expect_eq(s_end.code, 0, "%s", s_end.text);
    cr_expect_eq(s_played.batches, 2);
    cr_expect_not_null(s_played.completed);
}

//  The sentence of a saving that fails with this code.
static const char *
s_failed(int code)
{
    s_ingest(1, 0);
    s_save();
    cr_expect_eq(s_end.code, code);
    return s_end.text;
}

Test(saving, names_the_field_that_create_artifact_lacks)
{
    s_played.created = "{\"data\": {\"createArtifact\": {\"artifact\": {\"state\": \"PENDING\"}}}}";
    cr_expect_str_eq(s_failed(ARTEL_EPROTO), "CreateArtifact: createArtifact.artifact.id is missing");
}

Test(saving, takes_no_state_that_it_does_not_know)
{
    s_played.created = "{\"data\": {\"createArtifact\": {\"artifact\": {\"id\": \"A\", \"state\": \"ODD\"}}}}";
    cr_expect_str_eq(s_failed(ARTEL_EPROTO), "CreateArtifact: createArtifact.artifact.state is none that is known");
}

Test(saving, wants_an_offer_for_each_file)
{
    s_played.offered = "{\"data\": {\"createArtifactFiles\": {\"files\": {\"edges\": []}}}}";
    cr_expect_str_eq(s_failed(ARTEL_EPROTO),
                     "CreateArtifactFiles: createArtifactFiles.files.edges has not one for each file");
}

Test(saving, wants_headers_that_are_headers)
{
    s_played.offered = "{\"data\": {\"createArtifactFiles\": {\"files\": {\"edges\": [{\"node\": {\"uploadUrl\": \"/x\", "
                       "\"uploadHeaders\": [\"A: b\\r\\nC: d\"], \"artifact\": {\"id\": 1}}}]}}}}";
    cr_expect_str_eq(s_failed(ARTEL_EPROTO), "CreateArtifactFiles: uploadHeaders is no list of headers");
}

Test(saving, tells_what_the_server_refused)
{
    s_played.created = "{\"errors\": [\"no such type\"]}";
    cr_expect_str_eq(s_failed(ARTEL_EREFUSED), "CreateArtifact: no such type (HTTP 200)");
    cr_expect_not(s_end.passes);
}

Test(saving, a_store_without_the_artifact_fails_it_before_anything_is_asked)
{
    s_ingest(1, 0);
    memset(&s_send.manifest, 7, sizeof s_send.manifest);
    s_save();
    cr_expect_eq(s_end.code, ARTEL_ENOENT);
    cr_expect_str_eq(s_end.text, "its manifest cannot be read: no such thing");
    cr_expect_str_eq(s_played.asked, "");
}

Test(saving, canceled_it_waits_for_what_is_out)
{
    s_ingest(100, 0);
    s_new();
    for (int i = 0; i < 3; i++) {
        artel_http_t *http = artel_saving_next(s_saving);
        played_answer(http);
        artel_saving_take(s_saving, http);
    }
    artel_http_t *out = artel_saving_next(s_saving), *second = artel_saving_next(s_saving);
    artel_saving_cancel(s_saving);
    cr_expect(atomic_load(&out->cancel));
    cr_expect_not(artel_saving_state(s_saving)->over);
    cr_expect_null(artel_saving_next(s_saving));
    played_answer(out);
    artel_saving_take(s_saving, out);
    played_answer(second);
    artel_saving_take(s_saving, second);
    cr_expect(artel_saving_state(s_saving)->over);
    cr_expect_eq(artel_saving_state(s_saving)->code, ARTEL_ECANCELED);
}

Test(saving, canceled_before_it_hashes_it_is_over_then)
{
    s_ingest(3, 0);
    cr_assert_eq(artel_saving_new(&s_args, &s_send, &s_saving), 0);
    artel_saving_cancel(s_saving);
    cr_expect_not(artel_saving_state(s_saving)->over);
    artel_saving_hash(s_saving);
    cr_expect(artel_saving_state(s_saving)->over);
    cr_expect_eq(artel_saving_state(s_saving)->code, ARTEL_ECANCELED);
    cr_expect(artel_saving_state(s_saving)->passes);
}

//  What a run uses, in a version of the server's or (-1) by its content.
static void
s_use(int64_t version)
{
    artel_msg_use_artifact_t use = { .name = artel_str("set"), .version = 9, .manifest = s_send.manifest };
    cr_assert_eq(artel_saving_use(&s_args, &use, version, &s_saving), 0);
    artel_saving_hash(s_saving);
    s_drive();
}

Test(saving, what_a_run_uses_is_found_by_its_content)
{
    s_ingest(1, 0);
    s_use(-1);
    cr_expect_eq(s_end.code, 0, "%s", s_end.text);
    cr_expect_str_eq(s_played.asked, "ArtifactByName UseArtifact ");
    //  printf 'wandb-artifact-manifest-v1\nf0:MD5-of-f0\n' | md5sum
    cr_expect_str_eq(s_played.found, "set:829ab2f8f5ad51ac632fec5f81d2b59e");
    cr_expect_eq(s_end.version, 8);
    cr_expect_str_eq(json_string_value(json_object_get(s_played.variables, "artifactID")), "A8");
}

Test(saving, what_a_run_uses_by_the_servers_number_is_not_hashed)
{
    memset(&s_send.manifest, 7, sizeof s_send.manifest);
    s_use(3);
    cr_expect_eq(s_end.code, 0, "%s", s_end.text);
    cr_expect_str_eq(s_played.found, "set:v3");
}

Test(saving, what_a_run_uses_and_the_server_does_not_have_is_told)
{
    s_played.nothing = true;
    s_use(3);
    cr_expect_eq(s_end.code, ARTEL_ENOENT);
    cr_expect_str_eq(s_end.text, "the server has no set:v3 for the run to use");
}
