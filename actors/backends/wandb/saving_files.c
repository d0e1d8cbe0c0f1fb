//  saving_files.c - the files of an artifact: URLs in batches, and a PUT for each.
//
//  While one batch is on its way the next is asked for. What could not be sent waits for
//  the end of the round, and gets new URLs in another: signed URLs expire.

#include "saving_files.h"

#include "errors.h"
#include "upload.h"

#include <stdlib.h>
#include <string.h>

//  ---- rounds

static void
s_begin_round(artel_saving_t *self)
{
    self->asked = 0;
    self->step = self->todo.n ? SAVING_FILES : SAVING_END;
}

void
artel_saving_send(artel_saving_t *self)
{
    size_t n = self->flat.n;
    self->todo.at = malloc((n + 1) * sizeof *self->todo.at);
    self->failed.at = malloc((n + 1) * sizeof *self->failed.at);
    if (!self->todo.at || !self->failed.at)
        return artel_saving_fail(self, ARTEL_ENOMEM, true, "out of memory");
    for (size_t i = 0; i < n; i++)
        if (!self->flat.entries[i].uri.len)
            self->todo.at[self->todo.n++] = (uint32_t) i;
    s_begin_round(self);
}

//  When all of a round are back: on, or again with what failed, unless that is most of those that had failed before.
static void
s_end_round(artel_saving_t *self)
{
    artel_saving_files_t failed = self->failed;
    if (failed.n && self->round > 0 && 2 * failed.n > self->todo.n)
        return artel_saving_fail(self, self->before.code, self->before.passes, "%zu of %zu files were not taken: %s",
                                 failed.n, self->todo.n, self->before.text);
    self->failed = self->todo;
    self->failed.n = 0;
    self->todo = failed;
    self->round++;
    s_begin_round(self);
    if (self->step == SAVING_END)
        self->before = (artel_saving_state_t) { 0 };
}

void
artel_saving_check_round(artel_saving_t *self)
{
    bool idle = self->out == 1 && !self->waiting && !self->upload && !self->sent;
    if (self->step == SAVING_FILES && idle && self->asked == self->todo.n)
        s_end_round(self);
}

void
artel_saving_sent(artel_saving_t *self, uint32_t file)
{
    self->state.files++;
    self->state.bytes += self->flat.entries[file].size;
}

void
artel_saving_not_sent(artel_saving_t *self, uint32_t file, const artel_http_t *http)
{
    self->failed.at[self->failed.n++] = file;
    self->before.code = http->code;
    self->before.passes = http->passes || http->status == 403;
    memcpy(self->before.text, http->text, sizeof self->before.text);
}

//  ---- batches

static int
s_add_spec(const artel_saving_t *self, json_t *specs, uint32_t file)
{
    const artel_flat_entry_t *entry = &self->flat.entries[file];
    char md5[ARTEL_MD5_TEXT];
    artel_md5_text(&self->marks[file].md5, md5);
    json_t *spec = json_pack("{s:s, s:s, s:s%, s:s, s:o*}", "artifactID", self->state.id, "artifactManifestID",
                             self->manifest_id, "name", entry->path.at, entry->path.len, "md5", md5,
                             "uploadPartsInput", artel_saving_part_hashes(self, file));
    return spec ? json_array_append_new(specs, spec) : -1;
}

static json_t *
s_specs(const artel_saving_t *self, size_t from, size_t to)
{
    json_t *specs = json_array();
    int rc = 0;
    for (size_t i = from; rc == 0 && i < to; i++)
        rc = s_add_spec(self, specs, self->todo.at[i]);
    if (rc == 0)
        return json_pack("{s:o, s:s}", "artifactFiles", specs, "storageLayout", "V2");
    json_decref(specs);
    return NULL;
}

