//  From blobs back to files, here and by way of a second store.

#include <criterion/criterion.h>

#include "at_once.h"
#include "blobs.h"
#include "checkout.h"
#include "errors.h"
#include "import.h"
#include "ingest.h"
#include "manifest.h"
#include "scratch.h"

#include <msgpack.h>
#include <sys/resource.h>
#include <signal.h>

static char s_text[8192];           //  what the last call said

static void
s_setup(void)
{
    s_scratch_make();
    cr_assert_eq(mkdir(s_in("tree"), 0755), 0);
}

TestSuite(checkout, .init = s_setup, .fini = s_scratch_remove, .timeout = 100);
TestSuite(import, .init = s_setup, .fini = s_scratch_remove, .timeout = 100);

static artel_ingest_t *
s_begin(void)
{
    artel_ingest_t *ingest;
    artel_ingest_options_t options = { .store = s_in("store") };
    cr_assert_eq(artel_ingest_begin(&options, &ingest), 0);
    return ingest;
}

static artel_ingest_result_t
s_put(const char *path)
{
    artel_ingest_t *ingest = s_begin();
    artel_ingest_result_t result;
    int rc = artel_ingest_dir(ingest, path, NULL);
    cr_assert_eq(rc, 0, "%s", artel_ingest_error(ingest));
    cr_assert_eq(artel_ingest_finish(ingest, &result), 0);
    artel_ingest_destroy(&ingest);
    return result;
}

static int
s_get_from(const char *store, artel_ingest_result_t result)
{
    artel_checkout_t how = { .store = store, .manifest = result.manifest, .pack = result.pack,
        .into = s_in("out") };
    *s_text = 0;
    return artel_checkout(&how, s_text, sizeof s_text);
}

static int
s_get(artel_ingest_result_t result)
{
    return s_get_from(s_in("store"), result);
}

static void
s_expect_same(const char *a, const char *b)
{
    char command[10000];
    snprintf(command, sizeof command, "diff -r --no-dereference '%s' '%s' && "
             "cd '%s' && find . -printf '%%p %%y %%l\\n' | sort > '%s/list' && "
             "cd '%s' && find . -printf '%%p %%y %%l\\n' | sort | cmp - '%s/list'",
             a, b, a, s_scratch, b, s_scratch);
    cr_expect_eq(system(command), 0, "%s and %s differ", a, b);
}

//  Put a manifest that nobody's ingest would make.
static artel_ingest_result_t
s_forge(const artel_msg_entry_t *entries, size_t n)
{
    artel_ingest_t *ingest = s_begin();
    artel_ingest_result_t result;
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    msgpack_sbuffer_write(&out, "artel-manifest-1\n", 17);
    for (size_t i = 0; i < n; i++)
        artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_ENTRY, .entry = entries[i] }, &out);
    cr_assert_eq(artel_ingest_bytes(ingest, "x", out.data, out.size), 0);
    cr_assert_eq(artel_ingest_finish(ingest, &result), 0);
    artel_ingest_destroy(&ingest);
    void *data;
    size_t len;
    cr_assert_eq(artel_blob_read(s_in("store"), &result.manifest, NULL, 1 << 20, &data, &len), 0);
    memcpy(result.manifest.at, memmem(data, len, "\xc4\x20", 2) + 2, 32);
    free(data);
    msgpack_sbuffer_destroy(&out);
    return result;
}

static void
s_make_tree(void)
{
    char name[256];
    memset(name, 'n', 255);
    name[255] = 0;
    cr_assert_eq(mkdir(s_in("tree/a"), 0755), 0);
    cr_assert_eq(mkdir(s_in("tree/a/empty"), 0755), 0);
    cr_assert_eq(mkdir(s_in("tree/A"), 0755), 0);
    s_write_text(s_in("tree/a/one"), "one");
    s_write_text(s_in("tree/A/one"), "ONE");
    s_write_text(s_in("tree/a.b"), "between");
    s_write_text(s_in("tree/sp ace\nline\\back\xc3\xa9"), "odd");
    s_write_text(s_in("tree/nothing"), "");
    s_write_text(s_in("tree/%s", name), "long");
    s_write_text(s_in("tree/run"), "#!/bin/sh\n");
    cr_assert_eq(chmod(s_in("tree/run"), 0755), 0);
    s_write_noise(s_in("tree/large"), (3 << 20) + 5, 1);
    s_write_noise(s_in("tree/just"), 1 << 20, 2);
    s_write_noise(s_in("tree/over"), (1 << 20) + 1, 3);
    cr_assert_eq(symlink("one", s_in("tree/a/link")), 0);
    cr_assert_eq(symlink("none/at/all", s_in("tree/dangling")), 0);
    cr_assert_eq(symlink("a", s_in("tree/folder")), 0);
}

