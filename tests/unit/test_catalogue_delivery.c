//  Batches, applied: every record ends in its tables, once, whatever comes twice or broken.

#include "batches.h"

#include <math.h>

static char *s_folder;
static artel_catalogue_t *s_catalogue;
static const artel_id_t s_writer = { "a writer id 16b" }, s_other = { "another writer." };

static void
s_setup(void)
{
    s_folder = folder_new();
    cr_assert_eq(artel_catalogue_open(s_folder, true, &s_catalogue), 0);
}

static void
s_teardown(void)
{
    artel_catalogue_close(&s_catalogue);
    folder_destroy(s_folder);
}

TestSuite(catalogue_delivery, .init = s_setup, .fini = s_teardown, .timeout = 20);

static const artel_strs_t s_keys = {
    (const artel_str_t[]) { { "loss", 4 }, { "name", 4 }, { "n", 1 } }, 3
};

static artel_msg_t
s_history(int64_t step, const artel_cell_t *cells, size_t n)
{
    return (artel_msg_t) { .id = ARTEL_MSG_HISTORY,
                           .history = { step, 1000 + step, { cells, n } } };
}

static artel_msg_t
s_loss(int64_t step, double loss)
{
    static artel_cell_t cells[16];
    static size_t next;
    artel_cell_t *cell = &cells[next++ % COUNT_OF(cells)];
    *cell = (artel_cell_t) { .key = 0, .kind = ARTEL_F64, .f64 = loss };
    return s_history(step, cell, 1);
}

//  Apply one batch of these records from a writer.
static int
s_apply_of(artel_id_t writer, uint64_t counter, const artel_msg_t *records, size_t n)
{
    return batch_apply(s_catalogue, &(batch_t) { .writer = writer, .counter = counter,
        .after = counter - 1, .keys = s_keys, .records = records, .n = n }, NULL);
}

static int
s_apply(uint64_t counter, const artel_msg_t *records, size_t n)
{
    return s_apply_of(s_writer, counter, records, n);
}

static int
s_apply_one(uint64_t counter, artel_msg_t record)
{
    return s_apply(counter, &record, 1);
}

static uint64_t
s_position(void)
{
    uint64_t position;
    cr_assert_eq(artel_catalogue_position(s_catalogue, s_writer, &position), 0);
    return position;
}

static void
s_expect(const char *sql, const char *wanted)
{
    cr_expect_str_eq(query(s_catalogue, sql), wanted, "%s: %s", sql, query(s_catalogue, sql));
}

Test(catalogue_delivery, keeps_rows_with_their_steps_times_and_keys)
{
    cr_assert_eq(s_apply(1, (artel_msg_t[]) { s_loss(0, 2.5), s_loss(7, 1.25) }, 2), 0);
    s_expect("SELECT run, row, step, time_ms, key, type, value FROM history",
             "r|0|0|1000|loss|double|2.5 r|1|7|1007|loss|double|1.25");
    s_expect("SELECT rows, last_step FROM runs", "2|7");
}

static bool
s_is_minus_zero(const char *sql)
{
    sqlite3_stmt *stmt;
    cr_assert_eq(sqlite3_prepare_v2(artel_catalogue_db(s_catalogue), sql, -1, &stmt, NULL),
                 SQLITE_OK);
    cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW);
    double value = sqlite3_column_double(stmt, 0);
    sqlite3_finalize(stmt);
    return value == 0 && signbit(value);
}

Test(catalogue_delivery, keeps_every_value_exactly)
{
    artel_cell_t cells[] = { { .key = 0, .kind = ARTEL_I64, .i64 = INT64_MAX },
                             { .key = 1, .kind = ARTEL_I64, .i64 = INT64_MIN },
                             { .key = 2, .kind = ARTEL_BOOL, .flag = true } };
    artel_cell_t more[] = { { .key = 0, .kind = ARTEL_F64, .f64 = -0.0 },
                            { .key = 1, .kind = ARTEL_STR, .str = { "a\0b", 3 } },
                            { .key = 2, .kind = ARTEL_F64, .f64 = INFINITY } };
    artel_cell_t last[] = { { .key = 0, .kind = ARTEL_F64, .f64 = NAN },
                            { .key = 1, .kind = ARTEL_STR, .str = { "", 0 } },
                            { .key = 2, .kind = ARTEL_F64, .f64 = 3.0 } };
    cr_assert_eq(s_apply(1, (artel_msg_t[]) { s_history(0, cells, 3), s_history(1, more, 3),
                                              s_history(2, last, 3) }, 3), 0);
    s_expect("SELECT type, typeof(value), value FROM history WHERE step = 0 ORDER BY key",
             "int|integer|9223372036854775807 bool|integer|1 int|integer|-9223372036854775808");
    s_expect("SELECT type, typeof(value), hex(value) FROM history WHERE step = 1 AND key = 'name'",
             "string|text|610062");
    s_expect("SELECT value = 9e999 FROM history WHERE step = 1 AND key = 'n'", "1");
    cr_assert(s_is_minus_zero("SELECT value FROM history WHERE step = 1 AND key = 'loss'"));
    s_expect("SELECT type, typeof(value) FROM history WHERE step = 2 ORDER BY key",
             "double|null double|real string|text");
}

