//  The marks of journals that are not delivered everywhere.

#include "unit/test_journal.h"

#include "fds.h"
#include "pending.h"

TestSuite(pending, .init = s_make_state, .fini = s_remove_state, .timeout = 60);

static int
s_note(void *arg, const char *run, artel_id_t writer)
{
    char *text = arg;
    sprintf(text + strlen(text), "%s%s ", run, artel_id_equal(writer, s_writer) ? "" : "?");
    return 0;
}

static const char *
s_marks(void)
{
    static char text[256];
    text[0] = 0;
    cr_assert_eq(artel_pending_each(s_state, s_note, text), 0);
    return text;
}

static bool
s_has_file(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", s_state, name);
    return access(path, F_OK) == 0;
}

static int
s_stop(void *arg, const char *run, artel_id_t writer)
{
    (void) run;
    (void) writer;
    ++*(int *) arg;
    return 42;
}

Test(pending, marks_every_journal_from_its_birth_on)
{
    artel_journal_t *journal = s_create();
    cr_assert_str_eq(s_marks(), "r ");
    artel_journal_close(&journal);
    cr_assert_str_eq(s_marks(), "r ");
}

Test(pending, ends_with_the_first_value_that_is_not_zero)
{
    artel_journal_t *journal = s_create();
    artel_journal_close(&journal);
    artel_journal_birth_t birth = s_birth("r", s_other, ARTEL_RESUMES_MUST);
    cr_assert_eq(artel_journal_create(s_state, &birth, &journal), 0);
    artel_journal_close(&journal);
    int n = 0;
    cr_assert_eq(artel_pending_each(s_state, s_stop, &n), 42);
    cr_assert_eq(n, 1);
}

Test(pending, passes_over_names_that_are_no_marks)
{
    static const char *const names[] = { "x", "r.123", ".00112233445566778899aabbccddeeff",
        "r.00112233445566778899aabbccddeeffgg", "r.00112233445566778899aabbccddeegg" };
    char path[256];
    for (size_t i = 0; i < 5; i++) {
        snprintf(path, sizeof path, "%s/pending/%s", s_state, names[i]);
        s_save(path, (const uint8_t *) "", 0);
    }
    cr_assert_str_eq(s_marks(), "");
}

Test(pending, is_finished_once_the_journal_ends_sealed_in_what_was_delivered)
{
    artel_journal_t *journal = s_create();
    s_append(journal, 3, 0);
    cr_assert_eq(artel_pending_finish(s_state, "r", s_writer, 3), ARTEL_ELOCKED);
    artel_journal_close(&journal);
    cr_assert_eq(artel_pending_finish(s_state, "r", s_writer, 2), ARTEL_EAGAIN);
    cr_assert_str_eq(s_marks(), "r ");
    cr_assert_eq(artel_pending_finish(s_state, "r", s_writer, 3), 0);
    cr_assert_str_eq(s_marks(), "");
    cr_assert_eq(artel_pending_finish(s_state, "r", s_writer, 3), 0);
}

Test(pending, is_not_finished_if_an_adopter_added_something)
{
    artel_journal_t *journal = s_create();
    s_append(journal, 3, 0);
    artel_journal_close(&journal);
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &journal), 0);
    s_append(journal, 1, 0);
    artel_journal_close(&journal);
    cr_assert_eq(artel_pending_finish(s_state, "r", s_writer, 3), ARTEL_EAGAIN);
    cr_assert_eq(artel_pending_finish(s_state, "r", s_writer, 4), 0);
}

Test(pending, is_not_finished_while_the_end_is_not_sealed)
{
    artel_journal_t *journal = s_create();
    s_append(journal, 3, 0);
    artel_journal_close(&journal);
    size_t len;
    uint8_t *bytes = s_load(s_segment(1), &len);
    s_save(s_segment(1), bytes, len - 1);
    free(bytes);
    cr_assert_eq(artel_pending_finish(s_state, "r", s_writer, 3), ARTEL_EAGAIN);
}

Test(pending, removes_a_mark_whose_journal_was_never_born)
{
    cr_assert_eq(artel_pending_add(s_state, "lost", s_writer), 0);
    cr_assert_str_eq(s_marks(), "");
    cr_assert_not(s_has_file("pending/lost.74686520666972737420777269746572"));
}

Test(pending, leaves_a_mark_alone_while_any_birth_is_under_way)
{
    int lock;
    cr_assert_eq(artel_pending_add(s_state, "soon", s_writer), 0);
    cr_assert_eq(artel_births_begin(s_state, &lock), 0);
    cr_assert_str_eq(s_marks(), "");
    cr_assert(s_has_file("pending/soon.74686520666972737420777269746572"));
    artel_fd_close(lock);
    cr_assert_str_eq(s_marks(), "");
    cr_assert_not(s_has_file("pending/soon.74686520666972737420777269746572"));
}

Test(pending, sweeps_what_dead_births_left_when_the_next_one_begins)
{
    char path[256];
    snprintf(path, sizeof path, "%s/tmp/journal.aa", s_state);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/tmp/journal.aa/bb", s_state);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/tmp/journal.aa/bb/00000001.seg", s_state);
    s_save(path, (const uint8_t *) "x", 1);
    snprintf(path, sizeof path, "%s/tmp/4711.abcdef", s_state);
    s_save(path, (const uint8_t *) "x", 1);
    int lock;
    cr_assert_eq(artel_births_begin(s_state, &lock), 0);
    cr_assert_not(s_has_file("tmp/journal.aa"));
    cr_assert(s_has_file("tmp/4711.abcdef"));
    artel_fd_close(lock);
}