Test(checkout, gives_back_every_kind_of_entry)
{
    s_make_tree();
    cr_assert_eq(s_get(s_put(s_in("tree"))), 0, "%s", s_text);
    s_expect_same(s_in("tree"), s_in("out"));
}

Test(checkout, gives_files_the_modes_that_the_umask_allows)
{
    struct stat st;
    s_make_tree();
    artel_ingest_result_t result = s_put(s_in("tree"));
    umask(027);
    cr_assert_eq(s_get(result), 0);
    cr_assert_eq(stat(s_in("out/run"), &st), 0);
    cr_expect_eq(st.st_mode & 07777, 0750);
    cr_assert_eq(stat(s_in("out/large"), &st), 0);
    cr_expect_eq(st.st_mode & 07777, 0640);
    cr_assert_eq(stat(s_in("out/a"), &st), 0);
    cr_expect_eq(st.st_mode & 07777, 0750);
}

Test(checkout, replaces_files_and_links_and_leaves_others_alone)
{
    s_make_tree();
    artel_ingest_result_t result = s_put(s_in("tree"));
    cr_assert_eq(mkdir(s_in("out"), 0755), 0);
    s_write_text(s_in("out/own"), "mine");
    s_write_text(s_in("out/nothing"), "something");
    s_write_text(s_in("elsewhere"), "untouched");
    s_write_text(s_in("out/folder"), "in the way of a link");
    cr_assert_eq(symlink(s_in("elsewhere"), s_in("out/run")), 0);
    cr_assert_eq(link(s_in("elsewhere"), s_in("out/large")), 0);
    cr_assert_eq(symlink(s_in("elsewhere"), s_in("out/dangling")), 0);
    cr_assert_eq(s_get(result), 0, "%s", s_text);
    cr_expect(s_has_text(s_in("out/own"), "mine"));
    cr_expect(s_has_text(s_in("elsewhere"), "untouched"));
    cr_assert_eq(unlink(s_in("out/own")), 0);
    s_expect_same(s_in("tree"), s_in("out"));
    cr_assert_eq(s_get(result), 0, "once more over itself: %s", s_text);
    s_expect_same(s_in("tree"), s_in("out"));
}

Test(checkout, never_goes_through_a_link_that_is_in_the_way)
{
    s_make_tree();
    artel_ingest_result_t result = s_put(s_in("tree"));
    cr_assert_eq(mkdir(s_in("out"), 0755), 0);
    cr_assert_eq(mkdir(s_in("elsewhere"), 0755), 0);
    cr_assert_eq(symlink(s_in("elsewhere"), s_in("out/a")), 0);
    cr_expect_eq(s_get(result), ARTEL_EEXIST);
    cr_expect_not_null(strstr(s_text, "'a/"), "%s", s_text);
    cr_expect_eq(rmdir(s_in("elsewhere")), 0, "nothing was written there");
}

Test(checkout, does_not_replace_a_folder_by_a_file)
{
    s_make_tree();
    artel_ingest_result_t result = s_put(s_in("tree"));
    cr_assert_eq(mkdir(s_in("out"), 0755), 0);
    cr_assert_eq(mkdir(s_in("out/run"), 0755), 0);
    cr_expect_eq(s_get(result), ARTEL_EEXIST);
    cr_expect_str_eq(s_text, "'run' cannot be written: a folder is in its place");
    cr_expect_eq(rmdir(s_in("out/run")), 0);
}

Test(checkout, refuses_a_manifest_that_leads_outside)
{
    static const char *const paths[] = { "../x", "/tmp/x", "a/../../x", "", "a//b" };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        artel_msg_entry_t entry = { .path = artel_str(paths[i]), .kind = ARTEL_ENTRY_LINK,
            .target = artel_str("y") };
        cr_expect_eq(s_get(s_forge(&entry, 1)), ARTEL_EPROTO, "%s", paths[i]);
    }
    artel_msg_entry_t through[] = {
        { .path = artel_str("a"), .kind = ARTEL_ENTRY_LINK, .target = artel_str("..") },
        { .path = artel_str("a/b"), .kind = ARTEL_ENTRY_LINK, .target = artel_str("y") } };
    cr_expect_eq(s_get(s_forge(through, 2)), ARTEL_EPROTO);
    cr_expect_eq(access(s_in("x"), F_OK), -1);
    cr_expect_eq(access(s_in("b"), F_OK), -1);
}

