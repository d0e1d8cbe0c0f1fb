//  ingest.c - from files to blobs and entries. What is refused is refused with
//  one sentence, and then the whole ingest is.

#include "ingest.h"

#include "blobs.h"
#include "bounds.h"
#include "errors.h"
#include "manifest.h"
#include "stage.h"
#include "tree.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <msgpack.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ZONE = 64 * 1024, SHOWN = 5000 };    //  bytes of a path in a sentence

struct artel_ingest {
    artel_ingest_options_t options;
    char *place;                    //  the store, for what is said of it
    int lock;
    artel_folder_id_t store;
    artel_stage_t *stage;
    msgpack_zone texts;             //  of the entries
    artel_msg_entry_t *entries;
    size_t n, room;
    uint64_t files, bytes;          //  read so far, for progress
    bool closed;                    //  failed or finished
    char error[2 * SHOWN + 200];
};

static bool
s_is_wanted(void *arg)
{
    artel_ingest_t *self = arg;
    return !self->options.progress || self->options.progress(self->options.arg, 0, 0) == 0;
}

static int
s_open(artel_ingest_t *self)
{
    struct stat st;
    int rc = artel_blobs_lock(self->options.store, false, &(artel_patience_t) { s_is_wanted, self }, &self->lock);
    if (rc == ARTEL_ELOCKED)
        rc = ARTEL_ECANCELED;
    if (rc == 0)
        rc = stat(self->options.store, &st) != 0 ? artel_error_of_errno(errno) : 0;
    if (rc == 0)
        rc = artel_stage_new(self->options.store, self->options.known, self->options.arg,
                             &self->stage);
    if (rc == 0)
        self->store = (artel_folder_id_t) { st.st_dev, st.st_ino };
    return rc;
}

int
artel_ingest_begin(const artel_ingest_options_t *options, artel_ingest_t **ret)
{
    artel_ingest_t *self = calloc(1, sizeof *self);
    if (!self)
        return ARTEL_ENOMEM;
    if (!msgpack_zone_init(&self->texts, ZONE)) {
        free(self);
        return ARTEL_ENOMEM;
    }
    self->options = *options;
    self->lock = -1;
    self->place = strdup(options->store);
    int rc = self->place ? s_open(self) : ARTEL_ENOMEM;
    self->options.store = NULL;     //  borrowed for this call only
    if (rc == 0)
        *ret = self;
    else
        artel_ingest_destroy(&self);
    return rc;
}

void
artel_ingest_destroy(artel_ingest_t **self_p)
{
    artel_ingest_t *self = *self_p;
    if (!self)
        return;
    artel_stage_destroy(&self->stage);
    artel_blobs_unlock(self->lock);
    msgpack_zone_destroy(&self->texts);
    free(self->entries);
    free(self->place);
    free(self);
    *self_p = NULL;
}

const char *
artel_ingest_error(const artel_ingest_t *self)
{
    return self->error;
}

