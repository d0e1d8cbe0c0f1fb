//  checkout.c - from blobs back to files.
//
//  Folders are entered one component at a time and never through a link, so
//  that nothing in `into`, and nothing a manifest says, leads outside.

#include "checkout.h"

#include "blobs.h"
#include "bounds.h"
#include "errors.h"
#include "manifest.h"
#include "source.h"
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHOWN = 5000 };

typedef struct {
    const artel_checkout_t *how;
    artel_source_t *source;
    artel_hash_t *hash;
    void *buffer;               //  of the largest small blob
    int into;
    int folder;                 //  the folder of the entry in hand
    char path[ARTEL_MAX_PATH + 1];      //  of that folder, below into
    char temporary[48];         //  what a file is called until it is whole
    uint64_t files, bytes;
    bool told;                  //  text says why
    char *text;
    size_t size;
} checkout_t;

//  "'path' why", and the code.
static int
s_fail(checkout_t *self, int code, artel_str_t path, const char *why, const char *detail)
{
    char shown[SHOWN];
    artel_path_escape(path, shown, sizeof shown);
    snprintf(self->text, self->size, "'%s' %s%s%s", shown, why, detail ? ": " : "",
             detail ? detail : "");
    self->told = true;
    return code;
}

static int
s_fail_errno(checkout_t *self, int err, artel_str_t path)
{
    if (err == EISDIR || err == ENOTEMPTY || err == EEXIST)
        return s_fail(self, ARTEL_EEXIST, path, "cannot be written: a folder is in its place",
                      NULL);
    if (err == ENOTDIR || err == ELOOP)
        return s_fail(self, ARTEL_EEXIST, path,
                      "cannot be written: a link or file is where its path has a folder", NULL);
    int code = artel_error_of_errno(err);
    return s_fail(self, code, path, "cannot be written", artel_error_code_text(code));
}

static int
s_fail_blob(checkout_t *self, int code, const artel_msg_entry_t *entry)
{
    char why[ARTEL_DIGEST_TEXT + 64], hex[ARTEL_DIGEST_TEXT];
    artel_hex(entry->digest.at, sizeof entry->digest.at, hex);
    snprintf(why, sizeof why, code == ARTEL_ENOENT ? "is lost: there is no blob %s"
                              : code == ARTEL_ECORRUPT ? "is damaged: blob %s"
                                                       : "cannot be read: blob %s", hex);
    int told = code == ARTEL_ENOENT ? ARTEL_ECORRUPT : code;
    return s_fail(self, told, entry->path, why,
                  code == ARTEL_ENOENT ? NULL : artel_error_code_text(code));
}

static int
s_progress(void *arg, uint64_t bytes)
{
    checkout_t *self = arg;
    self->bytes += bytes;
    return self->how->progress && self->how->progress(self->how->arg, self->files, self->bytes) != 0
               ? ARTEL_ECANCELED : 0;
}

//  Enter, making it if missing, the folder `name` of the folder fd, which is
//  closed. Returns a descriptor, or -1 and errno.
static int
s_step(int fd, const char *name)
{
    enum { HOW = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };
    int next = openat(fd, name, HOW);
    if (next < 0 && errno == ENOENT && (mkdirat(fd, name, 0777) == 0 || errno == EEXIST))
        next = openat(fd, name, HOW);
    int err = errno;
    close(fd);
    errno = err;
    return next;
}