Test(checkout, names_the_file_and_the_blob_that_is_damaged)
{
    s_write_text(s_in("tree/a"), "aaaaaaaa");
    s_write_text(s_in("tree/b\n"), "bbbbbbbb");
    artel_ingest_result_t result = s_put(s_in("tree"));
    s_flip(s_in("store/blobs/packs/%s.pack", result.pack), 16 + 8 + 3);
    cr_expect_eq(s_get(result), ARTEL_ECORRUPT);
    cr_expect_eq(strncmp(s_text, "'b\\x0a' is damaged: blob ", 25), 0, "%s", s_text);
    const char *blob = strstr(s_text, "blob ") + 5;
    cr_expect_eq(strspn(blob, "0123456789abcdef"), 64, "%s", s_text);
    cr_expect_str_eq(blob + 64, ": stored bytes do not match their checksum");
    cr_expect(s_has_text(s_in("out/a"), "aaaaaaaa"), "what came before is whole");
    cr_expect_eq(access(s_in("out/b\n"), F_OK), -1);
}

static int
s_remove_loose(void *arg, const artel_digest_t *digest, uint64_t size)
{
    (void) arg, (void) size;
    return artel_loose_remove(s_in("store"), digest);
}

static int
s_spoil_loose(void *arg, const artel_digest_t *digest, uint64_t size)
{
    char hex[ARTEL_DIGEST_TEXT];
    (void) arg;
    artel_hex(digest->at, 32, hex);
    s_flip(s_in("store/blobs/%.2s/%s", hex, hex), (off_t) size / 2);
    return 0;
}

Test(checkout, leaves_no_part_of_a_large_file_that_is_damaged)
{
    s_write_noise(s_in("tree/large"), 5 << 20, 1);
    artel_ingest_result_t result = s_put(s_in("tree"));
    cr_assert_eq(artel_loose_each(s_in("store"), s_spoil_loose, NULL), 0);
    cr_expect_eq(s_get(result), ARTEL_ECORRUPT);
    cr_expect_eq(strncmp(s_text, "'large' is damaged: blob ", 25), 0, "%s", s_text);
    cr_expect_eq(rmdir(s_in("out")), 0, "it is empty");
}

Test(checkout, names_the_file_whose_blob_is_lost)
{
    s_write_noise(s_in("tree/large"), 5 << 20, 1);
    artel_ingest_result_t result = s_put(s_in("tree"));
    cr_assert_eq(artel_loose_each(s_in("store"), s_remove_loose, NULL), 0);
    cr_expect_eq(s_get(result), ARTEL_ECORRUPT);
    cr_expect_eq(strncmp(s_text, "'large' is lost: there is no blob ", 34), 0, "%s", s_text);
}

Test(checkout, of_a_manifest_that_is_not_there_says_so)
{
    artel_ingest_result_t result = { .manifest = { { 0xab } } };
    cr_expect_eq(s_get(result), ARTEL_ENOENT);
    cr_expect_eq(strncmp(s_text, "manifest ab00", 13), 0, "%s", s_text);
}

Test(checkout, finds_blobs_in_packs_of_other_artifacts)
{
    for (int i = 0; i < 100; i++)
        s_write_noise(s_in("tree/%d", i), 100, (uint64_t) i);
    artel_ingest_result_t result = s_put(s_in("tree"));
    s_write_text(s_in("tree/new"), "new");
    artel_ingest_result_t second = s_put(s_in("tree"));
    strcpy(second.pack, result.pack);           //  a hint that is wrong
    cr_assert_eq(s_get(second), 0, "%s", s_text);
    s_expect_same(s_in("tree"), s_in("out"));
}

static int
s_stop_at(void *arg, uint64_t files, uint64_t bytes)
{
    (void) files;
    return bytes >= *(uint64_t *) arg;
}