static int
s_fail(artel_ingest_t *self, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int
s_fail(artel_ingest_t *self, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(self->error, sizeof self->error, format, args);
    va_end(args);
    self->closed = true;
    return code;
}

//  "'path' is a socket", or with what it is about behind a colon.
static int
s_refuse(void *arg, int code, artel_str_t path, const char *why, const char *detail)
{
    artel_ingest_t *self = arg;
    char shown[SHOWN], shown_detail[SHOWN];
    artel_path_escape(path, shown, sizeof shown);
    artel_path_escape(artel_str(detail), shown_detail, sizeof shown_detail);
    return s_fail(self, code, "'%s' %s%s%s", shown, why, detail ? ": " : "", shown_detail);
}

static int
s_fail_memory(artel_ingest_t *self)
{
    return s_fail(self, ARTEL_ENOMEM, "out of memory");
}

//  The store could not take what was read from path.
static int
s_fail_store(artel_ingest_t *self, int code, artel_str_t path)
{
    return s_refuse(self, code, path, "could not be stored", artel_error_code_text(code));
}

static int
s_fail_read(artel_ingest_t *self, int code, artel_str_t path)
{
    return s_refuse(self, code, path, "cannot be read", artel_error_code_text(code));
}

static int
s_fail_changed(artel_ingest_t *self, artel_str_t path)
{
    return s_refuse(self, ARTEL_ECHANGED, path, "changed while it was read", NULL);
}

//  Files of /proc and /sys do this too.
static int
s_fail_size(artel_ingest_t *self, artel_str_t path)
{
    return s_refuse(self, ARTEL_ECHANGED, path,
                    "changed while it was read: its size is not what it was said to be", NULL);
}

static int
s_progress(artel_ingest_t *self)
{
    if (self->options.progress
        && self->options.progress(self->options.arg, self->files, self->bytes) != 0)
        return s_fail(self, ARTEL_ECANCELED, "canceled");
    return 0;
}

//  A copy that lives as long as the ingest; at is NULL if there is no memory.
static artel_str_t
s_keep(artel_ingest_t *self, artel_str_t text)
{
    char *at = msgpack_zone_malloc_no_align(&self->texts, text.len + 1);
    if (at && text.len)
        memcpy(at, text.at, text.len);
    return (artel_str_t) { at, text.len };
}

static int
s_add(artel_ingest_t *self, artel_msg_entry_t entry)
{
    if (self->n == ARTEL_MAX_ENTRIES)
        return s_refuse(self, ARTEL_ELIMIT, entry.path,
                        "is one entry more than an artifact may have", NULL);
    if (self->n == self->room) {
        size_t room = self->room ? 2 * self->room : 64;
        artel_msg_entry_t *entries = realloc(self->entries, room * sizeof *entries);
        if (!entries)
            return s_fail_memory(self);
        self->entries = entries;
        self->room = room;
    }
    entry.path = s_keep(self, entry.path);
    entry.target = s_keep(self, entry.target);
    entry.uri = s_keep(self, entry.uri);
    if (!entry.path.at || !entry.target.at || !entry.uri.at)
        return s_fail_memory(self);
    self->entries[self->n++] = entry;
    return 0;
}

//  Read a file that fits the room, mostly in one call. One byte more is asked for,
//  to notice a file that is longer than it says.
static int
s_read_small(artel_ingest_t *self, int fd, size_t size, artel_msg_entry_t *entry)
{
    void *room;
    int rc = artel_stage_room(self->stage, size + 1, &room);
    if (rc != 0)
        return s_fail_store(self, rc, entry->path);
    size_t got = 0;
    ssize_t n;
    do {
        n = pread(fd, (char *) room + got, size + 1 - got, (off_t) got);
        if (n < 0 && errno != EINTR)
            return s_fail_read(self, artel_error_of_errno(errno), entry->path);
        got += n > 0 ? (size_t) n : 0;
    } while (n != 0 && got < size);
    if (got != size)
        return s_fail_size(self, entry->path);
    rc = artel_stage_small(self->stage, size, &entry->digest);
    self->bytes += size;
    return rc == 0 ? 0 : s_fail_store(self, rc, entry->path);
}

static int
s_tick(void *arg, uint64_t bytes)
{
    artel_ingest_t *self = arg;
    self->bytes += bytes;
    return s_progress(self);
}

static int
s_read_large(artel_ingest_t *self, int fd, uint64_t size, artel_msg_entry_t *entry)
{
    artel_stream_t stream = { .in = fd, .limit = size + 1, .tick = s_tick, .arg = self };
    (void) posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    int rc = artel_stage_large(self->stage, &stream, &entry->digest);
    if (rc == ARTEL_ECANCELED)
        return rc;
    if (rc != 0)
        return stream.write_failed ? s_fail_store(self, rc, entry->path)
                                   : s_fail_read(self, rc, entry->path);
    return stream.bytes == size ? 0 : s_fail_size(self, entry->path);
}

static bool
s_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool
s_unchanged(const struct stat *before, const struct stat *after)
{
    return before->st_size == after->st_size && before->st_ino == after->st_ino
           && before->st_dev == after->st_dev && s_same_time(before->st_mtim, after->st_mtim)
           && s_same_time(before->st_ctim, after->st_ctim);
}

static int
s_read_file(artel_ingest_t *self, int fd, artel_str_t path)
{
    struct stat before, after;
    if (fstat(fd, &before) != 0)
        return s_fail_read(self, artel_error_of_errno(errno), path);
    if (!S_ISREG(before.st_mode))
        return s_refuse(self, ARTEL_EINVAL, path, artel_tree_kind(before.st_mode), NULL);
    artel_msg_entry_t entry = { .path = path, .kind = ARTEL_ENTRY_FILE,
        .size = (uint64_t) before.st_size, .exec = before.st_mode & S_IXUSR };
    int rc = entry.size < ARTEL_LOOSE_FROM ? s_read_small(self, fd, entry.size, &entry)
                                           : s_read_large(self, fd, entry.size, &entry);
    if (rc != 0)
        return rc;
    if (fstat(fd, &after) != 0)
        return s_fail_read(self, artel_error_of_errno(errno), path);
    if (!s_unchanged(&before, &after))
        return s_fail_changed(self, path);
    self->files++;
    rc = s_add(self, entry);
    return rc == 0 ? s_progress(self) : rc;
}

//  O_NONBLOCK: if a FIFO took the file's place, opening it must not wait for a writer.
static int
s_visit_file(void *arg, int dir, const char *name, bool follow, artel_str_t path)
{
    artel_ingest_t *self = arg;
    int fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
                                   | (follow ? 0 : O_NOFOLLOW));
    if (fd < 0 && (errno == ENOENT || errno == ELOOP || errno == ENXIO))
        return s_fail_changed(self, path);
    if (fd < 0)
        return s_fail_read(self, artel_error_of_errno(errno), path);
    int rc = s_read_file(self, fd, path);
    close(fd);
    return rc;
}

