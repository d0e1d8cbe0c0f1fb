//  operations.c - the texts of what is asked in GraphQL.

#include "operations.h"

#include <assert.h>

// clang-format off
static const artel_variable_t s_upsert_bucket[] = {
    { "id", "String", "id" },
    { "name", "String", "name" },
    { "project", "String", "modelName" },
    { "entity", "String", "entityName" },
    { "groupName", "String", "groupName" },
    { "description", "String", "description" },
    { "displayName", "String", "displayName" },
    { "notes", "String", "notes" },
    { "commit", "String", "commit" },
    { "config", "JSONString", "config" },
    { "host", "String", "host" },
    { "debug", "Boolean", "debug" },
    { "program", "String", "jobProgram" },
    { "repo", "String", "jobRepo" },
    { "jobType", "String", "jobType" },
    { "state", "String", "state" },
    { "sweep", "String", "sweep" },
    { "tags", "[String!]", "tags" },
    { "summaryMetrics", "JSONString", "summaryMetrics" },
};

static const artel_variable_t s_run_resume_status[] = {
    { "project", "String", NULL },
    { "entity", "String", NULL },
    { "name", "String!", NULL },
};

static const artel_variable_t s_create_run_files[] = {
    { "entity", "String!", "entityName" },
    { "project", "String!", "projectName" },
    { "run", "String!", "runName" },
    { "files", "[String!]!", "files" },
};

static const artel_variable_t s_create_artifact[] = {
    { "entityName", "String!", "entityName" },
    { "projectName", "String!", "projectName" },
    { "artifactTypeName", "String!", "artifactTypeName" },
    { "artifactCollectionNames", "[String!]", "artifactCollectionNames" },
    { "runName", "String", "runName" },
    { "digest", "String!", "digest" },
    { "description", "String", "description" },
    { "aliases", "[ArtifactAliasInput!]", "aliases" },
    { "metadata", "JSONString", "metadata" },
    { "clientID", "ID", "clientID" },
    { "sequenceClientID", "ID", "sequenceClientID" },
    { "historyStep", "Int64", "historyStep" },
};

static const artel_variable_t s_create_artifact_manifest[] = {
    { "artifactID", "ID!", "artifactID" },
    { "baseArtifactID", "ID", "baseArtifactID" },
    { "name", "String!", "name" },
    { "digest", "String!", "digest" },
    { "entityName", "String!", "entityName" },
    { "projectName", "String!", "projectName" },
    { "runName", "String!", "runName" },
    { "includeUpload", "Boolean!", NULL },
};

static const artel_variable_t s_create_artifact_files[] = {
    { "artifactFiles", "[CreateArtifactFileSpecInput!]!", "artifactFiles" },
    { "storageLayout", "ArtifactStorageLayout!", "storageLayout" },
};

static const artel_variable_t s_complete_multipart[] = {
    { "completeMultipartAction", "CompleteMultipartAction!", "completeMultipartAction" },
    { "completedParts", "[UploadPartsInput!]!", "completedParts" },
    { "artifactID", "ID!", "artifactID" },
    { "storagePath", "String!", "storagePath" },
    { "uploadID", "String!", "uploadID" },
};

static const artel_variable_t s_commit_artifact[] = {
    { "artifactID", "ID!", "artifactID" },
};

static const artel_variable_t s_use_artifact[] = {
    { "entityName", "String!", "entityName" },
    { "projectName", "String!", "projectName" },
    { "runName", "String!", "runName" },
    { "artifactID", "ID!", "artifactID" },
    { "usedAs", "String", "usedAs" },
    { "artifactEntityName", "String", "artifactEntityName" },
    { "artifactProjectName", "String", "artifactProjectName" },
};

static const artel_variable_t s_artifact_id[] = {
    { "id", "ID!", NULL },
};

static const artel_variable_t s_artifact_by_name[] = {
    { "entityName", "String", NULL },
    { "projectName", "String", NULL },
    { "name", "String!", NULL },
};

static const artel_variable_t s_artifact_file_urls[] = {
    { "id", "ID!", NULL },
    { "cursor", "String", NULL },
    { "perPage", "Int", NULL },
};

