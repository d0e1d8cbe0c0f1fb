//  What is asked of W&B's server in GraphQL, and what is made of its answers.

#include <criterion/criterion.h>

#include "errors.h"
#include "graphql.h"

#include <string.h>

static char s_why[256];

//  The document for these variables, which are freed.
static char *
s_document(artel_operation_t operation, json_t *variables)
{
    char *body = artel_graphql_body(operation, variables);
    cr_assert_not_null(body);
    json_t *whole = json_loads(body, 0, NULL);
    char *document = strdup(json_string_value(json_object_get(whole, "query")));
    cr_expect(json_is_object(json_object_get(whole, "variables")));
    json_decref(whole);
    json_decref(variables);
    free(body);
    return document;
}

static int
s_answer(int code, int status, const char *body, json_t **ret)
{
    artel_http_t http = { .code = code, .status = status, .answer = (char *) body,
                          .answer_size = body ? strlen(body) : 0, .text = "no way there" };
    *s_why = 0;
    return artel_graphql_answer(ARTEL_COMMIT_ARTIFACT, &http, ret, s_why, sizeof s_why);
}

//  How a refused answer is told.
static const char *
s_told(int code, int status, const char *body, int want)
{
    json_t *data;
    cr_expect_eq(s_answer(code, status, body, &data), want, "%s", body);
    return s_why;
}

Test(graphql, a_document_declares_only_the_variables_that_are_given)
{
    char *document = s_document(ARTEL_UPSERT_BUCKET, json_pack("{s:s, s:s, s:n}", "name", "r1", "project", "box",
                                                               "notes"));
    cr_expect_str_eq(document, "mutation UpsertBucket($name: String, $project: String) { "
        "upsertBucket(input: {name: $name, modelName: $project}) { "
        "bucket { id name displayName historyLineCount project { name entity { name } } } inserted } }");
    free(document);
}

Test(graphql, a_query_without_variables_has_the_space_that_mocks_look_for)
{
    char *document = s_document(ARTEL_VIEWER, json_object());
    cr_expect_str_eq(document, "query Viewer { viewer { id entity username } }");
    free(document);
}

Test(graphql, what_the_text_names_itself_is_always_declared)
{
    char *document = s_document(ARTEL_ARTIFACT_FILE_URLS, json_pack("{s:s}", "id", "QQ=="));
    cr_expect_eq(strncmp(document, "query ArtifactFileURLs($id: ID!, $cursor: String, $perPage: Int) { ", 67), 0);
    free(document);
}

Test(graphql, a_variable_that_is_null_is_not_sent)
{
    json_t *variables = json_pack("{s:s, s:n}", "id", "QQ==", "cursor");
    char *body = artel_graphql_body(ARTEL_ARTIFACT_FILE_URLS, variables);
    cr_expect_not_null(strstr(body, "\"variables\":{\"id\":\"QQ==\"}"));
    free(body);
    json_decref(variables);
}

Test(graphql, a_variable_of_another_operation_gives_no_body)
{
    json_t *variables = json_pack("{s:s, s:s}", "id", "QQ==", "files", "x");
    cr_expect_null(artel_graphql_body(ARTEL_ARTIFACT_FILE_URLS, variables));
    json_decref(variables);
}

Test(graphql, data_is_handed_out)
{
    json_t *data;
    cr_assert_eq(s_answer(0, 200, "{\"data\": {\"a\": 1}, \"errors\": []}", &data), 0);
    cr_expect_eq(json_integer_value(json_object_get(data, "a")), 1);
    json_decref(data);
}

Test(graphql, errors_of_every_shape_are_one_sentence)
{
    cr_expect_str_eq(s_told(0, 200, "{\"errors\": [{\"message\": \"no\"}, \"not you\"], \"data\": null}", ARTEL_EREFUSED),
                     "CommitArtifact: no; not you (HTTP 200)");
    cr_expect_str_eq(s_told(ARTEL_EREFUSED, 500, "{\"errors\": [\"Server down\"]}", ARTEL_EREFUSED),
                     "CommitArtifact: Server down (HTTP 500)");
    cr_expect_str_eq(s_told(ARTEL_EREFUSED, 429, "{\"error\": \"slow down\"}", ARTEL_EREFUSED),
                     "CommitArtifact: slow down (HTTP 429)");
    cr_expect_str_eq(s_told(0, 200, "{\"error\": {\"message\": \"bad key\"}}", ARTEL_EREFUSED),
                     "CommitArtifact: bad key (HTTP 200)");
    cr_expect_str_eq(s_told(0, 200, "{\"errors\": [{}]}", ARTEL_EREFUSED),
                     "CommitArtifact: an error without a message (HTTP 200)");
}