static int
s_visit_link(void *arg, artel_str_t path, artel_str_t target)
{
    return s_add(arg, (artel_msg_entry_t) { .path = path, .kind = ARTEL_ENTRY_LINK,
        .target = target });
}

static int
s_visit_empty(void *arg, artel_str_t path)
{
    return s_add(arg, (artel_msg_entry_t) { .path = path, .kind = ARTEL_ENTRY_DIR });
}

//  Whether name may be an entry of an ingest that is still open.
static int
s_check(artel_ingest_t *self, artel_str_t name)
{
    const char *why;
    if (self->closed)
        return ARTEL_ECLOSED;
    return artel_path_legal(name, &why) ? 0 : s_refuse(self, ARTEL_EINVAL, name, why, NULL);
}

static const char *
s_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int
artel_ingest_file(artel_ingest_t *self, const char *path, const char *name)
{
    struct stat st;
    artel_str_t entry = artel_str(name ? name : s_base_name(path));
    if (self->closed)
        return ARTEL_ECLOSED;
    if (stat(path, &st) != 0)
        return s_fail_read(self, artel_error_of_errno(errno), artel_str(path));
    if (!S_ISREG(st.st_mode))
        return s_refuse(self, ARTEL_EINVAL, artel_str(path), artel_tree_kind(st.st_mode), NULL);
    int rc = s_check(self, entry);
    return rc == 0 ? s_visit_file(self, AT_FDCWD, path, true, entry) : rc;
}

//  Walk the open folder; prefix has no slash at its end.
static int
s_walk(artel_ingest_t *self, int root, const char *prefix)
{
    artel_visitor_t visitor = { s_visit_file, s_visit_link, s_visit_empty, s_refuse, self };
    artel_tree_t tree = { root, prefix, self->options.links, self->store };
    int rc = artel_tree_walk(&tree, &visitor);
    return rc == ARTEL_ENOMEM && !self->closed ? s_fail_memory(self) : rc;
}

