//  saving.c - one artifact on its way to W&B: begin, the order of steps, the end.

#include "saving_files.h"

#include "errors.h"
#include "hash.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

//  128 characters that are always the same for these bytes: the server knows a retry by them.
static json_t *
s_client_id(const char *what, const void *data, size_t len)
{
    char text[2 * (ARTEL_DIGEST_TEXT - 1) + 1];
    artel_digest_t digest;
    artel_hash_t *hash;
    msgpack_sbuffer bytes;
    if (artel_hash_new(&hash) != 0)
        return NULL;
    msgpack_sbuffer_init(&bytes);
    bool all = msgpack_sbuffer_write(&bytes, what, strlen(what)) == 0 && msgpack_sbuffer_write(&bytes, data, len) == 0;
    for (size_t i = 0; i < 2 && all; i++) {
        bytes.data[0] = (char) ('1' + i);
        artel_hash_bytes(hash, bytes.data, bytes.size, &digest);
        artel_hex(digest.at, sizeof digest.at, text + i * (ARTEL_DIGEST_TEXT - 1));
    }
    msgpack_sbuffer_destroy(&bytes);
    artel_hash_destroy(&hash);
    return all ? json_string(text) : NULL;
}

static json_t *
s_sequence_id(const artel_saving_args_t *args, artel_str_t name)
{
    char *text = NULL;
    int n = asprintf(&text, "%s/%s/%s/%.*s", args->entity, args->project, args->run, (int) name.len, name.at);
    json_t *id = n < 0 ? NULL : s_client_id("0 sequence ", text, (size_t) n);
    if (n >= 0)
        free(text);
    return id;
}

static json_t *
s_text(artel_str_t text)
{
    return text.len ? json_stringn(text.at, text.len) : json_null();
}

static int
s_add_alias(json_t *list, artel_str_t name, artel_str_t alias)
{
    json_t *item = json_pack("{s:o, s:o}", "artifactCollectionName", s_text(name), "alias", s_text(alias));
    return item ? json_array_append_new(list, item) : -1;
}

//  The aliases as they are, and latest.
static json_t *
s_aliases(const artel_msg_artifact_send_t *send)
{
    artel_str_t latest = artel_str("latest");
    json_t *list = json_array();
    int rc = s_add_alias(list, send->name, latest);
    for (size_t i = 0; rc == 0 && i < send->aliases.n; i++) {
        artel_str_t alias = send->aliases.at[i];
        if (alias.len != latest.len || memcmp(alias.at, latest.at, alias.len) != 0)
            rc = s_add_alias(list, send->name, alias);
    }
    if (rc == 0)
        return list;
    json_decref(list);
    return NULL;
}

//  W&B's step is the one after the last that was logged, and is not sent if it is 0.
static json_t *
s_history_step(int64_t last)
{
    return last < 0 ? json_null() : json_integer(last + 1);
}

static json_t *
s_create(const artel_saving_args_t *args, const artel_msg_artifact_send_t *send)
{
    return json_pack("{s:s, s:s, s:s, s:o, s:[o], s:o, s:o, s:o, s:o, s:o, s:o}",
        "entityName", args->entity, "projectName", args->project, "runName", args->run,
        "artifactTypeName", s_text(send->type), "artifactCollectionNames", s_text(send->name),
        "description", s_text(send->description), "metadata", s_text(send->metadata), "aliases", s_aliases(send),
        "clientID", s_client_id("0 artifact ", send->xid.at, sizeof send->xid.at),
        "sequenceClientID", s_sequence_id(args, send->name), "historyStep", s_history_step(send->history_step));
}

int
artel_saving_new(const artel_saving_args_t *args, const artel_msg_artifact_send_t *send, artel_saving_t **ret)
{
    artel_saving_t *self = calloc(1, sizeof *self);
    if (!self)
        return ARTEL_ENOMEM;
    self->args = *args;
    self->manifest = send->manifest;
    msgpack_sbuffer_init(&self->json);
    if (send->pack.len < sizeof self->pack)
        memcpy(self->pack, send->pack.at, send->pack.len);
    self->create = s_create(args, send);
    if (self->create) {
        *ret = self;
        return 0;
    }
    artel_saving_destroy(&self);
    return ARTEL_EINVAL;
}

static void
s_free_marks(artel_saving_t *self)
{
    for (size_t i = 0; self->parts && i < self->flat.n; i++)
        free(self->parts[i]);
    for (size_t i = 0; i < self->n_births; i++)
        free(self->births[i]);
    free(self->births);
    free(self->parts);
    free(self->marks);
}

void
artel_saving_destroy(artel_saving_t **self_p)
{
    artel_saving_t *self = *self_p;
    if (!self)
        return;
    artel_saving_release_files(self);
    json_decref(self->create);
    json_decref(self->offer);
    msgpack_sbuffer_destroy(&self->json);
    s_free_marks(self);
    artel_flat_done(&self->flat);
    artel_source_close(&self->source);
    free(self->data);
    free(self->uses);
    free(self);
    *self_p = NULL;
}

void
artel_saving_fail(artel_saving_t *self, int code, bool passes, const char *format, ...)
{
    if (self->step == SAVING_OVER)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(self->state.text, sizeof self->state.text, format, args);
    va_end(args);
    self->state.code = code;
    self->state.passes = passes;
    artel_saving_end(self);
    for (size_t i = 0; i < SAVING_REQUESTS; i++)
        if (self->requests[i].busy)
            atomic_store(&self->requests[i].http.cancel, true);
}

void
artel_saving_end(artel_saving_t *self)
{
    self->step = SAVING_OVER;
    self->state.over = self->out == 0;
}

//  It may have come when the hashing was all but over.
static void
s_notice_cancel(artel_saving_t *self)
{
    if (atomic_load(&self->cancel))
        artel_saving_fail(self, ARTEL_ECANCELED, true, "canceled");
}

void
artel_saving_cancel(artel_saving_t *self)
{
    atomic_store(&self->cancel, true);
    if (atomic_load(&self->hashed))
        s_notice_cancel(self);
}

artel_http_t *
artel_saving_next(artel_saving_t *self)
{
    s_notice_cancel(self);
    if (self->step == SAVING_HASH || self->step == SAVING_OVER || self->out == SAVING_REQUESTS)
        return NULL;
    if (self->step == SAVING_FILES)
        return artel_saving_next_file(self);
    return self->out == 0 ? artel_saving_step(self) : NULL;
}

void
artel_saving_take(artel_saving_t *self, artel_http_t *http)
{
    artel_saving_request_t *request = (artel_saving_request_t *) http;
    request->took(self, request);
    artel_saving_release(self, request);
    self->state.over = self->step == SAVING_OVER && self->out == 0;
}

const artel_saving_state_t *
artel_saving_state(const artel_saving_t *self)
{
    return &self->state;
}
