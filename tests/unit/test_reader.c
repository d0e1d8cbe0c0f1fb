//  Reading journals: live, over damage of three classes, and of other versions.

#include "unit/test_journal.h"

#include "head.h"

#include <pthread.h>
#include <stdatomic.h>

TestSuite(reader, .init = s_make_state, .fini = s_remove_state, .timeout = 100);

Test(reader, says_there_is_nothing_yet_and_goes_on_when_there_is)
{
    artel_journal_t *journal = s_create();
    artel_journal_reader_t *reader = s_open_reader();
    cr_assert_eq(s_next(reader, 0), 0);
    for (int i = 0; i < 300; i++) {
        s_append(journal, 1, 0);
        cr_assert_eq(s_next(reader, 0), i + 1);
        cr_assert_eq(s_next(reader, 0), 0);
    }
    artel_journal_close(&journal);
    cr_assert_eq(s_next(reader, 0), 0);
    artel_journal_reader_close(&reader);
}

Test(reader, follows_the_appender_from_segment_to_segment)
{
    artel_journal_t *journal = s_create();
    artel_journal_reader_t *reader = s_open_reader();
    for (int i = 0; i < 100; i++) {
        s_append(journal, 1, 70000);
        cr_assert_eq(s_next(reader, 70000), i + 1);
        cr_assert_eq(s_next(reader, 70000), 0);
    }
    artel_journal_close(&journal);
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &journal), 0);
    s_append(journal, 1, 70000);
    cr_assert_eq(s_next(reader, 70000), 101);
    artel_journal_close(&journal);
    artel_journal_reader_close(&reader);
}

typedef struct {
    bool salvage;
    uint64_t last;              //  where to end
} racer_t;

static void *
s_read_racing(void *arg)
{
    racer_t *racer = arg;
    artel_journal_reader_t *reader = s_open_reader();
    if (racer->salvage)
        artel_journal_reader_salvage(reader);
    for (uint64_t expected = 1; expected <= racer->last; ) {
        int64_t counter = s_next(reader, 9000);
        cr_assert(counter == 0 || counter == (int64_t) expected, "%ld for %lu", (long) counter,
                  (long) expected);
        expected += counter > 0;
    }
    artel_journal_reader_close(&reader);
    return NULL;
}

Test(reader, misses_nothing_beside_an_appender_at_work_not_even_in_salvage)
{
    enum { APPENDS = 1200, AT_ONCE = 4 };
    racer_t racers[2] = { { false, APPENDS * AT_ONCE }, { true, APPENDS * AT_ONCE } };
    pthread_t threads[2];
    artel_journal_t *journal = s_create();
    for (int i = 0; i < 2; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, s_read_racing, &racers[i]), 0);
    for (int i = 0; i < APPENDS; i++)
        s_append(journal, AT_ONCE, 9000);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    artel_journal_close(&journal);
}

Test(reader, knows_the_wanted_sinks)
{
    artel_journal_t *journal = s_create();
    artel_journal_close(&journal);
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &journal), 0);
    artel_journal_close(&journal);
    s_damage(1, 0);
    artel_journal_reader_t *reader = s_open_reader();
    cr_assert_str_eq(artel_journal_reader_sinks(reader), "store,copy=store:/x");
    artel_journal_reader_close(&reader);
}

Test(reader, finds_in_the_head_who_wrote_it)
{
    artel_journal_t *journal = s_create();
    artel_journal_close(&journal);
    size_t len;
    uint8_t *bytes = s_load(s_segment(1), &len);
    artel_frame_t head;
    cr_assert(artel_frame_decode(bytes + ARTEL_SEGMENT_MARK, artel_frame_seed(s_writer, 1), &head));
    const char *data = (const char *) bytes + ARTEL_SEGMENT_MARK + ARTEL_FRAME_HEADER;
    cr_assert_str_eq(artel_head_get(data, head.len, "format"), "1.0");
    cr_assert_str_eq(artel_head_get(data, head.len, "run"), "r");
    cr_assert_eq(atol(artel_head_get(data, head.len, "pid")), getpid());
    cr_assert_null(artel_head_get(data, head.len, "pi"));
    cr_assert_null(artel_head_get(data, head.len - 1, "pid"));
    free(bytes);
}

