//  state.c - finding and making the state directory.

#include "state.h"

#include "errors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static const char s_format[] = "artel-state-1\n";

char *
artel_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text;
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    return text;
}

static bool
s_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

//  Somebody else's .artel/ above us, say in /tmp, is not where our data goes.
static bool
s_is_own_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

//  The nearest .artel/ at or above cwd, or NULL. Cuts cwd on its way up.
static char *
s_find_above(char *cwd)
{
    for (;;) {
        char *path = artel_format("%s/.artel", strcmp(cwd, "/") == 0 ? "" : cwd);
        if (!path || s_is_own_dir(path))
            return path;
        free(path);
        char *slash = strrchr(cwd, '/');
        if (!slash || cwd[1] == 0)
            return NULL;
        slash[slash == cwd] = 0;
    }
}

static char *
s_near(void)
{
    char *cwd = getcwd(NULL, 0);
    char *found = cwd ? s_find_above(cwd) : NULL;
    free(cwd);
    return found;
}

static int
s_of_user(char **ret)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    char *path = NULL;
    if (data && data[0] == '/')
        path = artel_format("%s/artel", data);
    else if (home && *home)
        path = artel_format("%s/.local/share/artel", home);
    else
        return ARTEL_EINVAL;
    if (!path)
        return ARTEL_ENOMEM;
    *ret = path;
    return 0;
}

static int
s_absolute(const char *path, char **ret)
{
    char *cwd = path[0] == '/' ? NULL : getcwd(NULL, 0);
    if (path[0] != '/' && !cwd)
        return artel_error_of_errno(errno);
    char *absolute = cwd ? artel_format("%s/%s", cwd, path) : strdup(path);
    free(cwd);
    if (!absolute)
        return ARTEL_ENOMEM;
    *ret = absolute;
    return 0;
}

int
artel_state_find(const char *dir, char **ret)
{
    const char *named = dir && *dir ? dir : getenv("ARTEL_DIR");
    if (named && *named)
        return s_absolute(named, ret);
    char *near = s_near();
    if (!near)
        return s_of_user(ret);
    *ret = near;
    return 0;
}

//  The folder above path; *ret is NULL if that is / or the working directory.
static int
s_parent(const char *path, char **ret)
{
    const char *slash = strrchr(path, '/');
    bool none = !slash || slash == path;
    *ret = none ? NULL : strndup(path, (size_t) (slash - path));
    return none || *ret ? 0 : ARTEL_ENOMEM;
}

static int
s_make_dir(const char *path, const char *parent)
{
    if (mkdir(path, 0700) == 0)
        return artel_sync_dir(parent ? parent : path[0] == '/' ? "/" : ".");
    if (errno == EEXIST)
        return s_is_dir(path) ? 0 : ARTEL_ENOENT;
    return artel_error_of_errno(errno);
}

int
artel_make_dirs(const char *path)
{
    if (s_is_dir(path))
        return 0;
    char *parent;
    int rc = s_parent(path, &parent);
    if (rc == 0 && parent)
        rc = artel_make_dirs(parent);
    if (rc == 0)
        rc = s_make_dir(path, parent);
    free(parent);
    return rc;
}

int
artel_sync_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return artel_error_of_errno(errno);
    int rc = fsync(fd) == 0 ? 0 : artel_error_of_errno(errno);
    close(fd);
    return rc;
}

static int
s_read_small(const char *path, char *ret, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return artel_error_of_errno(errno);
    ssize_t n = read(fd, ret, size - 1);
    close(fd);
    if (n < 0)
        return ARTEL_EIO;
    ret[n] = 0;
    return 0;
}

//  Give a whole file its name, unless another program was first. A file system
//  without links lets the last win; all write the same.
static int
s_publish(const char *temporary, const char *path)
{
    if (link(temporary, path) == 0 || errno == EEXIST)
        return 0;
    return rename(temporary, path) == 0 ? 0 : artel_error_of_errno(errno);
}

