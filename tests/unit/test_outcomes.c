//  The outcomes of a journal's artifacts at one sink, and the sink's lock.

#include "unit/test_journal.h"

#include "outcomes.h"

static artel_journal_t *s_journal;

static void
s_setup(void)
{
    s_make_state();
    s_journal = s_create();
}

static void
s_teardown(void)
{
    artel_journal_close(&s_journal);
    s_remove_state();
}

TestSuite(outcomes, .init = s_setup, .fini = s_teardown, .timeout = 60);

static artel_outcomes_t *
s_open(void)
{
    artel_outcomes_t *outcomes = NULL;
    cr_assert_eq(artel_outcomes_open(s_state, "r", s_writer, "store", &outcomes), 0);
    return outcomes;
}

static artel_outcome_t
s_outcome(uint64_t counter, const char *text)
{
    artel_outcome_t outcome = { .counter = counter, .xid = s_other, .status = -18,
                                .version = -1, .fresh = counter % 2 };
    snprintf(outcome.text, sizeof outcome.text, "%s", text);
    return outcome;
}

static void
s_add(uint64_t counter, const char *text)
{
    artel_outcomes_t *outcomes = s_open();
    artel_outcome_t outcome = s_outcome(counter, text);
    cr_assert_eq(artel_outcomes_add(outcomes, &outcome), 0);
    artel_outcomes_close(&outcomes);
}

//  What is on disk.
static artel_outcome_t s_found[64];
static size_t s_n;

static void
s_keep(void *arg, const artel_outcome_t *outcome)
{
    (void) arg;
    cr_assert_lt(s_n, sizeof s_found / sizeof *s_found);
    s_found[s_n++] = *outcome;
}

static void
s_load_all(void)
{
    s_n = 0;
    cr_assert_eq(artel_outcomes_each(s_state, "r", s_writer, "store", s_keep, NULL), 0);
}

Test(outcomes, come_back_as_they_were_added)
{
    static const char *const texts[] = { "", "one sentence", " spaces ", "a\nb\r\\n\\", "\xc3\xa4 100 %s",
                                         "\\" };
    for (size_t i = 0; i < 6; i++)
        s_add(i + 1, texts[i]);
    s_load_all();
    cr_assert_eq(s_n, 6);
    for (size_t i = 0; i < 6; i++) {
        artel_outcome_t want = s_outcome(i + 1, texts[i]);
        cr_assert_eq(s_found[i].counter, want.counter);
        cr_assert(artel_id_equal(s_found[i].xid, want.xid));
        cr_assert_eq(s_found[i].status, want.status);
        cr_assert_eq(s_found[i].version, want.version);
        cr_assert_eq(s_found[i].fresh, want.fresh);
        cr_assert_str_eq(s_found[i].text, want.text);
    }
}

Test(outcomes, keep_the_longest_text)
{
    char text[512];
    memset(text, '\n', sizeof text - 1);
    text[sizeof text - 1] = 0;
    s_add(UINT64_MAX, text);
    s_load_all();
    cr_assert_eq(s_n, 1);
    cr_assert_str_eq(s_found[0].text, text);
}

Test(outcomes, are_none_where_there_is_no_file)
{
    s_load_all();
    cr_assert_eq(s_n, 0);
}

Test(outcomes, ignore_a_torn_last_line_and_are_added_behind_it)
{
    s_add(1, "first");
    s_add(2, "second");
    size_t len;
    uint8_t *bytes = s_load(s_file("store.outcomes"), &len);
    for (size_t cut = len / 2 + 1; cut < len; cut++) {
        s_save(s_file("store.outcomes"), bytes, cut);
        s_load_all();
        cr_assert_eq(s_n, 1);
        s_add(3, "third");
        s_load_all();
        cr_assert_geq(s_n, 2);                  //  the second too, if only its newline was cut
        cr_assert_eq(s_found[s_n - 1].counter, 3);
    }
    free(bytes);
}

Test(outcomes, ignore_a_line_with_any_bit_flipped)
{
    s_add(1, "first");
    size_t len;
    uint8_t *bytes = s_load(s_file("store.outcomes"), &len);
    for (size_t bit = 0; bit < len * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
        s_save(s_file("store.outcomes"), bytes, len);
        bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
        s_load_all();
        cr_assert_eq(s_n, 0, "bit %lu", (long) bit);
    }
    free(bytes);
}

Test(outcomes, of_another_journal_do_not_count)
{
    s_add(1, "first");
    size_t len;
    uint8_t *bytes = s_load(s_file("store.outcomes"), &len);
    artel_journal_birth_t birth = s_birth("r2", s_other, ARTEL_RESUMES_NEVER);
    artel_journal_t *journal;
    cr_assert_eq(artel_journal_create(s_state, &birth, &journal), 0);
    artel_journal_close(&journal);
    char path[256], id[ARTEL_ID_TEXT];
    artel_hex(s_other.at, sizeof s_other.at, id);
    snprintf(path, sizeof path, "%s/runs/r2/%s/store.outcomes", s_state, id);
    s_save(path, bytes, len);
    s_n = 0;
    cr_assert_eq(artel_outcomes_each(s_state, "r2", s_other, "store", s_keep, NULL), 0);
    cr_assert_eq(s_n, 0);
    free(bytes);
}

Test(outcomes, are_one_sinks_at_a_time)
{
    artel_outcomes_t *outcomes = s_open(), *second;
    cr_assert_eq(artel_outcomes_open(s_state, "r", s_writer, "store", &second), ARTEL_ELOCKED);
    s_load_all();                               //  closes a descriptor of the same file
    cr_assert_eq(artel_outcomes_open(s_state, "r", s_writer, "store", &second), ARTEL_ELOCKED);
    cr_assert_eq(artel_outcomes_open(s_state, "r", s_writer, "append", &second), 0);
    artel_outcomes_close(&second);
    artel_outcomes_close(&outcomes);
    outcomes = s_open();
    artel_outcomes_close(&outcomes);
}

Test(outcomes, need_a_journal_and_a_sink_with_a_name)
{
    artel_outcomes_t *outcomes;
    cr_assert_eq(artel_outcomes_open(s_state, "none", s_writer, "store", &outcomes), ARTEL_ENOENT);
    cr_assert_eq(artel_outcomes_open(s_state, "r", s_writer, "../store", &outcomes), ARTEL_EINVAL);
    cr_assert_eq(artel_outcomes_open(s_state, "r", s_writer, "", &outcomes), ARTEL_EINVAL);
}
