//  played_wandb.h - W&B's server as far as one artifact is concerned, without a socket: it answers requests in hand.

#ifndef ARTEL_TEST_PLAYED_WANDB_H
#define ARTEL_TEST_PLAYED_WANDB_H

#include <criterion/criterion.h>

#include "errors.h"
#include "http.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PLAYED_MOST = 1 << 16 };

static struct {
    char asked[PLAYED_MOST];        //  names of operations and paths of PUTs, a space behind each
    json_t *variables;              //  of the last request in GraphQL
    json_t *create;                 //  variables of CreateArtifact
    char *manifest;                 //  JSON that was put
    char *completed;                //  variables of CompleteMultipartUploadArtifact
    const char *state;              //  of the artifact that CreateArtifact answers with; NULL: PENDING
    const char *committed;          //  the answer to CommitArtifact, if another is wanted
    const char *looked;             //  and to ArtifactState
    const char *created;            //  and to CreateArtifact
    const char *offered;            //  and to CreateArtifactFiles
    int commit_code;                //  of CommitArtifact
    const char *known;              //  part of the names of files that are there
    const char *refuses;            //  part of the URLs that are refused, with 403
    unsigned refusals;              //  how many of them
    bool parts;                     //  large files are to come in parts
    char found[128];                //  the name that was asked for
    bool nothing;                   //  it is not there
    unsigned batches, most_out;
} s_played;

static inline void
played_reset(void)
{
    json_decref(s_played.variables);
    json_decref(s_played.create);
    free(s_played.manifest);
    free(s_played.completed);
    memset(&s_played, 0, sizeof s_played);
}

static inline void
played_note(const char *what)
{
    strncat(s_played.asked, what, PLAYED_MOST - strlen(s_played.asked) - 2);
    strcat(s_played.asked, " ");
}

static inline void
played_say(artel_http_t *http, const char *text)
{
    http->status = 200;
    http->answer = strdup(text);
    http->answer_size = strlen(text);
}

static inline json_t *
played_part_urls(const json_t *spec)
{
    size_t n = json_array_size(json_object_get(spec, "uploadPartsInput"));
    json_t *parts = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(parts, json_pack("{s:i, s:s+}", "partNumber", (int) i + 1, "uploadUrl", "http://store/",
                                               i == 0 ? "part1" : i == 1 ? "part2" : "part3"));
    if (n && s_played.parts)
        return json_pack("{s:s, s:o}", "uploadID", "U7", "uploadUrlParts", parts);
    json_decref(parts);
    return json_null();
}

static inline json_t *
played_edge(const json_t *spec)
{
    const char *name = json_string_value(json_object_get(spec, "name"));
    bool known = s_played.known && strstr(name, s_played.known);
    char url[256];
    snprintf(url, sizeof url, "/put/%s", name);
    return json_pack("{s:{s:s, s:s, s:o, s:[s,s], s:o, s:{s:s}}}", "node", "name", name, "storagePath", "stored/at",
                     "uploadUrl", known ? json_null() : json_string(url), "uploadHeaders", "Content-MD5:x",
                     "Content-Type: text/plain", "uploadMultipartUrls", played_part_urls(spec), "artifact", "id",
                     known ? "older" : "A1");
}

static inline void
played_files(artel_http_t *http)
{
    json_t *edges = json_array(), *spec;
    size_t i;
    json_array_foreach(json_object_get(s_played.variables, "artifactFiles"), i, spec)
        json_array_append_new(edges, played_edge(spec));
    json_t *answer = json_pack("{s:{s:{s:{s:o}}}}", "data", "createArtifactFiles", "files", "edges", edges);
    char *text = json_dumps(answer, 0);
    played_say(http, s_played.offered ? s_played.offered : text);
    free(text);
    json_decref(answer);
    s_played.batches++;
}

static inline void
played_create(artel_http_t *http)
{
    char text[512];
    snprintf(text, sizeof text, "{\"data\": {\"createArtifact\": {\"artifact\": {\"id\": \"A1\", \"state\": \"%s\", "
             "\"versionIndex\": %s, \"artifactSequence\": {\"latestArtifact\": {\"id\": 17}}}}}}",
             s_played.state ? s_played.state : "PENDING", s_played.state ? "4" : "null");
    json_decref(s_played.create);
    s_played.create = json_incref(s_played.variables);
    played_say(http, s_played.created ? s_played.created : text);
}

