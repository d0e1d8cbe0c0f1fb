//  flat.c - a manifest for sinks that have neither links nor empty folders.

#include "flat.h"

#include "bounds.h"
#include "errors.h"
#include "manifest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOPS = 40 };             //  links on one way, as the system has it
enum { WAY = 2 * ARTEL_MAX_PATH };

//  The folders that the links now being followed name, the last first.
typedef struct folders {
    const struct folders *above;
    const char *path;
    unsigned depth;
} folders_t;

typedef struct {
    artel_flat_t *flat;
    artel_msg_entry_t *entries; //  of the manifest, sorted
    size_t n, room;
    char *why;
    size_t size;
} self_t;

//  A way to walk: where we are, without links, and what is still to go.
typedef struct {
    char at[WAY];
    char rest[WAY];
    unsigned hops;
} way_t;

static int
s_refuse(self_t *self, int code, artel_str_t path, const char *format, ...)
{
    char text[160], what[80];
    artel_path_escape(path, text, sizeof text);
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    snprintf(self->why, self->size, "the link %s %s", text, what);
    return code;
}

static int
s_keep(void *arg, const artel_msg_entry_t *entry)
{
    self_t *self = arg;
    if (self->n == self->room) {
        size_t room = self->room ? 2 * self->room : 64;
        artel_msg_entry_t *entries = realloc(self->entries, room * sizeof *entries);
        if (!entries)
            return ARTEL_ENOMEM;
        self->entries = entries;
        self->room = room;
    }
    self->entries[self->n++] = *entry;
    return 0;
}

static int
s_add(self_t *self, const artel_msg_entry_t *entry, artel_str_t path)
{
    artel_flat_t *flat = self->flat;
    if (flat->n == ARTEL_MAX_ENTRIES) {
        snprintf(self->why, self->size, "with what its links name it has more than %d entries", ARTEL_MAX_ENTRIES);
        return ARTEL_ELIMIT;
    }
    if (flat->n == flat->room) {
        size_t room = flat->room ? 2 * flat->room : 64;
        artel_flat_entry_t *entries = realloc(flat->entries, room * sizeof *entries);
        if (!entries)
            return ARTEL_ENOMEM;
        flat->entries = entries;
        flat->room = room;
    }
    bool refers = entry->kind == ARTEL_ENTRY_REFERENCE;
    flat->entries[flat->n++] = (artel_flat_entry_t) { .path = path, .digest = entry->digest, .size = entry->size,
        .uri = refers ? entry->uri : (artel_str_t) { 0 }, .target = refers ? entry->target : (artel_str_t) { 0 } };
    return 0;
}