#define TAKES(variables) variables, sizeof variables / sizeof *variables

static const artel_operation_text_t s_texts[ARTEL_OPERATIONS] = {
    [ARTEL_VIEWER] = { "query", "Viewer", NULL, 0,
        "viewer { id entity username }", "" },
    [ARTEL_UPSERT_BUCKET] = { "mutation", "UpsertBucket", TAKES(s_upsert_bucket),
        "upsertBucket(input: {", "}) { bucket { id name displayName historyLineCount "
        "project { name entity { name } } } inserted }" },
    [ARTEL_RUN_RESUME_STATUS] = { "query", "RunResumeStatus", TAKES(s_run_resume_status),
        "model(name: $project, entityName: $entity) { id name entity { id name } "
        "bucket(name: $name, missingOk: true) { id name summaryMetrics displayName logLineCount "
        "historyLineCount eventsLineCount historyTail eventsTail config tags notes "
        "wandbConfig(keys: [\"t\"]) } }", "" },
    [ARTEL_CREATE_RUN_FILES] = { "mutation", "CreateRunFiles", TAKES(s_create_run_files),
        "createRunFiles(input: {", "}) { runID uploadHeaders files { name uploadUrl } }" },
    [ARTEL_CREATE_ARTIFACT] = { "mutation", "CreateArtifact", TAKES(s_create_artifact),
        "createArtifact(input: {digestAlgorithm: MANIFEST_MD5, enableDigestDeduplication: true, ",
        "}) { artifact { id state versionIndex artifactSequence { id latestArtifact { id versionIndex } } } }" },
    [ARTEL_CREATE_ARTIFACT_MANIFEST] = { "mutation", "CreateArtifactManifest", TAKES(s_create_artifact_manifest),
        "createArtifactManifest(input: {", "}) { artifactManifest { id file { id "
        "uploadUrl @include(if: $includeUpload) uploadHeaders @include(if: $includeUpload) } } }" },
    [ARTEL_CREATE_ARTIFACT_FILES] = { "mutation", "CreateArtifactFiles", TAKES(s_create_artifact_files),
        "createArtifactFiles(input: {", "}) { files { edges { node { name storagePath uploadUrl uploadHeaders "
        "uploadMultipartUrls { uploadID uploadUrlParts { partNumber uploadUrl } } artifact { id } } } } }" },
    [ARTEL_COMPLETE_MULTIPART] = { "mutation", "CompleteMultipartUploadArtifact", TAKES(s_complete_multipart),
        "completeMultipartUploadArtifact(input: {", "}) { digest }" },
    [ARTEL_COMMIT_ARTIFACT] = { "mutation", "CommitArtifact", TAKES(s_commit_artifact),
        "commitArtifact(input: {", "}) { artifact { id digest versionIndex } }" },
    [ARTEL_USE_ARTIFACT] = { "mutation", "UseArtifact", TAKES(s_use_artifact),
        "useArtifact(input: {", "}) { artifact { id } }" },
    [ARTEL_ARTIFACT_STATE] = { "query", "ArtifactState", TAKES(s_artifact_id),
        "artifact(id: $id) { id state versionIndex }", "" },
    [ARTEL_ARTIFACT_BY_NAME] = { "query", "ArtifactByName", TAKES(s_artifact_by_name),
        "project(name: $projectName, entityName: $entityName) { artifact(name: $name) { "
        "id state versionIndex digest size fileCount artifactType { name } } }", "" },
    [ARTEL_ARTIFACT_MANIFEST] = { "query", "ArtifactManifest", TAKES(s_artifact_id),
        "artifact(id: $id) { currentManifest { file { directUrl } } }", "" },
    [ARTEL_ARTIFACT_FILE_URLS] = { "query", "ArtifactFileURLs", TAKES(s_artifact_file_urls),
        "artifact(id: $id) { files(after: $cursor, first: $perPage) { "
        "pageInfo { hasNextPage endCursor } edges { node { name directUrl } } } }", "" },
};
// clang-format on

const artel_operation_text_t *
artel_operation_text(artel_operation_t operation)
{
    assert(operation < ARTEL_OPERATIONS);
    return &s_texts[operation];
}
