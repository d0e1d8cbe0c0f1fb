//  bucket.c - what a W&B server has of one run, in a file.

#include "bucket.h"

#include "errors.h"
#include "fds.h"
#include "state.h"
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

enum { FORMAT = 1, SUM_TEXT = 17, LARGEST = 64 << 20 };

//  The file: the checksum of what follows in hex, a newline, a JSON object.

static int
s_read_all(int fd, char **ret, size_t *ret_len)
{
    off_t size = lseek(fd, 0, SEEK_END);
    if (size < 0 || size > LARGEST)
        return size < 0 ? ARTEL_EIO : ARTEL_ECORRUPT;
    char *text = malloc((size_t) size + 1);
    if (!text)
        return ARTEL_ENOMEM;
    ssize_t n = artel_read_at(fd, text, (size_t) size, 0);
    if (n != size) {
        free(text);
        return ARTEL_EIO;
    }
    text[size] = 0;
    *ret = text;
    *ret_len = (size_t) size;
    return 0;
}

static void
s_sum(const char *text, size_t len, char ret[SUM_TEXT])
{
    snprintf(ret, SUM_TEXT, "%016" PRIx64, (uint64_t) XXH3_64bits(text, len));
}

static int
s_parse(const char *text, size_t len, json_t **ret)
{
    char sum[SUM_TEXT];
    if (len < SUM_TEXT || text[SUM_TEXT - 1] != '\n')
        return ARTEL_ECORRUPT;
    s_sum(text + SUM_TEXT, len - SUM_TEXT, sum);
    if (memcmp(text, sum, SUM_TEXT - 1) != 0)
        return ARTEL_ECORRUPT;
    json_t *root = json_loadb(text + SUM_TEXT, len - SUM_TEXT, 0, NULL);
    *ret = root;
    if (!root)
        return ARTEL_ECORRUPT;
    return artel_bucket_number(root, "format", 0) > FORMAT ? ARTEL_EVERSION : 0;
}

//  What is kept, or nothing if there is none for this server.
static int
s_load(artel_bucket_t *self, const char *base)
{
    int fd = open(self->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : artel_error_of_errno(errno);
    char *text = NULL;
    size_t len;
    json_t *root = NULL;
    int rc = s_read_all(fd, &text, &len);
    close(fd);
    if (rc == 0)
        rc = s_parse(text, len, &root);
    free(text);
    const char *kept = rc == 0 ? artel_bucket_text(root, "base") : NULL;
    if (kept && strcmp(kept, base) == 0) {
        self->now = json_incref(json_object_get(root, "now"));
        self->next = json_incref(json_object_get(root, "next"));
    }
    json_decref(root);
    return rc;
}

static int
s_lock(const char *folder, artel_str_t run, int *ret)
{
    char *path = artel_format("%s/%.*s.lock", folder, (int) run.len, run.at);
    int fd = path ? artel_fd_open(path, O_RDWR | O_CREAT) : -1;
    int rc = !path ? ARTEL_ENOMEM : fd < 0 ? artel_error_of_errno(errno) : artel_fd_lock(fd, true, false);
    free(path);
    if (rc != 0)
        artel_fd_close(fd);
    else
        *ret = fd;
    return rc;
}

int
artel_bucket_open(const char *state, const char *sink, const char *base, artel_str_t run, bool take,
                  artel_bucket_t *ret)
{
    artel_bucket_t self = { .lock = -1 };
    char *folder = artel_format("%s/sinks/%s", state, sink);
    int rc = folder ? artel_make_dirs(folder) : ARTEL_ENOMEM;
    if (rc == 0 && !(self.path = artel_format("%s/%.*s.json", folder, (int) run.len, run.at)))
        rc = ARTEL_ENOMEM;
    if (rc == 0 && take)
        rc = s_lock(folder, run, &self.lock);
    if (rc == 0)
        rc = s_load(&self, base);
    if (rc == 0 && !self.now && !(self.now = json_object()))
        rc = ARTEL_ENOMEM;
    free(folder);
    if (rc != 0)
        artel_bucket_close(&self);
    else
        *ret = self;
    return rc;
}

void
artel_bucket_close(artel_bucket_t *self)
{
    json_decref(self->now);
    json_decref(self->next);
    artel_fd_close(self->lock);
    free(self->path);
    *self = (artel_bucket_t) { .lock = -1 };
}

//  Under another name beside it first.
static int
s_write(const char *path, const char *text, size_t len, bool sync)
{
    char *draft = artel_format("%s.new", path);
    int fd = draft ? open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    int rc = !draft ? ARTEL_ENOMEM : fd < 0 ? artel_error_of_errno(errno) : artel_write_all(fd, text, len);
    if (rc == 0 && sync && fdatasync(fd) != 0)
        rc = artel_error_of_errno(errno);
    if (fd >= 0)
        close(fd);
    if (rc == 0 && rename(draft, path) != 0)
        rc = artel_error_of_errno(errno);
    free(draft);
    return rc;
}

int
artel_bucket_save(const artel_bucket_t *self, const char *base, bool sync)
{
    json_t *root = json_pack("{s:i, s:s, s:O, s:O*}", "format", FORMAT, "base", base, "now", self->now,
                             "next", self->next);
    char *json = root ? json_dumps(root, JSON_COMPACT) : NULL, sum[SUM_TEXT];
    json_decref(root);
    if (!json)
        return ARTEL_ENOMEM;
    s_sum(json, strlen(json), sum);
    char *text = artel_format("%s\n%s", sum, json);
    free(json);
    int rc = text ? s_write(self->path, text, strlen(text), sync) : ARTEL_ENOMEM;
    free(text);
    return rc;
}

void
artel_bucket_settle(artel_bucket_t *self, bool came_through)
{
    if (self->next && came_through) {
        json_decref(self->now);
        self->now = self->next;
        self->next = NULL;
    }
    json_decref(self->next);
    self->next = NULL;
}

//  Nothing beyond an artifact that is on its way counts as there.
uint64_t
artel_bucket_position(const json_t *state, artel_id_t writer)
{
    char hex[ARTEL_ID_TEXT];
    artel_hex(writer.at, sizeof writer.at, hex);
    const json_t *kept = json_object_get(json_object_get(state, "writers"), hex);
    int64_t position = artel_bucket_number(kept, "mark", 0);
    const char *xid;
    json_t *open;
    json_object_foreach(json_object_get(state, "open"), xid, open) {
        int64_t counter = artel_bucket_number(open, "counter", 0);
        const char *whose = artel_bucket_text(open, "writer");
        if (whose && strcmp(whose, hex) == 0 && counter <= position)
            position = counter - 1;
    }
    return position > 0 ? (uint64_t) position : 0;
}

json_t *
artel_bucket_part(json_t *state, const char *name)
{
    json_t *part = json_object_get(state, name);
    if (part)
        return part;
    part = json_object();
    return part && json_object_set_new(state, name, part) == 0 ? part : NULL;
}

int64_t
artel_bucket_number(const json_t *state, const char *name, int64_t otherwise)
{
    const json_t *value = json_object_get(state, name);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

const char *
artel_bucket_text(const json_t *state, const char *name)
{
    return json_string_value(json_object_get(state, name));
}