Test(reader, does_not_find_a_journal_that_is_not_there)
{
    artel_journal_reader_t *reader;
    artel_journal_report_t report;
    cr_assert_eq(artel_journal_reader_open(s_state, "r", s_writer, &reader), ARTEL_ENOENT);
    cr_assert_eq(artel_journal_examine(s_state, "r", s_writer, &report), ARTEL_ENOENT);
    cr_assert_eq(artel_journal_reader_open(s_state, "../r", s_writer, &reader), ARTEL_EINVAL);
}

//  Seeking.

Test(reader, seeks_within_a_segment_and_over_whole_ones)
{
    artel_journal_t *journal = s_create();
    for (int i = 0; i < 100; i++)
        s_append(journal, 1, 70000);
    artel_journal_close(&journal);
    for (uint64_t counter = 0; counter <= 100; counter += 5) {
        artel_journal_reader_t *reader = s_open_reader();
        artel_journal_reader_seek(reader, counter);
        s_read_to(reader, counter + 1, 100, 70000);
        artel_journal_reader_close(&reader);
    }
}

Test(reader, seeks_on_in_the_middle_and_past_the_end)
{
    artel_journal_t *journal = s_create();
    s_append(journal, 10, 0);
    artel_journal_reader_t *reader = s_open_reader();
    cr_assert_eq(s_next(reader, 0), 1);
    artel_journal_reader_seek(reader, 12);
    cr_assert_eq(s_next(reader, 0), 0);
    s_append(journal, 3, 0);
    cr_assert_eq(s_next(reader, 0), 13);
    artel_journal_close(&journal);
    artel_journal_reader_close(&reader);
}

Test(reader, does_not_mind_a_hole_in_what_it_need_not_read)
{
    artel_journal_t *journal = s_create();
    s_append(journal, 8, 70000);
    artel_journal_close(&journal);
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &journal), 0);
    s_append(journal, 2, 70000);
    artel_journal_close(&journal);
    s_damage(2, 5);
    artel_journal_reader_t *reader = s_open_reader();
    artel_journal_reader_seek(reader, 8);
    s_read_to(reader, 9, 10, 70000);
    artel_journal_reader_close(&reader);
}

//  Damage.

//  A journal of ten batches whose program is dead: the first `durable` are
//  known to be on the disk. The file is what a SIGKILL leaves.
static void
s_leave_behind(uint64_t durable)
{
    artel_journal_t *journal = s_create();
    uint64_t counter;
    size_t len;
    s_append(journal, durable, 0);
    cr_assert_eq(artel_journal_sync(journal, &counter), 0);
    s_append(journal, 10 - durable, 0);
    uint8_t *bytes = s_load(s_segment(1), &len);
    artel_journal_close(&journal);
    s_save(s_segment(1), bytes, len);
    free(bytes);
}

static void
s_check_report(artel_journal_class_t class, uint64_t last, uint64_t lost_from, uint64_t lost_to)
{
    artel_journal_report_t report = s_examine();
    cr_assert_eq(report.class, class, "class %d", report.class);
    cr_assert_eq(report.last, last);
    cr_assert_eq(report.lost_from, lost_from, "lost from %lu", (long) report.lost_from);
    cr_assert_eq(report.lost_to, lost_to, "lost to %lu", (long) report.lost_to);
    cr_assert_eq(report.frames, last - (lost_from ? lost_to - lost_from + 1 : 0));
}

Test(reader, calls_an_unfinished_append_a_torn_tail)
{
    s_leave_behind(4);
    s_check_report(ARTEL_JOURNAL_CLEAN, 10, 0, 0);
    size_t len;
    uint8_t *bytes = s_load(s_segment(1), &len);
    size_t last = s_frame_at(bytes, 1, 10);
    memset(bytes + last + 60, 0, 200);
    s_save(s_segment(1), bytes, len);
    free(bytes);
    s_check_report(ARTEL_JOURNAL_TORN_TAIL, 9, 0, 0);
    s_check_all(9, 0);
}

Test(reader, goes_over_a_torn_tail_to_the_segment_of_the_adopter)
{
    artel_journal_t *journal;
    s_leave_behind(4);
    s_damage(1, 10);
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &journal), 0);
    cr_assert_eq(artel_journal_accepted(journal), 9);
    s_append(journal, 2, 0);
    artel_journal_close(&journal);
    s_check_all(11, 0);
    s_check_report(ARTEL_JOURNAL_TORN_TAIL, 11, 0, 0);
}

