//  artifact.h - what a program says an artifact consists of.

#ifndef ARTEL_ARTIFACT_H
#define ARTEL_ARTIFACT_H

#include "artel.h"
#include "ingest.h"

#include <stdatomic.h>

//  One call of artel_artifact_add_*. Shared by the artifact and the jobs that read it; never changed.
typedef struct artel_part artel_part_t;
struct artel_part {
    atomic_uint refs;
    int (*ingest)(artel_ingest_t *ingest, const artel_part_t *part);
    char *path;                 //  of a file or folder, absolute; of a reference the URI
    char *name;                 //  in the artifact, or NULL
    char *digest;               //  of a reference, or NULL
    void *data;                 //  bytes
    uint64_t size;              //  of bytes or a reference
};

struct artel_artifact {
    char *name, *type, *description, *metadata;
    char **aliases;
    size_t n_aliases;
    artel_part_t **parts;
    size_t n_parts, cap_parts;
    int64_t history_step;
    int links;
    bool async;
    artel_progress_fn *progress;
    void *progress_arg;
    char why[256];
};

//  A copy that shares the parts; NULL: out of memory.
artel_artifact_t *
artel_artifact_copy(const artel_artifact_t *self);

#endif
