//  operations.h - what is asked of W&B's server in GraphQL: a name, variables, and the fields of the answer.
//
//  Texts and types are those of W&B's own SDK, and spaced as its servers and mocks
//  look for them: "query Viewer {", "mutation CommitArtifact(".

#ifndef ARTEL_OPERATIONS_H
#define ARTEL_OPERATIONS_H

#include <stddef.h>

typedef enum {
    ARTEL_VIEWER,
    ARTEL_UPSERT_BUCKET,
    ARTEL_RUN_RESUME_STATUS,
    ARTEL_CREATE_RUN_FILES,
    ARTEL_CREATE_ARTIFACT,
    ARTEL_CREATE_ARTIFACT_MANIFEST,
    ARTEL_CREATE_ARTIFACT_FILES,
    ARTEL_COMPLETE_MULTIPART,
    ARTEL_COMMIT_ARTIFACT,
    ARTEL_USE_ARTIFACT,
    ARTEL_ARTIFACT_STATE,
    ARTEL_ARTIFACT_BY_NAME,
    ARTEL_ARTIFACT_MANIFEST,
    ARTEL_ARTIFACT_FILE_URLS,
    ARTEL_OPERATIONS,           //  how many there are
} artel_operation_t;

//  A variable, and where it goes in the document. Those with a field that are not given are not
//  declared either: a server that does not know the field has nothing to object to.
typedef struct {
    const char *name;
    const char *type;
    const char *field;          //  of the input; NULL: the text names the variable itself
} artel_variable_t;

typedef struct {
    const char *kind;           //  "query" or "mutation"
    const char *name;
    const artel_variable_t *variables;
    size_t n_variables;
    const char *open, *close;   //  the text before and after the input's fields
} artel_operation_text_t;

const artel_operation_text_t *
artel_operation_text(artel_operation_t operation);

#endif