static inline void
played_manifest(artel_http_t *http)
{
    bool last = json_is_true(json_object_get(s_played.variables, "includeUpload"));
    played_say(http, last ? "{\"data\": {\"createArtifactManifest\": {\"artifactManifest\": {\"id\": 1, \"file\": "
                            "{\"uploadUrl\": \"/put/manifest now\", \"uploadHeaders\": \"\"}}}}}"
                          : "{\"data\": {\"createArtifactManifest\": {\"artifactManifest\": {\"id\": 1, \"file\": {}}}}}");
}

static inline void
played_commit(artel_http_t *http)
{
    http->code = s_played.commit_code;
    if (http->code == 0)
        played_say(http, s_played.committed ? s_played.committed
                       : "{\"data\": {\"commitArtifact\": {\"artifact\": {\"id\": \"A1\", \"versionIndex\": 5}}}}");
    else
        strcpy(http->text, "no answer came");
}

static inline void
played_look(artel_http_t *http)
{
    played_say(http, s_played.looked ? s_played.looked : "{\"data\": {\"artifact\": {\"state\": \"COMMITTED\", \"versionIndex\": 6}}}");
}

static inline void
played_complete(artel_http_t *http)
{
    free(s_played.completed);
    s_played.completed = json_dumps(s_played.variables, JSON_COMPACT | JSON_SORT_KEYS);
    played_say(http, "{\"data\": {\"completeMultipartUploadArtifact\": {\"digest\": \"x\"}}}");
}

static inline void
played_find(artel_http_t *http)
{
    snprintf(s_played.found, sizeof s_played.found, "%s",
             json_string_value(json_object_get(s_played.variables, "name")));
    played_say(http, s_played.nothing ? "{\"data\": {\"project\": {\"artifact\": null}}}"
                                      : "{\"data\": {\"project\": {\"artifact\": {\"id\": \"A8\", \"versionIndex\": 8}}}}");
}

static inline void
played_use(artel_http_t *http)
{
    played_say(http, "{\"data\": {\"useArtifact\": {\"artifact\": {\"id\": \"A8\"}}}}");
}

static inline void
played_ask(artel_http_t *http)
{
    static const struct { const char *name; void (*answer)(artel_http_t *); } table[] = {
        { "CreateArtifact", played_create }, { "CreateArtifactManifest", played_manifest },
        { "CreateArtifactFiles", played_files }, { "CommitArtifact", played_commit }, { "ArtifactState", played_look },
        { "CompleteMultipartUploadArtifact", played_complete }, { "ArtifactByName", played_find },
        { "UseArtifact", played_use } };
    json_t *body = json_loadb(http->body.data, http->body.size, 0, NULL);
    const char *name = json_string_value(json_object_get(body, "operationName"));
    cr_assert_str_eq(http->url, "http://h/api/graphql");
    cr_assert_str_eq(http->headers[0], "Content-Type: application/json");
    cr_assert_not_null(http->key, "a question without a key");
    played_note(name);
    json_decref(s_played.variables);
    s_played.variables = json_incref(json_object_get(body, "variables"));
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].name, name) == 0)
            table[i].answer(http);
    json_decref(body);
}

static inline void
played_put(artel_http_t *http)
{
    char *body = calloc(1, (size_t) http->body.size + 1);
    if (http->body.data)
        memcpy(body, http->body.data, (size_t) http->body.size);
    else
        cr_assert_eq(pread(http->body.fd, body, (size_t) http->body.size, (off_t) http->body.offset),
                     (ssize_t) http->body.size);
    cr_assert_null(http->key, "a PUT with a key");
    played_note(strrchr(http->url, '/') + 1);
    http->status = 200;
    snprintf(http->etag, sizeof http->etag, "\"%.8s\"", body);
    if (s_played.refuses && s_played.refusals && strstr(http->url, s_played.refuses)) {
        s_played.refusals--;
        http->code = ARTEL_EREFUSED;
        http->status = 403;
        strcpy(http->text, "HTTP 403");
    }
    if (strstr(http->url, "manifest%20now")) {
        free(s_played.manifest);
        s_played.manifest = strdup(body);
    }
    free(body);
}

static inline void
played_answer(artel_http_t *http)
{
    if (atomic_load(&http->cancel))
        http->code = ARTEL_ECANCELED;
    else if (strcmp(http->method, "PUT") == 0)
        played_put(http);
    else
        played_ask(http);
}

#endif