Test(catalogue_delivery, has_no_effect_a_second_time)
{
    cr_assert_eq(s_apply_one(1, s_loss(0, 1)), 0);
    cr_assert_eq(s_apply_one(1, s_loss(0, 1)), 0);
    s_expect("SELECT count(*) FROM history", "1");
    cr_assert_eq(s_position(), 1);
}

Test(catalogue_delivery, does_not_apply_a_batch_before_those_it_missed)
{
    cr_assert_eq(s_apply_one(1, s_loss(0, 1)), 0);
    cr_assert_eq(s_apply_one(3, s_loss(2, 1)), ARTEL_EAGAIN);
    cr_assert_eq(s_position(), 1);
    s_expect("SELECT count(*) FROM history", "1");
}

Test(catalogue_delivery, accepts_a_gap_that_the_journal_has_and_writes_it_down)
{
    cr_assert_eq(s_apply_one(1, s_loss(0, 1)), 0);
    artel_msg_t record = s_loss(5, 1);
    cr_assert_eq(batch_apply(s_catalogue, &(batch_t) { .writer = s_writer, .counter = 5, .after = 1,
        .keys = s_keys, .records = &record, .n = 1 }, NULL), 0);
    cr_assert_eq(s_position(), 5);
    s_expect("SELECT from_counter, to_counter, reason FROM lost", "2|4|not in the journal");
    cr_assert_eq(s_apply_one(6, (artel_msg_t) { .id = ARTEL_MSG_LOST,
        .lost = { 2, 4, artel_str("damaged in the journal") } }), 0);
    s_expect("SELECT from_counter, to_counter, reason FROM lost", "2|4|damaged in the journal");
}

Test(catalogue_delivery, rolls_back_as_if_the_batch_had_never_come)
{
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    artel_msg_t record = s_loss(0, 1);
    artel_msg_deliver_t deliver = batch_pack(
        &(batch_t) { .writer = s_writer, .counter = 1, .keys = s_keys, .records = &record, .n = 1 },
        &out);
    artel_verdicts_t none = { 0 };
    cr_assert_eq(artel_catalogue_begin(s_catalogue), 0);
    cr_assert_eq(artel_delivery_apply(s_catalogue, &deliver, &none, &none), 0);
    artel_catalogue_rollback(s_catalogue);
    s_expect("SELECT (SELECT count(*) FROM keys), (SELECT count(*) FROM runs)", "0|0");
    cr_assert_eq(s_apply_one(1, record), 0);        //  with ids that are really there
    s_expect("SELECT key, value FROM history", "loss|1.0");
    msgpack_sbuffer_destroy(&out);
}

Test(catalogue_delivery, follows_the_history_in_the_summary_until_a_program_sets_it)
{
    artel_cell_t best = { .key = 0, .kind = ARTEL_F64, .f64 = 0.5 };
    cr_assert_eq(s_apply(1, (artel_msg_t[]) { s_loss(0, 3), s_loss(1, 2) }, 2), 0);
    s_expect("SELECT key, value, explicit FROM summary", "loss|2.0|0");
    cr_assert_eq(s_apply(2, (artel_msg_t[]) { s_loss(2, 1),
        { .id = ARTEL_MSG_SUMMARY, .summary = { { &best, 1 } } }, s_loss(3, 9) }, 3), 0);
    cr_assert_eq(s_apply_one(3, s_loss(4, 8)), 0);
    s_expect("SELECT key, value, explicit FROM summary", "loss|0.5|1");
}

Test(catalogue_delivery, replaces_a_config_value_by_a_later_one)
{
    artel_cell_t one = { .key = 2, .kind = ARTEL_I64, .i64 = 1 },
                 two = { .key = 2, .kind = ARTEL_BOOL, .flag = false };
    cr_assert_eq(
        s_apply_one(1, (artel_msg_t) { .id = ARTEL_MSG_CONFIG, .config = { { &one, 1 } } }), 0);
    cr_assert_eq(
        s_apply_one(2, (artel_msg_t) { .id = ARTEL_MSG_CONFIG, .config = { { &two, 1 } } }), 0);
    s_expect("SELECT run, key, type, value FROM config", "r|n|bool|0");
}