Test(reader, calls_a_hole_that_was_never_known_durable_unsynced)
{
    s_leave_behind(4);
    s_damage(1, 7);
    s_check_report(ARTEL_JOURNAL_UNSYNCED_HOLE, 10, 7, 7);
}

Test(reader, calls_a_hole_in_what_was_durable_corruption)
{
    s_leave_behind(4);
    s_damage(1, 2);
    s_damage(1, 3);
    s_check_report(ARTEL_JOURNAL_CORRUPT, 10, 2, 3);
}

Test(reader, calls_a_hole_before_the_seal_of_a_clean_end_corruption)
{
    artel_journal_t *journal = s_create();
    s_append(journal, 10, 0);
    artel_journal_close(&journal);
    s_damage(1, 10);
    s_check_report(ARTEL_JOURNAL_CORRUPT, 10, 10, 10);
}

Test(reader, keeps_calling_a_hole_unsynced_after_an_adopter_found_it)
{
    artel_journal_t *journal;
    s_leave_behind(4);
    s_damage(1, 7);
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &journal), 0);
    cr_assert_eq(artel_journal_accepted(journal), 10);
    s_append(journal, 1, 0);
    artel_journal_close(&journal);
    artel_journal_report_t report = s_examine();
    cr_assert_eq(report.class, ARTEL_JOURNAL_UNSYNCED_HOLE);
}

Test(reader, calls_a_hole_corruption_where_an_adopter_found_none)
{
    artel_journal_t *journal;
    s_leave_behind(4);
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &journal), 0);
    artel_journal_close(&journal);
    s_damage(1, 7);
    s_check_report(ARTEL_JOURNAL_CORRUPT, 10, 7, 7);
}

Test(reader, stops_at_a_hole_until_told_to_salvage)
{
    artel_journal_t *journal;
    s_leave_behind(4);
    s_damage(1, 5);
    artel_journal_reader_t *reader = s_open_reader();
    for (int i = 1; i <= 4; i++)
        cr_assert_eq(s_next(reader, 0), i);
    cr_assert_eq(s_next(reader, 0), 0);         //  as far as one can know, it may be written now
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &journal), 0);
    s_append(journal, 1, 0);
    cr_assert_eq(s_next(reader, 0), ARTEL_ECORRUPT);
    cr_assert_eq(s_next(reader, 0), ARTEL_ECORRUPT);
    artel_journal_reader_salvage(reader);
    s_read_to(reader, 6, 11, 0);
    s_append(journal, 1, 0);
    s_read_to(reader, 12, 12, 0);
    artel_journal_close(&journal);
    artel_journal_reader_close(&reader);
}

static void
s_note_lost(void *arg, uint64_t from, uint64_t to)
{
    char *text = arg;
    sprintf(text + strlen(text), "%lu-%lu ", (long) from, (long) to);
}

Test(reader, lists_every_hole)
{
    char text[64] = "";
    s_leave_behind(10);
    s_damage(1, 2);
    s_damage(1, 8);
    s_damage(1, 7);
    cr_assert_eq(artel_journal_lost(s_state, "r", s_writer, s_note_lost, text), 0);
    cr_assert_str_eq(text, "2-2 7-8 ");
}

Test(reader, misses_a_segment_that_was_removed)
{
    artel_journal_t *journal = s_create();
    s_append(journal, 9, 70000);
    s_append(journal, 9, 70000);
    s_append(journal, 9, 70000);
    artel_journal_close(&journal);
    cr_assert_eq(unlink(s_segment(3)), 0);
    s_check_report(ARTEL_JOURNAL_CORRUPT, 27, 10, 18);
    artel_journal_reader_t *reader = s_open_reader();
    for (int i = 1; i <= 9; i++)
        cr_assert_eq(s_next(reader, 70000), i);
    cr_assert_eq(s_next(reader, 70000), ARTEL_ECORRUPT);
    artel_journal_reader_salvage(reader);
    s_read_to(reader, 19, 27, 70000);
    artel_journal_reader_close(&reader);
}