int
artel_ingest_dir(artel_ingest_t *self, const char *path, const char *prefix)
{
    char top[ARTEL_MAX_PATH + 2] = "";
    size_t len = prefix ? strlen(prefix) : 0;
    while (len > 0 && prefix[len - 1] == '/')
        len--;
    int rc = len ? s_check(self, (artel_str_t) { prefix, len }) : self->closed ? ARTEL_ECLOSED : 0;
    if (rc != 0)
        return rc;
    memcpy(top, len ? prefix : "", len);
    int root = open(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
    if (root < 0 && errno == ENOTDIR)
        return s_refuse(self, ARTEL_EINVAL, artel_str(path), "is no folder", NULL);
    if (root < 0)
        return s_fail_read(self, artel_error_of_errno(errno), artel_str(path));
    rc = s_walk(self, root, top);
    close(root);
    return rc;
}

int
artel_ingest_bytes(artel_ingest_t *self, const char *name, const void *data, size_t len)
{
    artel_msg_entry_t entry = { .path = artel_str(name), .kind = ARTEL_ENTRY_FILE, .size = len };
    int rc = s_check(self, entry.path);
    if (rc != 0)
        return rc;
    rc = artel_stage_bytes(self->stage, data, len, &entry.digest);
    if (rc != 0)
        return s_fail_store(self, rc, entry.path);
    self->files++;
    self->bytes += len;
    rc = s_add(self, entry);
    return rc == 0 ? s_progress(self) : rc;
}

int
artel_ingest_reference(artel_ingest_t *self, const char *name, const char *uri,
                       const char *digest, uint64_t size)
{
    artel_msg_entry_t entry = { .path = artel_str(name), .kind = ARTEL_ENTRY_REFERENCE,
        .uri = artel_str(uri), .target = artel_str(digest), .size = size };
    int rc = s_check(self, entry.path);
    if (rc != 0)
        return rc;
    if (entry.uri.len == 0 || entry.uri.len > ARTEL_MAX_STRING
        || !artel_is_utf8(entry.uri.at, entry.uri.len))
        return s_refuse(self, ARTEL_EINVAL, entry.path,
                        "has no URI, or one that is too long or not UTF-8", NULL);
    if (entry.target.len > ARTEL_MAX_STRING || !artel_is_utf8(entry.target.at, entry.target.len))
        return s_refuse(self, ARTEL_EINVAL, entry.path,
                        "has a digest that is too long or not UTF-8", NULL);
    self->files++;
    return s_add(self, entry);
}

static int
s_pack_manifest(artel_ingest_t *self, artel_digest_t *ret)
{
    msgpack_sbuffer manifest;
    const artel_msg_entry_t *bad = NULL;
    msgpack_sbuffer_init(&manifest);
    int rc = artel_manifest_pack(self->entries, self->n, &manifest, &bad);
    if (rc == ARTEL_EEXIST)
        s_refuse(self, rc, bad->path, "is added twice, or lies beneath something that is no folder",
                 NULL);
    else if (rc == ARTEL_ENOMEM)
        s_fail_memory(self);
    else if (manifest.size > ARTEL_MAX_MANIFEST)
        rc = s_fail(self, ARTEL_ELIMIT, "the manifest would be larger than 4 GiB");
    if (rc == 0) {
        rc = artel_stage_bytes(self->stage, manifest.data, manifest.size, ret);
        if (rc != 0)
            s_fail_store(self, rc, artel_str("the manifest"));
    }
    msgpack_sbuffer_destroy(&manifest);
    return rc;
}

int
artel_ingest_finish(artel_ingest_t *self, artel_ingest_result_t *ret)
{
    artel_ingest_result_t result = { .files = 0 };
    if (self->closed)
        return ARTEL_ECLOSED;
    int rc = s_progress(self);
    if (rc == 0)
        rc = s_pack_manifest(self, &result.manifest);
    if (rc != 0)
        return rc;
    rc = artel_stage_publish(self->stage, result.pack);
    if (rc != 0)
        return s_fail(self, rc, "%s/blobs/%s could not be written: %s", self->place,
                      artel_stage_failed(self->stage), artel_error_code_text(rc));
    for (size_t i = 0; i < self->n; i++) {
        bool counts = self->entries[i].kind == ARTEL_ENTRY_FILE
                      || self->entries[i].kind == ARTEL_ENTRY_REFERENCE;
        result.files += counts;
        result.bytes += counts ? self->entries[i].size : 0;
    }
    self->closed = true;
    *ret = result;
    return 0;
}
