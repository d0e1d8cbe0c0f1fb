//  netrc files, read and written as W&B's own tools do it.

#include "scratch.h"

#include "errors.h"
#include "netrc.h"

static char s_why[256], s_found[ARTEL_NETRC_WORD];

//  The password of a machine in a file with this text, or the name of what it fails with.
static const char *
s_find(const char *text, const char *machine)
{
    *s_found = *s_why = 0;
    s_write_text(s_in("netrc"), text);
    int rc = artel_netrc_find(s_in("netrc"), machine, s_found, s_why, sizeof s_why);
    return rc == 0 ? s_found : artel_error_code_name(rc);
}

//  The file after a key was written for a machine into one with this text.
static const char *
s_written(const char *text, const char *machine, const char *password)
{
    static char content[4096];
    size_t len;
    if (text)
        s_write_text(s_in("netrc"), text);
    cr_assert_eq(artel_netrc_write(s_in("netrc"), machine, password), 0);
    char *got = s_read_whole(s_in("netrc"), &len);
    snprintf(content, sizeof content, "%s", got);
    free(got);
    return content;
}

TestSuite(netrc, .init = s_scratch_make, .fini = s_scratch_remove);

Test(netrc, an_entry_is_found_in_any_layout)
{
    cr_expect_str_eq(s_find("machine a login u password p\n", "a"), "p");
    cr_expect_str_eq(s_find("machine\na\n\tpassword\n  p user u account x", "a"), "p");
    cr_expect_str_eq(s_find("machine b password q machine a password p", "a"), "p");
}

Test(netrc, the_machine_is_compared_with_its_port)
{
    cr_expect_str_eq(s_find("machine h:80 password p", "h:80"), "p");
    cr_expect_str_eq(s_find("machine h:80 password p", "h"), "ARTEL_ENOENT");
    cr_expect_str_eq(s_find("machine h password p", "h:80"), "ARTEL_ENOENT");
    cr_expect_str_eq(s_find("machine api.h password p", "h"), "ARTEL_ENOENT");
}

Test(netrc, default_is_for_all_that_have_no_entry)
{
    cr_expect_str_eq(s_find("default password d machine a password p", "a"), "p");
    cr_expect_str_eq(s_find("machine a password p default login x password d", "b"), "d");
}

Test(netrc, of_two_entries_the_last_counts)
{
    cr_expect_str_eq(s_find("machine a password p machine a password q", "a"), "q");
}

Test(netrc, words_may_be_quoted_and_escaped)
{
    cr_expect_str_eq(s_find("machine \"a b\" password \"p \\\" q\"", "a b"), "p \" q");
    cr_expect_str_eq(s_find("machine a password p\\ q", "a"), "p q");
    cr_expect_str_eq(s_find("machine a password \"machine\"", "a"), "machine");
}

Test(netrc, comments_are_skipped_and_a_password_is_none)
{
    cr_expect_str_eq(s_find("# machine a password x\nmachine a # login y\n password p\n#end", "a"), "p");
    cr_expect_str_eq(s_find("machine a password #p", "a"), "#p");
}

Test(netrc, macros_are_skipped_up_to_an_empty_line)
{
    cr_expect_str_eq(s_find("macdef m\nmachine a password x\n\nmachine a password p", "a"), "p");
    cr_expect_str_eq(s_find("macdef m\nmachine a password x\n", "a"), "ARTEL_ENOENT");
}

Test(netrc, what_is_no_netrc_file_is_named_by_its_line)
{
    cr_expect_str_eq(s_find("machine a password p\nodd b", "a"), "ARTEL_EPROTO");
    cr_expect_not_null(strstr(s_why, "netrc: line 2 is none of a netrc file"), "%s", s_why);
    cr_expect_str_eq(s_find("machine a password", "a"), "ARTEL_EPROTO");
    cr_expect_str_eq(s_find("machine", "a"), "ARTEL_EPROTO");
}