//  A descriptor of the folder path (which this cuts into pieces) below into.
static int
s_walk(checkout_t *self, char *path)
{
    int fd = openat(self->into, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    char *rest = NULL;
    char *name = strtok_r(path, "/", &rest);
    for (; fd >= 0 && name; name = strtok_r(NULL, "/", &rest))
        fd = s_step(fd, name);
    return fd;
}

//  Be in the folder of the first len bytes of path. Entries come sorted, so it
//  is mostly the one we are in.
static int
s_enter(checkout_t *self, artel_str_t path, size_t len)
{
    char pieces[ARTEL_MAX_PATH + 1];
    if (self->folder >= 0 && strlen(self->path) == len && memcmp(self->path, path.at, len) == 0)
        return 0;
    memcpy(self->path, path.at, len);
    self->path[len] = 0;
    strcpy(pieces, self->path);
    if (self->folder >= 0)
        close(self->folder);
    self->folder = s_walk(self, pieces);
    return self->folder < 0 ? s_fail_errno(self, errno, path) : 0;
}

//  Be in the folder that holds the entry; ret_name is what the entry is called there.
static int
s_enter_above(checkout_t *self, artel_str_t path, char ret_name[256])
{
    const char *slash = memrchr(path.at, '/', path.len);
    size_t above = slash ? (size_t) (slash - path.at) : 0, skip = slash ? above + 1 : 0;
    memcpy(ret_name, path.at + skip, path.len - skip);
    ret_name[path.len - skip] = 0;
    return s_enter(self, path, above);
}

//  Give what has the temporary name its own, over anything but a folder.
static int
s_rename(checkout_t *self, artel_str_t path, const char *name)
{
    if (renameat(self->folder, self->temporary, self->folder, name) == 0)
        return 0;
    int rc = s_fail_errno(self, errno, path);
    unlinkat(self->folder, self->temporary, 0);
    return rc;
}

static int
s_create(checkout_t *self, const artel_msg_entry_t *entry, int *ret_fd)
{
    int fd = openat(self->folder, self->temporary,
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    entry->exec ? 0755 : 0644);
    if (fd < 0)
        return s_fail_errno(self, errno, entry->path);
    *ret_fd = fd;
    return 0;
}

//  Close the temporary file and give it its name, or remove it if rc is an error.
static int
s_complete(checkout_t *self, int fd, int rc, const artel_msg_entry_t *entry, const char *name)
{
    if (close(fd) != 0 && rc == 0)
        rc = s_fail_errno(self, errno, entry->path);
    if (rc == 0)
        return s_rename(self, entry->path, name);
    unlinkat(self->folder, self->temporary, 0);
    return rc;
}

//  A small blob is verified before there is a file.
static int
s_write_small(checkout_t *self, int in, uint64_t offset, const artel_msg_entry_t *entry,
              const char *name)
{
    int fd = -1;
    artel_digest_t found;
    ssize_t n = artel_read_at(in, self->buffer, entry->size, offset);
    if (n < 0)
        return s_fail_blob(self, artel_error_of_errno(errno), entry);
    artel_hash_bytes(self->hash, self->buffer, (size_t) n, &found);
    if (!artel_digest_equal(&found, &entry->digest))
        return s_fail_blob(self, ARTEL_ECORRUPT, entry);
    int rc = s_create(self, entry, &fd);
    if (rc != 0)
        return rc;
    rc = artel_write_all(fd, self->buffer, entry->size);
    if (rc != 0)
        s_fail(self, rc, entry->path, "cannot be written", artel_error_code_text(rc));
    rc = s_complete(self, fd, rc, entry, name);
    return rc == 0 ? s_progress(self, entry->size) : rc;
}

static int
s_write_large(checkout_t *self, int in, uint64_t offset, const artel_msg_entry_t *entry,
              const char *name)
{
    int fd = -1;
    artel_digest_t found;
    int rc = s_create(self, entry, &fd);
    if (rc != 0)
        return rc;
    artel_stream_t stream = { .in = in, .offset = offset, .limit = entry->size, .out = fd,
        .sparse = true, .tick = s_progress, .arg = self };
    rc = artel_stream(self->hash, &stream, &found);
    if (rc == 0 && !artel_digest_equal(&found, &entry->digest))
        rc = ARTEL_ECORRUPT;
    if (rc != 0 && stream.write_failed)
        s_fail(self, rc, entry->path, "cannot be written", artel_error_code_text(rc));
    else if (rc != 0 && rc != ARTEL_ECANCELED)
        s_fail_blob(self, rc, entry);
    return s_complete(self, fd, rc, entry, name);
}

static int
s_write_file(checkout_t *self, const artel_msg_entry_t *entry)
{
    int in;
    uint64_t offset;
    char name[256];
    int rc = artel_source_at(self->source, &entry->digest, entry->size, &in, &offset);
    if (rc != 0)
        return s_fail_blob(self, rc, entry);
    rc = s_enter_above(self, entry->path, name);
    if (rc == 0)
        rc = entry->size < ARTEL_LOOSE_FROM ? s_write_small(self, in, offset, entry, name)
                                            : s_write_large(self, in, offset, entry, name);
    self->files++;
    return rc;
}

static int
s_write_link(checkout_t *self, const artel_msg_entry_t *entry)
{
    char name[256], target[ARTEL_MAX_PATH + 1];
    int rc = s_enter_above(self, entry->path, name);
    if (rc != 0)
        return rc;
    memcpy(target, entry->target.at, entry->target.len);
    target[entry->target.len] = 0;
    if (symlinkat(target, self->folder, self->temporary) != 0)
        return s_fail_errno(self, errno, entry->path);
    return s_rename(self, entry->path, name);
}

static int
s_write_entry(void *arg, const artel_msg_entry_t *entry)
{
    switch (entry->kind) {
    case ARTEL_ENTRY_FILE: return s_write_file(arg, entry);
    case ARTEL_ENTRY_DIR: return s_enter(arg, entry->path, entry->path.len);
    default: return 0;
    }
}

static int
s_write_if_link(void *arg, const artel_msg_entry_t *entry)
{
    return entry->kind == ARTEL_ENTRY_LINK ? s_write_link(arg, entry) : 0;
}

//  mkdir with parents, as a user would make it.
static int
s_make(char *path)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return 0;
    char *slash = strrchr(path, '/');
    if (errno != ENOENT || !slash || slash == path)
        return artel_error_of_errno(errno);
    *slash = 0;
    int rc = s_make(path);
    *slash = '/';
    if (rc == 0 && mkdir(path, 0777) != 0 && errno != EEXIST)
        rc = artel_error_of_errno(errno);
    return rc;
}

