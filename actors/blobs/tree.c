//  tree.c - walking an added folder.
//
//  Folders wait on a stack as paths and are opened from the root, one at a time:
//  a tree of any depth needs no more descriptors than a flat one. Each remembers
//  the folders above it, so that a link that leads back up is noticed.

#include "tree.h"

#include "bounds.h"
#include "errors.h"
#include "utf8.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ZONE = 64 * 1024 };

//  A folder that was opened.
typedef struct node {
    artel_folder_id_t id;
    artel_folder_id_t root;     //  what its links may stay beneath: the added or a followed folder
    const struct node *above;
} node_t;

//  A folder that waits.
typedef struct item {
    struct item *next;
    const node_t *above;
    bool followed;              //  a link led here
    char path[];                //  of its entries, prefix included
} item_t;

typedef struct {
    const char *at;
    unsigned char type;         //  DT_*
    bool followed;              //  a link, to be treated as the folder it leads to
} name_t;

typedef struct {
    const artel_tree_t *tree;
    const artel_visitor_t *visitor;
    msgpack_zone kept;          //  nodes and items
    msgpack_zone listed;        //  the names of one folder
    item_t *waiting;
    name_t *names;
    size_t n, room;
    artel_link_t link;
    char path[ARTEL_MAX_PATH + 1];
    size_t len;                 //  of the folder in hand
} walk_t;

const char *
artel_tree_kind(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFSOCK: return "is a socket";
    case S_IFIFO: return "is a FIFO";
    case S_IFCHR: return "is a character device";
    case S_IFBLK: return "is a block device";
    case S_IFDIR: return "is a folder";
    default: return "is no regular file";
    }
}

static int
s_refuse(walk_t *walk, int code, const char *path, const char *why, const char *detail)
{
    return walk->visitor->refuse(walk->visitor->arg, code, artel_str(path), why, detail);
}

//  A failed call on something that was there a moment ago.
static int
s_refuse_errno(walk_t *walk, int err, const char *path)
{
    if (err == ENOENT || err == ENOTDIR || err == ELOOP)
        return s_refuse(walk, ARTEL_ECHANGED, path, "changed while its folder was read", NULL);
    return s_refuse(walk, artel_error_of_errno(err), path, "cannot be read",
                    artel_error_code_text(artel_error_of_errno(err)));
}

//  The path of name in the folder in hand, in walk->path.
static int
s_path_of(walk_t *walk, const char *name)
{
    size_t len = strlen(name), start = walk->len ? walk->len + 1 : 0;
    if (start + len > ARTEL_MAX_PATH) {
        walk->path[walk->len] = 0;
        return s_refuse(walk, ARTEL_ELIMIT, *walk->path ? walk->path : ".",
                        "has a path beneath it of more than 4096 bytes", NULL);
    }
    if (start)
        walk->path[start - 1] = '/';
    memcpy(walk->path + start, name, len + 1);
    return artel_is_utf8(name, len) ? 0
           : s_refuse(walk, ARTEL_EINVAL, walk->path, "has a name that is not UTF-8", NULL);
}

static int
s_push(walk_t *walk, const char *path, const node_t *above, bool followed)
{
    size_t size = sizeof (item_t) + strlen(path) + 1;
    item_t *item = msgpack_zone_malloc(&walk->kept, size);
    if (!item)
        return ARTEL_ENOMEM;
    *item = (item_t) { .next = walk->waiting, .above = above, .followed = followed };
    strcpy(item->path, path);
    walk->waiting = item;
    return 0;
}

//  Open the folder of an item from the root of the tree.
static int
s_open(const walk_t *walk, const item_t *item)
{
    size_t prefix = strlen(walk->tree->prefix);
    const char *below = item->path + prefix + (prefix && item->path[prefix]);
    return openat(walk->tree->root, *below ? below : ".",
                  O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK
                      | (item->followed ? 0 : O_NOFOLLOW));
}

static bool
s_is_same(artel_folder_id_t a, artel_folder_id_t b)
{
    return a.dev == b.dev && a.ino == b.ino;
}

//  The node of an opened folder, unless it must not be walked.
static int
s_enter(walk_t *walk, const item_t *item, const struct stat *st, const node_t **ret)
{
    artel_folder_id_t id = { st->st_dev, st->st_ino };
    if (s_is_same(id, walk->tree->store))
        return s_refuse(walk, ARTEL_EINVAL, *item->path ? item->path : ".",
                        "is where artel keeps its data and cannot be added", NULL);
    for (const node_t *above = item->above; above; above = above->above)
        if (s_is_same(id, above->id))
            return s_refuse(walk, ARTEL_EINVAL, item->path,
                            "is a folder inside itself: a link loops", NULL);
    node_t *node = msgpack_zone_malloc(&walk->kept, sizeof *node);
    if (!node)
        return ARTEL_ENOMEM;
    bool starts = item->followed || !item->above;
    *node = (node_t) { id, starts ? id : item->above->root, item->above };
    *ret = node;
    return 0;
}

static int
s_add_name(walk_t *walk, const struct dirent *entry)
{
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
        return 0;
    if (walk->n == walk->room) {
        size_t room = walk->room ? 2 * walk->room : 256;
        name_t *names = realloc(walk->names, room * sizeof *names);
        if (!names)
            return ARTEL_ENOMEM;
        walk->names = names;
        walk->room = room;
    }
    size_t size = strlen(entry->d_name) + 1;
    char *at = msgpack_zone_malloc_no_align(&walk->listed, size);
    if (!at)
        return ARTEL_ENOMEM;
    memcpy(at, entry->d_name, size);
    walk->names[walk->n++] = (name_t) { .at = at, .type = entry->d_type };
    return 0;
}