static int
s_compare(artel_str_t a, artel_str_t b)
{
    int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

//  The first entry whose path is not before this.
static size_t
s_from(const self_t *self, artel_str_t path)
{
    size_t low = 0, high = self->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s_compare(self->entries[middle].path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const artel_msg_entry_t *
s_find(const self_t *self, const char *path)
{
    artel_str_t key = artel_str(path);
    size_t i = s_from(self, key);
    return i < self->n && s_compare(self->entries[i].path, key) == 0 ? &self->entries[i] : NULL;
}

static bool
s_is_beneath(artel_str_t path, artel_str_t folder)
{
    return folder.len == 0
        || (path.len > folder.len && path.at[folder.len] == '/' && memcmp(path.at, folder.at, folder.len) == 0);
}

//  The first entry beneath a folder that may have some: they follow one another.
static size_t
s_first_in(const self_t *self, const char *folder)
{
    char path[WAY + 1];
    int n = snprintf(path, sizeof path, "%s%s", folder, *folder ? "/" : "");
    return s_from(self, (artel_str_t) { path, (size_t) n });
}

static bool
s_is_folder(const self_t *self, const char *path)
{
    size_t i = s_first_in(self, path);
    const artel_msg_entry_t *entry = s_find(self, path);
    return (entry && entry->kind == ARTEL_ENTRY_DIR)
        || (i < self->n && s_is_beneath(self->entries[i].path, artel_str(path)));
}

static void
s_up(char *path)
{
    char *slash = strrchr(path, '/');
    *(slash ? slash : path) = 0;
}

//  Take the link's text into what is still to go. False if that leads out or is too long.
static bool
s_enter(way_t *way, artel_str_t text)
{
    char rest[WAY];
    int n = snprintf(rest, sizeof rest, "%.*s/%s", (int) text.len, text.at, way->rest);
    if (n >= WAY || text.len == 0 || *text.at == '/' || ++way->hops > HOPS)
        return false;
    memcpy(way->rest, rest, (size_t) n + 1);
    s_up(way->at);
    return true;
}

//  Go one component on. False if that is not possible.
static bool
s_step(const self_t *self, way_t *way)
{
    size_t len = strcspn(way->rest, "/"), at = strlen(way->at);
    char name[ARTEL_MAX_PATH];
    if (len >= sizeof name || at + len + 2 > WAY)
        return false;
    memcpy(name, way->rest, len);
    name[len] = 0;
    memmove(way->rest, way->rest + len + (way->rest[len] == '/'), strlen(way->rest + len) + (way->rest[len] != '/'));
    if (len == 0 || strcmp(name, ".") == 0)
        return true;
    if (strcmp(name, "..") == 0) {
        s_up(way->at);
        return at > 0;
    }
    snprintf(way->at + at, WAY - at, "%s%s", at ? "/" : "", name);
    const artel_msg_entry_t *entry = s_find(self, way->at);
    if (entry && entry->kind == ARTEL_ENTRY_LINK)
        return s_enter(way, entry->target);
    return !entry || entry->kind == ARTEL_ENTRY_DIR || way->rest[strspn(way->rest, "/")] == 0;
}

//  Where a link leads, through other links, to a path that has none.
static bool
s_resolve(const self_t *self, const artel_msg_entry_t *link, way_t *way)
{
    if (link->path.len >= WAY)
        return false;
    memcpy(way->at, link->path.at, link->path.len);
    way->at[link->path.len] = *way->rest = 0;
    way->hops = 0;
    bool leads = s_enter(way, link->target);
    while (leads && *way->rest)
        leads = s_step(self, way);
    return leads;
}

//  The path of what lies at rest in the folder that the link at path names.
static int
s_path(self_t *self, artel_str_t path, artel_str_t rest, artel_str_t *ret)
{
    artel_flat_t *flat = self->flat;
    size_t len = path.len + 1 + rest.len;
    if (len > ARTEL_MAX_PATH)
        return s_refuse(self, ARTEL_ELIMIT, path, "names a folder with paths that become too long");
    char **paths = realloc(flat->paths, (flat->n_paths + 1) * sizeof *paths);
    if (!paths)
        return ARTEL_ENOMEM;
    flat->paths = paths;
    char *at = malloc(len + 1);
    if (!at)
        return ARTEL_ENOMEM;
    memcpy(at, path.at, path.len);
    at[path.len] = '/';
    memcpy(at + path.len + 1, rest.at, rest.len);
    at[len] = 0;
    flat->paths[flat->n_paths++] = at;
    *ret = (artel_str_t) { at, len };
    return 0;
}

static int
s_follow(self_t *self, const artel_msg_entry_t *link, artel_str_t path, const folders_t *above);

static int
s_take(self_t *self, const artel_msg_entry_t *entry, artel_str_t path, const folders_t *above)
{
    switch (entry->kind) {
    case ARTEL_ENTRY_LINK:
        return s_follow(self, entry, path, above);
    case ARTEL_ENTRY_DIR:
        return 0;
    default:
        return s_add(self, entry, path);
    }
}

//  What is in a folder, under the path of a link that names it.
static int
s_take_folder(self_t *self, const folders_t *folder, artel_str_t path)
{
    artel_str_t name = artel_str(folder->path);
    int rc = 0;
    for (size_t i = s_first_in(self, folder->path); rc == 0 && i < self->n; i++) {
        const artel_msg_entry_t *entry = &self->entries[i];
        if (!s_is_beneath(entry->path, name))
            break;
        size_t skip = name.len ? name.len + 1 : 0;
        artel_str_t inner;
        rc = s_path(self, path, (artel_str_t) { entry->path.at + skip, entry->path.len - skip }, &inner);
        if (rc == 0)
            rc = s_take(self, entry, inner, folder);
    }
    return rc;
}

//  Whether to go into the folder from this link would never end.
static bool
s_is_endless(const artel_msg_entry_t *link, const char *folder, const folders_t *above)
{
    if (s_is_beneath(link->path, artel_str(folder)))
        return true;
    for (const folders_t *f = above; f; f = f->above)
        if (strcmp(f->path, folder) == 0)
            return true;
    return above && above->depth >= HOPS;
}

//  Add what the link names, under path.
static int
s_follow(self_t *self, const artel_msg_entry_t *link, artel_str_t path, const folders_t *above)
{
    way_t *way = malloc(sizeof *way);
    if (!way)
        return ARTEL_ENOMEM;
    bool leads = s_resolve(self, link, way);
    const artel_msg_entry_t *entry = leads ? s_find(self, way->at) : NULL;
    folders_t folder = { .above = above, .path = way->at, .depth = above ? above->depth + 1 : 0 };
    int rc;
    if (entry && entry->kind != ARTEL_ENTRY_DIR)
        rc = s_add(self, entry, path);
    else if (!leads || !s_is_folder(self, way->at))
        rc = s_refuse(self, ARTEL_EINVAL, link->path, "names nothing in the artifact");
    else if (s_is_endless(link, way->at, above))
        rc = s_refuse(self, ARTEL_EINVAL, link->path, "names a folder that it is in");
    else
        rc = s_take_folder(self, &folder, path);
    free(way);
    return rc;
}

static int
s_compare_entries(const void *a, const void *b)
{
    return s_compare(((const artel_flat_entry_t *) a)->path, ((const artel_flat_entry_t *) b)->path);
}

int
artel_flat_read(const void *data, size_t len, artel_flat_t *ret, char *why, size_t size)
{
    artel_flat_t flat = { 0 };
    self_t self = { .flat = &flat, .why = why, .size = size };
    int rc = artel_manifest_each(data, len, s_keep, &self);
    for (size_t i = 0; rc == 0 && i < self.n; i++)
        rc = s_take(&self, &self.entries[i], self.entries[i].path, NULL);
    if (rc == 0 && flat.n_paths)
        qsort(flat.entries, flat.n, sizeof *flat.entries, s_compare_entries);
    free(self.entries);
    if (rc == 0)
        *ret = flat;
    else
        artel_flat_done(&flat);
    return rc;
}

void
artel_flat_done(artel_flat_t *self)
{
    for (size_t i = 0; i < self->n_paths; i++)
        free(self->paths[i]);
    free(self->paths);
    free(self->entries);
    *self = (artel_flat_t) { 0 };
}