Test(netrc, an_entry_without_a_password_and_a_file_that_is_not_there_have_none)
{
    cr_expect_str_eq(s_find("machine a login u", "a"), "ARTEL_ENOENT");
    cr_expect_str_eq(s_find("", "a"), "ARTEL_ENOENT");
    cr_expect_eq(artel_netrc_find(s_in("none"), "a", s_found, s_why, sizeof s_why), ARTEL_ENOENT);
}

Test(netrc, a_word_that_is_too_long_is_refused)
{
    static char text[ARTEL_NETRC_WORD + 64] = "machine a password ";
    memset(text + strlen(text), 'x', ARTEL_NETRC_WORD);
    cr_expect_str_eq(s_find(text, "a"), "ARTEL_ELIMIT");
}

Test(netrc, a_new_file_is_that_of_wandb_login_and_nobody_elses)
{
    struct stat st;
    cr_expect_str_eq(s_written(NULL, "api.wandb.ai", "secret"),
                     "machine api.wandb.ai\n  login user\n  password secret\n");
    cr_assert_eq(stat(s_in("netrc"), &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0600);
}

Test(netrc, only_the_entry_of_the_machine_is_replaced)
{
    cr_expect_str_eq(s_written("# mine\nmachine b login x password y\nmachine a\n  login user\n  password old\n\n"
                               "macdef m\n  ls\n\ndefault password d", "a", "new"),
                     "# mine\nmachine b login x password y\n\nmacdef m\n  ls\n\ndefault password d\n"
                     "machine a\n  login user\n  password new\n");
    cr_expect_str_eq(s_written("machine a password 1 machine b password 2 machine a password 3 # c\n", "a", "new"),
                     " machine b password 2  # c\nmachine a\n  login user\n  password new\n");
}

Test(netrc, what_cannot_be_read_stays)
{
    cr_expect_str_eq(s_written("odd\nmachine a password p\n", "a", "q"),
                     "odd\nmachine a password p\nmachine a\n  login user\n  password q\n");
}

Test(netrc, what_was_written_is_read_back_whatever_it_has)
{
    s_written(NULL, "h:1", "p \"q\\ #");
    cr_expect_eq(artel_netrc_find(s_in("netrc"), "h:1", s_found, s_why, sizeof s_why), 0);
    cr_expect_str_eq(s_found, "p \"q\\ #");
    cr_expect_eq(artel_netrc_write(s_in("netrc"), "h", "a\nb"), ARTEL_EINVAL);
    cr_expect_eq(artel_netrc_write(s_in("netrc"), "", "a"), ARTEL_EINVAL);
}

Test(netrc, a_link_to_the_file_stays_one)
{
    struct stat st;
    s_write_text(s_in("real"), "machine b password x\n");
    cr_assert_eq(symlink("real", s_in("netrc")), 0);
    s_written(NULL, "a", "p");
    cr_assert_eq(lstat(s_in("netrc"), &st), 0);
    cr_expect(S_ISLNK(st.st_mode));
    cr_expect(s_has_text(s_in("real"), "machine b password x\nmachine a\n  login user\n  password p\n"));
}

Test(netrc, is_where_the_environment_says)
{
    char *path;
    setenv("HOME", s_scratch, 1);
    unsetenv("NETRC");
    cr_assert_eq(artel_netrc_path(&path), 0);
    cr_expect_str_eq(path, s_in(".netrc"));
    free(path);
    s_write_text(s_in("_netrc"), "");
    cr_assert_eq(artel_netrc_path(&path), 0);
    cr_expect_str_eq(path, s_in("_netrc"));
    free(path);
    s_write_text(s_in(".netrc"), "");
    cr_assert_eq(artel_netrc_path(&path), 0);
    cr_expect_str_eq(path, s_in(".netrc"));
    free(path);
    setenv("NETRC", "~/x", 1);
    cr_assert_eq(artel_netrc_path(&path), 0);
    cr_expect_str_eq(path, s_in("x"));
    free(path);
    unsetenv("HOME");
    cr_expect_eq(artel_netrc_path(&path), ARTEL_ENOENT);
}