Test(catalogue_delivery, lets_an_empty_field_of_a_run_erase_nothing_but_replaces_tags)
{
    artel_str_t tags[] = { { "b", 1 }, { "a", 1 } };
    cr_assert_eq(s_apply_one(1, (artel_msg_t) { .id = ARTEL_MSG_RUN,
                                                .run = { .run = artel_str("r"),
                                                         .project = artel_str("p"),
                                                         .name = artel_str("n"),
                                                         .notes = artel_str("x"),
                                                         .tags = { tags, 2 },
                                                         .at_ms = 5,
                                                         .hidden = true } }),
                 0);
    cr_assert_eq(s_apply_one(2, (artel_msg_t) { .id = ARTEL_MSG_RUN, .run = { .run = artel_str("r"),
        .notes = artel_str("y"), .tags = { tags, 1 }, .at_ms = 9 } }), 0);
    s_expect("SELECT run, project, name, notes, hidden, created_ms FROM runs", "r|p|n|y|1|5");
    s_expect("SELECT tag FROM tags", "b");
    s_expect("SELECT project FROM projects", "p");
}

//  How a run stands after what happened to its writers.

static artel_msg_t
s_start(int64_t at_ms)
{
    return (artel_msg_t) { .id = ARTEL_MSG_RUN_START,
                           .run_start = { .host = artel_str("h"),
                                          .pid = 7,
                                          .program = artel_str("train"),
                                          .at_ms = at_ms } };
}

static artel_msg_t
s_exit(int64_t code, bool crashed, int64_t at_ms)
{
    return (artel_msg_t) { .id = ARTEL_MSG_EXIT, .exit = { code, crashed, at_ms } };
}

static void
s_expect_state(const char *wanted)
{
    s_expect("SELECT state, exit_code, finished_ms FROM runs", wanted);
}

Test(catalogue_delivery, knows_how_a_run_ended)
{
    cr_assert_eq(s_apply_one(1, s_start(10)), 0);
    s_expect_state("running|NULL|NULL");
    s_expect("SELECT host, pid, program, started_ms FROM writers", "h|7|train|10");
    cr_assert_eq(s_apply_one(2, s_exit(0, false, 20)), 0);
    s_expect_state("finished|0|20");
}

Test(catalogue_delivery, says_failed_for_another_exit_code)
{
    cr_assert_eq(s_apply(1, (artel_msg_t[]) { s_start(10), s_exit(3, false, 20) }, 2), 0);
    s_expect_state("failed|3|20");
}

Test(catalogue_delivery, takes_back_a_crash_when_the_writer_goes_on)
{
    cr_assert_eq(s_apply(1, (artel_msg_t[]) { s_start(10), s_exit(-1, true, 20) }, 2), 0);
    s_expect_state("crashed|-1|20");
    cr_assert_eq(s_apply_one(2, s_loss(0, 1)), 0);
    s_expect_state("running|NULL|NULL");
    cr_assert_eq(s_apply_one(3, s_exit(0, false, 30)), 0);
    s_expect_state("finished|0|30");
}

Test(catalogue_delivery, is_running_while_one_writer_of_several_is)
{
    cr_assert_eq(s_apply(1, (artel_msg_t[]) { s_start(10), s_loss(0, 1) }, 2), 0);
    cr_assert_eq(s_apply_of(s_other, 1, (artel_msg_t[]) { s_start(11), s_exit(0, false, 2000) }, 2),
                 0);
    s_expect_state("running|NULL|NULL");
    cr_assert_eq(s_apply_one(2, s_exit(1, false, 1500)), 0);
    s_expect_state("failed|1|1500");
}

Test(catalogue_delivery, forgets_a_crash_that_a_later_writer_made_good)
{
    cr_assert_eq(s_apply(1, (artel_msg_t[]) { s_start(10), s_loss(0, 1) }, 2),
                 0);     //  alive until 1000
    cr_assert_eq(
        s_apply_of(s_other, 1, (artel_msg_t[]) { s_start(5000), s_exit(0, false, 6000) }, 2), 0);
    cr_assert_eq(s_apply_one(2, s_exit(-1, true, 9000)), 0);        //  adopted long after
    s_expect_state("finished|0|6000");
    s_expect("SELECT count(*) FROM writers WHERE crashed", "1");
}

