//  manifest.c - writing and reading manifests; the same checks both ways.

#include "manifest.h"

#include "bounds.h"
#include "errors.h"
#include "utf8.h"

#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

static const char s_magic[] = "artel-manifest-1\n";
enum { MAGIC = sizeof s_magic - 1, FAMILY = MAGIC - 2, ZONE = 4096 };

//  The entries so far that a later path could lie beneath: each is the beginning
//  of the next, so there are at most as many as a path has bytes.
typedef struct {
    artel_str_t last;
    size_t n;
    artel_str_t open[ARTEL_MAX_PATH];
} order_t;

static int
s_compare_paths(artel_str_t a, artel_str_t b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.at, b.at, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static bool
s_begins(artel_str_t path, artel_str_t with)
{
    return path.len > with.len && memcmp(path.at, with.at, with.len) == 0;
}

//  Whether path (legal) may come next. It is remembered if so; its bytes must live on.
static bool
s_follows(order_t *order, artel_str_t path)
{
    if (order->last.at && s_compare_paths(order->last, path) >= 0)
        return false;
    while (order->n && !s_begins(path, order->open[order->n - 1]))
        order->n--;
    if (order->n && path.at[order->open[order->n - 1].len] == '/')
        return false;
    order->open[order->n++] = order->last = path;
    return true;
}

static bool
s_component_legal(const char *at, size_t len, const char **ret_why)
{
    const char *why = NULL;
    if (len == 0)
        why = "has an empty component";
    else if (len > 255)
        why = "has a component of more than 255 bytes";
    else if (at[0] == '.' && (len == 1 || (len == 2 && at[1] == '.')))
        why = "has a component \".\" or \"..\"";
    if (why)
        *ret_why = why;
    return !why;
}

bool
artel_path_legal(artel_str_t path, const char **ret_why)
{
    const char *why = NULL;
    if (path.len == 0)
        why = "is empty";
    else if (path.len > ARTEL_MAX_PATH)
        why = "is longer than 4096 bytes";
    else if (memchr(path.at, 0, path.len))
        why = "has a NUL byte";
    else if (!artel_is_utf8(path.at, path.len))
        why = "is not UTF-8";
    else if (path.at[0] == '/')
        why = "is not relative";
    if (why) {
        *ret_why = why;
        return false;
    }
    const char *at = path.at, *end = path.at + path.len;
    for (;;) {
        const char *slash = memchr(at, '/', (size_t) (end - at));
        if (!s_component_legal(at, (size_t) ((slash ? slash : end) - at), ret_why))
            return false;
        if (!slash)
            return true;
        at = slash + 1;
    }
}

static bool
s_is_text(artel_str_t text, size_t most)
{
    return text.len > 0 && text.len <= most && !memchr(text.at, 0, text.len)
           && artel_is_utf8(text.at, text.len);
}

static bool
s_entry_legal(const artel_msg_entry_t *entry)
{
    const char *why;
    if (!artel_path_legal(entry->path, &why))
        return false;
    switch (entry->kind) {
    case ARTEL_ENTRY_FILE:
    case ARTEL_ENTRY_DIR: return true;
    case ARTEL_ENTRY_LINK: return s_is_text(entry->target, ARTEL_MAX_PATH);
    case ARTEL_ENTRY_REFERENCE: return s_is_text(entry->uri, ARTEL_MAX_STRING);
    default: return false;
    }
}

static int
s_read_magic(const char *data, size_t len)
{
    if (len >= MAGIC && memcmp(data, s_magic, MAGIC) == 0)
        return 0;
    bool newer = len >= MAGIC && memcmp(data, s_magic, FAMILY) == 0 && data[FAMILY] > '1'
                 && data[FAMILY] <= '9';
    return newer ? ARTEL_EVERSION : ARTEL_EPROTO;
}

//  The entries still to be read, and what reading them needs.
typedef struct {
    const char *at;
    size_t left;
    msgpack_zone zone;
    order_t order;
} reader_t;

static int
s_next(reader_t *reader, artel_msg_t *ret)
{
    size_t used;
    msgpack_zone_clear(&reader->zone);
    int rc = artel_msg_unpack(reader->at, reader->left, &reader->zone, ret, &used);
    if (rc != 0)
        return rc;
    if (ret->id != ARTEL_MSG_ENTRY || !s_entry_legal(&ret->entry)
        || !s_follows(&reader->order, ret->entry.path))
        return ARTEL_EPROTO;
    reader->at += used;
    reader->left -= used;
    return 0;
}

int
artel_manifest_each(const void *data, size_t len,
                    int (*fn)(void *arg, const artel_msg_entry_t *entry), void *arg)
{
    int rc = s_read_magic(data, len);
    if (rc != 0)
        return rc;
    reader_t *reader = calloc(1, sizeof *reader);
    if (!reader || !msgpack_zone_init(&reader->zone, ZONE)) {
        free(reader);
        return ARTEL_ENOMEM;
    }
    reader->at = (const char *) data + MAGIC;
    reader->left = len - MAGIC;
    while (rc == 0 && reader->left > 0) {
        artel_msg_t msg;
        rc = s_next(reader, &msg);
        if (rc == 0)
            rc = fn(arg, &msg.entry);
    }
    msgpack_zone_destroy(&reader->zone);
    free(reader);
    return rc;
}

static int
s_compare(const void *a, const void *b)
{
    return s_compare_paths(((const artel_msg_entry_t *) a)->path,
                           ((const artel_msg_entry_t *) b)->path);
}

static bool
s_is_sorted(const artel_msg_entry_t *entries, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (s_compare(&entries[i - 1], &entries[i]) > 0)
            return false;
    return true;
}

static int
s_pack_entries(const artel_msg_entry_t *entries, size_t n, order_t *order, msgpack_sbuffer *out,
               const artel_msg_entry_t **ret_bad)
{
    if (msgpack_sbuffer_write(out, s_magic, MAGIC) != 0)
        return ARTEL_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (!s_follows(order, entries[i].path)) {
            *ret_bad = &entries[i];
            return ARTEL_EEXIST;
        }
        artel_msg_t msg = { .id = ARTEL_MSG_ENTRY, .entry = entries[i] };
        int rc = artel_msg_pack(&msg, out);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int
artel_manifest_pack(artel_msg_entry_t *entries, size_t n, msgpack_sbuffer *out,
                    const artel_msg_entry_t **ret_bad)
{
    order_t *order = calloc(1, sizeof *order);
    if (!order)
        return ARTEL_ENOMEM;
    if (!s_is_sorted(entries, n))
        qsort(entries, n, sizeof *entries, s_compare);
    int rc = s_pack_entries(entries, n, order, out, ret_bad);
    free(order);
    return rc;
}

//  How many bytes at `at` are one character that may be shown; 0 if none.
static size_t
s_shown(const char *at, size_t left)
{
    unsigned char first = (unsigned char) at[0];
    if (first < 0x80)
        return first >= 0x20 && first != 0x7f;
    for (size_t len = 2; len <= 4 && len <= left; len++)
        if (artel_is_utf8(at, len))
            return first == 0xc2 && (unsigned char) at[1] < 0xa0 ? 0 : len;
    return 0;
}

void
artel_path_escape(artel_str_t path, char *ret, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < path.len;) {
        char piece[5];
        size_t shown = s_shown(path.at + i, path.len - i), len = shown;
        if (!shown)
            len = (size_t) snprintf(piece, sizeof piece, "\\x%02x", (unsigned char) path.at[i]);
        else if (path.at[i] == '\\')
            len = (size_t) snprintf(piece, sizeof piece, "\\\\");
        else
            memcpy(piece, path.at + i, shown);
        if (used + len >= size)
            break;
        memcpy(ret + used, piece, len);
        used += len;
        i += shown ? shown : 1;
    }
    if (size)
        ret[used] = 0;
}
