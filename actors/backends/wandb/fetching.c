//  fetching.c - one artifact on its way from W&B into a folder: the order of steps, and the requests.

#include "fetching_self.h"

#include "errors.h"
#include "upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

//  ---- begin and end

int
artel_fetching_new(const artel_fetching_args_t *args, artel_fetching_t **ret)
{
    int root = open(args->into, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return artel_error_of_errno(errno);
    artel_fetching_t *self = calloc(1, sizeof *self);
    if (!self) {
        close(root);
        return ARTEL_ENOMEM;
    }
    self->args = *args;
    self->root = root;
    *ret = self;
    return 0;
}

void
artel_fetching_destroy(artel_fetching_t **self_p)
{
    artel_fetching_t *self = *self_p;
    if (!self)
        return;
    json_decref(self->page);
    artel_contents_done(&self->contents);
    free(self->manifest_url);
    free(self->standing);
    free(self->cursor);
    close(self->root);
    free(self);
    *self_p = NULL;
}

void
artel_fetching_fail(artel_fetching_t *self, int code, bool passes, const char *format, ...)
{
    if (self->step == FETCHING_OVER)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(self->state.text, sizeof self->state.text, format, args);
    va_end(args);
    self->state.code = code;
    self->state.passes = passes;
    self->step = FETCHING_OVER;
    self->state.over = self->out == 0;
    for (size_t i = 0; i < FETCHING_REQUESTS; i++)
        if (self->requests[i].busy)
            atomic_store(&self->requests[i].http.cancel, true);
}

void
artel_fetching_cancel(artel_fetching_t *self)
{
    artel_fetching_fail(self, ARTEL_ECANCELED, true, "canceled");
}

const artel_fetching_state_t *
artel_fetching_state(const artel_fetching_t *self)
{
    return &self->state;
}

const artel_contents_t *
artel_fetching_contents(const artel_fetching_t *self)
{
    return self->contents.json ? &self->contents : NULL;
}

//  ---- requests

artel_fetching_request_t *
artel_fetching_request(artel_fetching_t *self, artel_fetching_took_fn *took)
{
    artel_fetching_request_t *request = self->requests;
    while (request->busy)
        request++;
    memset(request, 0, sizeof *request);
    request->busy = true;
    request->took = took;
    request->http.body.fd = request->landing.fd = -1;
    self->out++;
    return request;
}

void
artel_fetching_release(artel_fetching_t *self, artel_fetching_request_t *request)
{
    artel_landing_drop(&request->landing);
    artel_http_done(&request->http);
    free(request->body);
    free(request->url);
    request->busy = false;
    self->out--;
}

//  Released, as there is no memory for it.
static artel_http_t *
s_no_memory(artel_fetching_t *self, artel_fetching_request_t *request)
{
    artel_fetching_release(self, request);
    artel_fetching_fail(self, ARTEL_ENOMEM, true, "out of memory");
    return NULL;
}

//  Takes variables.
artel_http_t *
artel_fetching_ask(artel_fetching_t *self, artel_operation_t operation, json_t *variables, artel_fetching_took_fn *took)
{
    artel_fetching_request_t *request = artel_fetching_request(self, took);
    request->body = variables ? artel_graphql_body(operation, variables) : NULL;
    json_decref(variables);
    if (!request->body)
        return s_no_memory(self, request);
    artel_graphql_request(operation, self->args.graphql, self->args.key, request->body, &request->http);
    return &request->http;
}

//  Whatever has a signed URL is fetched without the key.
artel_http_t *
artel_fetching_get(artel_fetching_t *self, artel_fetching_request_t *request, const char *url)
{
    artel_http_t *http = &request->http;
    http->url = request->url = artel_upload_url(self->args.base, url);
    if (!request->url)
        return s_no_memory(self, request);
    http->method = "GET";
    http->follows = true;
    http->rule = ARTEL_HTTP_FILE;
    http->tries = FETCHING_TRIES;
    return http;
}

//  What is to be read of an answer; false: it has failed.
bool
artel_fetching_answered(artel_fetching_t *self, artel_operation_t operation, const artel_fetching_request_t *request,
                        artel_reading_t *ret)
{
    json_t *data;
    if (self->step == FETCHING_OVER)
        return false;
    int rc = artel_graphql_answer(operation, &request->http, &data, ret->why, ret->size);
    if (rc != 0)
        artel_fetching_fail(self, rc, artel_graphql_passes(rc, &request->http), "%s", ret->why);
    ret->operation = operation;
    ret->data = data;
    return rc == 0;
}

//  ---- the artifact and its manifest

static int
s_read_artifact(artel_fetching_t *self, const artel_reading_t *reading)
{
    const char *state, *digest;
    if (!artel_reading_at(reading, "project.artifact")) {
        snprintf(reading->why, reading->size, "%s: the server has no such artifact", self->args.name);
        return ARTEL_ENOENT;
    }
    int rc = artel_reading_id(reading, "project.artifact.id", self->state.id, sizeof self->state.id);
    if (rc == 0)
        rc = artel_reading_text(reading, "project.artifact.state", &state);
    if (rc == 0 && strcmp(state, "COMMITTED") != 0)
        rc = artel_reading_fail(reading, "project.artifact.state", "is not COMMITTED");
    if (rc == 0)
        rc = artel_reading_text(reading, "project.artifact.digest", &digest);
    if (rc == 0)
        rc = artel_reading_count(reading, "project.artifact.versionIndex", &self->state.version);
    if (rc == 0)
        snprintf(self->digest, sizeof self->digest, "%s", digest);
    return rc;
}

static void
s_took_artifact(artel_fetching_t *self, artel_fetching_request_t *request)
{
    char why[sizeof self->state.text];
    artel_reading_t reading = { .why = why, .size = sizeof why };
    if (!artel_fetching_answered(self, ARTEL_ARTIFACT_BY_NAME, request, &reading))
        return;
    int rc = s_read_artifact(self, &reading);
    json_decref((json_t *) reading.data);
    if (rc != 0)
        artel_fetching_fail(self, rc, false, "%s", why);
    else
        self->step = FETCHING_MANIFEST_URL;
}

static void
s_took_url(artel_fetching_t *self, artel_fetching_request_t *request)
{
    char why[sizeof self->state.text];
    artel_reading_t reading = { .why = why, .size = sizeof why };
    const char *url;
    if (!artel_fetching_answered(self, ARTEL_ARTIFACT_MANIFEST, request, &reading))
        return;
    int rc = artel_reading_text(&reading, "artifact.currentManifest.file.directUrl", &url);
    if (rc == 0 && !(self->manifest_url = strdup(url)))
        rc = ARTEL_ENOMEM;
    json_decref((json_t *) reading.data);
    if (rc != 0)
        artel_fetching_fail(self, rc, rc == ARTEL_ENOMEM, "%s", rc == ARTEL_ENOMEM ? "out of memory" : why);
    else
        self->step = FETCHING_LOAD;
}

//  Whether the entries have the digest that the artifact has.
static bool
s_is_whole(const artel_fetching_t *self)
{
    char digest[ARTEL_MD5_HEX];
    return artel_contents_digest(&self->contents, digest) == 0 && strcmp(digest, self->digest) == 0;
}

static void
s_took_manifest(artel_fetching_t *self, artel_fetching_request_t *request)
{
    const artel_http_t *http = &request->http;
    char why[sizeof self->state.text] = "out of memory";
    if (http->code != 0)
        return artel_fetching_fail(self, http->code, http->passes, "the manifest cannot be fetched: %s", http->text);
    int rc = artel_contents_read(http->answer, http->answer_size, &self->contents, why, sizeof why);
    if (rc != 0)
        return artel_fetching_fail(self, rc, false, "%s", why);
    if (!s_is_whole(self))
        return artel_fetching_fail(self, ARTEL_ECORRUPT, false,
                                   "the manifest is not that of an artifact with the digest %s", self->digest);
    self->standing = calloc(self->contents.n + 1, sizeof *self->standing);
    if (!self->standing)
        return artel_fetching_fail(self, ARTEL_ENOMEM, true, "out of memory");
    artel_fetching_begin_round(self);
}

//  ---- what is next

static artel_http_t *
s_next_step(artel_fetching_t *self)
{
    if (self->step == FETCHING_NAME)
        return artel_fetching_ask(self, ARTEL_ARTIFACT_BY_NAME,
            json_pack("{s:s?, s:s?, s:s}", "entityName", self->args.entity, "projectName", self->args.project,
                      "name", self->args.name), s_took_artifact);
    if (self->step == FETCHING_MANIFEST_URL)
        return artel_fetching_ask(self, ARTEL_ARTIFACT_MANIFEST, json_pack("{s:s}", "id", self->state.id), s_took_url);
    artel_fetching_request_t *request = artel_fetching_request(self, s_took_manifest);
    request->http.most = FETCHING_MOST;
    return artel_fetching_get(self, request, self->manifest_url);
}

artel_http_t *
artel_fetching_next(artel_fetching_t *self)
{
    if (self->step == FETCHING_OVER || self->out == FETCHING_REQUESTS)
        return NULL;
    if (self->step == FETCHING_FILES)
        return artel_fetching_next_file(self);
    return self->out == 0 ? s_next_step(self) : NULL;
}

void
artel_fetching_take(artel_fetching_t *self, artel_http_t *http)
{
    artel_fetching_request_t *request = (artel_fetching_request_t *) http;
    request->took(self, request);
    artel_fetching_release(self, request);
    self->state.over = self->step == FETCHING_OVER && self->out == 0;
}