Test(reader, salvages_behind_a_head_that_is_damaged)
{
    s_leave_behind(4);
    s_damage(1, 0);
    artel_journal_reader_t *reader = s_open_reader();
    cr_assert_str_eq(artel_journal_reader_sinks(reader), "");
    cr_assert_eq(s_next(reader, 0), 0);
    artel_journal_reader_salvage(reader);
    s_read_to(reader, 1, 10, 0);
    artel_journal_reader_close(&reader);
    s_check_report(ARTEL_JOURNAL_CORRUPT, 10, 0, 0);
    artel_journal_t *journal;
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &journal), 0);
    cr_assert_eq(artel_journal_accepted(journal), 10);
    artel_journal_close(&journal);
}

Test(reader, takes_neither_zeros_nor_noise_for_a_frame)
{
    artel_journal_reader_t *reader;
    artel_journal_t *journal = s_create();
    artel_journal_close(&journal);
    uint8_t *bytes = calloc(1, 100000);
    s_save(s_segment(1), bytes, 100000);
    cr_assert_eq(artel_journal_reader_open(s_state, "r", s_writer, &reader), ARTEL_ECORRUPT);
    for (size_t i = 0; i < 100000; i++)
        bytes[i] = (uint8_t) (i * i >> 7);
    s_save(s_segment(1), bytes, 100000);
    cr_assert_eq(artel_journal_reader_open(s_state, "r", s_writer, &reader), ARTEL_ECORRUPT);
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &journal), ARTEL_ECORRUPT);
    artel_journal_report_t report;
    cr_assert_eq(artel_journal_examine(s_state, "r", s_writer, &report), ARTEL_ECORRUPT);
    free(bytes);
}

Test(reader, does_not_take_the_frames_of_another_journal_or_segment)
{
    s_leave_behind(10);
    size_t len;
    uint8_t *bytes = s_load(s_segment(1), &len);
    s_save(s_segment(2), bytes, len);           //  as if the name had been changed
    cr_assert_eq(unlink(s_segment(1)), 0);
    artel_journal_report_t report;
    cr_assert_eq(artel_journal_examine(s_state, "r", s_writer, &report), ARTEL_ECORRUPT);
    artel_journal_birth_t birth = s_birth("r2", s_other, ARTEL_RESUMES_NEVER);
    artel_journal_t *journal;
    cr_assert_eq(artel_journal_create(s_state, &birth, &journal), 0);
    artel_journal_close(&journal);
    char path[256], id[ARTEL_ID_TEXT];
    artel_hex(s_other.at, sizeof s_other.at, id);
    snprintf(path, sizeof path, "%s/runs/r2/%s/00000001.seg", s_state, id);
    s_save(path, bytes, len);
    cr_assert_eq(artel_journal_examine(s_state, "r2", s_other, &report), ARTEL_ECORRUPT);
    free(bytes);
}

//  Put a frame of our own making behind the ten.
static void
s_add_frame(uint8_t kind)
{
    size_t len;
    uint8_t *bytes = s_load(s_segment(1), &len);
    uint64_t seed = artel_frame_seed(s_writer, 1);
    size_t at = s_frame_at(bytes, 1, 11);
    artel_frame_t frame = { .kind = kind, .len = 3, .counter = 77,
                            .sum = artel_frame_sum("abc", 3, seed) };
    artel_frame_encode(&frame, seed, bytes + at);
    memcpy(bytes + at + ARTEL_FRAME_HEADER, "abc", 3);
    s_save(s_segment(1), bytes, len);
    free(bytes);
}

Test(reader, passes_over_a_kind_of_frame_that_is_optional)
{
    s_leave_behind(10);
    s_add_frame(ARTEL_FRAME_OPTIONAL);
    s_check_all(10, 0);
    s_check_report(ARTEL_JOURNAL_CLEAN, 10, 0, 0);
}

Test(reader, stops_at_a_kind_of_frame_it_would_have_to_know)
{
    s_leave_behind(10);
    s_add_frame(ARTEL_FRAME_SEAL + 1);
    artel_journal_reader_t *reader = s_open_reader();
    for (int i = 1; i <= 10; i++)
        cr_assert_eq(s_next(reader, 0), i);
    cr_assert_eq(s_next(reader, 0), ARTEL_EVERSION);
    artel_journal_reader_close(&reader);
    artel_journal_t *journal;
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &journal), ARTEL_EVERSION);
}

