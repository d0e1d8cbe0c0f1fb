//  artifacts.c - versions, their aliases and lineage, and finding them again.

#include "records.h"

#include "bounds.h"
#include "errors.h"
#include "utf8.h"

#include <ctype.h>

//  "v" and digits: the number, or -1.
static int64_t
s_version_number(artel_str_t text)
{
    int64_t number = 0;
    if (text.len < 2 || text.len > 18 || text.at[0] != 'v')
        return -1;
    for (size_t i = 1; i < text.len; i++) {
        if (!isdigit((unsigned char) text.at[i]))
            return -1;
        number = number * 10 + (text.at[i] - '0');
    }
    return number;
}

static bool
s_is_name(artel_str_t name)
{
    return name.len > 0 && name.len <= ARTEL_MAX_NAME && artel_is_utf8(name.at, name.len)
           && !memchr(name.at, 0, name.len) && !memchr(name.at, ':', name.len)
           && !memchr(name.at, '/', name.len);
}

//  What is wrong with an artifact_send by itself, or NULL.
static const char *
s_fault(const artel_msg_artifact_send_t *send)
{
    if (!s_is_name(send->name))
        return "an artifact's name has 1 to 128 bytes of UTF-8 without ':' and '/'";
    if (send->type.len && !s_is_name(send->type))
        return "an artifact's type has 1 to 128 bytes of UTF-8 without ':' and '/'";
    for (size_t i = 0; i < send->aliases.n; i++)
        if (!s_is_name(send->aliases.at[i]) || s_version_number(send->aliases.at[i]) >= 0)
            return "an alias has 1 to 128 bytes of UTF-8 without ':' and '/', and is not like v3";
    return NULL;
}

//  The artifact of an artifact_send, found or added. Without a type it has the
//  one it had, or "artifact".
typedef struct {
    int64_t id, next;           //  next: the number of its next version
} artifact_t;

static int
s_find_artifact(artel_scope_t *scope, const artel_msg_artifact_send_t *send,
                artel_verdict_t *verdict, artifact_t *ret)
{
    sqlite3_stmt *stmt;
    int rc = artel_sql_row(scope->catalogue, ARTEL_SQL_FIND_ARTIFACT, ARGS(TEXT(send->name)),
                           &stmt);
    if (rc == 0) {
        ret->next = 0;
        return artel_sql_insert(scope->catalogue, ARTEL_SQL_ADD_ARTIFACT, ARGS(
            TEXT(send->name), TEXT(send->type.len ? send->type : artel_str("artifact"))), &ret->id);
    }
    if (rc < 0)
        return rc;
    artel_str_t type = artel_sql_text(stmt, 1);
    if (send->type.len && !artel_str_equal(type, send->type)) {
        verdict->code = ARTEL_EREFUSED;
        snprintf(verdict->text, sizeof verdict->text, "artifact '%.*s' has type '%.*s', not '%.*s'",
                 (int) send->name.len, send->name.at, (int) type.len, type.at,
                 (int) send->type.len, send->type.at);
    }
    *ret = (artifact_t) { sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 2) };
    sqlite3_reset(stmt);
    return 0;
}

//  The id of a manifest whose entries are all filed. It may have gone since,
//  if a gc came between: then it is filed again.
static int
s_find_manifest(artel_scope_t *scope, const artel_digest_t *digest, int64_t *ret)
{
    sqlite3_stmt *stmt;
    int rc = artel_sql_row(scope->catalogue, ARTEL_SQL_FIND_MANIFEST, ARGS(DIGEST(digest)), &stmt);
    bool complete = false;
    if (rc > 0) {
        *ret = sqlite3_column_int64(stmt, 0);
        complete = sqlite3_column_int(stmt, 1);
        sqlite3_reset(stmt);
    }
    if (rc >= 0 && !complete) {
        snprintf(scope->catalogue->error, sizeof scope->catalogue->error,
                 "the catalogue of %s: a manifest is not filed", scope->catalogue->store);
        return ARTEL_EPENDING;
    }
    return rc < 0 ? rc : 0;
}

static int
s_add_version(artel_scope_t *scope, const artel_msg_artifact_send_t *send,
              const artifact_t *artifact, int64_t manifest)
{
    int rc = artel_sql_run(scope->catalogue, ARTEL_SQL_ADD_VERSION, ARGS(
        INT(artifact->id), INT(artifact->next), INT(manifest), INT((int64_t) send->files),
        INT((int64_t) send->bytes), SOME(send->description), SOME(send->metadata), INT(scope->run),
        send->history_step < 0 ? ID(NULL) : INT(send->history_step), INT(send->at_ms)));
    return rc != 0 ? rc : artel_sql_run(scope->catalogue, ARTEL_SQL_SET_NEXT, ARGS(
        INT(artifact->id), INT(artifact->next + 1)));
}

