//  The end of journals that are delivered everywhere.

#include "unit/test_journal.h"

#include "outcomes.h"
#include "pending.h"
#include "retire.h"

#include <time.h>
#include <utime.h>

TestSuite(retire, .init = s_make_state, .fini = s_remove_state, .timeout = 60);

static const artel_retire_t s_now = { .age_ms = 0 };

static int
s_retire(const artel_retire_t *how)
{
    uint64_t bytes = 0;
    int rc = artel_journal_retire(s_state, "r", s_writer, how, &bytes);
    cr_assert_eq(rc > 0, bytes > 0);
    return rc;
}

//  A journal of three segments with n batches, delivered everywhere.
static void
s_finish(uint64_t n)
{
    artel_journal_t *journal = s_create();
    for (uint64_t i = 0; i < n; i++)
        s_append(journal, 1, 70000);
    artel_journal_close(&journal);
    cr_assert_eq(artel_pending_finish(s_state, "r", s_writer, n), 0);
}

Test(retire, leaves_alone_what_is_live_or_pending_or_not_there)
{
    cr_assert_eq(s_retire(&s_now), ARTEL_ENOENT);
    artel_journal_t *journal = s_create();
    s_append(journal, 1, 0);
    cr_assert_eq(s_retire(&s_now), 0);
    artel_journal_close(&journal);
    cr_assert_eq(s_retire(&s_now), 0);
    s_check_all(1, 0);
    cr_assert_eq(artel_pending_finish(s_state, "r", s_writer, 1), 0);
    cr_assert_eq(s_retire(&s_now), 1);
}

Test(retire, leaves_alone_what_is_too_young)
{
    artel_retire_t hour = { .age_ms = 3600 * 1000 };
    s_finish(1);
    cr_assert_eq(s_retire(&hour), 0);
    struct utimbuf then = { time(NULL) - 3601, time(NULL) - 3601 };
    cr_assert_eq(utime(s_segment(1), &then), 0);
    cr_assert_eq(s_retire(&hour), 1);
}

Test(retire, changes_nothing_in_a_dry_run)
{
    artel_retire_t dry = { .dry_run = true };
    s_finish(12);
    cr_assert_eq(s_retire(&dry), 1);
    s_check_all(12, 70000);
}

Test(retire, leaves_one_small_segment_and_the_outcomes)
{
    artel_outcomes_t *outcomes;
    s_finish(12);
    cr_assert_eq(artel_outcomes_open(s_state, "r", s_writer, "store", &outcomes), 0);
    artel_outcomes_close(&outcomes);
    cr_assert_eq(s_retire(&s_now), 1);
    artel_journal_report_t report = s_examine();
    cr_assert_eq(report.class, ARTEL_JOURNAL_CLEAN);
    cr_assert_eq(report.last, 12);
    cr_assert_eq(report.frames, 0);
    cr_assert_eq(report.lost_from, 0);
    cr_assert_lt(report.bytes, 1024);
    cr_assert_eq(access(s_file("store.outcomes"), F_OK), 0);
    cr_assert_neq(access(s_segment(1), F_OK), 0);
    cr_assert_eq(s_retire(&s_now), 0);
}

Test(retire, keeps_the_run_taken_and_its_writer_able_to_go_on)
{
    artel_journal_t *journal;
    s_finish(12);
    cr_assert_eq(s_retire(&s_now), 1);
    artel_journal_birth_t birth = s_birth("r", s_other, ARTEL_RESUMES_NEVER);
    cr_assert_eq(artel_journal_create(s_state, &birth, &journal), ARTEL_EEXIST);
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &journal), 0);
    cr_assert_eq(artel_journal_accepted(journal), 12);
    s_append(journal, 2, 70000);
    artel_journal_close(&journal);
    artel_journal_reader_t *reader = s_open_reader();
    cr_assert_str_eq(artel_journal_reader_sinks(reader), "store,copy=store:/x");
    s_read_to(reader, 13, 14, 70000);
    artel_journal_reader_close(&reader);
    cr_assert_eq(s_examine().class, ARTEL_JOURNAL_CLEAN);
    cr_assert_eq(artel_pending_finish(s_state, "r", s_writer, 14), 0);
    cr_assert_eq(s_retire(&s_now), 1);
    cr_assert_eq(s_examine().last, 14);
}

Test(retire, reads_on_from_the_segments_before_as_if_they_were_there)
{
    artel_journal_t *journal;
    s_finish(12);
    artel_journal_reader_t *reader = s_open_reader();
    cr_assert_eq(s_next(reader, 70000), 1);
    cr_assert_eq(s_retire(&s_now), 1);
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &journal), 0);
    s_append(journal, 1, 70000);
    artel_journal_close(&journal);
    for (int64_t counter; (counter = s_next(reader, 70000)) != 13; )
        cr_assert_gt(counter, 1);               //  the rest of the segment it has open
    artel_journal_reader_close(&reader);
}

Test(retire, cares_for_no_damage_in_what_goes)
{
    s_finish(12);
    s_damage(1, 2);
    cr_assert_eq(s_retire(&s_now), 1);
    cr_assert_eq(s_examine().class, ARTEL_JOURNAL_CLEAN);
}

Test(retire, leaves_alone_what_did_not_end_sealed)
{
    size_t len;
    s_finish(1);
    uint8_t *bytes = s_load(s_segment(1), &len);
    s_save(s_segment(1), bytes, len - 1);
    free(bytes);
    cr_assert_eq(s_retire(&s_now), 0);
}

static int
s_note(void *arg, const char *run, artel_id_t writer)
{
    cr_assert(artel_id_equal(writer, s_writer) || artel_id_equal(writer, s_other));
    strcat(arg, run);
    return 0;
}

Test(retire, walks_over_every_journal)
{
    char text[64] = "", path[128];
    artel_journal_t *journal = s_create();
    artel_journal_close(&journal);
    artel_journal_birth_t birth = s_birth("r", s_other, ARTEL_RESUMES_ALLOW);
    cr_assert_eq(artel_journal_create(s_state, &birth, &journal), 0);
    artel_journal_close(&journal);
    snprintf(path, sizeof path, "%s/runs/a.b", s_state);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/runs/file", s_state);
    s_save(path, (const uint8_t *) "", 0);
    cr_assert_eq(artel_journal_each(s_state, s_note, text), 0);
    cr_assert_str_eq(text, "rr");
}
