//  fetching_files.c - the files of an artifact that is fetched.
//
//  Their URLs come in pages, and expire: what could not be fetched with one gets another in
//  the next round, until most of what is left fails again.

#include "fetching_self.h"

#include "errors.h"
#include "manifest.h"

#include <stdlib.h>
#include <string.h>

void
artel_fetching_begin_round(artel_fetching_t *self)
{
    free(self->cursor);
    self->cursor = NULL;
    self->left = 0;
    for (size_t i = 0; i < self->contents.n; i++)
        if (!self->contents.entries[i].ref && self->standing[i] != FETCHING_THERE) {
            self->standing[i] = FETCHING_ABSENT;
            self->left++;
        }
    self->more = self->left > 0;
    self->step = self->left ? FETCHING_FILES : FETCHING_OVER;
}

//  When all of a round are back.
static void
s_end_round(artel_fetching_t *self)
{
    size_t had = self->left;
    artel_fetching_begin_round(self);
    if (self->left && self->round++ > 0 && 2 * self->left > had)
        artel_fetching_fail(self, self->before.code, self->before.passes, "%zu of %zu files could not be fetched: %s",
                            self->left, had, self->before.text);
}

//  Called with what is back still out.
static void
s_check_round(artel_fetching_t *self)
{
    if (self->step == FETCHING_FILES && self->out == 1 && !self->page && !self->more)
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
static const artel_content_t *
s_wanted(const artel_fetching_t *self, const json_t *edge, const char **ret_url)
{
    const json_t *node = json_object_get(edge, "node");
    const char *path = json_string_value(json_object_get(node, "name"));
    *ret_url = json_string_value(json_object_get(node, "directUrl"));
    const artel_content_t *entry = path && *ret_url ? artel_contents_find(&self->contents, path) : NULL;
    bool absent = entry && !entry->ref && self->standing[entry - self->contents.entries] == FETCHING_ABSENT;
    return absent ? entry : NULL;
}

//  The next URL of the page in hand that is wanted; without one the page goes.
static const artel_content_t *
s_next_wanted(artel_fetching_t *self, const char **ret_url)
{
    for (; self->page && self->at < json_array_size(self->edges); self->at++) {
        const artel_content_t *entry = s_wanted(self, json_array_get(self->edges, self->at), ret_url);
        if (entry)
            return entry;
    }
    json_decref(self->page);
    self->page = NULL;
    return NULL;
}

static void
s_took_page(artel_fetching_t *self, artel_fetching_request_t *request)
{
    char why[sizeof self->state.text];
    const char *url;
    artel_reading_t reading = { .why = why, .size = sizeof why };
    self->asking = false;
    if (!artel_fetching_answered(self, ARTEL_ARTIFACT_FILE_URLS, request, &reading))
        return;
    self->page = (json_t *) reading.data;
    if (s_read_page(self, &reading) != 0)
        return artel_fetching_fail(self, ARTEL_EPROTO, false, "%s", why);
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
s_not_fetched(artel_fetching_t *self, const artel_fetching_request_t *request, int code, const char *text)
{
    char path[160];
    artel_path_escape(artel_str(request->entry->path), path, sizeof path);
    self->before.code = code;
    self->before.passes = request->http.passes || request->http.status == 403;
    snprintf(self->before.text, sizeof self->before.text, "%s: %.80s", path, text);
    if (s_is_ours(code))
        artel_fetching_fail(self, code, s_is_lack(code), "%s", self->before.text);
}

static void
s_took_file(artel_fetching_t *self, artel_fetching_request_t *request)
{
    const artel_content_t *entry = request->entry;
    const artel_http_t *http = &request->http;
    uint64_t size = request->landing.at;
    //  More bytes than the manifest says are as wrong as others.
    int rc = http->code == ARTEL_ELIMIT ? ARTEL_ECORRUPT : http->code;
    if (rc == 0 && entry->size && size != entry->size)
        rc = ARTEL_ECORRUPT;
    if (rc == 0)
        rc = artel_landing_end(&request->landing, entry->digest);
    if (rc == 0) {
        self->standing[entry - self->contents.entries] = FETCHING_THERE;
        self->state.files++;
        self->state.bytes += size;
    } else
        s_not_fetched(self, request, rc, http->code ? http->text : artel_error_code_text(rc));
    s_check_round(self);
}

//  NULL also if there are no descriptors while others are in use.
static artel_http_t *
s_fetch(artel_fetching_t *self, const artel_content_t *entry, const char *url)
{
    artel_fetching_request_t *request = artel_fetching_request(self, s_took_file);
    request->entry = entry;
    int rc = artel_landing_begin(&request->landing, self->root, entry->path);
    if (rc != 0) {
        if (rc != ARTEL_EMFILE || self->out == 1)
            s_not_fetched(self, request, rc, artel_error_code_text(rc));
        artel_fetching_release(self, request);
        self->state.over = self->step == FETCHING_OVER && self->out == 0;
        return NULL;
    }
    request->http.sink = artel_landing_take;
    request->http.arg = &request->landing;
    request->http.most = entry->size ? (size_t) entry->size : SIZE_MAX / 2;
    self->standing[entry - self->contents.entries] = FETCHING_COMING;
    artel_http_t *http = artel_fetching_get(self, request, url);
    s_next_wanted(self, &url);
    return http;
}

artel_http_t *
artel_fetching_next_file(artel_fetching_t *self)
{
    const char *url;
    const artel_content_t *entry = s_next_wanted(self, &url);
    if (entry)
        return s_fetch(self, entry, url);
    if (self->asking || !self->more)
        return NULL;
    self->asking = true;
    return artel_fetching_ask(self, ARTEL_ARTIFACT_FILE_URLS,
                 json_pack("{s:s, s:s?, s:i}", "id", self->state.id, "cursor", self->cursor, "perPage",
                           self->args.page ? (int) self->args.page : FETCHING_PAGE), s_took_page);
}
