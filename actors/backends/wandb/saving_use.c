//  saving_use.c - an artifact that a run uses: which one it is for the server, and that it is used.
//
//  The server's numbers of versions are its own. It also finds a version by its digest,
//  which is that of what the run used, whatever its number was there.

#include "saving_asks.h"

#include "errors.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
artel_saving_use(const artel_saving_args_t *args, const artel_msg_use_artifact_t *use, int64_t version,
                 artel_saving_t **ret)
{
    artel_saving_t *self = calloc(1, sizeof *self);
    if (!self)
        return ARTEL_ENOMEM;
    self->args = *args;
    self->manifest = use->manifest;
    msgpack_sbuffer_init(&self->json);
    self->uses = strndup(use->name.at, use->name.len);
    if (!self->uses) {
        artel_saving_destroy(&self);
        return ARTEL_ENOMEM;
    }
    if (version >= 0) {
        snprintf(self->digest, sizeof self->digest, "v%" PRId64, version);
        self->step = SAVING_FIND;
        atomic_store(&self->hashed, true);
    }
    *ret = self;
    return 0;
}

json_t *
artel_saving_ask_find(artel_saving_t *self)
{
    char *name = NULL;
    if (asprintf(&name, "%s:%s", self->uses, self->digest) < 0)
        return NULL;
    json_t *variables = json_pack("{s:s, s:s, s:s}", "entityName", self->args.entity, "projectName", self->args.project,
                                  "name", name);
    free(name);
    return variables;
}

int
artel_saving_read_find(artel_saving_t *self, const artel_reading_t *reading)
{
    if (!artel_reading_at(reading, "project.artifact")) {
        snprintf(reading->why, reading->size, "the server has no %s:%s for the run to use", self->uses, self->digest);
        return ARTEL_ENOENT;
    }
    int rc = artel_reading_id(reading, "project.artifact.id", self->state.id, sizeof self->state.id);
    if (rc == 0)
        rc = artel_reading_count(reading, "project.artifact.versionIndex", &self->state.version);
    if (rc == 0)
        self->step = SAVING_USE;
    return rc;
}

json_t *
artel_saving_ask_use(artel_saving_t *self)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "entityName", self->args.entity, "projectName", self->args.project,
                     "runName", self->args.run, "artifactID", self->state.id);
}

int
artel_saving_read_use(artel_saving_t *self, const artel_reading_t *reading)
{
    if (!artel_reading_at(reading, "useArtifact.artifact"))
        return artel_reading_fail(reading, "useArtifact.artifact", "is missing");
    artel_saving_end(self);
    return 0;
}
