//  import.c - copying the blobs of one manifest into another store.

#include "import.h"

#include "blobs.h"
#include "bounds.h"
#include "errors.h"
#include "manifest.h"
#include "source.h"
#include "stage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    const artel_import_t *how;
    artel_source_t *source;
    artel_stage_t *stage;
    uint64_t files, bytes;      //  copied so far
    char *text;
    size_t size;
} import_t;

static int
s_fail(import_t *self, int code, const char *what, const artel_digest_t *digest)
{
    char hex[ARTEL_DIGEST_TEXT];
    artel_hex(digest->at, sizeof digest->at, hex);
    snprintf(self->text, self->size, "%s %s cannot be copied from %s to %s: %s", what, hex,
             self->how->from, self->how->to, artel_error_code_text(code));
    return code;
}

static int
s_tick(void *arg, uint64_t bytes)
{
    import_t *self = arg;
    const artel_import_t *how = self->how;
    self->bytes += bytes;
    return how->progress ? how->progress(how->arg, self->files, self->bytes) : 0;
}

static int
s_copy_small(import_t *self, int fd, uint64_t offset, size_t size, artel_digest_t *ret)
{
    void *room;
    int rc = artel_stage_room(self->stage, size, &room);
    if (rc != 0)
        return rc;
    ssize_t n = artel_read_at(fd, room, size, offset);
    if (n < 0)
        return artel_error_of_errno(errno);
    if ((size_t) n < size)
        return ARTEL_ECORRUPT;
    rc = artel_stage_small(self->stage, size, ret);
    return rc == 0 && s_tick(self, size) != 0 ? ARTEL_ECANCELED : rc;
}

static int
s_copy(import_t *self, const artel_digest_t *digest, uint64_t size)
{
    int fd;
    uint64_t offset;
    artel_digest_t found;
    int rc = artel_source_at(self->source, digest, size, &fd, &offset);
    if (rc != 0)
        return rc;
    artel_stream_t stream = { .in = fd, .offset = offset, .limit = size, .tick = s_tick,
        .arg = self };
    rc = size < ARTEL_LOOSE_FROM ? s_copy_small(self, fd, offset, size, &found)
                                 : artel_stage_large(self->stage, &stream, &found);
    return rc == 0 && !artel_digest_equal(&found, digest) ? ARTEL_ECORRUPT : rc;
}

static int
s_entry(void *arg, const artel_msg_entry_t *entry)
{
    import_t *self = arg;
    if (entry->kind != ARTEL_ENTRY_FILE)
        return 0;
    int rc = artel_stage_has(self->stage, &entry->digest, entry->size)
                 ? 0 : s_copy(self, &entry->digest, entry->size);
    self->files++;
    return rc == 0 ? 0 : s_fail(self, rc, "blob", &entry->digest);
}

static int
s_run(import_t *self, const void *manifest, size_t len, char ret_pack[ARTEL_ID_TEXT])
{
    const artel_import_t *how = self->how;
    artel_digest_t digest;
    int rc = artel_source_open(how->from, manifest, len, how->pack, &self->source);
    if (rc == 0)
        rc = artel_stage_new(how->to, how->known, how->arg, &self->stage);
    if (rc != 0)
        return s_fail(self, rc, "manifest", &how->manifest);
    rc = artel_manifest_each(manifest, len, s_entry, self);
    if (rc != 0)
        return rc;
    if (!artel_stage_has(self->stage, &how->manifest, len))
        rc = artel_stage_bytes(self->stage, manifest, len, &digest);
    if (rc == 0)
        rc = artel_stage_publish(self->stage, ret_pack);
    return rc == 0 ? 0 : s_fail(self, rc, "manifest", &how->manifest);
}

int
artel_import(const artel_import_t *how, char ret_pack[ARTEL_ID_TEXT], char *text, size_t size)
{
    import_t self = { .how = how, .text = text, .size = size };
    void *manifest;
    size_t len;
    int rc = artel_blob_read(how->from, &how->manifest, how->pack, ARTEL_MAX_MANIFEST,
                             &manifest, &len);
    if (rc != 0)
        return s_fail(&self, rc, "manifest", &how->manifest);
    rc = s_run(&self, manifest, len, ret_pack);
    artel_stage_destroy(&self.stage);
    artel_source_close(&self.source);
    free(manifest);
    return rc;
}
