//  saving_asks.c - the steps of a saving that are one request each, in their order.

#include "saving_asks.h"
#include "saving_files.h"

#include "errors.h"
#include "upload.h"

#include <stdlib.h>
#include <string.h>

enum { STORES = 3 };            //  how often a manifest whose URL is refused gets a new one

static const char s_name[] = "wandb_manifest.json";

//  Asks, and reads the answer: 0, or the code of a failure that the reading has told.
typedef struct {
    artel_operation_t operation;
    json_t *(*variables)(artel_saving_t *self);
    int (*read)(artel_saving_t *self, const artel_reading_t *reading);
} ask_t;

//  The artifact is there, under a version that is yet to be asked if it is not said.
static void
s_committed(artel_saving_t *self, const artel_reading_t *reading, const char *path)
{
    const json_t *version = artel_reading_at(reading, path);
    if (!json_is_integer(version)) {
        self->step = SAVING_LOOK;
        return;
    }
    self->state.version = json_integer_value(version);
    artel_saving_end(self);
}

static json_t *
s_ask_create(artel_saving_t *self)
{
    return json_incref(self->create);
}

static int
s_read_create(artel_saving_t *self, const artel_reading_t *reading)
{
    const char *state, *last = "createArtifact.artifact.artifactSequence.latestArtifact.id";
    int rc = artel_reading_id(reading, "createArtifact.artifact.id", self->state.id, sizeof self->state.id);
    if (rc == 0)
        rc = artel_reading_text(reading, "createArtifact.artifact.state", &state);
    if (rc == 0 && artel_reading_at(reading, last))
        rc = artel_reading_id(reading, last, self->base_id, sizeof self->base_id);
    if (rc != 0)
        return rc;
    if (strcmp(state, "COMMITTED") == 0 || strcmp(state, "COMMITTING") == 0)
        s_committed(self, reading, "createArtifact.artifact.versionIndex");
    else if (strcmp(state, "PENDING") == 0 || strcmp(state, "DELETED") == 0)
        self->step = SAVING_BEGIN;
    else
        return artel_reading_fail(reading, "createArtifact.artifact.state", "is none that is known");
    return 0;
}

static json_t *
s_ask_manifest(artel_saving_t *self, const char *digest)
{
    return json_pack("{s:s, s:s?, s:s, s:s, s:s, s:s, s:s, s:b}", "artifactID", self->state.id,
                     "baseArtifactID", *self->base_id ? self->base_id : NULL, "name", s_name, "digest", digest,
                     "entityName", self->args.entity, "projectName", self->args.project, "runName", self->args.run,
                     "includeUpload", *digest != 0);
}

static json_t *
s_ask_begin(artel_saving_t *self)
{
    return s_ask_manifest(self, "");
}

static int
s_read_begin(artel_saving_t *self, const artel_reading_t *reading)
{
    int rc = artel_reading_id(reading, "createArtifactManifest.artifactManifest.id", self->manifest_id,
                              sizeof self->manifest_id);
    if (rc == 0)
        artel_saving_send(self);
    return rc;
}

//  The manifest is written when it is asked about for the first time.
static json_t *
s_ask_end(artel_saving_t *self)
{
    artel_md5_t md5;
    char digest[ARTEL_MD5_TEXT];
    if (self->json.size == 0 && artel_manifest_json_write(&self->flat, self->marks, &self->json) != 0)
        return NULL;
    if (artel_md5_bytes(self->json.data, self->json.size, &md5) != 0)
        return NULL;
    artel_md5_text(&md5, digest);
    return s_ask_manifest(self, digest);
}

static int
s_read_end(artel_saving_t *self, const artel_reading_t *reading)
{
    const char *file = "createArtifactManifest.artifactManifest.file", *url;
    int rc = artel_reading_text(reading, "createArtifactManifest.artifactManifest.file.uploadUrl", &url);
    if (rc != 0)
        return rc;
    json_decref(self->offer);
    self->offer = json_incref(artel_reading_at(reading, file));
    self->step = SAVING_STORE;
    return 0;
}

static json_t *
s_ask_commit(artel_saving_t *self)
{
    return json_pack("{s:s}", "artifactID", self->state.id);
}

static int
s_read_commit(artel_saving_t *self, const artel_reading_t *reading)
{
    if (!artel_reading_at(reading, "commitArtifact.artifact"))
        return artel_reading_fail(reading, "commitArtifact.artifact", "is missing");
    self->state.fresh = true;
    s_committed(self, reading, "commitArtifact.artifact.versionIndex");
    return 0;
}

