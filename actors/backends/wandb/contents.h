//  contents.h - W&B's manifest of an artifact, read.

#ifndef ARTEL_CONTENTS_H
#define ARTEL_CONTENTS_H

#include "md5.h"

#include <jansson.h>
#include <stdint.h>

//  An entry. Its texts are the contents'.
typedef struct {
    const char *path, *digest;
    const char *ref;            //  NULL: a file
    uint64_t size;              //  0 if it is not said
} artel_content_t;

typedef struct {
    artel_content_t *entries;   //  sorted by the bytes of their paths
    size_t n;
    json_t *json;               //  what holds the texts
} artel_contents_t;

//  Read a manifest. Every path is legal (artel_path_legal). ARTEL_EPROTO: why names the field that is
//  wrong, and the entry, with its path escaped. ARTEL_ELIMIT, ARTEL_ENOMEM.
int
artel_contents_read(const void *data, size_t len, artel_contents_t *ret, char *why, size_t size);
//  The entry of this path; NULL: there is none.
const artel_content_t *
artel_contents_find(const artel_contents_t *self, const char *path);

//  The digest of the artifact with these entries (manifest_json.h). What crypto.h fails with.
int
artel_contents_digest(const artel_contents_t *self, char ret[ARTEL_MD5_HEX]);

void
artel_contents_done(artel_contents_t *self);

#endif
