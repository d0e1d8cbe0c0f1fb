//  W&B's manifest: what ours becomes, its digests, and what is refused of the server's.

#include <criterion/criterion.h>

#include "errors.h"
#include "contents.h"
#include "manifest.h"
#include "manifest_json.h"
#include "referral.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 8 };

static artel_flat_t s_flat;
static artel_mark_t s_marks[MOST];
static msgpack_sbuffer s_json;
static char s_why[256];

static artel_msg_entry_t
s_file(const char *path, uint64_t size)
{
    return (artel_msg_entry_t) { .path = artel_str(path), .kind = ARTEL_ENTRY_FILE, .size = size };
}

static artel_msg_entry_t
s_reference(const char *path, const char *uri, const char *digest)
{
    return (artel_msg_entry_t) { .path = artel_str(path), .kind = ARTEL_ENTRY_REFERENCE, .uri = artel_str(uri),
        .target = artel_str(digest) };
}

static msgpack_sbuffer s_manifest;

static void
s_read(artel_msg_entry_t *entries, size_t n)
{
    const artel_msg_entry_t *bad;
    msgpack_sbuffer_init(&s_manifest);
    cr_assert_eq(artel_manifest_pack(entries, n, &s_manifest, &bad), 0);
    cr_assert_eq(artel_flat_read(s_manifest.data, s_manifest.size, &s_flat, s_why, sizeof s_why), 0);
}

static void
s_done(void)
{
    artel_flat_done(&s_flat);
    msgpack_sbuffer_destroy(&s_manifest);
    msgpack_sbuffer_destroy(&s_json);
    msgpack_sbuffer_init(&s_manifest);
    msgpack_sbuffer_init(&s_json);
}

//  The content of the entry at this path.
static void
s_mark(const char *path, const void *content, size_t len)
{
    for (size_t i = 0; i < s_flat.n; i++)
        if (s_flat.entries[i].path.len == strlen(path) && memcmp(s_flat.entries[i].path.at, path, strlen(path)) == 0) {
            cr_assert_eq(artel_md5_bytes(content, len, &s_marks[i].md5), 0);
            s_marks[i].birth = "QXJ0aWZhY3Q6MQ==";
        }
}

static const char *
s_digest(void)
{
    static char text[ARTEL_MD5_HEX];
    cr_assert_eq(artel_manifest_json_digest(&s_flat, s_marks, text), 0);
    return text;
}

