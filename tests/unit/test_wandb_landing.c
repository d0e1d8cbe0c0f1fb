//  A file that comes in pieces: where it goes, and that only the right bytes get its name.

#include "scratch.h"

#include "errors.h"
#include "landing.h"

#include <dirent.h>

static artel_landing_t s_landing;
static int s_root;

static void
s_begin(void)
{
    s_scratch_make();
    s_root = open(s_scratch, O_RDONLY | O_DIRECTORY);
}

static void
s_done(void)
{
    close(s_root);
    s_scratch_remove();
}

TestSuite(landing, .init = s_begin, .fini = s_done);

static unsigned
s_names(const char *folder)
{
    unsigned n = 0;
    struct dirent **names;
    int all = scandir(folder, &names, NULL, NULL);
    for (int i = 0; i < all; i++) {
        n += names[i]->d_name[0] != '.' || strlen(names[i]->d_name) > 2;
        free(names[i]);
    }
    free(names);
    return n;
}

Test(landing, the_right_bytes_get_their_name_in_folders_made_for_them)
{
    cr_assert_eq(artel_landing_begin(&s_landing, s_root, "a/b/c.txt"), 0);
    cr_assert_eq(artel_landing_take(&s_landing, 0, "hel", 3), 0);
    cr_assert_eq(artel_landing_take(&s_landing, 3, "lo", 2), 0);
    cr_expect_neq(access(s_in("a/b/c.txt"), F_OK), 0, "it has its name too early");
    cr_expect_eq(artel_landing_end(&s_landing, "XUFAKrxLKna5cZ2REBfFkg=="), 0);
    cr_expect(s_has_text(s_in("a/b/c.txt"), "hello"));
    cr_expect_eq(s_names(s_in("a/b")), 1);
}

Test(landing, an_attempt_that_starts_again_forgets_the_one_before)
{
    cr_assert_eq(artel_landing_begin(&s_landing, s_root, "c"), 0);
    cr_assert_eq(artel_landing_take(&s_landing, 0, "something long", 14), 0);
    cr_assert_eq(artel_landing_take(&s_landing, 0, "hello", 5), 0);
    cr_expect_eq(artel_landing_end(&s_landing, "XUFAKrxLKna5cZ2REBfFkg=="), 0);
    cr_expect(s_has_text(s_in("c"), "hello"));
}

Test(landing, bytes_out_of_order_are_refused)
{
    cr_assert_eq(artel_landing_begin(&s_landing, s_root, "c"), 0);
    cr_expect_eq(artel_landing_take(&s_landing, 3, "lo", 2), ARTEL_EPROTO);
    artel_landing_drop(&s_landing);
}

Test(landing, wrong_bytes_leave_nothing_and_what_was_there)
{
    s_write_text(s_in("c"), "old");
    cr_assert_eq(artel_landing_begin(&s_landing, s_root, "c"), 0);
    cr_assert_eq(artel_landing_take(&s_landing, 0, "hellO", 5), 0);
    cr_expect_eq(artel_landing_end(&s_landing, "XUFAKrxLKna5cZ2REBfFkg=="), ARTEL_ECORRUPT);
    cr_expect(s_has_text(s_in("c"), "old"));
    cr_expect_eq(s_names(s_scratch), 1);
}

Test(landing, no_link_is_entered_and_no_file)
{
    cr_assert_eq(mkdir(s_in("out"), 0755), 0);
    cr_assert_eq(symlink("out", s_in("l")), 0);
    s_write_text(s_in("f"), "x");
    cr_expect_eq(artel_landing_begin(&s_landing, s_root, "l/c"), ARTEL_EEXIST);
    cr_expect_eq(artel_landing_begin(&s_landing, s_root, "f/c"), ARTEL_EEXIST);
    cr_expect_eq(s_names(s_in("out")), 0);
}

Test(landing, a_folder_in_the_way_of_a_file_is_told)
{
    cr_assert_eq(mkdir(s_in("c"), 0755), 0);
    cr_assert_eq(artel_landing_begin(&s_landing, s_root, "c"), 0);
    cr_expect_eq(artel_landing_end(&s_landing, "1B2M2Y8AsgTpgAmY7PhCfg=="), ARTEL_EEXIST);
    cr_expect_eq(s_names(s_scratch), 1);
}
