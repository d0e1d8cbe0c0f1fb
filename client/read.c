//  read.c - finding versions, and fetching what is in them.

#include "actor.h"
#include "blobs.h"
#include "bounds.h"
#include "checkout.h"
#include "client.h"
#include "errors.h"

enum { FIND_MS = 30000 };

//  "name:version" in two; no version is the latest.
static int
s_split(const char *text, char *ret_name, const char **ret_version)
{
    const char *colon = text ? strchr(text, ':') : NULL;
    size_t len = colon ? (size_t) (colon - text) : text ? strlen(text) : 0;
    if (len == 0 || len > ARTEL_MAX_NAME || (colon && !colon[1]))
        return ARTEL_EINVAL;
    memcpy(ret_name, text, len);
    ret_name[len] = 0;
    *ret_version = colon ? colon + 1 : "latest";
    return 0;
}

static int
s_resolve(artel_t *self, const char *text, artel_request_t *ret)
{
    char name[ARTEL_MAX_NAME + 1];
    const char *version;
    if (s_split(text, name, &version) != 0)
        return artel_fail(&self->notes, ARTEL_EINVAL, "\"%.200s\" names no artifact; say NAME, NAME:ALIAS or "
                          "NAME:vN", text ? text : "");
    *ret = (artel_request_t) { .msg = { .id = ARTEL_MSG_RESOLVE, .resolve = {
        .name = artel_str(name), .version = artel_str(version) } } };
    int rc = artel_request(self, ret, artel_deadline(FIND_MS));
    if (rc == 0)
        rc = ret->code;
    if (rc == ARTEL_ENOENT)
        return artel_fail(&self->notes, rc, "there is no artifact \"%s\" with a version \"%s\"; `artel artifact "
                          "ls` lists them", name, version);
    if (rc != 0)
        return artel_fail(&self->notes, rc, "artifact \"%s:%s\" was not found: %s", name, version,
                          *ret->why ? ret->why : artel_error_code_text(rc));
    return 0;
}

//  Tell the caller, whose struct may be an older and shorter one.
static int
s_tell(artel_t *self, const artel_request_t *found, artel_version_info_t *ret)
{
    if (!ret)
        return 0;
    if (ret->size < sizeof ret->size)
        return artel_fail(&self->notes, ARTEL_EINVAL, "the size of an artel_version_info_t is not set");
    artel_version_info_t info = { .size = ret->size, .version = found->version, .files = found->files,
                                  .bytes = found->bytes };
    artel_hex(found->manifest.at, sizeof found->manifest.at, info.digest);
    memcpy(ret, &info, ret->size < sizeof info ? ret->size : sizeof info);
    return 0;
}

//  From where the primary sink keeps its blobs.
static int
s_fetch(artel_t *self, const char *name, const char *dir, const artel_request_t *found)
{
    char why[512] = "";
    pthread_mutex_lock(&self->lock);
    artel_targets_t *targets = artel_targets_ref(self->targets);
    pthread_mutex_unlock(&self->lock);
    const char *place = artel_targets_primary(targets)->place;
    artel_checkout_t how = { .store = place ? place : self->dir, .manifest = found->manifest, .pack = found->pack,
                             .into = dir };
    int rc = artel_checkout(&how, why, sizeof why);
    artel_targets_unref(targets);
    return rc == 0 ? 0 : artel_fail(&self->notes, rc, "artifact \"%s\" was not fetched into %s: %s", name, dir,
                                    *why ? why : artel_error_code_text(rc));
}

int
artel_find(artel_t *self, const char *name, artel_version_info_t *ret)
{
    artel_request_t found;
    int rc = artel_client_enter(self);
    if (rc == 0)
        rc = s_resolve(self, name, &found);
    return rc == 0 ? s_tell(self, &found, ret) : rc;
}

int
artel_download(artel_t *self, const char *name, const char *dir, artel_version_info_t *ret)
{
    artel_request_t found;
    int rc = artel_client_enter(self);
    if (rc == 0 && (!dir || !*dir))
        rc = artel_fail(&self->notes, ARTEL_EINVAL, "the folder to fetch an artifact into is not said");
    if (rc == 0)
        rc = s_resolve(self, name, &found);
    if (rc == 0)
        rc = s_fetch(self, name, dir, &found);
    return rc == 0 ? s_tell(self, &found, ret) : rc;
}

static int
s_record_use(artel_run_t *run, const artel_request_t *found)
{
    uint64_t counter;
    int rc = artel_run_put(run, &(artel_msg_t) { .id = ARTEL_MSG_USE_ARTIFACT, .use_artifact = {
        artel_str(found->name), found->version, found->manifest, artel_wall_ms() } }, &counter);
    return rc == 0 ? 0 : artel_fail(&run->client->notes, rc, "run %s: the use of artifact \"%s\" was not "
                                    "recorded: %s", run->id, found->name, artel_error_code_text(rc));
}

int
artel_run_use_artifact(artel_run_t *run, const char *name, artel_version_info_t *ret)
{
    artel_request_t found;
    int rc = artel_run_enter(run);
    if (rc == 0)
        rc = s_resolve(run->client, name, &found);
    if (rc == 0)
        rc = s_record_use(run, &found);
    return rc == 0 ? s_tell(run->client, &found, ret) : rc;
}

int
artel_run_download(artel_run_t *run, const char *name, const char *dir, artel_version_info_t *ret)
{
    artel_request_t found;
    int rc = artel_run_enter(run);
    if (rc == 0 && (!dir || !*dir))
        rc = artel_fail(&run->client->notes, ARTEL_EINVAL, "the folder to fetch an artifact into is not said");
    if (rc == 0)
        rc = s_resolve(run->client, name, &found);
    if (rc == 0)
        rc = s_record_use(run, &found);
    if (rc == 0)
        rc = s_fetch(run->client, name, dir, &found);
    return rc == 0 ? s_tell(run->client, &found, ret) : rc;
}