Test(checkout, can_be_canceled_in_the_middle_of_a_file)
{
    uint64_t at = 2 << 20;
    s_write_noise(s_in("tree/large"), 8 << 20, 1);
    artel_ingest_result_t result = s_put(s_in("tree"));
    artel_checkout_t how = { .store = s_in("store"), .manifest = result.manifest,
        .into = s_in("out"), .progress = s_stop_at, .arg = &at };
    cr_expect_eq(artel_checkout(&how, s_text, sizeof s_text), ARTEL_ECANCELED);
    cr_expect_eq(rmdir(s_in("out")), 0, "it is empty");
}

Test(checkout, on_a_full_disk_says_so)
{
    struct rlimit limit = { 1 << 20, 1 << 20 };
    s_write_noise(s_in("tree/large"), 8 << 20, 1);
    artel_ingest_result_t result = s_put(s_in("tree"));
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_expect_eq(s_get(result), ARTEL_ENOSPC);
    cr_expect_str_eq(s_text, "'large' cannot be written: no space left on the disk");
    cr_expect_eq(rmdir(s_in("out")), 0, "it is empty");
}

Test(checkout, of_a_sparse_file_is_exact_and_sparse_again)
{
    struct stat st;
    int fd = open(s_in("tree/sparse"), O_WRONLY | O_CREAT, 0644);
    cr_assert_eq(ftruncate(fd, 64 << 20), 0);
    cr_assert_eq(pwrite(fd, "x", 1, 30 << 20), 1);
    close(fd);
    cr_assert_eq(s_get(s_put(s_in("tree"))), 0);
    s_expect_same(s_in("tree"), s_in("out"));
    cr_assert_eq(stat(s_in("out/sparse"), &st), 0);
    cr_expect_leq(st.st_blocks * 512, 1 << 20);
}

//  A tree that nobody here made: it has names that differ only in case.
Test(checkout, of_a_tree_of_the_system_is_the_same)
{
    cr_assert_eq(s_get(s_put("/usr/include/linux")), 0, "%s", s_text);
    s_expect_same("/usr/include/linux", s_in("out"));
}

static int
s_import(artel_ingest_result_t *result, artel_ingest_known_fn *known)
{
    int lock;
    artel_import_t how = { .from = s_in("store"), .to = s_in("other"), .manifest = result->manifest,
        .pack = result->pack, .known = known };
    cr_assert_eq(artel_blobs_lock(s_in("other"), false, &s_at_once, &lock), 0);
    int rc = artel_import(&how, result->pack, s_text, sizeof s_text);
    artel_blobs_unlock(lock);
    return rc;
}

Test(import, brings_everything_that_a_manifest_names)
{
    s_make_tree();
    artel_ingest_result_t result = s_put(s_in("tree"));
    cr_assert_eq(s_import(&result, NULL), 0, "%s", s_text);
    cr_expect_neq(*result.pack, 0);
    cr_assert_eq(s_get_from(s_in("other"), result), 0, "%s", s_text);
    s_expect_same(s_in("tree"), s_in("out"));
}

static bool
s_know_all(void *arg, const artel_digest_t *digest, uint64_t size)
{
    (void) arg, (void) digest, (void) size;
    return true;
}

Test(import, copies_nothing_that_is_known)
{
    s_make_tree();
    artel_ingest_result_t result = s_put(s_in("tree"));
    cr_assert_eq(s_import(&result, s_know_all), 0, "%s", s_text);
    cr_expect_str_eq(result.pack, "");
    cr_expect_eq(s_get_from(s_in("other"), result), ARTEL_ENOENT);
}

Test(import, of_damaged_or_lost_blobs_is_refused_and_leaves_nothing)
{
    uint64_t bytes;
    s_write_noise(s_in("tree/large"), 5 << 20, 1);
    s_write_text(s_in("tree/small"), "12345");
    artel_ingest_result_t result = s_put(s_in("tree")), again = result;
    cr_assert_eq(artel_loose_each(s_in("store"), s_spoil_loose, NULL), 0);
    cr_expect_eq(s_import(&result, NULL), ARTEL_ECORRUPT);
    cr_expect_eq(strncmp(s_text, "blob ", 5), 0, "%s", s_text);
    cr_assert_eq(artel_loose_each(s_in("store"), s_remove_loose, NULL), 0);
    cr_expect_eq(s_import(&again, NULL), ARTEL_ENOENT);
    cr_assert_eq(artel_blobs_clean(s_in("other"), &bytes), 0);
    cr_expect_eq(bytes, 0);
    cr_expect_eq(rmdir(s_in("other/blobs/packs")), 0, "it is empty");
}
