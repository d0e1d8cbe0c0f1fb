//  Where the steps of a run go on, as its journals have it.

#include "unit/test_journal.h"

#include "pending.h"
#include "retire.h"
#include "steps.h"

#include <msgpack.h>

TestSuite(steps, .init = s_make_state, .fini = s_remove_state, .timeout = 60);

//  Append a batch whose writer would go on with this step.
static void
s_append_step(artel_journal_t *journal, artel_id_t writer, int64_t next_step)
{
    msgpack_sbuffer out;
    uint64_t counter = artel_journal_accepted(journal) + 1;
    msgpack_sbuffer_init(&out);
    cr_assert_eq(artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_BATCH, .batch = {
        .run = artel_str("r"), .writer = writer, .counter = counter, .next_step = next_step } }, &out), 0);
    artel_journal_frame_t frame = { counter, out.data, out.size };
    cr_assert_eq(artel_journal_append(journal, &frame, 1), 0);
    msgpack_sbuffer_destroy(&out);
}

static artel_journal_t *
s_join(artel_id_t writer)
{
    artel_journal_t *journal;
    artel_journal_birth_t birth = s_birth("r", writer, ARTEL_RESUMES_MUST);
    cr_assert_eq(artel_journal_create(s_state, &birth, &journal), 0);
    return journal;
}

static void
s_adopt_and_close(void)
{
    artel_journal_t *journal;
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &journal), 0);
    artel_journal_close(&journal);
}

static int64_t
s_step(void)
{
    int64_t step = -1000;
    cr_assert_eq(artel_run_next_step(s_state, "r", -1, &step), 0);
    return step;
}

Test(steps, of_no_run_and_of_one_without_a_batch_begin_with_0)
{
    cr_assert_eq(s_step(), 0);
    artel_journal_t *journal = s_create();
    cr_assert_eq(s_step(), 0);
    artel_journal_close(&journal);
    cr_assert_eq(s_step(), 0);
}

Test(steps, are_asked_of_runs_only)
{
    int64_t step;
    cr_assert_eq(artel_run_next_step(s_state, "../pending", -1, &step), ARTEL_EINVAL);
}

Test(steps, go_on_behind_the_last_batch_also_of_a_writer_that_lives)
{
    artel_journal_t *journal = s_create();
    s_append_step(journal, s_writer, 100);
    cr_assert_eq(s_step(), 100);
    s_append_step(journal, s_writer, 7);
    cr_assert_eq(s_step(), 7, "it is the last that counts, not the highest");
    artel_journal_close(&journal);
    cr_assert_eq(s_step(), 7);
}

Test(steps, of_several_writers_go_on_with_the_highest)
{
    artel_journal_t *first = s_create(), *second = s_join(s_other);
    s_append_step(first, s_writer, -5);
    cr_assert_eq(s_step(), -5, "a writer without a batch has no step");
    s_append_step(second, s_other, 40);
    cr_assert_eq(s_step(), 40);
    s_append_step(first, s_writer, 41);
    cr_assert_eq(s_step(), 41);
    artel_journal_close(&first);
    artel_journal_close(&second);
}

static int64_t
s_step_of(int64_t rank)
{
    int64_t step = -1000;
    cr_assert_eq(artel_run_next_step(s_state, "r", rank, &step), 0);
    return step;
}

//  Also when its journal was taken over, and when it was removed.
Test(steps, of_a_rank_are_its_own)
{
    uint64_t bytes;
    artel_retire_t now = { .age_ms = 0 };
    artel_journal_t *first, *second;
    artel_journal_birth_t birth = s_birth("r", s_writer, ARTEL_RESUMES_ALLOW);
    birth.world = 2;
    birth.rank = 1;
    cr_assert_eq(artel_journal_create(s_state, &birth, &first), 0);
    second = s_join(s_other);
    s_append_step(first, s_writer, 8);
    s_append_step(second, s_other, 90);
    artel_journal_close(&first);
    artel_journal_close(&second);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(s_step_of(0), 0);
        cr_assert_eq(s_step_of(1), 8);
        cr_assert_eq(s_step(), 90);
        s_adopt_and_close();
        cr_assert_eq(s_step_of(1), 8);
        cr_assert_eq(artel_pending_finish(s_state, "r", s_writer, 1), 0);
        cr_assert_eq(artel_journal_retire(s_state, "r", s_writer, &now, &bytes), 1);
    }
}

//  A journal that was taken over and closed has a last segment without a batch.
Test(steps, are_found_behind_segments_without_a_batch)
{
    artel_journal_t *journal = s_create();
    s_append_step(journal, s_writer, 12);
    artel_journal_close(&journal);
    s_adopt_and_close();
    s_adopt_and_close();
    cr_assert_eq(access(s_segment(3), F_OK), 0);
    cr_assert_eq(s_step(), 12);
}

Test(steps, of_what_is_removed_are_kept)
{
    uint64_t bytes;
    artel_retire_t now = { .age_ms = 0 };
    artel_journal_t *journal = s_create();
    s_append_step(journal, s_writer, 33);
    artel_journal_close(&journal);
    for (int i = 0; i < 2; i++) {               //  also when it is removed again
        cr_assert_eq(artel_pending_finish(s_state, "r", s_writer, 1), 0);
        cr_assert_eq(artel_journal_retire(s_state, "r", s_writer, &now, &bytes), 1);
        cr_assert_eq(s_examine().frames, 0);
        cr_assert_eq(s_step(), 33);
        s_adopt_and_close();
        cr_assert_eq(s_step(), 33);
    }
}

//  A crash: the file ends in the middle of a frame, and behind it are zeros.
Test(steps, go_on_behind_the_last_batch_that_is_whole)
{
    size_t len;
    artel_journal_t *journal = s_create();
    s_append_step(journal, s_writer, 5);
    s_append_step(journal, s_writer, 6);
    artel_journal_close(&journal);
    free(s_load(s_segment(1), &len));
    cr_assert_eq(truncate(s_segment(1), (off_t) len - 80), 0);    //  the seal, and the end of the batch
    cr_assert_eq(truncate(s_segment(1), 100000), 0);
    cr_assert_eq(s_step(), 5);
}

Test(steps, of_a_journal_that_cannot_be_read_are_passed_over)
{
    artel_journal_t *first = s_create(), *second = s_join(s_other);
    s_append_step(first, s_writer, 50);
    s_append_step(second, s_other, 20);
    artel_journal_close(&first);
    artel_journal_close(&second);
    cr_assert_eq(truncate(s_segment(1), 0), 0);
    cr_assert_eq(s_step(), 20);
    cr_assert_eq(unlink(s_segment(1)), 0);
    cr_assert_eq(s_step(), 20);
}