//  Write a small file whole, so that of several programs at once none sees half of it.
static int
s_write_small(const char *state, const char *path, const char *text)
{
    char *temporary = artel_format("%s/tmp/%ld.XXXXXX", state, (long) getpid());
    int fd = temporary ? mkostemp(temporary, O_CLOEXEC) : -1;
    if (fd < 0) {
        int rc = temporary ? artel_error_of_errno(errno) : ARTEL_ENOMEM;
        free(temporary);
        return rc;
    }
    size_t len = strlen(text);
    bool whole = write(fd, text, len) == (ssize_t) len && fsync(fd) == 0;
    int rc = whole ? 0 : artel_error_of_errno(errno);
    close(fd);
    if (rc == 0)
        rc = s_publish(temporary, path);
    unlink(temporary);
    free(temporary);
    return rc;
}

//  What the file holds, which is text if it was missing.
static int
s_agree(const char *state, const char *name, const char *text, char *ret, size_t size)
{
    char *path = artel_format("%s/%s", state, name);
    if (!path)
        return ARTEL_ENOMEM;
    int rc = s_read_small(path, ret, size);
    if (rc == ARTEL_ENOENT) {
        rc = s_write_small(state, path, text);
        if (rc == 0)
            rc = s_read_small(path, ret, size);
    }
    free(path);
    return rc;
}

enum { HOST_TEXT = 256 };

//  What this machine is called and, if it has one, the id that stays when its
//  name changes: "NAME ID\n".
static void
s_host(char ret[HOST_TEXT])
{
    char machine[64] = "", name[128] = "";
    if (s_read_small("/etc/machine-id", machine, sizeof machine) == 0)
        machine[strcspn(machine, "\n")] = 0;
    gethostname(name, sizeof name - 1);
    snprintf(ret, HOST_TEXT, "%s %s\n", name, machine);
}

//  Two host files are one machine's if their ids are the same, or, where there
//  is no id, their names.
static bool
s_is_same_host(const char *a, const char *b)
{
    size_t na = strcspn(a, " "), nb = strcspn(b, " ");
    bool have_ids = strlen(a + na) > 2 && strlen(b + nb) > 2;
    return have_ids ? strcmp(a + na, b + nb) == 0 : na == nb && memcmp(a, b, na) == 0;
}

int
artel_state_make(const char *state)
{
    static const char *const folders[] = { "runs", "blobs", "blobs/packs", "pending", "tmp" };
    int rc = artel_make_dirs(state);
    for (size_t i = 0; rc == 0 && i < sizeof folders / sizeof *folders; i++) {
        char *path = artel_format("%s/%s", state, folders[i]);
        rc = path ? artel_make_dirs(path) : ARTEL_ENOMEM;
        free(path);
    }
    char host[HOST_TEXT], found[HOST_TEXT];
    s_host(host);
    if (rc == 0)
        rc = s_agree(state, "version", s_format, found, sizeof found);
    if (rc == 0 && strcmp(found, s_format) != 0)
        rc = ARTEL_EVERSION;
    if (rc == 0)
        rc = s_agree(state, "host", host, found, sizeof found);
    return rc;
}

bool
artel_state_is_made(const char *state)
{
    char *path = artel_format("%s/version", state);
    bool made = path && access(path, F_OK) == 0;
    free(path);
    return made;
}

//  File systems of networks and clusters: locks and SQLite's shared memory do not
//  hold there between machines (statfs(2) has the numbers). A FUSE or 9p mount is
//  mostly one machine's; where it is not, the host file says so.
static bool
s_is_network_type(unsigned type)
{
    static const unsigned types[] = {
        0x6969, 0x517b, 0xff534d42, 0xfe534d42,         //  nfs, smb, cifs, smb2
        0x00c36400, 0x0bd00bd0, 0x47504653,             //  ceph, lustre, gpfs
        0x5346414f, 0x6b414653, 0x73757245, 0x564c,     //  afs, afs of the kernel, coda, ncp
        0x7461636f, 0x01161970, 0x19830326,             //  ocfs2, gfs2, beegfs
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i] == type)
            return true;
    return false;
}

int
artel_state_is_ours(const char *state)
{
    struct statfs fs;
    if (statfs(state, &fs) != 0)
        return artel_error_of_errno(errno);
    if (s_is_network_type((unsigned) fs.f_type))
        return 0;
    char host[HOST_TEXT], found[HOST_TEXT], *path = artel_format("%s/host", state);
    int rc = path ? s_read_small(path, found, sizeof found) : ARTEL_ENOMEM;
    free(path);
    s_host(host);
    if (rc != 0)
        return rc;
    return s_is_same_host(host, found);
}
