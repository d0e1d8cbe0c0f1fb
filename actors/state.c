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

//  The nearest .artel/ at or above cwd, or NULL. Cuts cwd on its way up.
static char *
s_find_above(char *cwd)
{
    for (;;) {
        char *path = artel_format("%s/.artel", strcmp(cwd, "/") == 0 ? "" : cwd);
        if (!path || s_is_dir(path))
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

int
artel_make_dirs(const char *path)
{
    if (mkdir(path, 0700) == 0 || (errno == EEXIST && s_is_dir(path)))
        return 0;
    if (errno != ENOENT)
        return artel_error_of_errno(errno == EEXIST ? ENOTDIR : errno);
    char *parent = strdup(path);
    if (!parent)
        return ARTEL_ENOMEM;
    char *slash = strrchr(parent, '/');
    int rc = ARTEL_ENOENT;
    if (slash && slash != parent) {
        *slash = 0;
        rc = artel_make_dirs(parent);
    }
    free(parent);
    if (rc == 0 && mkdir(path, 0700) != 0 && errno != EEXIST)
        rc = artel_error_of_errno(errno);
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

//  Write a small file whole: under a name of our own first, then linked, so
//  that of several programs at once one wins and none sees half of it.
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
    if (rc == 0 && link(temporary, path) != 0 && errno != EEXIST)
        rc = artel_error_of_errno(errno);
    unlink(temporary);
    free(temporary);
    return rc;
}

//  The file has text if it was missing; *ret_same says whether it has.
static int
s_agree(const char *state, const char *name, const char *text, bool *ret_same)
{
    char *path = artel_format("%s/%s", state, name), found[256];
    if (!path)
        return ARTEL_ENOMEM;
    int rc = s_read_small(path, found, sizeof found);
    if (rc == ARTEL_ENOENT) {
        rc = s_write_small(state, path, text);
        if (rc == 0)
            rc = s_read_small(path, found, sizeof found);
    }
    free(path);
    if (rc == 0)
        *ret_same = strcmp(found, text) == 0;
    return rc;
}

//  This machine's name for itself: a host name alone may be two machines'.
static void
s_host(char *ret, size_t size)
{
    char machine[64] = "", name[128] = "";
    if (s_read_small("/etc/machine-id", machine, sizeof machine) == 0)
        machine[strcspn(machine, "\n")] = 0;
    gethostname(name, sizeof name - 1);
    snprintf(ret, size, "%s %s\n", name, machine);
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
    bool same = true, ours;
    char host[256];
    s_host(host, sizeof host);
    if (rc == 0)
        rc = s_agree(state, "version", s_format, &same);
    if (rc == 0 && !same)
        rc = ARTEL_EVERSION;
    if (rc == 0)
        rc = s_agree(state, "host", host, &ours);
    return rc;
}

bool
artel_state_is_ours(const char *state)
{
    bool ours = false;
    char host[256];
    s_host(host, sizeof host);
    return s_agree(state, "host", host, &ours) == 0 && ours;
}