//  The id as a text that lives as long as the saving. Most files of an artifact have one in common.
static const char *
s_birth(artel_saving_t *self, const char *id)
{
    if (self->n_births && strcmp(self->births[self->n_births - 1], id) == 0)
        return self->births[self->n_births - 1];
    char **births = realloc(self->births, (self->n_births + 1) * sizeof *births);
    if (!births)
        return NULL;
    self->births = births;
    births[self->n_births] = strdup(id);
    return births[self->n_births] ? births[self->n_births++] : NULL;
}

//  What one edge says: where its bytes were born, and whether they are wanted.
static int
s_read_edge(artel_saving_t *self, const json_t *edge, uint32_t file, char *why, size_t size)
{
    char id[ARTEL_WANDB_ID];
    artel_reading_t reading = { ARTEL_CREATE_ARTIFACT_FILES, edge, why, size };
    const char *url;
    int rc = artel_reading_id(&reading, "node.artifact.id", id, sizeof id);
    if (rc != 0)
        return rc;
    self->marks[file].birth = s_birth(self, id);
    if (!self->marks[file].birth)
        return artel_reading_fail(&reading, "node.artifact.id", "is too much for the memory");
    if (!artel_reading_at(&reading, "node.uploadUrl")) {
        artel_saving_sent(self, file);
        return 0;
    }
    self->waiting++;
    return artel_reading_text(&reading, "node.uploadUrl", &url);
}

static int
s_read_edges(artel_saving_t *self, artel_saving_batch_t *batch, char *why, size_t size)
{
    artel_reading_t reading = { ARTEL_CREATE_ARTIFACT_FILES, batch->data, why, size };
    int rc = artel_reading_list(&reading, "createArtifactFiles.files.edges", &batch->edges);
    if (rc != 0)
        return rc;
    if (json_array_size(batch->edges) != batch->n)
        return artel_reading_fail(&reading, "createArtifactFiles.files.edges", "has not one for each file");
    for (size_t i = 0; rc == 0 && i < batch->n; i++)
        rc = s_read_edge(self, json_array_get(batch->edges, i), batch->files[i], why, size);
    return rc;
}

static void
s_free_batch(artel_saving_batch_t *batch)
{
    json_decref(batch->data);
    free(batch);
}

//  Forget the batches, from the oldest on, of which nothing is to be sent or used any more.
static void
s_drop_batches(artel_saving_t *self)
{
    while (self->batches && self->batches->at == self->batches->n && self->batches->used == 0) {
        artel_saving_batch_t *batch = self->batches;
        self->batches = batch->next;
        s_free_batch(batch);
    }
}

void
artel_saving_leave(artel_saving_t *self, artel_saving_batch_t *batch)
{
    batch->used--;
    s_drop_batches(self);
}

static const json_t *
s_node(const artel_saving_batch_t *batch)
{
    return json_object_get(json_array_get(batch->edges, batch->at), "node");
}

//  Go over what the server has.
static void
s_skip(artel_saving_batch_t *batch)
{
    while (batch->at < batch->n && !json_string_value(json_object_get(s_node(batch), "uploadUrl")))
        batch->at++;
}

static void
s_append(artel_saving_t *self, artel_saving_batch_t *batch)
{
    artel_saving_batch_t **at = &self->batches;
    while (*at)
        at = &(*at)->next;
    *at = batch;
}

static void
s_took_batch(artel_saving_t *self, artel_saving_request_t *request)
{
    artel_saving_batch_t *batch = request->batch;
    char why[sizeof self->state.text];
    self->asking = false;
    s_append(self, batch);
    int rc = artel_graphql_answer(ARTEL_CREATE_ARTIFACT_FILES, &request->http, &batch->data, why, sizeof why);
    bool passes = rc != 0 && artel_graphql_passes(rc, &request->http);
    if (rc == 0)
        rc = s_read_edges(self, batch, why, sizeof why);
    if (rc != 0)
        return artel_saving_fail(self, rc, passes, "%s", why);
    s_skip(batch);
    s_drop_batches(self);
    artel_saving_check_round(self);
}