Test(catalogue_delivery, numbers_the_rows_of_several_writers_of_a_run_together)
{
    cr_assert_eq(s_apply_one(1, s_loss(0, 1)), 0);
    cr_assert_eq(s_apply_of(s_other, 1, (artel_msg_t[]) { s_loss(0, 2) }, 1), 0);
    cr_assert_eq(s_apply_one(2, s_loss(1, 3)), 0);
    s_expect("SELECT row, step, value FROM history", "0|0|1.0 1|0|2.0 2|1|3.0");
}

//  What can never be applied is told, and does not stop what comes after.

static void
s_expect_passed(uint64_t counter, const char *refused)
{
    cr_assert_eq(s_position(), counter);
    s_expect("SELECT counter, record, message, reason FROM refused", refused);
    cr_assert_eq(s_apply_one(counter + 1, s_loss(0, 1)), 0);
    s_expect("SELECT count(*) FROM history WHERE value = 1", "1");
}

static int
s_apply_bytes(uint64_t counter, const char *bytes, size_t len)
{
    artel_verdicts_t none = { 0 };
    artel_msg_deliver_t deliver = {
        artel_str("r"), s_writer, counter, { bytes, len }, counter - 1
    };
    cr_assert_eq(artel_catalogue_begin(s_catalogue), 0);
    int rc = artel_delivery_apply(s_catalogue, &deliver, &none, &none);
    return rc == 0 ? artel_catalogue_commit(s_catalogue) : rc;
}

Test(catalogue_delivery, passes_over_what_is_no_batch)
{
    cr_assert_eq(s_apply_bytes(1, "\xc1 nonsense", 10), 0);
    s_expect_passed(1, "1|-1|batch|what was in the journal is no batch");
}

Test(catalogue_delivery, passes_over_a_batch_of_another_writer)
{
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    batch_pack(&(batch_t) { .writer = s_other, .counter = 1 }, &out);
    cr_assert_eq(s_apply_bytes(1, out.data, out.size), 0);
    s_expect_passed(1, "1|-1|batch|the batch is another writer's than the journal's it was in");
    msgpack_sbuffer_destroy(&out);
}

Test(catalogue_delivery, keeps_the_records_before_a_broken_one)
{
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    artel_msg_t record = s_loss(0, 4);
    batch_pack(
        &(batch_t) { .writer = s_writer, .counter = 1, .keys = s_keys, .records = &record, .n = 1 },
        &out);
    msgpack_sbuffer_write(&out, "\x93\x03", 2);
    cr_assert_eq(s_apply_bytes(1, out.data, out.size), 0);
    s_expect("SELECT value FROM history", "4.0");
    s_expect_passed(1, "1|1|NULL|no record: from here on the batch cannot be read");
    msgpack_sbuffer_destroy(&out);
}

Test(catalogue_delivery, passes_over_a_batch_with_a_key_that_is_none)
{
    artel_str_t keys[] = { { "a\0b", 3 } };
    cr_assert_eq(batch_apply(s_catalogue, &(batch_t) { .writer = s_writer, .counter = 1,
        .keys = { keys, 1 } }, NULL), 0);
    s_expect_passed(1, "1|-1|batch|a key is empty, longer than 255 bytes, or has a NUL");
}

Test(catalogue_delivery, refuses_the_record_of_another_run_alone)
{
    cr_assert_eq(
        s_apply(1,
                (artel_msg_t[]) { { .id = ARTEL_MSG_RUN, .run = { .run = artel_str("x") } },
                                  s_loss(3, 4) },
                2),
        0);
    s_expect("SELECT value FROM history", "4.0");
    s_expect_passed(1, "1|0|run|the record is of another run than its batch");
}

Test(catalogue_delivery, does_not_give_a_writer_to_a_second_run)
{
    cr_assert_eq(s_apply_one(1, s_loss(0, 1)), 0);
    cr_assert_eq(
        batch_apply(s_catalogue,
                    &(batch_t) { .run = "other", .writer = s_writer, .counter = 2, .after = 1 },
                    NULL),
        ARTEL_EPROTO);
    s_expect("SELECT run FROM runs", "r");
}

Test(catalogue_delivery, passes_over_a_batch_that_sqlite_will_never_take)
{
    //  Somebody has put a row where the next one goes.
    cr_assert_eq(s_apply_one(1, s_loss(0, 3)), 0);
    query(s_catalogue, "INSERT INTO history_rows VALUES (1, 1, 0, 0)");
    cr_assert_eq(s_apply(2, (artel_msg_t[]) { s_start(5), s_loss(1, 4) }, 2), 0);
    cr_assert_eq(s_position(), 2);
    s_expect("SELECT counter, record, message, code FROM refused", "2|-1|batch|-18");
    s_expect("SELECT started_ms FROM writers", "NULL");         //  all of it or nothing
}
