//  An artifact on its way from W&B: which requests, and what becomes of what is wrong.

#include "scratch.h"

#include "errors.h"
#include "fetching.h"

static artel_http_key_t s_key = { "http://h", "Authorization: Basic eA==" };
static artel_fetching_args_t s_args = { .base = "http://h", .graphql = "http://h/graphql", .key = &s_key,
    .entity = "quarry", .project = "digits", .name = "set:v3", .into = s_scratch, .page = 2 };
static artel_fetching_t *s_fetching;
static artel_fetching_state_t s_end;
static char s_asked[4096];

//  What the server says, each of which a test may change.
static const char *s_artifact, *s_manifest, *s_content;
static unsigned s_refusals;             //  files that are refused with 403

#define MANIFEST(contents) "{\"version\": 1, \"storagePolicy\": \"wandb-storage-policy-v1\", \"contents\": {" contents "}}"
#define HELLO "\"digest\": \"XUFAKrxLKna5cZ2REBfFkg==\", \"size\": 5"

static void
s_begin(void)
{
    s_scratch_make();
    s_content = "hello";
    s_refusals = 0;
    *s_asked = 0;
    //  printf 'wandb-artifact-manifest-v1\na:XUFA...\nb/c:XUFA...\nd:XUFA...\nr:x\n' | md5sum
    s_artifact = "{\"id\": \"A1\", \"state\": \"COMMITTED\", \"versionIndex\": 3, \"digest\": \"4d057d65f1953d04fb1dbcdb73854488\"}";
    s_manifest = MANIFEST("\"d\": {" HELLO "}, \"b/c\": {" HELLO "}, \"a\": {" HELLO "}, \"r\": {\"digest\": \"x\", \"ref\": \"s3://x\"}");
}

static void
s_done(void)
{
    artel_fetching_destroy(&s_fetching);
    s_scratch_remove();
}

TestSuite(fetching, .init = s_begin, .fini = s_done);

static void
s_say(artel_http_t *http, const char *text)
{
    http->status = 200;
    http->answer = strdup(text);
    http->answer_size = strlen(text);
}

//  Pages of two: "a" and "b/c", and then "d" and something that is not in the manifest.
static void
s_answer_page(artel_http_t *http, const char *body)
{
    bool second = strstr(body, "\"cursor\":\"2\"") != NULL;
    char text[512];
    snprintf(text, sizeof text, "{\"data\": {\"artifact\": {\"files\": {\"pageInfo\": {\"hasNextPage\": %s, "
             "\"endCursor\": \"2\"}, \"edges\": [{\"node\": {\"name\": \"%s\", \"directUrl\": \"http://store/1\"}}, "
             "{\"node\": {\"name\": \"%s\", \"directUrl\": \"http://store/2\"}}]}}}}",
             second ? "false" : "true", second ? "d" : "a", second ? "odd" : "b/c");
    s_say(http, text);
}

static void
s_answer_question(artel_http_t *http)
{
    const char *body = http->body.data;
    char text[512];
    cr_assert_eq(http->key, &s_key);
    if (strstr(body, "query ArtifactByName(")) {
        strcat(s_asked, "name ");
        snprintf(text, sizeof text, "{\"data\": {\"project\": {\"artifact\": %s}}}", s_artifact);
        s_say(http, text);
    } else if (strstr(body, "query ArtifactManifest(")) {
        strcat(s_asked, "url ");
        s_say(http, "{\"data\": {\"artifact\": {\"currentManifest\": {\"file\": {\"directUrl\": \"/manifest\"}}}}}");
    } else {
        strcat(s_asked, "page ");
        s_answer_page(http, body);
    }
}

static void
s_answer_file(artel_http_t *http)
{
    http->status = 200;
    strcat(s_asked, "file ");
    if (s_refusals) {
        s_refusals--;
        http->code = ARTEL_EREFUSED;
        http->status = 403;
        strcpy(http->text, "HTTP 403");
    } else if (strlen(s_content) > http->most)
        http->code = ARTEL_ELIMIT;
    else
        http->code = http->sink(http->arg, 0, s_content, strlen(s_content));
}

static void
s_answer(artel_http_t *http)
{
    if (strcmp(http->method, "POST") == 0)
        s_answer_question(http);
    else if (strcmp(http->url, "http://h/manifest") == 0) {
        strcat(s_asked, "manifest ");
        cr_expect_null(http->key, "a signed URL with a key");
        s_say(http, s_manifest);
    } else
        s_answer_file(http);
}