Test(graphql, an_answer_without_data_is_told_from_one_that_is_no_json)
{
    cr_expect_str_eq(s_told(0, 200, "<html>", ARTEL_EPROTO), "CommitArtifact: the answer is no JSON object");
    cr_expect_str_eq(s_told(0, 200, "", ARTEL_EPROTO), "CommitArtifact: the answer is no JSON object");
    cr_expect_str_eq(s_told(0, 200, "{}", ARTEL_EPROTO), "CommitArtifact: the answer has no data");
    cr_expect_str_eq(s_told(ARTEL_EREFUSED, 502, "<html>", ARTEL_EREFUSED), "CommitArtifact: no way there");
    cr_expect_str_eq(s_told(ARTEL_EUNAVAIL, 0, NULL, ARTEL_EUNAVAIL), "CommitArtifact: no way there");
}

Test(graphql, a_page_of_a_proxy_passes_and_what_the_server_refuses_does_not)
{
    artel_http_t http = { .code = 0, .status = 200 };
    cr_expect(artel_graphql_passes(ARTEL_EPROTO, &http));
    cr_expect_not(artel_graphql_passes(ARTEL_EREFUSED, &http));
    http.code = ARTEL_EREFUSED;
    cr_expect_not(artel_graphql_passes(ARTEL_EREFUSED, &http));
    http.passes = true;
    cr_expect(artel_graphql_passes(ARTEL_EREFUSED, &http));
}

Test(reading, an_id_may_be_a_number_and_a_text_not)
{
    json_t *data = json_loads("{\"a\": {\"id\": 1, \"other\": \"QQ==\", \"none\": null}}", 0, NULL);
    artel_reading_t reading = { ARTEL_COMMIT_ARTIFACT, data, s_why, sizeof s_why };
    const char *text;
    char id[8], tiny[4];
    cr_expect_eq(artel_reading_id(&reading, "a.id", id, sizeof id), 0);
    cr_expect_str_eq(id, "1");
    cr_expect_eq(artel_reading_id(&reading, "a.other", id, sizeof id), 0);
    cr_expect_str_eq(id, "QQ==");
    cr_expect_eq(artel_reading_id(&reading, "a.other", tiny, sizeof tiny), ARTEL_EPROTO);
    cr_expect_str_eq(s_why, "CommitArtifact: a.other is too long");
    cr_expect_eq(artel_reading_text(&reading, "a.id", &text), ARTEL_EPROTO);
    cr_expect_str_eq(s_why, "CommitArtifact: a.id is no text");
    cr_expect_eq(artel_reading_text(&reading, "a.none", &text), ARTEL_EPROTO);
    cr_expect_str_eq(s_why, "CommitArtifact: a.none is missing");
    cr_expect_eq(artel_reading_id(&reading, "a", id, sizeof id), ARTEL_EPROTO);
    cr_expect_str_eq(s_why, "CommitArtifact: a is no id");
    json_decref(data);
}

Test(reading, counts_and_lists_are_checked)
{
    json_t *data = json_loads("{\"n\": 7, \"less\": -1, \"half\": 0.5, \"list\": [1, 2]}", 0, NULL), *list;
    artel_reading_t reading = { ARTEL_COMMIT_ARTIFACT, data, s_why, sizeof s_why };
    int64_t n = 0;
    cr_expect_eq(artel_reading_count(&reading, "n", &n), 0);
    cr_expect_eq(n, 7);
    cr_expect_eq(artel_reading_count(&reading, "less", &n), ARTEL_EPROTO);
    cr_expect_eq(artel_reading_count(&reading, "half", &n), ARTEL_EPROTO);
    cr_expect_str_eq(s_why, "CommitArtifact: half is no number of at least 0");
    cr_expect_eq(artel_reading_list(&reading, "list", &list), 0);
    cr_expect_eq(json_array_size(list), 2);
    cr_expect_eq(artel_reading_list(&reading, "n.list", &list), ARTEL_EPROTO);
    cr_expect_str_eq(s_why, "CommitArtifact: n.list is missing");
    json_decref(data);
}
