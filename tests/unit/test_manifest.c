//  Manifests: what they may hold, and what bytes they are.

#include <criterion/criterion.h>

#include "bounds.h"
#include "errors.h"
#include "hash.h"
#include "manifest.h"

#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

static const char *
s_why(const char *path)
{
    const char *why = NULL;
    return artel_path_legal(artel_str(path), &why) ? "legal" : why;
}

static artel_msg_entry_t
s_file(const char *path)
{
    return (artel_msg_entry_t) { .path = artel_str(path), .kind = ARTEL_ENTRY_FILE,
        .digest = { { 1, 2, 3 } }, .size = 5 };
}

static int
s_pack(artel_msg_entry_t *entries, size_t n, msgpack_sbuffer *ret)
{
    const artel_msg_entry_t *bad;
    msgpack_sbuffer_init(ret);
    return artel_manifest_pack(entries, n, ret, &bad);
}

//  A manifest by hand, in the order given.
static msgpack_sbuffer
s_raw(const artel_msg_entry_t *entries, size_t n)
{
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    msgpack_sbuffer_write(&out, "artel-manifest-1\n", 17);
    for (size_t i = 0; i < n; i++)
        artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_ENTRY, .entry = entries[i] }, &out);
    return out;
}

static int
s_join(void *arg, const artel_msg_entry_t *entry)
{
    strncat(arg, entry->path.at, entry->path.len);
    strcat(arg, " ");
    return 0;
}

static int
s_count(void *arg, const artel_msg_entry_t *entry)
{
    (void) entry;
    ++*(int *) arg;
    return 0;
}

//  What reading the paths as a manifest gives.
static int
s_read_paths(const char *const *paths, size_t n)
{
    artel_msg_entry_t entries[8];
    int count = 0;
    for (size_t i = 0; i < n; i++)
        entries[i] = s_file(paths[i]);
    msgpack_sbuffer raw = s_raw(entries, n);
    int rc = artel_manifest_each(raw.data, raw.size, s_count, &count);
    msgpack_sbuffer_destroy(&raw);
    return rc;
}

#define READ(...) \
    s_read_paths((const char *const[]) { __VA_ARGS__ }, \
                 sizeof (const char *const[]) { __VA_ARGS__ } / sizeof (char *))

Test(path, is_legal_with_spaces_newlines_backslashes_and_any_case)
{
    cr_expect_str_eq(s_why("a"), "legal");
    cr_expect_str_eq(s_why("a b/c\nd/e\\f/\xc3\xa9/A/...x"), "legal");
    cr_expect_str_eq(s_why("...") , "legal");
}

Test(path, is_refused_with_a_reason)
{
    cr_expect_str_eq(s_why(""), "is empty");
    cr_expect_str_eq(s_why("/a"), "is not relative");
    cr_expect_str_eq(s_why("a//b"), "has an empty component");
    cr_expect_str_eq(s_why("a/"), "has an empty component");
    cr_expect_str_eq(s_why("."), "has a component \".\" or \"..\"");
    cr_expect_str_eq(s_why("a/../b"), "has a component \".\" or \"..\"");
    cr_expect_str_eq(s_why("a/b/.."), "has a component \".\" or \"..\"");
    cr_expect_str_eq(s_why("a\xff"), "is not UTF-8");
    const char *why;
    cr_expect_not(artel_path_legal((artel_str_t) { "a\0b", 3 }, &why));
    cr_expect_str_eq(why, "has a NUL byte");
}

Test(path, has_components_of_at_most_255_bytes_and_4096_in_all)
{
    char path[ARTEL_MAX_PATH + 2];
    memset(path, 'x', sizeof path);
    path[255] = 0;
    cr_expect_str_eq(s_why(path), "legal");
    path[255] = 'x';
    path[256] = 0;
    cr_expect_str_eq(s_why(path), "has a component of more than 255 bytes");
    memset(path, 'x', sizeof path);
    for (size_t i = 255; i < sizeof path; i += 256)
        path[i] = '/';
    path[ARTEL_MAX_PATH - 1] = 'x';
    path[ARTEL_MAX_PATH - 2] = '/';
    path[ARTEL_MAX_PATH] = 0;
    cr_expect_str_eq(s_why(path), "legal");
    path[ARTEL_MAX_PATH] = 'x';
    path[ARTEL_MAX_PATH + 1] = 0;
    cr_expect_str_eq(s_why(path), "is longer than 4096 bytes");
}

