//  saving_parts.c - a file that is sent in parts, and made one of them in the end.

#include "saving_files.h"

#include "errors.h"
#include "upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_FROM (UINT64_C(2) << 30)
#define PART (UINT64_C(100) << 20)

enum { MOST_PARTS = 10000, PART_UNIT = 4096 };

uint64_t
artel_saving_part_size(const artel_saving_t *self, uint64_t size)
{
    uint64_t part = self->args.part ? self->args.part : PART;
    if (size < (self->args.parts_from ? self->args.parts_from : PARTS_FROM))
        return 0;
    if (size <= part * MOST_PARTS)
        return part;
    part = (size + MOST_PARTS - 1) / MOST_PARTS;
    return (part + PART_UNIT - 1) / PART_UNIT * PART_UNIT;
}

static size_t
s_count(const artel_saving_t *self, uint32_t file)
{
    uint64_t size = self->flat.entries[file].size, part = artel_saving_part_size(self, size);
    return part ? (size_t) ((size + part - 1) / part) : 0;
}

json_t *
artel_saving_part_hashes(const artel_saving_t *self, uint32_t file)
{
    if (!self->parts[file])
        return NULL;
    json_t *list = json_array();
    for (size_t i = 0; i < s_count(self, file); i++) {
        char hex[ARTEL_MD5_HEX];
        artel_hex(self->parts[file][i].at, sizeof self->parts[file][i].at, hex);
        json_array_append_new(list, json_pack("{s:I, s:s}", "partNumber", (json_int_t) (i + 1), "hexMD5", hex));
    }
    return list;
}

void
artel_saving_release_upload(artel_saving_t *self, artel_saving_upload_t *upload)
{
    for (size_t i = 0; i < upload->n; i++)
        free(upload->etags[i]);
    free(upload->etags);
    artel_saving_leave(self, upload->batch);
    free(upload);
}

//  The URL of a part: they come in order.
static const char *
s_part_url(const artel_saving_upload_t *upload, size_t i)
{
    const json_t *parts = json_object_get(json_object_get(upload->node, "uploadMultipartUrls"), "uploadUrlParts");
    const json_t *part = json_array_get(parts, i);
    bool right = json_integer_value(json_object_get(part, "partNumber")) == (json_int_t) i + 1;
    if (!right || json_array_size(parts) != upload->n)
        return NULL;
    return json_string_value(json_object_get(part, "uploadUrl"));
}

void
artel_saving_begin_parts(artel_saving_t *self, artel_saving_batch_t *batch, const json_t *node, uint32_t file)
{
    artel_saving_upload_t *upload = calloc(1, sizeof *upload);
    char **etags = calloc(s_count(self, file) + 1, sizeof *etags);
    if (!upload || !etags) {
        free(upload);
        free(etags);
        return artel_saving_fail(self, ARTEL_ENOMEM, true, "out of memory");
    }
    upload->etags = etags;
    upload->n = s_count(self, file);
    upload->batch = batch;
    upload->node = node;
    upload->file = file;
    self->upload = upload;
}

//  No more of its parts are handed out.
static void
s_stop(artel_saving_t *self, artel_saving_upload_t *upload)
{
    if (self->upload == upload)
        self->upload = NULL;
}

//  What became of a part.
static void
s_judge(artel_saving_t *self, artel_saving_upload_t *upload, const artel_saving_request_t *request)
{
    const artel_http_t *http = &request->http;
    char **etag = &upload->etags[request->part];
    bool ours = http->code == ARTEL_EIO || http->code == ARTEL_ENOMEM;
    if (http->code == 0 && !*http->etag)
        artel_saving_fail(self, ARTEL_EPROTO, false, "the store answered a part without an ETag");
    else if (http->code == 0 && !(*etag = strdup(http->etag)))
        artel_saving_fail(self, ARTEL_ENOMEM, true, "out of memory");
    else if (ours)
        artel_saving_fail(self, http->code, http->code == ARTEL_ENOMEM, "%s", http->text);
    else if (http->code != 0 && !upload->failed)
        artel_saving_not_sent(self, upload->file, http);
    upload->failed |= !*etag;
}

