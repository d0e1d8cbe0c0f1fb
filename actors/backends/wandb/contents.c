//  contents.c - W&B's manifest of an artifact, read.

#include "contents.h"

#include "bounds.h"
#include "errors.h"
#include "manifest.h"
#include "manifest_json.h"

#include <stdlib.h>
#include <string.h>

//  Why an entry of the manifest cannot be: "the manifest's entry a/b has no digest".
static int
s_bad(const char *path, char *why, size_t size, const char *what)
{
    char text[160];
    artel_path_escape(artel_str(path), text, sizeof text);
    snprintf(why, size, "the manifest's entry %s has %s", text, what);
    return ARTEL_EPROTO;
}

static int
s_read_entry(const char *path, const json_t *json, artel_content_t *ret, char *why, size_t size)
{
    const json_t *ref = json_object_get(json, "ref"), *bytes = json_object_get(json, "size");
    const char *reason;
    char text[96];
    if (!artel_path_legal(artel_str(path), &reason)) {
        snprintf(text, sizeof text, "a path that %s", reason);
        return s_bad(path, why, size, text);
    }
    *ret = (artel_content_t) { .path = path, .digest = json_string_value(json_object_get(json, "digest")),
                              .ref = json_string_value(ref), .size = (uint64_t) json_integer_value(bytes) };
    if (!ret->digest || !*ret->digest)
        return s_bad(path, why, size, "no digest");
    if (ref && !json_is_null(ref) && !ret->ref)
        return s_bad(path, why, size, "a ref that is no text");
    if (bytes && !json_is_null(bytes) && (!json_is_integer(bytes) || json_integer_value(bytes) < 0))
        return s_bad(path, why, size, "a size that is no number of at least 0");
    return 0;
}

static int
s_say(int code, char *why, size_t size, const char *text)
{
    snprintf(why, size, "%s", text);
    return code;
}

//  The head: of later versions and of other ways to store we know nothing.
static int
s_check_head(const json_t *json, char *why, size_t size)
{
    const char *policy = json_string_value(json_object_get(json, "storagePolicy"));
    if (!json_is_object(json))
        return s_say(ARTEL_EPROTO, why, size, "the manifest is no JSON object");
    if (json_integer_value(json_object_get(json, "version")) != 1)
        return s_say(ARTEL_EPROTO, why, size, "the manifest's version is not 1");
    if (!policy || strcmp(policy, "wandb-storage-policy-v1") != 0)
        return s_say(ARTEL_EPROTO, why, size, "the manifest's storagePolicy is not wandb-storage-policy-v1");
    if (!json_is_object(json_object_get(json, "contents")))
        return s_say(ARTEL_EPROTO, why, size, "the manifest has no contents");
    if (json_object_size(json_object_get(json, "contents")) > ARTEL_MAX_ENTRIES)
        return s_say(ARTEL_ELIMIT, why, size, "the manifest has too many entries");
    return 0;
}

static int
s_compare(const void *a, const void *b)
{
    return strcmp(((const artel_content_t *) a)->path, ((const artel_content_t *) b)->path);
}

static int
s_read_contents(json_t *entries, artel_contents_t *contents, char *why, size_t size)
{
    const char *path;
    json_t *entry;
    int rc = 0;
    contents->entries = calloc(json_object_size(entries) + 1, sizeof *contents->entries);
    if (!contents->entries)
        return ARTEL_ENOMEM;
    json_object_foreach(entries, path, entry) {
        rc = s_read_entry(path, entry, &contents->entries[contents->n++], why, size);
        if (rc != 0)
            return rc;
    }
    qsort(contents->entries, contents->n, sizeof *contents->entries, s_compare);
    return 0;
}

int
artel_contents_read(const void *data, size_t len, artel_contents_t *ret, char *why, size_t size)
{
    artel_contents_t contents = { .json = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL) };
    int rc = s_check_head(contents.json, why, size);
    if (rc == 0)
        rc = s_read_contents(json_object_get(contents.json, "contents"), &contents, why, size);
    if (rc == 0)
        *ret = contents;
    else
        artel_contents_done(&contents);
    return rc;
}

const artel_content_t *
artel_contents_find(const artel_contents_t *self, const char *path)
{
    artel_content_t key = { .path = path };
    return self->n ? bsearch(&key, self->entries, self->n, sizeof key, s_compare) : NULL;
}

int
artel_contents_digest(const artel_contents_t *self, char ret[ARTEL_MD5_HEX])
{
    artel_md5_pieces_t pieces;
    int rc = artel_digest_begin(&pieces);
    for (size_t i = 0; rc == 0 && i < self->n; i++)
        artel_digest_add(&pieces, artel_str(self->entries[i].path), artel_str(self->entries[i].digest));
    if (rc == 0)
        artel_digest_end(&pieces, ret);
    return rc;
}

void
artel_contents_done(artel_contents_t *self)
{
    json_decref(self->json);
    free(self->entries);
    *self = (artel_contents_t) { 0 };
}
