//  saving_requests.c - the requests of a saving: a fixed number, filled in and emptied.

#include "saving_self.h"

#include "errors.h"
#include "upload.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

artel_saving_request_t *
artel_saving_request(artel_saving_t *self, artel_saving_took_fn *took)
{
    artel_saving_request_t *request = self->requests;
    while (request->busy)
        request++;
    assert(request < self->requests + SAVING_REQUESTS);
    memset(request, 0, sizeof *request);
    request->busy = true;
    request->took = took;
    request->http.body.fd = -1;
    self->out++;
    return request;
}

void
artel_saving_release(artel_saving_t *self, artel_saving_request_t *request)
{
    artel_http_done(&request->http);
    if (request->http.body.fd >= 0)
        close(request->http.body.fd);
    free((void *) request->headers);
    free(request->body);
    free(request->url);
    for (size_t i = 0; i < sizeof request->texts / sizeof *request->texts; i++)
        free(request->texts[i]);
    request->busy = false;
    self->out--;
}

artel_http_t *
artel_saving_ask(artel_saving_t *self, artel_operation_t operation, json_t *variables, artel_saving_took_fn *took)
{
    artel_saving_request_t *request = artel_saving_request(self, took);
    request->body = variables ? artel_graphql_body(operation, variables) : NULL;
    json_decref(variables);
    if (!request->body) {
        artel_saving_release(self, request);
        artel_saving_fail(self, ARTEL_ENOMEM, true, "%s: out of memory", artel_operation_text(operation)->name);
        return NULL;
    }
    artel_graphql_request(operation, self->args.graphql, self->args.key, request->body, &request->http);
    return &request->http;
}

artel_http_t *
artel_saving_put(artel_saving_t *self, artel_saving_request_t *request, const char *url, const char *const *headers)
{
    artel_http_t *http = &request->http;
    request->headers = http->headers = headers;
    request->url = artel_upload_url(self->args.base, url);
    if (!request->url) {
        artel_saving_release(self, request);
        artel_saving_fail(self, ARTEL_ENOMEM, true, "out of memory");
        return NULL;
    }
    http->method = "PUT";
    http->url = request->url;
    http->rule = ARTEL_HTTP_FILE;
    http->tries = SAVING_TRIES;
    http->most = SAVING_REPLY;
    return http;
}

bool
artel_saving_body(artel_saving_t *self, artel_saving_request_t *request, uint64_t offset, uint64_t size)
{
    const artel_flat_entry_t *entry = &self->flat.entries[request->file];
    artel_http_body_t *body = &request->http.body;
    int fd, rc = artel_source_at(self->source, &entry->digest, entry->size, &fd, &body->offset);
    if (rc == 0 && (body->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3)) < 0)
        rc = artel_error_of_errno(errno);
    body->offset += offset;
    body->size = size;
    if (rc == 0)
        return true;
    artel_saving_release(self, request);
    if (rc != ARTEL_EMFILE || self->out == 0)
        artel_saving_fail(self, rc, rc == ARTEL_EMFILE || rc == ARTEL_ENOMEM, "%.*s: %s", (int) entry->path.len,
                          entry->path.at, artel_error_code_text(rc));
    return false;
}
