//  fetching.c - one artifact on its way from W&B into a folder.
//
//  The URLs of its files come in pages, and expire: what could not be fetched with one
//  gets another in the next round, until most of what is left fails again.

#include "fetching.h"

#include "errors.h"
#include "graphql.h"
#include "landing.h"
#include "manifest.h"
#include "upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    REQUESTS = 64,              //  out at a time
    PAGE = 5000,
    TRIES = 20,                 //  of one GET
    MANIFEST = 1 << 30,         //  bytes
};

typedef enum { NAME, MANIFEST_URL, LOAD, FILES, OVER } step_t;

//  Of an entry.
typedef enum { ABSENT, COMING, THERE } standing_t;

typedef struct request request_t;

struct request {
    artel_http_t http;          //  first: it is what goes out
    bool busy;
    void (*took)(artel_fetching_t *self, request_t *request);
    char *body, *url;
    artel_content_t *entry;
    artel_landing_t landing;
};

struct artel_fetching {
    artel_fetching_args_t args;
    artel_fetching_state_t state;
    step_t step;
    int root;
    request_t requests[REQUESTS];
    unsigned out;

    char digest[ARTEL_MD5_HEX]; //  the artifact's, as the server says
    char *manifest_url;
    artel_contents_t contents;
    standing_t *standing;       //  one an entry

    json_t *page, *edges;       //  in hand, and its URLs
    size_t at;
    char *cursor;               //  of the next page; NULL: the first
    bool more, asking;          //  there is one, and it is asked for
    unsigned round;
    size_t left;                //  files to be fetched in this round
    artel_fetching_state_t before;      //  the last that failed
};

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

static void __attribute__((format(printf, 4, 5)))
s_fail(artel_fetching_t *self, int code, bool passes, const char *format, ...)
{
    if (self->step == OVER)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(self->state.text, sizeof self->state.text, format, args);
    va_end(args);
    self->state.code = code;
    self->state.passes = passes;
    self->step = OVER;
    self->state.over = self->out == 0;
    for (size_t i = 0; i < REQUESTS; i++)
        if (self->requests[i].busy)
            atomic_store(&self->requests[i].http.cancel, true);
}

