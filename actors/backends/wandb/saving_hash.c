//  saving_hash.c - what is known before anything is asked: the entries, and their MD5.

#include "saving_files.h"

#include "blobs.h"
#include "errors.h"
#include "manifest.h"

#include <stdlib.h>

static int
s_hash_entry(artel_saving_t *self, size_t i)
{
    const artel_flat_entry_t *entry = &self->flat.entries[i];
    artel_md5_range_t range = { .size = entry->size, .cancel = &self->cancel,
                                .part = artel_saving_part_size(self, entry->size) };
    int rc = artel_source_at(self->source, &entry->digest, entry->size, &range.fd, &range.offset);
    if (rc == 0 && range.part) {
        size_t n = (size_t) ((entry->size + range.part - 1) / range.part);
        self->parts[i] = malloc(n * sizeof *self->parts[i]);
        if (!self->parts[i])
            return ARTEL_ENOMEM;
    }
    if (rc == 0)
        rc = artel_md5_range(&range, self->parts[i], &self->marks[i].md5);
    return rc;
}

static int
s_hash_entries(artel_saving_t *self)
{
    for (size_t i = 0; i < self->flat.n; i++) {
        const artel_flat_entry_t *entry = &self->flat.entries[i];
        int rc = entry->uri.len ? 0 : s_hash_entry(self, i);
        if (rc == 0)
            continue;
        char path[160];
        artel_path_escape(entry->path, path, sizeof path);
        artel_saving_fail(self, rc, rc == ARTEL_EMFILE || rc == ARTEL_ENOMEM || rc == ARTEL_ECANCELED,
                          "%s cannot be read: %s", path, artel_error_code_text(rc));
        return rc;
    }
    return 0;
}

//  The entries, and where their bytes are.
static int
s_read(artel_saving_t *self, char *why, size_t size)
{
    const char *pack = *self->pack ? self->pack : NULL;
    size_t len;
    int rc = artel_blob_read(self->args.store, &self->manifest, pack, ARTEL_MAX_MANIFEST, &self->data, &len);
    if (rc == 0)
        rc = artel_flat_read(self->data, len, &self->flat, why, size);
    if (rc == 0)
        rc = artel_source_open(self->args.store, self->data, len, pack, &self->source);
    if (rc != 0)
        return rc;
    self->marks = calloc(self->flat.n + 1, sizeof *self->marks);
    self->parts = calloc(self->flat.n + 1, sizeof *self->parts);
    return self->marks && self->parts ? 0 : ARTEL_ENOMEM;
}

static void
s_hash(artel_saving_t *self)
{
    char why[sizeof self->state.text] = "";
    int rc = s_read(self, why, sizeof why);
    if (rc == 0 && s_hash_entries(self) != 0)
        return;
    if (rc == 0)
        rc = artel_manifest_json_digest(&self->flat, self->marks, self->digest);
    if (rc == 0 && !self->uses && json_object_set_new(self->create, "digest", json_string(self->digest)) != 0)
        rc = ARTEL_ENOMEM;
    if (rc == 0)
        self->step = self->uses ? SAVING_FIND : SAVING_CREATE;
    else
        artel_saving_fail(self, rc, rc == ARTEL_EMFILE || rc == ARTEL_ENOMEM, "its manifest cannot be read: %s",
                          *why ? why : artel_error_code_text(rc));
}

void
artel_saving_hash(artel_saving_t *self)
{
    if (self->step == SAVING_HASH)
        s_hash(self);
    atomic_store(&self->hashed, true);
}
