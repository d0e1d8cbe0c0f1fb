//  Files that each stand for one writer of one run.

#include "scratch.h"

#include "errors.h"
#include "marks.h"

static const artel_id_t s_writer = { "some writer's id" };
#define WRITER "736f6d65207772697465722773206964"

static char s_seen[512];

static void
s_setup(void)
{
    s_scratch_make();
    s_seen[0] = 0;
    cr_assert_eq(mkdir(s_in("marks"), 0700), 0);
}

TestSuite(marks, .init = s_setup, .fini = s_scratch_remove, .timeout = 30);

static int
s_note(void *arg, const char *run, artel_id_t writer)
{
    (void) arg;
    size_t used = strlen(s_seen);
    snprintf(s_seen + used, sizeof s_seen - used, "%s%s ", run, artel_id_equal(writer, s_writer) ? "" : "?");
    return 0;
}

static int
s_stop(void *arg, const char *run, artel_id_t writer)
{
    (void) run, (void) writer;
    ++*(int *) arg;
    return 42;
}

Test(marks, has_a_name_of_run_and_writer)
{
    char *path = NULL;
    cr_assert_eq(artel_mark_path("/state", "marks", "my_run-1", s_writer, &path), 0);
    cr_assert_str_eq(path, "/state/marks/my_run-1." WRITER);
    free(path);
}

Test(marks, refuses_a_run_that_is_no_run_id)
{
    static const char *const runs[] = { "", "..", "a/b", "a.b", "a b" };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        char *path = NULL;
        cr_assert_eq(artel_mark_path("/state", "marks", runs[i], s_writer, &path), ARTEL_EINVAL, "\"%s\"", runs[i]);
        cr_assert_null(path);
    }
}

Test(marks, are_told_with_run_and_writer)
{
    s_write_text(s_in("marks/a." WRITER), "");
    cr_assert_eq(artel_marks_each(s_scratch, "marks", NULL, s_note, NULL), 0);
    cr_assert_str_eq(s_seen, "a ");
}

Test(marks, other_names_are_passed_over)
{
    static const char *const names[] = { "x", "a.123", "a." WRITER "00", "a." WRITER "~", "." WRITER,
        "a b." WRITER, "a.b." WRITER, "a.zz6d6520777269746572277320696400" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        s_write_text(s_in("marks/%s", names[i]), "");
    cr_assert_eq(artel_marks_each(s_scratch, "marks", NULL, s_note, NULL), 0);
    cr_assert_str_eq(s_seen, "");
}

Test(marks, end_with_the_first_value_that_is_not_zero)
{
    int calls = 0;
    s_write_text(s_in("marks/a." WRITER), "");
    s_write_text(s_in("marks/b." WRITER), "");
    cr_assert_eq(artel_marks_each(s_scratch, "marks", NULL, s_stop, &calls), 42);
    cr_assert_eq(calls, 1);
}

Test(marks, a_folder_that_is_not_there_is_said)
{
    cr_assert_eq(artel_marks_each(s_scratch, "nowhere", NULL, s_note, NULL), ARTEL_ENOENT);
}