Test(reader, does_not_believe_a_length_beyond_the_bounds)
{
    s_leave_behind(10);
    size_t len;
    uint8_t *bytes = s_load(s_segment(1), &len), *large = calloc(1, 4 * len);
    uint64_t seed = artel_frame_seed(s_writer, 1);
    size_t at = s_frame_at(bytes, 1, 11);
    memcpy(large, bytes, at);
    artel_frame_t frame = { .kind = ARTEL_FRAME_BATCH, .len = ARTEL_MAX_MESSAGE + 1, .counter = 11 };
    frame.sum = artel_frame_sum(large + at + ARTEL_FRAME_HEADER, frame.len, seed);
    artel_frame_encode(&frame, seed, large + at);
    s_save(s_segment(1), large, 4 * len);
    s_check_report(ARTEL_JOURNAL_TORN_TAIL, 10, 0, 0);
    s_check_all(10, 0);
    free(bytes);
    free(large);
}

Test(reader, says_so_if_a_newer_artel_wrote_the_journal)
{
    artel_journal_reader_t *reader;
    artel_journal_t *journal;
    artel_journal_report_t report;
    s_leave_behind(10);
    s_save(s_segment(1), (const uint8_t *) "artel journal 2\nwhatever it is by then", 38);
    cr_assert_eq(artel_journal_reader_open(s_state, "r", s_writer, &reader), ARTEL_EVERSION);
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &journal), ARTEL_EVERSION);
    cr_assert_eq(artel_journal_examine(s_state, "r", s_writer, &report), ARTEL_EVERSION);
}

//  Exhaustion: whatever a byte becomes, what is read is right.

//  Read in salvage; returns a bit for each of the ten counters that came.
static unsigned
s_salvage_all(void)
{
    artel_journal_reader_t *reader;
    unsigned seen = 0;
    int64_t counter, before = 0;
    int rc = artel_journal_reader_open(s_state, "r", s_writer, &reader);
    if (rc != 0)
        return 0;
    artel_journal_reader_salvage(reader);
    while ((counter = s_next(reader, 0)) > 0) {
        cr_assert_gt(counter, before);
        before = counter;
        seen |= 1u << counter;
    }
    cr_assert_eq(counter, 0);
    artel_journal_reader_close(&reader);
    return seen;
}

//  What examine says agrees with what salvage gave.
static void
s_check_agree(unsigned seen, size_t where)
{
    artel_journal_report_t report;
    int rc = artel_journal_examine(s_state, "r", s_writer, &report);
    if (rc != 0) {
        cr_assert_eq(rc, ARTEL_ECORRUPT);
        cr_assert_eq(seen, 0);
        return;
    }
    cr_assert_eq(report.frames, (unsigned) __builtin_popcount(seen), "at %lu", (long) where);
    for (uint64_t i = 1; i <= report.last; i++) {
        bool lost = report.lost_from <= i && i <= report.lost_to;
        cr_assert_eq(!lost, seen >> i & 1, "counter %lu at %lu", (long) i, (long) where);
    }
}

Test(reader, gives_no_wrong_byte_and_misses_one_batch_at_most_whichever_bit_flips)
{
    artel_journal_t *journal = s_create();
    size_t len;
    s_append(journal, 10, 0);
    artel_journal_close(&journal);
    uint8_t *bytes = s_load(s_segment(1), &len);
    for (size_t bit = 0; bit < len * 8; bit += 3) {
        bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
        s_save(s_segment(1), bytes, len);
        bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
        unsigned seen = s_salvage_all();
        cr_assert_geq(__builtin_popcount(seen), 9, "bit %lu", (long) bit);
        s_check_agree(seen, bit);
    }
    free(bytes);
}

Test(reader, gives_the_batches_that_are_whole_wherever_a_segment_is_cut)
{
    artel_journal_t *journal = s_create();
    size_t len;
    s_append(journal, 10, 0);
    artel_journal_close(&journal);
    uint8_t *bytes = s_load(s_segment(1), &len);
    for (size_t cut = 0; cut <= len; cut++) {
        s_save(s_segment(1), bytes, cut);
        unsigned seen = s_salvage_all();
        for (unsigned i = 1; i <= 10; i++) {
            size_t at = s_frame_at(bytes, 1, i);
            artel_frame_t frame;
            cr_assert(artel_frame_decode(bytes + at, artel_frame_seed(s_writer, 1), &frame));
            cr_assert_eq(seen >> i & 1, at + ARTEL_FRAME_HEADER + frame.len <= cut);
        }
        s_check_agree(seen, cut);
    }
    free(bytes);
}