//  The version with this content: one that is there, or a new one.
static int
s_version(artel_scope_t *scope, const artel_msg_artifact_send_t *send, const artifact_t *artifact,
          artel_verdict_t *verdict)
{
    int64_t manifest = 0;
    sqlite3_stmt *stmt;
    int rc = s_find_manifest(scope, &send->manifest, &manifest);
    if (rc == 0)
        rc = artel_sql_row(scope->catalogue, ARTEL_SQL_FIND_VERSION, ARGS(
            INT(artifact->id), INT(manifest)), &stmt);
    if (rc < 0)
        return rc;
    verdict->fresh = rc == 0;
    verdict->version = artifact->next;
    if (verdict->fresh)
        return s_add_version(scope, send, artifact, manifest);
    verdict->version = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return 0;
}

static int
s_set_alias(artel_scope_t *scope, int64_t artifact, artel_str_t alias, int64_t version)
{
    return artel_sql_run(scope->catalogue, ARTEL_SQL_SET_ALIAS, ARGS(
        INT(artifact), TEXT(alias), INT(version)));
}

static int
s_add_lineage(artel_scope_t *scope, int64_t artifact, int64_t version, const char *direction,
              int64_t at_ms)
{
    return artel_sql_run(scope->catalogue, ARTEL_SQL_ADD_LINEAGE, ARGS(
        INT(scope->run), INT(artifact), INT(version),
        TEXT(artel_str(direction)), INT(at_ms)));
}

static int
s_commit(artel_scope_t *scope, const artel_msg_artifact_send_t *send, artel_verdict_t *verdict)
{
    artifact_t artifact;
    int rc = s_find_artifact(scope, send, verdict, &artifact);
    if (rc != 0 || verdict->code != 0)
        return rc;
    rc = s_version(scope, send, &artifact, verdict);
    if (rc == 0)
        rc = s_set_alias(scope, artifact.id, artel_str("latest"), verdict->version);
    for (size_t i = 0; rc == 0 && i < send->aliases.n; i++)
        rc = s_set_alias(scope, artifact.id, send->aliases.at[i], verdict->version);
    if (rc == 0)
        rc = s_add_lineage(scope, artifact.id, verdict->version, "out", send->at_ms);
    if (rc == 0)
        rc = artel_sql_run(scope->catalogue, ARTEL_SQL_ADD_SEND, ARGS(
            ID(&send->xid), INT(artifact.id), INT(verdict->version),
            INT(verdict->fresh)));
    return rc;
}

//  Whether this xid has made or found its version before: 1 or 0.
static int
s_was_here(artel_scope_t *scope, artel_verdict_t *verdict)
{
    sqlite3_stmt *stmt;
    int rc = artel_sql_row(scope->catalogue, ARTEL_SQL_FIND_SEND,
                           ARGS(ID(&verdict->xid)), &stmt);
    if (rc > 0) {
        verdict->version = sqlite3_column_int64(stmt, 0);
        verdict->fresh = sqlite3_column_int(stmt, 1);
        sqlite3_reset(stmt);
    }
    return rc;
}

int
artel_artifact_commit(artel_scope_t *scope, const artel_msg_t *record)
{
    const artel_msg_artifact_send_t *send = &record->artifact_send;
    artel_verdict_t verdict = { .xid = send->xid, .version = -1 };
    int rc = s_was_here(scope, &verdict);
    if (rc < 0)
        return rc;
    const artel_verdict_t *seen = artel_verdicts_find(scope->seen, &send->xid);
    const char *fault = s_fault(send);
    if (rc == 0 && seen && seen->code != 0) {
        verdict = *seen;
    } else if (rc == 0 && fault) {
        verdict.code = ARTEL_EINVAL;
        snprintf(verdict.text, sizeof verdict.text, "%s", fault);
    } else if (rc == 0) {
        rc = s_commit(scope, send, &verdict);
    }
    if (rc >= 0 && verdict.code != 0)
        rc = artel_record_refuse(scope, "artifact_send", &send->xid, verdict.code, verdict.text);
    return rc < 0 ? rc : artel_verdicts_add(scope->verdicts, &verdict);
}