static int
s_compare_names(const void *a, const void *b)
{
    return strcmp(((const name_t *) a)->at, ((const name_t *) b)->at);
}

static bool
s_unchanged(const struct stat *a, const struct stat *b)
{
    return a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

//  Fill walk->names, sorted.
static int
s_list(walk_t *walk, DIR *dir, const struct stat *before)
{
    struct stat after;
    int rc = 0;
    walk->n = 0;
    msgpack_zone_clear(&walk->listed);
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry && errno != 0)
            return s_refuse_errno(walk, errno, walk->path);
        if (!entry)
            break;
        rc = s_add_name(walk, entry);
        if (rc != 0)
            return rc;
    }
    if (fstat(dirfd(dir), &after) != 0)
        return s_refuse_errno(walk, errno, walk->path);
    if (!s_unchanged(before, &after))
        return s_refuse(walk, ARTEL_ECHANGED, *walk->path ? walk->path : ".",
                        "changed while it was listed", NULL);
    if (walk->n)
        qsort(walk->names, walk->n, sizeof *walk->names, s_compare_names);
    return 0;
}

static int
s_on_link(walk_t *walk, int dir, name_t *name, const node_t *node)
{
    const artel_visitor_t *visitor = walk->visitor;
    int rc = artel_link_judge(dir, name->at, walk->tree->links, node->root, &walk->link);
    if (rc != 0)
        return s_refuse(walk, rc, walk->path, walk->link.why, walk->link.target);
    switch (walk->link.fate) {
    case ARTEL_LINK_KEEP:
        return visitor->link(visitor->arg, artel_str(walk->path), artel_str(walk->link.target));
    case ARTEL_LINK_FILE:
        return visitor->file(visitor->arg, dir, name->at, true, artel_str(walk->path));
    case ARTEL_LINK_FOLDER:
        name->type = DT_DIR;
        name->followed = true;
    }
    return 0;
}

//  Not every file system says what a name is.
static int
s_find_type(walk_t *walk, int dir, name_t *name)
{
    struct stat st;
    if (name->type != DT_UNKNOWN)
        return 0;
    if (fstatat(dir, name->at, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return s_refuse_errno(walk, errno, walk->path);
    name->type = IFTODT(st.st_mode);
    return 0;
}

static int
s_on_name(walk_t *walk, int dir, name_t *name, const node_t *node)
{
    const artel_visitor_t *visitor = walk->visitor;
    int rc = s_path_of(walk, name->at);
    if (rc == 0)
        rc = s_find_type(walk, dir, name);
    if (rc != 0)
        return rc;
    switch (name->type) {
    case DT_REG: return visitor->file(visitor->arg, dir, name->at, false, artel_str(walk->path));
    case DT_LNK: return s_on_link(walk, dir, name, node);
    case DT_DIR: return 0;
    default:
        return s_refuse(walk, ARTEL_EINVAL, walk->path, artel_tree_kind(DTTOIF(name->type)), NULL);
    }
}

//  What is in the open folder: names at once, folders onto the stack, the first
//  on top.
static int
s_visit_names(walk_t *walk, int dir, const node_t *node)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < walk->n; i++)
        rc = s_on_name(walk, dir, &walk->names[i], node);
    for (size_t i = walk->n; rc == 0 && i-- > 0;) {
        const name_t *name = &walk->names[i];
        if (name->type != DT_DIR)
            continue;
        rc = s_path_of(walk, name->at);
        if (rc == 0)
            rc = s_push(walk, walk->path, node, name->followed);
    }
    walk->path[walk->len] = 0;
    if (rc == 0 && walk->n == 0 && walk->len)
        rc = walk->visitor->empty(walk->visitor->arg, artel_str(walk->path));
    return rc;
}

static int
s_visit(walk_t *walk, const item_t *item)
{
    const node_t *node = NULL;
    struct stat st;
    walk->len = strlen(item->path);
    memcpy(walk->path, item->path, walk->len + 1);
    int fd = s_open(walk, item);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir || fstat(fd, &st) != 0) {
        int rc = s_refuse_errno(walk, errno, *item->path ? item->path : ".");
        if (dir)
            closedir(dir);
        else if (fd >= 0)
            close(fd);
        return rc;
    }
    int rc = s_enter(walk, item, &st, &node);
    if (rc == 0)
        rc = s_list(walk, dir, &st);
    if (rc == 0)
        rc = s_visit_names(walk, fd, node);
    closedir(dir);
    return rc;
}

static int
s_walk(walk_t *walk)
{
    int rc = s_push(walk, walk->tree->prefix, NULL, true);
    while (rc == 0 && walk->waiting) {
        item_t *item = walk->waiting;
        walk->waiting = item->next;
        rc = s_visit(walk, item);
    }
    free(walk->names);
    return rc;
}

int
artel_tree_walk(const artel_tree_t *tree, const artel_visitor_t *visitor)
{
    walk_t *walk = calloc(1, sizeof *walk);
    if (!walk)
        return ARTEL_ENOMEM;
    int rc = ARTEL_ENOMEM;
    walk->tree = tree;
    walk->visitor = visitor;
    if (msgpack_zone_init(&walk->kept, ZONE)) {
        if (msgpack_zone_init(&walk->listed, ZONE)) {
            rc = s_walk(walk);
            msgpack_zone_destroy(&walk->listed);
        }
        msgpack_zone_destroy(&walk->kept);
    }
    free(walk);
    return rc;
}
