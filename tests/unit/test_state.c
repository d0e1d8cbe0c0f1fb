//  Finding and making the state directory.

#include <criterion/criterion.h>

#include "errors.h"
#include "state.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char s_dir[] = "/tmp/artel-state.XXXXXX";

static void
s_setup(void)
{
    cr_assert_not_null(mkdtemp(s_dir));
    cr_assert_eq(chdir(s_dir), 0);
    unsetenv("ARTEL_DIR");
    setenv("HOME", s_dir, 1);
    unsetenv("XDG_DATA_HOME");
}

static void
s_teardown(void)
{
    char *command = artel_format("chmod -R u+w %s; rm -rf %s", s_dir, s_dir);
    cr_assert_eq(system(command), 0);
    free(command);
}

TestSuite(state, .init = s_setup, .fini = s_teardown, .timeout = 30);

static void
s_expect_found(const char *dir, const char *tail)
{
    char *found, *expected = artel_format("%s%s", s_dir, tail);
    cr_assert_eq(artel_state_find(dir, &found), 0);
    cr_assert_str_eq(found, expected);
    free(found);
    free(expected);
}

static void
s_write(const char *name, const char *text)
{
    FILE *out = fopen(name, "w");
    cr_assert_not_null(out);
    fputs(text, out);
    fclose(out);
}

Test(state, is_where_the_caller_says_then_the_environment_then_near_then_the_users)
{
    s_expect_found(NULL, "/.local/share/artel");
    setenv("XDG_DATA_HOME", s_dir, 1);
    s_expect_found(NULL, "/artel");
    cr_assert_eq(mkdir(".artel", 0700) | mkdir("deep", 0700) | mkdir("deep/er", 0700), 0);
    cr_assert_eq(chdir("deep/er"), 0);
    s_expect_found("", "/.artel");
    setenv("ARTEL_DIR", "there", 1);
    s_expect_found(NULL, "/deep/er/there");
    s_expect_found("here", "/deep/er/here");
}

Test(state, of_somebody_else_is_not_taken_for_near)
{
    if (geteuid() != 0) {
        cr_skip_test("only root can make a directory of another user");
    }
    cr_assert_eq(mkdir(".artel", 0777), 0);
    cr_assert_eq(chown(".artel", 65534, 65534), 0);
    s_expect_found(NULL, "/.local/share/artel");
}

Test(state, is_made_with_its_parents_for_its_user_alone)
{
    struct stat st;
    cr_assert_not(artel_state_is_made("a/b/c"));
    cr_assert_eq(artel_state_make("a/b/c"), 0);
    cr_assert(artel_state_is_made("a/b/c"));
    cr_assert_eq(stat("a/b/c/blobs/packs", &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0700);
    cr_assert_eq(stat("a", &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0700);
    cr_assert_eq(artel_state_make("a/b/c"), 0, "again is fine");
    cr_assert_eq(artel_state_is_ours("a/b/c"), 1);
}

Test(state, made_by_a_newer_version_is_refused)
{
    cr_assert_eq(artel_state_make("s"), 0);
    s_write("s/version", "artel-state-2\n");
    cr_assert_eq(artel_state_make("s"), ARTEL_EVERSION);
}

Test(state, of_another_machine_is_not_ours_until_its_host_file_is_removed)
{
    cr_assert_eq(artel_state_make("s"), 0);
    s_write("s/host", "elsewhere 00000000000000000000000000000000\n");
    cr_assert_eq(artel_state_make("s"), 0, "we may journal there");
    cr_assert_eq(artel_state_is_ours("s"), 0);
    cr_assert_eq(unlink("s/host") | artel_state_make("s"), 0);
    cr_assert_eq(artel_state_is_ours("s"), 1);
}

Test(state, of_this_machine_stays_ours_when_the_machine_has_another_name)
{
    char text[256], *space;
    cr_assert_eq(artel_state_make("s"), 0);
    FILE *in = fopen("s/host", "r");
    cr_assert_not_null(fgets(text, sizeof text, in));
    fclose(in);
    space = strchr(text, ' ');
    if (strlen(space) <= 2) {
        cr_skip_test("this machine has no id");
    }
    char *renamed = artel_format("renamed%s", space);
    s_write("s/host", renamed);
    cr_assert_eq(artel_state_is_ours("s"), 1);
    free(renamed);
}

Test(state, cannot_be_made_below_a_file)
{
    s_write("file", "x");
    cr_assert_eq(artel_make_dirs("file/below"), ARTEL_ENOENT);
    cr_assert_eq(artel_make_dirs("file"), ARTEL_ENOENT);
}

static void *
s_make(void *arg)
{
    return artel_state_make("s") == 0 && artel_state_is_ours("s") == 1 ? arg : NULL;
}

Test(state, is_made_once_by_many_at_the_same_time)
{
    pthread_t threads[8];
    for (int i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, s_make, s_dir);
    for (int i = 0; i < 8; i++) {
        void *ok;
        pthread_join(threads[i], &ok);
        cr_assert_not_null(ok);
    }
    cr_assert_eq(rmdir("s/tmp"), 0, "no temporary file is left");
}