//  Versions are numbered by each sink for itself: the content says which one it was.
int
artel_artifact_use(artel_scope_t *scope, const artel_msg_t *record)
{
    const artel_msg_use_artifact_t *use = &record->use_artifact;
    sqlite3_stmt *stmt;
    int rc = artel_sql_row(scope->catalogue, ARTEL_SQL_FIND_USED, ARGS(
        TEXT(use->name), DIGEST(&use->manifest)), &stmt);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return artel_record_refuse(scope, "use_artifact", NULL, ARTEL_ENOENT,
                                   "the store has no artifact of this name and content");
    int64_t artifact = sqlite3_column_int64(stmt, 0), version = sqlite3_column_int64(stmt, 1);
    sqlite3_reset(stmt);
    return s_add_lineage(scope, artifact, version, "in", use->at_ms);
}

//  The number that a version's text means: 1 if there is one, 0, or a code.
static int
s_number(artel_catalogue_t *self, const char *name, const char *version, int64_t *ret)
{
    artel_str_t alias = artel_str(*version ? version : "latest");
    *ret = s_version_number(alias);
    if (*ret >= 0)
        return 1;
    sqlite3_stmt *stmt;
    int rc = artel_sql_row(self, ARTEL_SQL_FIND_ALIAS, ARGS(
        TEXT(artel_str(name)), TEXT(alias)), &stmt);
    if (rc > 0) {
        *ret = sqlite3_column_int64(stmt, 0);
        sqlite3_reset(stmt);
    }
    return rc;
}

static void
s_read_version(sqlite3_stmt *stmt, artel_version_t *ret)
{
    artel_str_t pack = artel_sql_text(stmt, 3), type = artel_sql_text(stmt, 4);
    ret->version = sqlite3_column_int64(stmt, 1);
    if (sqlite3_column_bytes(stmt, 2) == sizeof ret->manifest.at)
        memcpy(ret->manifest.at, sqlite3_column_blob(stmt, 2), sizeof ret->manifest.at);
    snprintf(ret->pack, sizeof ret->pack, "%.*s", (int) pack.len, pack.at ? pack.at : "");
    snprintf(ret->type, sizeof ret->type, "%.*s", (int) type.len, type.at ? type.at : "");
    ret->files = (uint64_t) sqlite3_column_int64(stmt, 5);
    ret->bytes = (uint64_t) sqlite3_column_int64(stmt, 6);
}

int
artel_catalogue_resolve(artel_catalogue_t *self, const char *name, const char *version,
                        artel_version_t *ret)
{
    int64_t number = 0;
    sqlite3_stmt *stmt;
    int rc = s_number(self, name, version, &number);
    if (rc > 0)
        rc = artel_sql_row(self, ARTEL_SQL_GET_VERSION, ARGS(
            TEXT(artel_str(name)), INT(number)), &stmt);
    if (rc == 0)
        snprintf(self->error, sizeof self->error, "there is no artifact '%s:%s'", name,
                 *version ? version : "latest");
    if (rc <= 0)
        return rc < 0 ? rc : ARTEL_ENOENT;
    s_read_version(stmt, ret);
    sqlite3_reset(stmt);
    return 0;
}

//  In the open transaction.
static int
s_remove(artel_catalogue_t *self, const char *name, int64_t version)
{
    sqlite3_stmt *stmt;
    int rc = artel_sql_row(self, ARTEL_SQL_GET_VERSION, ARGS(
        TEXT(artel_str(name)), INT(version)), &stmt);
    if (rc == 0)
        snprintf(self->error, sizeof self->error, "there is no artifact '%s:v%lld'", name,
                 (long long) version);
    if (rc <= 0)
        return rc < 0 ? rc : ARTEL_ENOENT;
    int64_t id = sqlite3_column_int64(stmt, 0), artifact = sqlite3_column_int64(stmt, 7);
    sqlite3_reset(stmt);
    rc = artel_sql_run(self, ARTEL_SQL_DROP_VERSION, ARGS(INT(id)));
    if (rc == 0)
        rc = artel_sql_run(self, ARTEL_SQL_DROP_ALIASES, ARGS(
            INT(artifact), INT(version)));
    return rc == 0 ? artel_sql_run(self, ARTEL_SQL_MOVE_LATEST, ARGS(INT(artifact))) : rc;
}

int
artel_catalogue_remove_version(artel_catalogue_t *self, const char *name, int64_t version)
{
    int rc = artel_catalogue_begin(self);
    if (rc != 0)
        return rc;
    rc = s_remove(self, name, version);
    if (rc == 0)
        return artel_catalogue_commit(self);
    artel_catalogue_rollback(self);
    return rc;
}