Test(path, is_shown_without_bytes_that_a_terminal_would_obey)
{
    char shown[64];
    artel_path_escape(artel_str("a\nb\x1b[\\\xff\xc3\xa9\xc2\x9b\x7f"), shown, sizeof shown);
    cr_expect_str_eq(shown, "a\\x0ab\\x1b[\\\\\\xff\xc3\xa9\\xc2\\x9b\\x7f");
    artel_path_escape(artel_str("abc\xc3\xa9"), shown, 5);
    cr_expect_str_eq(shown, "abc", "a character is not cut in two");
}

Test(manifest, has_the_same_bytes_whatever_the_order_of_adding)
{
    artel_msg_entry_t a[] = { s_file("b"), s_file("a/x"), s_file("a.b"), s_file("B") };
    artel_msg_entry_t b[] = { s_file("B"), s_file("a.b"), s_file("a/x"), s_file("b") };
    msgpack_sbuffer first, second;
    cr_assert_eq(s_pack(a, 4, &first), 0);
    cr_assert_eq(s_pack(b, 4, &second), 0);
    cr_assert_eq(first.size, second.size);
    cr_expect_eq(memcmp(first.data, second.data, first.size), 0);
    char order[64] = "";
    cr_assert_eq(artel_manifest_each(first.data, first.size, s_join, order), 0);
    cr_expect_str_eq(order, "B a.b a/x b ");
    msgpack_sbuffer_destroy(&first);
    msgpack_sbuffer_destroy(&second);
}

//  The digest is the artifact's name: if this test fails, the format has changed.
Test(manifest, of_version_1_has_these_bytes)
{
    artel_msg_entry_t entries[] = {
        { .path = artel_str("bin/run"), .kind = ARTEL_ENTRY_FILE, .size = 300, .exec = true },
        { .path = artel_str("dir"), .kind = ARTEL_ENTRY_DIR },
        { .path = artel_str("link"), .kind = ARTEL_ENTRY_LINK, .target = artel_str("bin/run") },
        { .path = artel_str("ref"), .kind = ARTEL_ENTRY_REFERENCE, .uri = artel_str("s3://b/k"),
          .target = artel_str("md5:0"), .size = 7 },
    };
    memset(entries[0].digest.at, 0xab, 32);
    msgpack_sbuffer out;
    artel_hash_t *hash;
    artel_digest_t digest;
    char hex[ARTEL_DIGEST_TEXT];
    cr_assert_eq(s_pack(entries, 4, &out), 0);
    cr_assert_eq(artel_hash_new(&hash), 0);
    artel_hash_bytes(hash, out.data, out.size, &digest);
    artel_hex(digest.at, 32, hex);
    cr_expect_eq(memcmp(out.data + 17, "\x98\x1f\xa7" "bin/run" "\x01\xc4\x20\xab", 14), 0);
    cr_expect_str_eq(hex, "35e9325088c3ba7fe101b3cfdfb8f8699c11373906cef78307a51d9c2aec56b0");
    artel_hash_destroy(&hash);
    msgpack_sbuffer_destroy(&out);
}

Test(manifest, names_the_entry_that_has_a_path_of_another)
{
    artel_msg_entry_t twice[] = { s_file("a"), s_file("b"), s_file("a") };
    artel_msg_entry_t beneath[] = { s_file("a/c"), s_file("a.b"), s_file("a") };
    const artel_msg_entry_t *bad = NULL;
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    cr_assert_eq(artel_manifest_pack(twice, 3, &out, &bad), ARTEL_EEXIST);
    cr_expect(artel_str_equal(bad->path, artel_str("a")));
    cr_assert_eq(artel_manifest_pack(beneath, 3, &out, &bad), ARTEL_EEXIST);
    cr_expect(artel_str_equal(bad->path, artel_str("a/c")));
    msgpack_sbuffer_destroy(&out);
}

