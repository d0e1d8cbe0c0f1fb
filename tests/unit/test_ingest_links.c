//  What becomes of symbolic links, by the rules of docs/store.md, section 4.
//
//  Each test has tree/ (which is added) and beside it outside/, with files in both.

#include <criterion/criterion.h>

#include "blobs.h"
#include "errors.h"
#include "ingest.h"
#include "manifest.h"
#include "scratch.h"

#include <sys/wait.h>

static artel_ingest_t *s_ingest;
static char s_text[8192];           //  the entries, or the sentence of a refusal

static void
s_setup(void)
{
    s_scratch_make();
    cr_assert_eq(mkdir(s_in("tree"), 0755), 0);
    cr_assert_eq(mkdir(s_in("tree/sub"), 0755), 0);
    cr_assert_eq(mkdir(s_in("outside"), 0755), 0);
    cr_assert_eq(mkdir(s_in("outside/deep"), 0755), 0);
    s_write_text(s_in("tree/file"), "in");
    s_write_text(s_in("outside/file"), "out");
    s_write_text(s_in("outside/deep/more"), "deep");
}

static void
s_teardown(void)
{
    artel_ingest_destroy(&s_ingest);
    s_scratch_remove();
}

TestSuite(links, .init = s_setup, .fini = s_teardown, .timeout = 60);

static void
s_link(const char *text, const char *at)
{
    cr_assert_eq(symlink(text, s_in("%s", at)), 0);
}

//  "path", "path->text" for a link, "path/" for an empty folder.
static int
s_list(void *arg, const artel_msg_entry_t *entry)
{
    (void) arg;
    size_t used = strlen(s_text);
    snprintf(s_text + used, sizeof s_text - used, "%.*s%s%.*s%s ", (int) entry->path.len,
             entry->path.at, entry->kind == ARTEL_ENTRY_LINK ? "->" : "", (int) entry->target.len,
             entry->target.at, entry->kind == ARTEL_ENTRY_DIR ? "/" : "");
    return 0;
}

//  Add tree/ and see its entries, or that it is refused with a sentence that begins so.
static void
s_expect(artel_links_t links, int code, const char *expected)
{
    artel_ingest_options_t options = { .store = s_in("store"), .links = links };
    artel_ingest_result_t result;
    cr_assert_eq(artel_ingest_begin(&options, &s_ingest), 0);
    int rc = artel_ingest_dir(s_ingest, s_in("tree"), NULL);
    if (rc == 0)
        rc = artel_ingest_finish(s_ingest, &result);
    *s_text = 0;
    if (rc == 0) {
        void *data;
        size_t len;
        cr_assert_eq(artel_blob_read(s_in("store"), &result.manifest, result.pack, 1 << 20,
                                     &data, &len), 0);
        cr_assert_eq(artel_manifest_each(data, len, s_list, NULL), 0);
        free(data);
        cr_expect_str_eq(s_text, expected);
    } else
        cr_expect_eq(strncmp(artel_ingest_error(s_ingest), expected, strlen(expected)), 0, "%s",
                     artel_ingest_error(s_ingest));
    cr_expect_eq(rc, code, "%d: %s", rc, artel_ingest_error(s_ingest));
    artel_ingest_destroy(&s_ingest);
}

static void
s_expect_auto(int code, const char *expected)
{
    s_expect(ARTEL_LINKS_AUTO, code, expected);
}

Test(links, to_something_beneath_the_folder_are_kept_as_text)
{
    s_link("file", "tree/a");
    s_link("../file", "tree/sub/b");
    s_link("sub", "tree/c");
    s_link(".", "tree/d");
    s_link("..", "tree/sub/e");
    s_link("sub/../file", "tree/f");
    s_link("./sub//", "tree/g");
    s_expect_auto(0, "a->file c->sub d->. f->sub/../file file g->./sub// sub/b->../file "
                     "sub/e->.. ");
}

Test(links, beneath_the_folder_are_kept_also_if_their_text_is_absolute_or_goes_out_and_in)
{
    char expected[1024];
    s_link(s_in("tree/file"), "tree/a");
    s_link("../tree/file", "tree/b");
    snprintf(expected, sizeof expected, "a->%s/tree/file b->../tree/file file sub/ ", s_scratch);
    s_expect_auto(0, expected);
}

Test(links, that_leave_the_folder_give_the_content_they_lead_to)
{
    s_link("../outside/file", "tree/a");
    s_link(s_in("outside/file"), "tree/sub/b");
    s_link("../outside", "tree/c");
    s_expect_auto(0, "a c/deep/more c/file file sub/b ");
}

Test(links, that_leave_the_folder_by_another_link_in_it)
{
    s_link("../outside", "tree/out");
    s_link("out/file", "tree/through");
    s_link("hop", "tree/first");
    s_link("../outside/file", "tree/hop");
    s_expect_auto(0, "file first->hop hop out/deep/more out/file sub/ through ");
}

Test(links, to_an_empty_folder_outside_give_an_empty_folder)
{
    cr_assert_eq(mkdir(s_in("outside/empty"), 0755), 0);
    s_link("../outside/empty", "tree/a");
    s_expect_auto(0, "a/ file sub/ ");
}