static int
s_open_into(checkout_t *self)
{
    char *path = strdup(self->how->into);
    if (!path)
        return ARTEL_ENOMEM;
    int rc = s_make(path);
    free(path);
    if (rc == 0)
        self->into = open(self->how->into, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (rc == 0 && self->into < 0)
        return s_fail_errno(self, errno, artel_str(self->how->into));
    return rc == 0 ? 0 : s_fail(self, rc, artel_str(self->how->into), "cannot be made",
                                artel_error_code_text(rc));
}

static int
s_open(checkout_t *self, const void *manifest, size_t len)
{
    artel_id_t id = artel_id_new();
    char hex[ARTEL_ID_TEXT];
    artel_hex(id.at, 8, hex);
    snprintf(self->temporary, sizeof self->temporary, ".artel-%s.tmp", hex);
    self->into = self->folder = -1;
    self->buffer = malloc(ARTEL_LOOSE_FROM);
    int rc = self->buffer ? artel_hash_new(&self->hash) : ARTEL_ENOMEM;
    if (rc == 0)
        rc = artel_source_open(self->how->store, manifest, len, self->how->pack, &self->source);
    return rc == 0 ? s_open_into(self) : rc;
}

static void
s_close(checkout_t *self)
{
    if (self->folder >= 0)
        close(self->folder);
    if (self->into >= 0)
        close(self->into);
    artel_source_close(&self->source);
    artel_hash_destroy(&self->hash);
    free(self->buffer);
}

int
artel_checkout(const artel_checkout_t *how, char *text, size_t size)
{
    checkout_t self = { .how = how, .text = text, .size = size };
    char hex[ARTEL_DIGEST_TEXT];
    void *manifest;
    size_t len;
    int rc = artel_blob_read(how->store, &how->manifest, how->pack, ARTEL_MAX_MANIFEST,
                             &manifest, &len);
    if (rc == 0) {
        rc = s_open(&self, manifest, len);
        if (rc == 0)
            rc = artel_manifest_each(manifest, len, s_write_entry, &self);
        if (rc == 0)
            rc = artel_manifest_each(manifest, len, s_write_if_link, &self);
        s_close(&self);
        free(manifest);
    }
    artel_hex(how->manifest.at, sizeof how->manifest.at, hex);
    if (rc != 0 && !self.told)
        snprintf(text, size, "manifest %s: %s", hex, artel_error_code_text(rc));
    return rc;
}