//  The JSON of the entry at path.
static json_t *
s_written(const char *path, json_t **ret_whole)
{
    msgpack_sbuffer_init(&s_json);
    cr_assert_eq(artel_manifest_json_write(&s_flat, s_marks, &s_json), 0);
    *ret_whole = json_loadb(s_json.data, s_json.size, JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(*ret_whole, "no JSON: %.*s", (int) s_json.size, s_json.data);
    return json_object_get(json_object_get(*ret_whole, "contents"), path);
}

Test(wandb_manifest, an_artifact_of_one_file_has_the_digest_of_the_specification, .fini = s_done)
{
    s_read((artel_msg_entry_t[]) { s_file("a.txt", 5) }, 1);
    s_mark("a.txt", "hello", 5);
    char text[ARTEL_MD5_TEXT];
    artel_md5_text(&s_marks[0].md5, text);
    cr_expect_str_eq(text, "XUFAKrxLKna5cZ2REBfFkg==");
    cr_expect_str_eq(s_digest(), "541f289bb3c6ae786d51e7288e523543");
}

Test(wandb_manifest, an_artifact_of_three_files_has_the_digest_of_the_specification, .fini = s_done)
{
    s_read((artel_msg_entry_t[]) { s_file("a.txt", 5), s_file("dir/b.bin", 3), s_file("empty", 0) }, 3);
    s_mark("a.txt", "hello", 5);
    s_mark("dir/b.bin", "\0\1\2", 3);
    s_mark("empty", "", 0);
    char text[ARTEL_MD5_TEXT];
    artel_md5_text(&s_marks[1].md5, text);
    cr_expect_str_eq(text, "uV9n9h67A2GWIteY9F/C0w==");
    artel_md5_text(&s_marks[2].md5, text);
    cr_expect_str_eq(text, "1B2M2Y8AsgTpgAmY7PhCfg==");
    cr_expect_str_eq(s_digest(), "90733320375ca0beaafda9848cf133ba");
}

Test(wandb_manifest, an_artifact_without_entries_has_the_digest_of_the_specification, .fini = s_done)
{
    s_read(NULL, 0);
    cr_expect_str_eq(s_digest(), "64e7c61456b10382e2f3b571ac24b659");
}

Test(wandb_manifest, the_json_has_the_layout_and_each_entry, .fini = s_done)
{
    json_t *whole;
    s_read((artel_msg_entry_t[]) { s_file("a\n\"\\\xc3\xa9", 5) }, 1);
    s_mark("a\n\"\\\xc3\xa9", "hello", 5);
    json_t *entry = s_written("a\n\"\\\xc3\xa9", &whole);
    json_t *want = json_pack("{s:s, s:i, s:s}", "digest", "XUFAKrxLKna5cZ2REBfFkg==", "size", 5, "birthArtifactID",
                             "QXJ0aWZhY3Q6MQ==");
    cr_expect(json_equal(entry, want));
    json_object_del(whole, "contents");
    json_t *head = json_pack("{s:i, s:s, s:{s:s}}", "version", 1, "storagePolicy", "wandb-storage-policy-v1",
                             "storagePolicyConfig", "storageLayout", "V2");
    cr_expect(json_equal(whole, head));
    json_decref(want);
    json_decref(head);
    json_decref(whole);
}

//  The entry that a reference becomes, as JSON text with sorted keys.
static char *
s_referred(const char *uri, const char *digest)
{
    json_t *whole;
    s_read((artel_msg_entry_t[]) { s_reference("r", uri, digest) }, 1);
    char *text = json_dumps(s_written("r", &whole), JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(whole);
    return text;
}

static void
s_expect_reference(const char *uri, const char *digest, const char *want)
{
    char *text = s_referred(uri, digest);
    cr_expect_str_eq(text, want);
    free(text);
    s_done();
}

Test(wandb_manifest, a_reference_says_what_its_scheme_has)
{
    s_expect_reference("s3://b/k", "etag1", "{\"digest\":\"etag1\",\"extra\":{\"etag\":\"etag1\"},"
                                            "\"ref\":\"s3://b/k\",\"size\":0}");
    s_expect_reference("s3://b/k?versionId=v7", "\"etag1\"",
                       "{\"digest\":\"etag1\",\"extra\":{\"etag\":\"etag1\",\"versionID\":\"v7\"},"
                       "\"ref\":\"s3://b/k\",\"size\":0}");
    s_expect_reference("https://h/x", "\"e\"", "{\"digest\":\"e\",\"extra\":{\"etag\":\"\\\"e\\\"\"},"
                                               "\"ref\":\"https://h/x\",\"size\":0}");
    s_expect_reference("gs://b/k#12", "e", "{\"digest\":\"e\",\"extra\":{\"versionID\":\"12\"},"
                                           "\"ref\":\"gs://b/k\",\"size\":0}");
    s_expect_reference("file:///x#1?versionId=2", "d", "{\"digest\":\"d\",\"ref\":\"file:///x#1?versionId=2\",\"size\":0}");
}

Test(wandb_manifest, a_reference_without_a_digest_has_its_uri_as_one)
{
    s_expect_reference("http://h/x", "", "{\"digest\":\"http://h/x\",\"ref\":\"http://h/x\",\"size\":0}");
    s_read((artel_msg_entry_t[]) { s_reference("r", "x:y", "") }, 1);
    //  printf 'wandb-artifact-manifest-v1\nr:x:y\n' | md5sum
    cr_expect_str_eq(s_digest(), "3826542420f7ac8a2f01b233cec41bb5");
    s_done();
}

static int
s_list(const char *text, artel_contents_t *ret)
{
    *s_why = 0;
    return artel_contents_read(text, strlen(text), ret, s_why, sizeof s_why);
}

#define HEAD "\"version\": 1, \"storagePolicy\": \"wandb-storage-policy-v1\", "

static const char *
s_refused(const char *text)
{
    artel_contents_t contents;
    cr_expect_eq(s_list(text, &contents), ARTEL_EPROTO, "%s", text);
    return s_why;
}

Test(contents, has_what_the_manifest_has_and_ignores_what_it_does_not_know)
{
    artel_contents_t contents;
    cr_assert_eq(s_list("{" HEAD "\"storagePolicyConfig\": {\"storageLayout\": \"V2\"}, \"contents\": {"
                        "\"a/b\": {\"digest\": \"d\", \"size\": 3, \"skip_cache\": false, \"birthArtifactID\": \"1\"},"
                        "\"r\": {\"digest\": \"e\", \"ref\": \"s3://x\"}}}", &contents), 0, "%s", s_why);
    cr_assert_eq(contents.n, 2);
    bool first = strcmp(contents.entries[0].path, "a/b") == 0;
    const artel_content_t *file = &contents.entries[!first], *reference = &contents.entries[first];
    cr_expect_str_eq(file->path, "a/b");
    cr_expect_str_eq(file->digest, "d");
    cr_expect_null(file->ref);
    cr_expect_eq(file->size, 3);
    cr_expect_str_eq(reference->ref, "s3://x");
    cr_expect_eq(reference->size, 0);
    artel_contents_done(&contents);
}

Test(contents, refuses_paths_that_would_leave_the_folder)
{
    cr_expect_str_eq(s_refused("{" HEAD "\"contents\": {\"../a\": {\"digest\": \"d\"}}}"),
                     "the manifest's entry ../a has a path that has a component \".\" or \"..\"");
    cr_expect_str_eq(s_refused("{" HEAD "\"contents\": {\"/etc/x\": {\"digest\": \"d\"}}}"),
                     "the manifest's entry /etc/x has a path that is not relative");
}

Test(contents, names_the_field_that_is_wrong)
{
    cr_expect_str_eq(s_refused("x"), "the manifest is no JSON object");
    cr_expect_str_eq(s_refused("[]"), "the manifest is no JSON object");
    cr_expect_str_eq(s_refused("{\"version\": 2}"), "the manifest's version is not 1");
    cr_expect_str_eq(s_refused("{\"version\": 1}"), "the manifest's storagePolicy is not wandb-storage-policy-v1");
    cr_expect_str_eq(s_refused("{" HEAD "\"contents\": []}"), "the manifest has no contents");
    cr_expect_str_eq(s_refused("{" HEAD "\"contents\": {\"a\": 1}}"), "the manifest's entry a has no digest");
    cr_expect_str_eq(s_refused("{" HEAD "\"contents\": {\"a\": {\"digest\": \"d\", \"size\": -1}}}"),
                     "the manifest's entry a has a size that is no number of at least 0");
    cr_expect_str_eq(s_refused("{" HEAD "\"contents\": {\"a\": {\"digest\": \"d\", \"size\": \"3\"}}}"),
                     "the manifest's entry a has a size that is no number of at least 0");
    cr_expect_str_eq(s_refused("{" HEAD "\"contents\": {\"a\": {\"digest\": \"d\", \"ref\": 3}}}"),
                     "the manifest's entry a has a ref that is no text");
    cr_expect_str_eq(s_refused("{" HEAD "\"contents\": {\"a\": {\"digest\": \"d\"}, \"a\": {\"digest\": \"e\"}}}"),
                     "the manifest is no JSON object");
}