Test(manifest, is_read_only_in_order_and_without_conflicts)
{
    cr_expect_eq(READ("a", "a.b", "ab", "b/c", "b/d"), 0);
    cr_expect_eq(READ("b", "a"), ARTEL_EPROTO);
    cr_expect_eq(READ("a", "a"), ARTEL_EPROTO);
    cr_expect_eq(READ("a", "a/b"), ARTEL_EPROTO);
    cr_expect_eq(READ("a", "a!", "a.b", "a/b"), ARTEL_EPROTO);
    cr_expect_eq(READ("a/b", "a/b.c", "a/b/c"), ARTEL_EPROTO);
    cr_expect_eq(READ("../a"), ARTEL_EPROTO);
    cr_expect_eq(READ("/etc/passwd"), ARTEL_EPROTO);
}

Test(manifest, is_read_only_with_entries_that_mean_something)
{
    artel_msg_entry_t bad[] = {
        { .path = artel_str("a"), .kind = 9 },
        { .path = artel_str("a"), .kind = 0 },
        { .path = artel_str("a"), .kind = ARTEL_ENTRY_LINK },
        { .path = artel_str("a"), .kind = ARTEL_ENTRY_LINK, .target = { "x\0y", 3 } },
        { .path = artel_str("a"), .kind = ARTEL_ENTRY_REFERENCE },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int count = 0;
        msgpack_sbuffer raw = s_raw(&bad[i], 1);
        cr_expect_eq(artel_manifest_each(raw.data, raw.size, s_count, &count), ARTEL_EPROTO);
        cr_expect_eq(count, 0);
        msgpack_sbuffer_destroy(&raw);
    }
}

Test(manifest, of_a_newer_artel_is_said_to_be_newer)
{
    int count = 0;
    cr_expect_eq(artel_manifest_each("artel-manifest-2\n", 17, s_count, &count), ARTEL_EVERSION);
    cr_expect_eq(artel_manifest_each("artel-manifest-1\n", 17, s_count, &count), 0);
    cr_expect_eq(artel_manifest_each("artel-manifest-1", 16, s_count, &count), ARTEL_EPROTO);
    cr_expect_eq(artel_manifest_each("", 0, s_count, &count), ARTEL_EPROTO);
}

Test(manifest, cut_short_anywhere_but_between_entries_is_refused)
{
    artel_msg_entry_t entries[] = { s_file("a"), s_file("b") };
    msgpack_sbuffer one = s_raw(entries, 1), two = s_raw(entries, 2);
    for (size_t len = 0; len < two.size; len++) {
        int count = 0;
        char *cut = malloc(len + 1);            //  so that a sanitizer sees a read beyond
        memcpy(cut, two.data, len);
        int rc = artel_manifest_each(cut, len, s_count, &count);
        cr_expect_eq(rc, len == 17 || len == one.size ? 0 : ARTEL_EPROTO, "cut at %zu", len);
        free(cut);
    }
    msgpack_sbuffer_destroy(&one);
    msgpack_sbuffer_destroy(&two);
}

static int
s_end(void *arg, const artel_msg_entry_t *entry)
{
    (void) arg, (void) entry;
    return 42;
}

Test(manifest, reading_ends_with_what_the_caller_returned)
{
    artel_msg_entry_t entry = s_file("a");
    msgpack_sbuffer raw = s_raw(&entry, 1);
    cr_expect_eq(artel_manifest_each(raw.data, raw.size, s_end, NULL), 42);
    msgpack_sbuffer_destroy(&raw);
}

//  Each path begins the next: as many open at once as there can be.
Test(manifest, may_have_paths_that_begin_one_another)
{
    enum { N = 255 };
    char long_name[N + 1];
    artel_msg_entry_t entries[N];
    memset(long_name, 'a', sizeof long_name);
    for (size_t i = 0; i < N; i++)
        entries[i] = (artel_msg_entry_t) { .path = { long_name, i + 1 }, .kind = ARTEL_ENTRY_DIR };
    msgpack_sbuffer out;
    int count = 0;
    cr_assert_eq(s_pack(entries, N, &out), 0);
    cr_expect_eq(artel_manifest_each(out.data, out.size, s_count, &count), 0);
    cr_expect_eq(count, N);
    msgpack_sbuffer_destroy(&out);
}