static void
s_fetch(void)
{
    artel_http_t *out[64];
    size_t n = 0;
    cr_assert_eq(artel_fetching_new(&s_args, &s_fetching), 0);
    do {
        artel_http_t *http;
        while ((http = artel_fetching_next(s_fetching)))
            out[n++] = http;
        if (n > 0) {
            cr_assert_not(artel_fetching_state(s_fetching)->over);
            s_answer(out[--n]);
            artel_fetching_take(s_fetching, out[n]);
        }
    } while (n > 0 || !artel_fetching_state(s_fetching)->over);
    s_end = *artel_fetching_state(s_fetching);
}

static const char *
s_failed(int code)
{
    s_fetch();
    cr_expect_eq(s_end.code, code);
    return s_end.text;
}

Test(fetching, files_come_page_by_page_and_references_do_not)
{
    s_fetch();
    cr_expect_eq(s_end.code, 0, "%s", s_end.text);
    cr_expect_str_eq(s_asked, "name url manifest page page file file file ");
    cr_expect_eq(s_end.version, 3);
    cr_expect_eq(s_end.files, 3);
    cr_expect_eq(s_end.bytes, 15);
    cr_expect(s_has_text(s_in("b/c"), "hello"));
    const artel_contents_t *contents = artel_fetching_contents(s_fetching);
    cr_assert_eq(contents->n, 4);
    cr_expect_str_eq(contents->entries[0].path, "a");
    cr_expect_str_eq(contents->entries[3].ref, "s3://x");
}

Test(fetching, a_url_that_has_expired_is_asked_for_again)
{
    s_refusals = 1;
    s_fetch();
    cr_expect_eq(s_end.code, 0, "%s", s_end.text);
    cr_expect_eq(s_end.files, 3);
    cr_expect_str_eq(s_asked, "name url manifest page page file file file page page file ");
}

Test(fetching, it_ends_when_most_of_those_that_failed_fail_again)
{
    s_refusals = 100;
    cr_expect_str_eq(s_failed(ARTEL_EREFUSED), "3 of 3 files could not be fetched: a: HTTP 403");
    cr_expect(s_end.passes);
}

Test(fetching, bytes_with_another_digest_are_told)
{
    s_content = "hellO";
    cr_expect_str_eq(s_failed(ARTEL_ECORRUPT),
                     "3 of 3 files could not be fetched: a: stored bytes do not match their checksum");
    cr_expect_not(s_end.passes);
    cr_expect_eq(s_end.files, 0);
    s_content = "hell";
    artel_fetching_destroy(&s_fetching);
    s_failed(ARTEL_ECORRUPT);
}

Test(fetching, more_bytes_than_there_should_be_are_not_taken)
{
    s_content = "hello and more";
    s_failed(ARTEL_ECORRUPT);
}

Test(fetching, a_name_that_is_nothing_is_told)
{
    s_artifact = "null";
    cr_expect_str_eq(s_failed(ARTEL_ENOENT), "set:v3: the server has no such artifact");
}

Test(fetching, a_version_that_is_not_there_yet_is_not_fetched)
{
    s_artifact = "{\"id\": \"A1\", \"state\": \"PENDING\", \"versionIndex\": null, \"digest\": \"x\"}";
    cr_expect_str_eq(s_failed(ARTEL_EPROTO), "ArtifactByName: project.artifact.state is not COMMITTED");
}

Test(fetching, a_manifest_of_something_else_is_told)
{
    s_manifest = MANIFEST("\"a\": {" HELLO "}");
    cr_expect_not_null(strstr(s_failed(ARTEL_ECORRUPT), "the manifest is not that of an artifact with the digest"));
    cr_expect_eq(s_end.files, 0);
}

Test(fetching, a_manifest_that_leaves_the_folder_writes_nothing)
{
    s_manifest = MANIFEST("\"../x\": {" HELLO "}");
    cr_expect_str_eq(s_failed(ARTEL_EPROTO),
                     "the manifest's entry ../x has a path that has a component \".\" or \"..\"");
    cr_expect_str_eq(s_asked, "name url manifest ");
}

Test(fetching, what_is_in_the_way_ends_it)
{
    s_write_text(s_in("b"), "a file");
    cr_expect_str_eq(s_failed(ARTEL_EEXIST), "b/c: it exists already");
}

Test(fetching, a_folder_that_is_not_there_is_told_at_once)
{
    s_args.into = s_in("none");
    cr_expect_eq(artel_fetching_new(&s_args, &s_fetching), ARTEL_ENOENT);
}
