//  landing.c - a file that comes in pieces, and gets its name when it is right.

#include "landing.h"

#include "errors.h"
#include "id.h"
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

//  Enter a folder, making it if missing; fd is closed. -1 and errno.
static int
s_enter(int fd, const char *name)
{
    enum { HOW = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };
    int next = openat(fd, name, HOW);
    if (next < 0 && errno == ENOENT && (mkdirat(fd, name, 0777) == 0 || errno == EEXIST))
        next = openat(fd, name, HOW);
    int err = errno;
    close(fd);
    errno = err;
    return next;
}

//  What is in the way of a folder is no folder.
static int
s_code(int err)
{
    return err == ENOTDIR || err == ELOOP || err == EISDIR ? ARTEL_EEXIST : artel_error_of_errno(err);
}

//  The folder that path is in, and its name there.
static int
s_walk(artel_landing_t *self, int root, const char *path)
{
    int fd = fcntl(root, F_DUPFD_CLOEXEC, 3);
    for (const char *slash; fd >= 0 && (slash = strchr(path, '/')); path = slash + 1) {
        memcpy(self->name, path, (size_t) (slash - path));
        self->name[slash - path] = 0;
        fd = s_enter(fd, self->name);
    }
    if (fd < 0)
        return s_code(errno);
    strcpy(self->name, path);
    self->folder = fd;
    return 0;
}

int
artel_landing_begin(artel_landing_t *self, int root, const char *path)
{
    char random[ARTEL_ID_TEXT];
    artel_id_t id = artel_id_new();
    self->folder = self->fd = -1;
    self->at = 0;
    int rc = artel_md5_begin(&self->md5);
    if (rc == 0)
        rc = s_walk(self, root, path);
    if (rc != 0)
        return rc;
    artel_hex(id.at, sizeof id.at, random);
    snprintf(self->draft, sizeof self->draft, ".artel-%s.tmp", random);
    self->fd = openat(self->folder, self->draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (self->fd >= 0)
        return 0;
    rc = artel_error_of_errno(errno);
    close(self->folder);
    self->folder = -1;
    return rc;
}

//  An attempt that starts again.
static int
s_restart(artel_landing_t *self)
{
    self->at = 0;
    if (ftruncate(self->fd, 0) != 0 || lseek(self->fd, 0, SEEK_SET) != 0)
        return artel_error_of_errno(errno);
    return artel_md5_begin(&self->md5);
}

int
artel_landing_take(void *arg, uint64_t offset, const void *data, size_t size)
{
    artel_landing_t *self = arg;
    int rc = offset == 0 && self->at > 0 ? s_restart(self) : 0;
    if (rc == 0 && offset != self->at)
        rc = ARTEL_EPROTO;
    if (rc == 0)
        rc = artel_write_all(self->fd, data, size);
    if (rc != 0)
        return rc;
    artel_md5_add(&self->md5, data, size);
    self->at += size;
    return 0;
}

static void
s_close(artel_landing_t *self)
{
    close(self->fd);
    close(self->folder);
    self->fd = self->folder = -1;
}

void
artel_landing_drop(artel_landing_t *self)
{
    if (self->fd < 0)
        return;
    unlinkat(self->folder, self->draft, 0);
    s_close(self);
}

int
artel_landing_end(artel_landing_t *self, const char *digest)
{
    char text[ARTEL_MD5_TEXT];
    artel_md5_t md5;
    artel_md5_end(&self->md5, &md5);
    artel_md5_text(&md5, text);
    int rc = strcmp(text, digest) == 0 ? 0 : ARTEL_ECORRUPT;
    if (rc == 0 && renameat(self->folder, self->draft, self->folder, self->name) != 0)
        rc = s_code(errno);
    if (rc == 0)
        s_close(self);
    else
        artel_landing_drop(self);
    return rc;
}