static artel_http_t *
s_ask_batch(artel_saving_t *self)
{
    size_t left = self->todo.n - self->asked, n = left < SAVING_BATCH ? left : SAVING_BATCH;
    artel_saving_batch_t *batch = calloc(1, sizeof *batch);
    json_t *specs = batch ? s_specs(self, self->asked, self->asked + n) : NULL;
    artel_http_t *http = artel_saving_ask(self, ARTEL_CREATE_ARTIFACT_FILES, specs, s_took_batch);
    if (!http) {
        free(batch);
        return NULL;
    }
    batch->files = self->todo.at + self->asked;
    batch->n = n;
    ((artel_saving_request_t *) http)->batch = batch;
    self->asked += n;
    self->asking = true;
    return http;
}

//  ---- files

static bool
s_is_ours(int code)
{
    return code == ARTEL_EIO || code == ARTEL_ENOMEM;
}

static void
s_took_file(artel_saving_t *self, artel_saving_request_t *request)
{
    const artel_http_t *http = &request->http;
    artel_saving_leave(self, request->batch);
    if (http->code == 0)
        artel_saving_sent(self, request->file);
    else if (s_is_ours(http->code))
        artel_saving_fail(self, http->code, http->code == ARTEL_ENOMEM, "%s", http->text);
    else
        artel_saving_not_sent(self, request->file, http);
    artel_saving_check_round(self);
}

static artel_http_t *
s_put_file(artel_saving_t *self, artel_saving_batch_t *batch, const json_t *node, uint32_t file)
{
    const char *const *headers;
    int rc = artel_upload_headers(json_object_get(node, "uploadHeaders"), &headers);
    if (rc != 0) {
        artel_saving_fail(self, rc, rc == ARTEL_ENOMEM, "CreateArtifactFiles: uploadHeaders is no list of headers");
        return NULL;
    }
    artel_saving_request_t *request = artel_saving_request(self, s_took_file);
    request->file = file;
    request->batch = batch;
    request->headers = headers;
    if (!artel_saving_body(self, request, 0, self->flat.entries[file].size))
        return NULL;
    return artel_saving_put(self, request, json_string_value(json_object_get(node, "uploadUrl")), headers);
}

//  It is on its way, in one request or in many.
static void
s_hand_out(artel_saving_t *self, artel_saving_batch_t *batch)
{
    batch->at++;
    batch->used++;
    s_skip(batch);
    self->waiting--;
}

//  The next file that is waiting, or the first part of it.
static artel_http_t *
s_next_waiting(artel_saving_t *self)
{
    artel_saving_batch_t *batch = self->batches;
    while (batch->at == batch->n)
        batch = batch->next;
    const json_t *node = s_node(batch);
    uint32_t file = batch->files[batch->at];
    if (self->parts[file] && json_is_object(json_object_get(node, "uploadMultipartUrls"))) {
        artel_saving_begin_parts(self, batch, node, file);
        s_hand_out(self, batch);
        return self->upload ? artel_saving_next_part(self) : NULL;
    }
    artel_http_t *http = s_put_file(self, batch, node, file);
    if (http)
        s_hand_out(self, batch);
    return http;
}

artel_http_t *
artel_saving_next_file(artel_saving_t *self)
{
    if (self->sent)
        return artel_saving_complete(self);
    if (!self->asking && self->asked < self->todo.n && self->waiting < SAVING_LOW)
        return s_ask_batch(self);
    if (self->upload)
        return artel_saving_next_part(self);
    return self->waiting ? s_next_waiting(self) : NULL;
}

void
artel_saving_release_files(artel_saving_t *self)
{
    if (self->upload)
        artel_saving_release_upload(self, self->upload);
    while (self->sent) {
        artel_saving_upload_t *upload = self->sent;
        self->sent = upload->next;
        artel_saving_release_upload(self, upload);
    }
    while (self->batches) {
        artel_saving_batch_t *batch = self->batches;
        self->batches = batch->next;
        s_free_batch(batch);
    }
    free(self->todo.at);
    free(self->failed.at);
}