static void
s_took_part(artel_saving_t *self, artel_saving_request_t *request)
{
    artel_saving_upload_t *upload = request->upload;
    s_judge(self, upload, request);
    upload->out--;
    if (upload->failed)
        s_stop(self, upload);
    if (upload->out == 0 && upload->failed)
        artel_saving_release_upload(self, upload);
    else if (upload->out == 0 && upload->at == upload->n) {
        upload->next = self->sent;
        self->sent = upload;
    }
    artel_saving_check_round(self);
}

//  The headers of a part: its digest, and the type that the whole file has.
static const char *const *
s_headers(const artel_saving_t *self, artel_saving_request_t *request, const json_t *node)
{
    const char *const *given;
    char md5[ARTEL_MD5_TEXT];
    if (artel_upload_headers(json_object_get(node, "uploadHeaders"), &given) != 0)
        return NULL;
    const char **headers = calloc(3, sizeof *headers);
    artel_md5_text(&self->parts[request->file][request->part], md5);
    bool all = headers && asprintf(&request->texts[0], "Content-MD5: %s", md5) > 0
        && asprintf(&request->texts[1], "Content-Type: %s", artel_upload_header(given, "Content-Type")) > 0;
    free((void *) given);
    if (!all) {
        free(headers);
        return NULL;
    }
    headers[0] = request->texts[0];
    headers[1] = request->texts[1];
    return headers;
}

artel_http_t *
artel_saving_next_part(artel_saving_t *self)
{
    artel_saving_upload_t *upload = self->upload;
    const char *url = s_part_url(upload, upload->at);
    uint64_t whole = self->flat.entries[upload->file].size, size = artel_saving_part_size(self, whole);
    uint64_t offset = upload->at * size;
    artel_saving_request_t *request = artel_saving_request(self, s_took_part);
    request->upload = upload;
    request->file = upload->file;
    request->part = upload->at;
    request->headers = s_headers(self, request, upload->node);
    if (!url || !request->headers) {
        artel_saving_release(self, request);
        artel_saving_fail(self, ARTEL_EPROTO, false,
                          "CreateArtifactFiles: uploadMultipartUrls are not those of the parts");
        return NULL;
    }
    if (!artel_saving_body(self, request, offset, whole - offset < size ? whole - offset : size))
        return NULL;
    artel_http_t *http = artel_saving_put(self, request, url, request->headers);
    if (!http)
        return NULL;
    upload->out++;
    if (++upload->at == upload->n)
        s_stop(self, upload);
    return http;
}

static json_t *
s_etags(const artel_saving_upload_t *upload)
{
    json_t *list = json_array();
    for (size_t i = 0; i < upload->n; i++)
        json_array_append_new(list, json_pack("{s:I, s:s}", "partNumber", (json_int_t) (i + 1), "hexMD5",
                                              upload->etags[i]));
    return list;
}

static void
s_completed(artel_saving_t *self, artel_saving_request_t *request)
{
    char why[sizeof self->state.text];
    json_t *data;
    int rc = artel_graphql_answer(ARTEL_COMPLETE_MULTIPART, &request->http, &data, why, sizeof why);
    if (rc != 0)
        artel_saving_fail(self, rc, artel_graphql_passes(rc, &request->http), "%s", why);
    else {
        json_decref(data);
        artel_saving_sent(self, request->upload->file);
    }
    artel_saving_release_upload(self, request->upload);
    artel_saving_check_round(self);
}

artel_http_t *
artel_saving_complete(artel_saving_t *self)
{
    artel_saving_upload_t *upload = self->sent;
    const json_t *urls = json_object_get(upload->node, "uploadMultipartUrls");
    json_t *variables = json_pack("{s:s, s:o, s:s, s:O, s:O}", "completeMultipartAction", "Complete",
        "completedParts", s_etags(upload), "artifactID", self->marks[upload->file].birth,
        "storagePath", json_object_get(upload->node, "storagePath"), "uploadID", json_object_get(urls, "uploadID"));
    artel_http_t *http = artel_saving_ask(self, ARTEL_COMPLETE_MULTIPART, variables, s_completed);
    if (http) {
        ((artel_saving_request_t *) http)->upload = upload;
        self->sent = upload->next;
    }
    return http;
}