void
artel_fetching_cancel(artel_fetching_t *self)
{
    s_fail(self, ARTEL_ECANCELED, true, "canceled");
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

static request_t *
s_request(artel_fetching_t *self, void (*took)(artel_fetching_t *, request_t *))
{
    request_t *request = self->requests;
    while (request->busy)
        request++;
    memset(request, 0, sizeof *request);
    request->busy = true;
    request->took = took;
    request->http.body.fd = request->landing.fd = -1;
    self->out++;
    return request;
}

static void
s_release(artel_fetching_t *self, request_t *request)
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
s_no_memory(artel_fetching_t *self, request_t *request)
{
    s_release(self, request);
    s_fail(self, ARTEL_ENOMEM, true, "out of memory");
    return NULL;
}

//  Takes variables.
static artel_http_t *
s_ask(artel_fetching_t *self, artel_operation_t operation, json_t *variables, void (*took)(artel_fetching_t *, request_t *))
{
    request_t *request = s_request(self, took);
    request->body = variables ? artel_graphql_body(operation, variables) : NULL;
    json_decref(variables);
    if (!request->body)
        return s_no_memory(self, request);
    artel_graphql_request(operation, self->args.graphql, self->args.key, request->body, &request->http);
    return &request->http;
}

//  Whatever has a signed URL is fetched without the key.
static artel_http_t *
s_get(artel_fetching_t *self, request_t *request, const char *url)
{
    artel_http_t *http = &request->http;
    http->url = request->url = artel_upload_url(self->args.base, url);
    if (!request->url)
        return s_no_memory(self, request);
    http->method = "GET";
    http->follows = true;
    http->rule = ARTEL_HTTP_FILE;
    http->tries = TRIES;
    return http;
}

//  What is to be read of an answer; false: it has failed.
static bool
s_answered(artel_fetching_t *self, artel_operation_t operation, const request_t *request, artel_reading_t *ret)
{
    json_t *data;
    if (self->step == OVER)
        return false;
    int rc = artel_graphql_answer(operation, &request->http, &data, ret->why, ret->size);
    if (rc != 0)
        s_fail(self, rc, artel_graphql_passes(rc, &request->http), "%s", ret->why);
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
s_took_artifact(artel_fetching_t *self, request_t *request)
{
    char why[sizeof self->state.text];
    artel_reading_t reading = { .why = why, .size = sizeof why };
    if (!s_answered(self, ARTEL_ARTIFACT_BY_NAME, request, &reading))
        return;
    int rc = s_read_artifact(self, &reading);
    json_decref((json_t *) reading.data);
    if (rc != 0)
        s_fail(self, rc, false, "%s", why);
    else
        self->step = MANIFEST_URL;
}

static void
s_took_url(artel_fetching_t *self, request_t *request)
{
    char why[sizeof self->state.text];
    artel_reading_t reading = { .why = why, .size = sizeof why };
    const char *url;
    if (!s_answered(self, ARTEL_ARTIFACT_MANIFEST, request, &reading))
        return;
    int rc = artel_reading_text(&reading, "artifact.currentManifest.file.directUrl", &url);
    if (rc == 0 && !(self->manifest_url = strdup(url)))
        rc = ARTEL_ENOMEM;
    json_decref((json_t *) reading.data);
    if (rc != 0)
        s_fail(self, rc, rc == ARTEL_ENOMEM, "%s", rc == ARTEL_ENOMEM ? "out of memory" : why);
    else
        self->step = LOAD;
}

static int
s_compare(const void *a, const void *b)
{
    return strcmp(((const artel_content_t *) a)->path, ((const artel_content_t *) b)->path);
}

//  Whether the entries have the digest that the artifact has.
static bool
s_is_whole(const artel_fetching_t *self)
{
    char digest[ARTEL_MD5_HEX];
    return artel_contents_digest(&self->contents, digest) == 0 && strcmp(digest, self->digest) == 0;
}

static void
s_begin_round(artel_fetching_t *self)
{
    free(self->cursor);
    self->cursor = NULL;
    self->left = 0;
    for (size_t i = 0; i < self->contents.n; i++)
        if (!self->contents.entries[i].ref && self->standing[i] != THERE) {
            self->standing[i] = ABSENT;
            self->left++;
        }
    self->more = self->left > 0;
    self->step = self->left ? FILES : OVER;
}

static void
s_took_manifest(artel_fetching_t *self, request_t *request)
{
    const artel_http_t *http = &request->http;
    char why[sizeof self->state.text] = "out of memory";
    if (http->code != 0)
        return s_fail(self, http->code, http->passes, "the manifest cannot be fetched: %s", http->text);
    int rc = artel_contents_read(http->answer, http->answer_size, &self->contents, why, sizeof why);
    if (rc != 0)
        return s_fail(self, rc, false, "%s", why);
    qsort(self->contents.entries, self->contents.n, sizeof *self->contents.entries, s_compare);
    if (!s_is_whole(self))
        return s_fail(self, ARTEL_ECORRUPT, false, "the manifest is not that of an artifact with the digest %s", self->digest);
    self->standing = calloc(self->contents.n + 1, sizeof *self->standing);
    if (!self->standing)
        return s_fail(self, ARTEL_ENOMEM, true, "out of memory");
    s_begin_round(self);
}

//  ---- files

//  When all of a round are back.
static void
s_end_round(artel_fetching_t *self)
{
    size_t had = self->left;
    s_begin_round(self);
    if (self->left && self->round++ > 0 && 2 * self->left > had)
        s_fail(self, self->before.code, self->before.passes, "%zu of %zu files could not be fetched: %s", self->left, had,
               self->before.text);
}

//  Called with what is back still out.
static void
s_check_round(artel_fetching_t *self)
{
    if (self->step == FILES && self->out == 1 && !self->page && !self->more)
        s_end_round(self);
}

static int
s_read_page(artel_fetching_t *self, const artel_reading_t *reading)
{
    const char *cursor = NULL;
    int rc = artel_reading_list(reading, "artifact.files.edges", &self->edges);
    bool more = json_is_true(artel_reading_at(reading, "artifact.files.pageInfo.hasNextPage"));
    if (rc == 0 && more)
        rc = artel_reading_text(reading, "artifact.files.pageInfo.endCursor", &cursor);
    if (rc == 0 && more && json_array_size(self->edges) == 0)
        rc = artel_reading_fail(reading, "artifact.files.edges", "is empty, and yet there is more");
    if (rc != 0)
        return rc;
    free(self->cursor);
    self->cursor = more ? strdup(cursor) : NULL;
    self->more = more && self->cursor;
    self->at = 0;
    return 0;
}

//  Whether this is an edge with the URL of a file that is still to be fetched, and which.
static artel_content_t *
s_wanted(const artel_fetching_t *self, const json_t *edge, const char **ret_url)
{
    const json_t *node = json_object_get(edge, "node");
    artel_content_t key = { .path = json_string_value(json_object_get(node, "name")) };
    *ret_url = json_string_value(json_object_get(node, "directUrl"));
    if (!key.path || !*ret_url || self->contents.n == 0)
        return NULL;
    artel_content_t *entry = bsearch(&key, self->contents.entries, self->contents.n, sizeof key, s_compare);
    bool absent = entry && !entry->ref && self->standing[entry - self->contents.entries] == ABSENT;
    return absent ? entry : NULL;
}

//  The next URL of the page in hand that is wanted; without one the page goes.
static artel_content_t *
s_next_wanted(artel_fetching_t *self, const char **ret_url)
{
    for (; self->page && self->at < json_array_size(self->edges); self->at++) {
        artel_content_t *entry = s_wanted(self, json_array_get(self->edges, self->at), ret_url);
        if (entry)
            return entry;
    }
    json_decref(self->page);
    self->page = NULL;
    return NULL;
}

static void
s_took_page(artel_fetching_t *self, request_t *request)
{
    char why[sizeof self->state.text];
    const char *url;
    artel_reading_t reading = { .why = why, .size = sizeof why };
    self->asking = false;
    if (!s_answered(self, ARTEL_ARTIFACT_FILE_URLS, request, &reading))
        return;
    self->page = (json_t *) reading.data;
    if (s_read_page(self, &reading) != 0)
        return s_fail(self, ARTEL_EPROTO, false, "%s", why);
    s_next_wanted(self, &url);
    s_check_round(self);
}

static bool
s_is_lack(int code)
{
    return code == ARTEL_ENOSPC || code == ARTEL_ENOMEM || code == ARTEL_EMFILE;
}

//  What is ours to mend, and no other URL will.
static bool
s_is_ours(int code)
{
    return code == ARTEL_EIO || code == ARTEL_EEXIST || code == ARTEL_EACCES || s_is_lack(code);
}

static void
s_not_fetched(artel_fetching_t *self, const request_t *request, int code, const char *text)
{
    char path[160];
    artel_path_escape(artel_str(request->entry->path), path, sizeof path);
    self->before.code = code;
    self->before.passes = request->http.passes || request->http.status == 403;
    snprintf(self->before.text, sizeof self->before.text, "%s: %.80s", path, text);
    if (s_is_ours(code))
        s_fail(self, code, s_is_lack(code), "%s", self->before.text);
}

static void
s_took_file(artel_fetching_t *self, request_t *request)
{
    const artel_content_t *entry = request->entry;
    const artel_http_t *http = &request->http;
    uint64_t size = request->landing.at;
    int rc = http->code;
    if (rc == 0 && entry->size && size != entry->size)
        rc = ARTEL_ECORRUPT;
    if (rc == 0)
        rc = artel_landing_end(&request->landing, entry->digest);
    if (rc == 0) {
        self->standing[entry - self->contents.entries] = THERE;
        self->state.files++;
        self->state.bytes += size;
    } else
        s_not_fetched(self, request, rc, http->code ? http->text : artel_error_code_text(rc));
    s_check_round(self);
}

//  NULL also if there are no descriptors while others are in use.
static artel_http_t *
s_fetch(artel_fetching_t *self, artel_content_t *entry, const char *url)
{
    request_t *request = s_request(self, s_took_file);
    request->entry = entry;
    int rc = artel_landing_begin(&request->landing, self->root, entry->path);
    if (rc != 0) {
        if (rc != ARTEL_EMFILE || self->out == 1)
            s_not_fetched(self, request, rc, artel_error_code_text(rc));
        s_release(self, request);
        self->state.over = self->step == OVER && self->out == 0;
        return NULL;
    }
    request->http.sink = artel_landing_take;
    request->http.arg = &request->landing;
    request->http.most = entry->size ? (size_t) entry->size : SIZE_MAX / 2;
    self->standing[entry - self->contents.entries] = COMING;
    artel_http_t *http = s_get(self, request, url);
    s_next_wanted(self, &url);
    return http;
}

static artel_http_t *
s_next_file(artel_fetching_t *self)
{
    const char *url;
    artel_content_t *entry = s_next_wanted(self, &url);
    if (entry)
        return s_fetch(self, entry, url);
    if (self->asking || !self->more)
        return NULL;
    self->asking = true;
    return s_ask(self, ARTEL_ARTIFACT_FILE_URLS,
                 json_pack("{s:s, s:s?, s:i}", "id", self->state.id, "cursor", self->cursor, "perPage",
                           self->args.page ? (int) self->args.page : PAGE), s_took_page);
}

//  ---- what is next

static artel_http_t *
s_next_step(artel_fetching_t *self)
{
    if (self->step == NAME)
        return s_ask(self, ARTEL_ARTIFACT_BY_NAME,
                     json_pack("{s:s?, s:s?, s:s}", "entityName", self->args.entity, "projectName", self->args.project,
                               "name", self->args.name), s_took_artifact);
    if (self->step == MANIFEST_URL)
        return s_ask(self, ARTEL_ARTIFACT_MANIFEST, json_pack("{s:s}", "id", self->state.id), s_took_url);
    request_t *request = s_request(self, s_took_manifest);
    request->http.most = MANIFEST;
    return s_get(self, request, self->manifest_url);
}

artel_http_t *
artel_fetching_next(artel_fetching_t *self)
{
    if (self->step == OVER || self->out == REQUESTS)
        return NULL;
    if (self->step == FILES)
        return s_next_file(self);
    return self->out == 0 ? s_next_step(self) : NULL;
}

void
artel_fetching_take(artel_fetching_t *self, artel_http_t *http)
{
    request_t *request = (request_t *) http;
    request->took(self, request);
    s_release(self, request);
    self->state.over = self->step == OVER && self->out == 0;
}