static json_t *
s_ask_look(artel_saving_t *self)
{
    return json_pack("{s:s}", "id", self->state.id);
}

//  If it is not committed then the commit had failed indeed.
static int
s_read_look(artel_saving_t *self, const artel_reading_t *reading)
{
    const char *state;
    int rc = artel_reading_text(reading, "artifact.state", &state);
    if (rc == 0 && strcmp(state, "COMMITTED") == 0)
        rc = artel_reading_count(reading, "artifact.versionIndex", &self->state.version);
    else if (rc == 0 && self->before.code != 0)
        artel_saving_fail(self, self->before.code, self->before.passes, "%s", self->before.text);
    else if (rc == 0)
        rc = artel_reading_fail(reading, "artifact.state", "is not COMMITTED");
    if (rc == 0 && self->step == SAVING_LOOK)
        artel_saving_end(self);
    return rc;
}

static const ask_t s_asks[SAVING_OVER] = {
    [SAVING_CREATE] = { ARTEL_CREATE_ARTIFACT, s_ask_create, s_read_create },
    [SAVING_BEGIN] = { ARTEL_CREATE_ARTIFACT_MANIFEST, s_ask_begin, s_read_begin },
    [SAVING_END] = { ARTEL_CREATE_ARTIFACT_MANIFEST, s_ask_end, s_read_end },
    [SAVING_COMMIT] = { ARTEL_COMMIT_ARTIFACT, s_ask_commit, s_read_commit },
    [SAVING_LOOK] = { ARTEL_ARTIFACT_STATE, s_ask_look, s_read_look },
    [SAVING_FIND] = { ARTEL_ARTIFACT_BY_NAME, artel_saving_ask_find, artel_saving_read_find },
    [SAVING_USE] = { ARTEL_USE_ARTIFACT, artel_saving_ask_use, artel_saving_read_use },
};

//  A commit whose answer was lost, or that somebody else was in the way of, may have happened.
static void
s_look_after_commit(artel_saving_t *self, const artel_http_t *http)
{
    char *why = self->before.text;
    json_t *data;
    self->before.code = artel_graphql_answer(ARTEL_COMMIT_ARTIFACT, http, &data, why, sizeof self->before.text);
    self->before.passes = artel_graphql_passes(self->before.code, http);
    self->state.fresh = true;
    self->step = SAVING_LOOK;
}

static void
s_took(artel_saving_t *self, artel_saving_request_t *request)
{
    const ask_t *ask = &s_asks[self->step];
    char why[sizeof self->state.text];
    json_t *data;
    if (self->step == SAVING_OVER)
        return;
    int rc = artel_graphql_answer(ask->operation, &request->http, &data, why, sizeof why);
    if (rc != 0 && self->step == SAVING_COMMIT)
        return s_look_after_commit(self, &request->http);
    bool passes = artel_graphql_passes(rc, &request->http);
    if (rc == 0) {
        rc = ask->read(self, &(artel_reading_t) { ask->operation, data, why, sizeof why });
        passes = false;
        json_decref(data);
    }
    if (rc != 0)
        artel_saving_fail(self, rc, passes, "%s", why);
}

//  A URL that is refused may have expired.
static void
s_stored(artel_saving_t *self, artel_saving_request_t *request)
{
    const artel_http_t *http = &request->http;
    if (self->step == SAVING_OVER)
        return;
    if (http->code == 0)
        self->step = SAVING_COMMIT;
    else if (http->code == ARTEL_EREFUSED && ++self->stored < STORES)
        self->step = SAVING_END;
    else
        artel_saving_fail(self, http->code, http->passes || http->status == 403, "the manifest was not taken: %s",
                          http->text);
}

static artel_http_t *
s_store(artel_saving_t *self)
{
    const char *const *headers;
    int rc = artel_upload_headers(json_object_get(self->offer, "uploadHeaders"), &headers);
    if (rc != 0) {
        artel_saving_fail(self, rc, rc == ARTEL_ENOMEM, "CreateArtifactManifest: uploadHeaders is no list of headers");
        return NULL;
    }
    artel_saving_request_t *request = artel_saving_request(self, s_stored);
    request->http.body.data = self->json.data;
    request->http.body.size = self->json.size;
    return artel_saving_put(self, request, json_string_value(json_object_get(self->offer, "uploadUrl")), headers);
}

artel_http_t *
artel_saving_step(artel_saving_t *self)
{
    if (self->step == SAVING_STORE)
        return s_store(self);
    const ask_t *ask = &s_asks[self->step];
    return artel_saving_ask(self, ask->operation, ask->variables(self), s_took);
}