Test(links, in_a_followed_folder_are_judged_by_that_folder)
{
    s_link("../file", "outside/deep/up");
    s_link("more", "outside/deep/same");
    s_link("../outside/deep", "tree/a");
    s_expect_auto(0, "a/more a/same->more a/up file sub/ ");
}

Test(links, that_dangle_beneath_the_folder_are_kept)
{
    s_link("none", "tree/a");
    s_link("none/at/all", "tree/b");
    s_link("../none", "tree/sub/c");
    s_link("file/none", "tree/d");
    s_expect_auto(0, "a->none b->none/at/all d->file/none file sub/c->../none ");
}

Test(links, that_dangle_outside_are_refused)
{
    char expected[256];
    s_link("../none", "tree/a\nb");
    s_expect_auto(ARTEL_EINVAL, "'a\\x0ab' is a link to something that does not exist: ../none");
    cr_assert_eq(unlink(s_in("tree/a\nb")), 0);
    s_link(s_in("outside/none"), "tree/a");
    snprintf(expected, sizeof expected,
             "'a' is a link to something that does not exist: %s/outside/none", s_scratch);
    s_expect_auto(ARTEL_EINVAL, expected);
    cr_assert_eq(unlink(s_in("tree/a")), 0);
    s_link("none/../../outside", "tree/sub/a");
    s_expect_auto(ARTEL_EINVAL, "'sub/a' is a link to something that does not exist");
}

Test(links, that_loop_are_refused)
{
    s_link("a", "tree/a");
    s_expect_auto(ARTEL_EINVAL, "'a' is a link that loops");
    cr_assert_eq(unlink(s_in("tree/a")), 0);
    s_link("c", "tree/b");
    s_link("b", "tree/c");
    s_expect_auto(ARTEL_EINVAL, "'b' is a link that loops");
}

Test(links, that_lead_back_to_a_folder_they_are_in_are_refused)
{
    s_link("..", "tree/up");
    s_expect_auto(ARTEL_EINVAL, "'up/");
    cr_assert_eq(unlink(s_in("tree/up")), 0);
    s_link(s_in("tree"), "outside/back");
    s_link("../outside", "tree/out");
    s_expect_auto(ARTEL_EINVAL, "'out/back' is a folder inside itself: a link loops");
}

Test(links, that_lead_outside_to_what_is_no_file_are_refused)
{
    s_link("/dev/null", "tree/a");
    s_expect_auto(ARTEL_EINVAL, "'a' is a link to a socket, FIFO or device: /dev/null");
    cr_assert_eq(unlink(s_in("tree/a")), 0);
    cr_assert_eq(mkfifo(s_in("outside/fifo"), 0644), 0);
    s_link("../outside/fifo", "tree/b");
    s_expect_auto(ARTEL_EINVAL, "'b' is a link to a socket, FIFO or device: ../outside/fifo");
    cr_assert_eq(unlink(s_in("tree/b")), 0);
    s_link("../outside", "tree/c");
    s_expect_auto(ARTEL_EINVAL, "'c/fifo' is a FIFO");
}

Test(links, whose_text_is_not_utf_8_are_refused)
{
    s_link("caf\xe9", "tree/a");
    s_expect_auto(ARTEL_EINVAL, "'a' is a link whose text is not UTF-8: caf\\xe9");
}

Test(links, are_all_kept_if_asked)
{
    s_link("a", "tree/a");
    s_link("/none", "tree/b");
    s_link("../outside", "tree/c");
    s_expect(ARTEL_LINKS_KEEP, 0, "a->a b->/none c->../outside file sub/ ");
}

Test(links, are_all_followed_if_asked)
{
    s_link("file", "tree/a");
    s_link("../outside/deep", "tree/b");
    s_expect(ARTEL_LINKS_FOLLOW, 0, "a b/more file sub/ ");
    s_link("none", "tree/c");
    s_expect(ARTEL_LINKS_FOLLOW, ARTEL_EINVAL,
             "'c' is a link to something that does not exist: none");
    cr_assert_eq(unlink(s_in("tree/c")), 0);
    s_link("..", "tree/sub/d");
    s_expect(ARTEL_LINKS_FOLLOW, ARTEL_EINVAL, "'sub/d' is a folder inside itself: a link loops");
}

Test(links, to_a_file_added_by_name_give_its_content)
{
    artel_ingest_options_t options = { .store = s_in("store"), .links = ARTEL_LINKS_KEEP };
    artel_ingest_result_t result;
    s_link("../outside/file", "tree/a");
    cr_assert_eq(artel_ingest_begin(&options, &s_ingest), 0);
    cr_assert_eq(artel_ingest_file(s_ingest, s_in("tree/a"), NULL), 0);
    cr_assert_eq(artel_ingest_finish(s_ingest, &result), 0);
    cr_expect_eq(result.bytes, 3);
}

Test(links, to_a_folder_added_by_name_are_followed)
{
    s_link("tree", "alias");
    artel_ingest_options_t options = { .store = s_in("store") };
    artel_ingest_result_t result;
    cr_assert_eq(artel_ingest_begin(&options, &s_ingest), 0);
    cr_assert_eq(artel_ingest_dir(s_ingest, s_in("alias"), NULL), 0);
    cr_assert_eq(artel_ingest_finish(s_ingest, &result), 0);
    cr_expect_eq(result.files, 1);
}
