//  symlink.c - the rules for links (docs/store.md, section 4).
//
//  A link is judged by where its own text leads, not by where a chain of links
//  ends: a link to another link beneath the folder is kept, and that other link
//  is judged for itself.

#include "symlink.h"

#include "errors.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
s_is_same(artel_folder_id_t a, artel_folder_id_t b)
{
    return a.dev == b.dev && a.ino == b.ino;
}

static bool
s_identify(int fd, artel_folder_id_t *ret)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return false;
    *ret = (artel_folder_id_t) { st.st_dev, st.st_ino };
    return true;
}

//  Whether the folder fd is root or lies beneath it, going up until there is no
//  more up. Takes fd.
static bool
s_is_beneath(int fd, artel_folder_id_t root)
{
    artel_folder_id_t here, above;
    bool found = false, more = s_identify(fd, &here);
    while (more && !(found = s_is_same(here, root))) {
        int up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        close(fd);
        fd = up;
        more = fd >= 0 && s_identify(fd, &above) && !s_is_same(here, above);
        here = above;
    }
    if (fd >= 0)
        close(fd);
    return found;
}

//  Cut the last component off path, leaving "/" of an absolute path and "." of a
//  relative one. False if there is none, or it is one that says "up".
static bool
s_cut(char *path)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    size_t start = len;
    while (start > 0 && path[start - 1] != '/')
        start--;
    if (start == len || (len - start == 2 && memcmp(path + start, "..", 2) == 0))
        return false;
    if (start == 0)
        strcpy(path, ".");
    else
        path[start] = 0;
    return true;
}

static bool
s_ends_in_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *last = slash ? slash + 1 : path;
    return *last == 0 || strcmp(last, ".") == 0 || strcmp(last, "..") == 0;
}

//  Whether text, read in the folder dir, names something beneath root that
//  exists or could be made there: the folder it lies in is found as the system
//  would; what is missing is taken by its name.
static bool
s_stays(int dir, const char *text, artel_folder_id_t root)
{
    char path[PATH_MAX];
    strcpy(path, text);
    if (!strchr(path, '/') && !s_ends_in_folder(path))
        return true;
    bool cut = s_ends_in_folder(path) || s_cut(path);
    while (cut) {
        int fd = openat(dir, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0)
            return s_is_beneath(fd, root);
        if (errno != ENOENT && errno != ENOTDIR)
            return false;
        cut = strcmp(path, ".") != 0 && s_cut(path);
    }
    return false;
}

static int
s_read_text(int dir, const char *name, artel_link_t *ret)
{
    ssize_t n = readlinkat(dir, name, ret->target, sizeof ret->target);
    bool fits = n > 0 && n < (ssize_t) sizeof ret->target;
    ret->target[fits ? n : 0] = 0;
    if (fits && artel_is_utf8(ret->target, (size_t) n))
        return 0;
    ret->why = n < 0 ? "is a link that cannot be read" : "is a link whose text is not UTF-8";
    return n < 0 ? artel_error_of_errno(errno) : ARTEL_EINVAL;
}

static int
s_refuse(artel_link_t *ret, int err)
{
    static const struct { int err, code; const char *why; } table[] = {
        { ELOOP, ARTEL_EINVAL, "is a link that loops" },
        { ENOENT, ARTEL_EINVAL, "is a link to something that does not exist" },
        { ENOTDIR, ARTEL_EINVAL, "is a link to something that does not exist" },
        { EACCES, ARTEL_EACCES, "is a link to something that may not be reached" },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].err == err) {
            ret->why = table[i].why;
            return table[i].code;
        }
    ret->why = "is a link that cannot be followed";
    return artel_error_of_errno(err);
}

static int
s_follow(const struct stat *st, artel_link_t *ret)
{
    if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode)) {
        ret->why = "is a link to a socket, FIFO or device";
        return ARTEL_EINVAL;
    }
    ret->fate = S_ISREG(st->st_mode) ? ARTEL_LINK_FILE : ARTEL_LINK_FOLDER;
    return 0;
}

int
artel_link_judge(int dir, const char *name, artel_links_t links, artel_folder_id_t root,
                 artel_link_t *ret)
{
    struct stat st;
    ret->fate = ARTEL_LINK_KEEP;
    int rc = s_read_text(dir, name, ret);
    if (rc != 0 || links == ARTEL_LINKS_KEEP)
        return rc;
    int err = fstatat(dir, name, &st, 0) == 0 ? 0 : errno;
    bool reached = err == 0 || err == ENOENT || err == ENOTDIR;
    if (links == ARTEL_LINKS_AUTO && reached && s_stays(dir, ret->target, root))
        return 0;
    return err != 0 ? s_refuse(ret, err) : s_follow(&st, ret);
}
