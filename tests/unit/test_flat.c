//  Manifests without links and empty folders, for sinks that have neither.

#include <criterion/criterion.h>

#include "errors.h"
#include "flat.h"
#include "manifest.h"

#include <msgpack.h>
#include <stdio.h>
#include <string.h>

static char s_text[4096];
static char s_why[256];

static artel_msg_entry_t
s_file(const char *path, uint64_t size)
{
    return (artel_msg_entry_t) { .path = artel_str(path), .kind = ARTEL_ENTRY_FILE, .size = size };
}

static artel_msg_entry_t
s_link(const char *path, const char *target)
{
    return (artel_msg_entry_t) { .path = artel_str(path), .kind = ARTEL_ENTRY_LINK, .target = artel_str(target) };
}

static artel_msg_entry_t
s_dir(const char *path)
{
    return (artel_msg_entry_t) { .path = artel_str(path), .kind = ARTEL_ENTRY_DIR };
}

static int
s_read(artel_msg_entry_t *entries, size_t n, artel_flat_t *ret)
{
    const artel_msg_entry_t *bad;
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    cr_assert_eq(artel_manifest_pack(entries, n, &out, &bad), 0);
    *s_why = *s_text = 0;
    int rc = artel_flat_read(out.data, out.size, ret, s_why, sizeof s_why);
    for (size_t i = 0; rc == 0 && i < ret->n; i++)
        snprintf(s_text + strlen(s_text), sizeof s_text - strlen(s_text), "%.*s=%d ", (int) ret->entries[i].path.len,
                 ret->entries[i].path.at, (int) ret->entries[i].size);
    msgpack_sbuffer_destroy(&out);
    return rc;
}

//  The entries as "path=size ", or why not.
static const char *
s_told(artel_msg_entry_t *entries, size_t n)
{
    artel_flat_t flat;
    if (s_read(entries, n, &flat) != 0)
        return s_why;
    artel_flat_done(&flat);
    return s_text;
}

#define FLAT(...) s_told((artel_msg_entry_t[]) { __VA_ARGS__ }, \
                         sizeof (artel_msg_entry_t[]) { __VA_ARGS__ } / sizeof (artel_msg_entry_t))

Test(flat, files_stay_and_empty_folders_go)
{
    cr_expect_str_eq(FLAT(s_file("a", 1), s_dir("b"), s_file("c/d", 2)), "a=1 c/d=2 ");
}

Test(flat, a_reference_keeps_its_uri_and_digest)
{
    artel_msg_entry_t entry = { .path = artel_str("r"), .kind = ARTEL_ENTRY_REFERENCE, .uri = artel_str("s3://x"),
                                .target = artel_str("etag"), .size = 7 };
    artel_flat_t flat;
    const artel_msg_entry_t *bad;
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    cr_assert_eq(artel_manifest_pack(&entry, 1, &out, &bad), 0);
    cr_assert_eq(artel_flat_read(out.data, out.size, &flat, s_why, sizeof s_why), 0);
    cr_expect_eq(flat.entries[0].uri.len, 6);
    cr_expect_eq(memcmp(flat.entries[0].target.at, "etag", 4), 0);
    artel_flat_done(&flat);
    msgpack_sbuffer_destroy(&out);
}

Test(flat, a_link_becomes_the_file_it_names)
{
    cr_expect_str_eq(FLAT(s_file("a", 1), s_link("l", "a")), "a=1 l=1 ");
    cr_expect_str_eq(FLAT(s_file("a", 1), s_link("d/l", "../a")), "a=1 d/l=1 ");
    cr_expect_str_eq(FLAT(s_file("x/y/a", 1), s_link("x/z/l", ".././y//a")), "x/y/a=1 x/z/l=1 ");
}

Test(flat, links_lead_through_links)
{
    cr_expect_str_eq(FLAT(s_file("x/a", 1), s_link("l", "m"), s_link("m", "n/a"), s_link("n", "x")),
                     "l=1 m=1 n/a=1 x/a=1 ");
}

Test(flat, dots_after_a_link_go_up_from_where_it_leads)
{
    cr_expect_str_eq(FLAT(s_file("p/q/f", 1), s_file("p/g", 2), s_link("l", "p/q"), s_link("m", "l/../g")),
                     "l/f=1 m=2 p/g=2 p/q/f=1 ");
}

Test(flat, a_link_to_a_folder_becomes_what_is_in_it)
{
    cr_expect_str_eq(FLAT(s_file("d/a", 1), s_file("d/e/b", 2), s_dir("d/none"), s_link("d/k", "a"), s_link("l", "d/"),
                          s_file("dz", 3)),
                     "d/a=1 d/e/b=2 d/k=1 dz=3 l/a=1 l/e/b=2 l/k=1 ");
}

Test(flat, a_link_to_an_empty_folder_goes_with_it)
{
    cr_expect_str_eq(FLAT(s_dir("d"), s_link("l", "d")), "");
}

Test(flat, a_link_that_names_nothing_here_is_refused_by_name)
{
    cr_expect_str_eq(FLAT(s_link("a/l", "b")), "the link a/l names nothing in the artifact");
    cr_expect_str_eq(FLAT(s_file("a", 1), s_link("l", "/a")), "the link l names nothing in the artifact");
    cr_expect_str_eq(FLAT(s_file("a", 1), s_link("l", "../a")), "the link l names nothing in the artifact");
    cr_expect_str_eq(FLAT(s_file("a", 1), s_link("l", "a/b")), "the link l names nothing in the artifact");
    cr_expect_str_eq(FLAT(s_link("l", "l")), "the link l names nothing in the artifact");
    cr_expect_str_eq(FLAT(s_link("l", "m"), s_link("m", "l")), "the link l names nothing in the artifact");
}

Test(flat, a_link_to_a_folder_that_it_is_in_is_refused_by_name)
{
    cr_expect_str_eq(FLAT(s_file("a", 1), s_link("l", ".")), "the link l names a folder that it is in");
    cr_expect_str_eq(FLAT(s_file("a/x", 1), s_link("a/l", "../a")), "the link a/l names a folder that it is in");
    cr_expect_str_eq(FLAT(s_file("a/x", 1), s_link("a/l", "../b"), s_link("b/m", "../a")),
                     "the link a/l names a folder that it is in");
}

Test(flat, a_path_that_becomes_too_long_is_refused)
{
    static char deep[3000], to[260];
    memset(deep, 'x', sizeof deep - 1);
    for (size_t i = 250; i < sizeof deep - 1; i += 251)
        deep[i] = '/';
    memcpy(to, "d", 2);
    static char file[3100], link[3100];
    snprintf(file, sizeof file, "d/%.2000s", deep);
    snprintf(link, sizeof link, "%.2500s", deep);
    file[2001] = link[2499] = 'x';
    artel_flat_t flat;
    static char up[64];
    for (size_t i = 0; i < 9; i++)
        strcat(up, "../");
    strcat(up, "d");
    cr_expect_eq(s_read((artel_msg_entry_t[]) { s_file(file, 1), s_link(link, up) }, 2, &flat), ARTEL_ELIMIT);
    cr_expect_not_null(strstr(s_why, "names a folder with paths that become too long"));
}

Test(flat, what_is_no_manifest_is_no_list)
{
    artel_flat_t flat;
    cr_expect_eq(artel_flat_read("x", 1, &flat, s_why, sizeof s_why), ARTEL_EPROTO);
}
