//  Batches as W&B's server is told of them, and what is kept of a run between two posts.

#include "batches.h"

#include "bucket.h"
#include "over.h"
#include "post.h"

#include <jansson.h>
#include <math.h>

static const artel_id_t s_writer = { "a writer id 16b" }, s_other = { "another writer." };
static const artel_strs_t s_keys = { (const artel_str_t[]) { { "loss", 4 }, { "note", 4 }, { "_step", 5 }, { "step", 4 } }, 4 };
static json_t *s_now;
static char *s_body;

static void
s_setup(void)
{
    s_now = json_object();
}

static void
s_teardown(void)
{
    json_decref(s_now);
    free(s_body);
    s_body = NULL;
}

TestSuite(post, .init = s_setup, .fini = s_teardown);

//  Tell n records as one batch behind s_now, which is then what the server has. Its body is s_body.
static void
s_tell(artel_id_t writer, uint64_t counter, const artel_msg_t *records, size_t n)
{
    msgpack_sbuffer out;
    msgpack_zone zone;
    artel_post_t post;
    msgpack_sbuffer_init(&out);
    msgpack_zone_init(&zone, 4096);
    artel_msg_deliver_t deliver = batch_pack(&(batch_t) { .writer = writer, .counter = counter, .keys = s_keys,
        .records = records, .n = n }, &out);
    free(s_body);
    cr_assert_eq(artel_post_begin(s_now, &post), 0);
    cr_assert_eq(artel_post_add(&post, &deliver, &zone), 0);
    cr_assert_eq(artel_post_end(&post, &s_body), 0);
    json_decref(s_now);
    s_now = json_incref(post.state);
    artel_post_done(&post);
    msgpack_zone_destroy(&zone);
    msgpack_sbuffer_destroy(&out);
}

static artel_msg_t
s_row(int64_t step, int64_t at_ms, const artel_cell_t *cells, size_t n)
{
    return (artel_msg_t) { .id = ARTEL_MSG_HISTORY, .history = { step, at_ms, { cells, n } } };
}

static artel_msg_t
s_exit(int64_t code, int64_t at_ms, bool crashed)
{
    return (artel_msg_t) { .id = ARTEL_MSG_EXIT, .exit = { code, crashed, at_ms } };
}

//  What the post has at a path, as a text; the caller's until the next call.
static const char *
s_said(const char *file, size_t line)
{
    static char text[1024];
    json_t *root = json_loads(s_body ? s_body : "{}", 0, NULL);
    json_t *content = json_object_get(json_object_get(json_object_get(root, "files"), file), "content");
    const char *found = json_string_value(json_array_get(content, line));
    snprintf(text, sizeof text, "%s", found ? found : "nothing");
    json_decref(root);
    return text;
}

#define HISTORY "wandb-history.jsonl"

Test(post, a_row_is_a_line_of_values_with_its_step_and_its_times)
{
    const artel_cell_t cells[] = { { 0, ARTEL_F64, { .f64 = 0.1 } }, { 1, ARTEL_STR, { .str = artel_str("a \"b\"") } } };
    s_tell(s_writer, 1, (artel_msg_t[]) {
        { .id = ARTEL_MSG_RUN_START, .run_start = { .at_ms = 1000 } }, s_row(7, 3500, cells, 2) }, 2);
    cr_assert_str_eq(s_said(HISTORY, 0),
        "{\"loss\":0.1,\"note\":\"a \\\"b\\\"\",\"_step\":7,\"_runtime\":2.5,\"_timestamp\":3.5}");
    cr_assert_str_eq(s_said("wandb-summary.json", 0), "{\"loss\":0.1,\"note\":\"a \\\"b\\\"\",\"_step\":7,"
        "\"_runtime\":2.5,\"_timestamp\":3.5,\"_wandb\":{\"runtime\":2}}");
}

Test(post, what_is_not_finite_is_a_bare_word_within_its_line)
{
    const artel_cell_t cells[] = { { 0, ARTEL_F64, { .f64 = NAN } }, { 3, ARTEL_F64, { .f64 = -INFINITY } } };
    s_tell(s_writer, 1, (artel_msg_t[]) { s_row(0, 1000, cells, 2) }, 1);
    cr_assert_str_eq(s_said(HISTORY, 0),
        "{\"loss\":NaN,\"step\":-Infinity,\"_step\":0,\"_runtime\":0.0,\"_timestamp\":1.0}");
}

Test(post, a_step_that_does_not_grow_gets_the_next_number_and_stays_as_a_value)
{
    const artel_cell_t cell = { 0, ARTEL_I64, { .i64 = 1 } };
    s_tell(s_writer, 1, (artel_msg_t[]) { s_row(5, 1000, &cell, 1), s_row(5, 1000, &cell, 1), s_row(-3, 1000, &cell, 1) }, 3);
    cr_assert(strstr(s_said(HISTORY, 1), "\"step\":5,\"_step\":6,"), "%s", s_said(HISTORY, 1));
    cr_assert(strstr(s_said(HISTORY, 2), "\"step\":-3,\"_step\":7,"), "%s", s_said(HISTORY, 2));
}

Test(post, what_a_program_calls_as_we_do_is_not_told_twice)
{
    const artel_cell_t cells[] = { { 2, ARTEL_I64, { .i64 = 99 } }, { 0, ARTEL_I64, { .i64 = 1 } } };
    s_tell(s_writer, 1, (artel_msg_t[]) { s_row(0, 1000, cells, 2) }, 1);
    cr_assert_str_eq(s_said(HISTORY, 0), "{\"loss\":1,\"_step\":0,\"_runtime\":0.0,\"_timestamp\":1.0}");
}

Test(post, the_same_batch_told_again_from_the_same_state_is_the_same_to_the_byte)
{
    const artel_cell_t cell = { 0, ARTEL_F64, { .f64 = 1.0 / 3 } };
    const artel_msg_t rows[] = { s_row(0, 1000, &cell, 1), s_row(0, 2000, &cell, 1) };
    json_t *before = json_deep_copy(s_now);
    s_tell(s_writer, 1, rows, 2);
    char *first = strdup(s_body);
    json_decref(s_now);
    s_now = before;
    s_tell(s_writer, 1, rows, 2);
    cr_assert_str_eq(s_body, first);
    free(first);
}

Test(post, lines_go_on_where_the_last_post_ended_and_known_batches_bring_none)
{
    const artel_cell_t cell = { 0, ARTEL_I64, { .i64 = 1 } };
    const artel_msg_t rows[] = { s_row(0, 1000, &cell, 1), s_row(1, 2000, &cell, 1) };
    s_tell(s_writer, 1, rows, 2);
    s_tell(s_writer, 2, rows, 1);
    cr_assert(strstr(s_body, "\"" HISTORY "\":{\"offset\":2,"), "%s", s_body);
    s_tell(s_writer, 2, rows, 2);
    cr_assert_null(s_body);
    cr_assert_eq(artel_bucket_number(s_now, "lines", 0), 3);
    cr_assert_eq(artel_bucket_position(s_now, s_writer), 2);
}

Test(post, what_was_given_for_the_summary_is_not_changed_by_rows)
{
    const artel_cell_t given = { 0, ARTEL_I64, { .i64 = 42 } }, logged = { 0, ARTEL_I64, { .i64 = 1 } };
    s_tell(s_writer, 1, (artel_msg_t[]) { { .id = ARTEL_MSG_SUMMARY, .summary = { { &given, 1 } } },
        s_row(0, 1000, &logged, 1) }, 2);
    cr_assert(strstr(s_said("wandb-summary.json", 0), "{\"loss\":42,"));
}

Test(post, an_exit_ends_the_run_once_and_a_later_record_revokes_it)
{
    const artel_cell_t cell = { 0, ARTEL_I64, { .i64 = 1 } };
    s_tell(s_writer, 1, (artel_msg_t[]) { s_exit(0, 1000, true) }, 1);
    cr_assert_str_eq(s_body, "{\"complete\":true,\"exitcode\":1}", "a crash is no success");
    s_tell(s_writer, 2, (artel_msg_t[]) { s_row(0, 1000, &cell, 1) }, 1);
    cr_assert_null(strstr(s_body, "complete"));
    s_tell(s_writer, 3, (artel_msg_t[]) { s_exit(7, 3000, false) }, 1);
    cr_assert_str_eq(s_body, "{\"complete\":true,\"exitcode\":7}");
    s_tell(s_writer, 3, NULL, 0);
    cr_assert_null(s_body, "it was told");
}

Test(post, a_run_of_ranks_ends_with_the_last_of_them_and_the_first_bad_code)
{
    const artel_msg_t start[] = { { .id = ARTEL_MSG_RUN_START, .run_start = { .rank = 0, .world = 2, .at_ms = 1 } },
                                  { .id = ARTEL_MSG_RUN_START, .run_start = { .rank = 1, .world = 2, .at_ms = 1 } } };
    s_tell(s_writer, 1, (artel_msg_t[]) { start[0], s_exit(3, 1000, false) }, 2);
    cr_assert_null(s_body);
    s_tell(s_other, 1, (artel_msg_t[]) { start[1], s_exit(0, 2000, false) }, 2);
    cr_assert_str_eq(s_body, "{\"complete\":true,\"exitcode\":3}");
}

Test(post, an_artifact_keeps_the_position_before_it_but_no_rows)
{
    const artel_cell_t cell = { 0, ARTEL_I64, { .i64 = 1 } };
    artel_msg_t send = { .id = ARTEL_MSG_ARTIFACT_SEND, .artifact_send = { .xid = { "some xid of 16b" } } };
    s_tell(s_writer, 1, (artel_msg_t[]) { s_row(0, 1000, &cell, 1) }, 1);
    s_tell(s_writer, 2, &send, 1);
    s_tell(s_writer, 3, (artel_msg_t[]) { s_row(1, 1000, &cell, 1), s_exit(0, 2000, false) }, 2);
    cr_assert(strstr(s_said(HISTORY, 0), "\"_step\":1"));
    cr_assert_null(strstr(s_body, "complete"), "the run is over when its artifacts are there");
    cr_assert_eq(artel_bucket_position(s_now, s_writer), 1);
}

Test(post, the_parameters_are_what_the_run_says_with_its_configuration)
{
    const artel_cell_t cell = { 0, ARTEL_F64, { .f64 = INFINITY } };
    const artel_str_t tag = artel_str("quick");
    s_tell(s_writer, 1, (artel_msg_t[]) {
        { .id = ARTEL_MSG_RUN, .run = { .project = artel_str("digits"), .name = artel_str("first"),
          .group = artel_str("g"), .tags = { &tag, 1 }, .entity = artel_str("us") } },
        { .id = ARTEL_MSG_CONFIG, .config = { { &cell, 1 } } } }, 2);
    json_t *parameters = artel_post_parameters(s_now, "r");
    cr_assert_str_eq(artel_bucket_text(parameters, "name"), "r");
    cr_assert_str_eq(artel_bucket_text(parameters, "displayName"), "first");
    cr_assert_str_eq(artel_bucket_text(parameters, "entity"), "us");
    cr_assert_str_eq(json_string_value(json_array_get(json_object_get(parameters, "tags"), 0)), "quick");
    const char *config = artel_bucket_text(parameters, "config");
    cr_assert(strstr(config, "{\"loss\":{\"value\":Infinity},\"_wandb\":{\"value\":{"), "%s", config);
    json_decref(parameters);
}

//  ---- the file

TestSuite(bucket);

#define BASE "http://h"

Test(bucket, both_states_are_kept_and_one_process_at_a_time_has_them)
{
    char *state = folder_new();
    artel_bucket_t bucket, other, again;
    cr_assert_eq(artel_bucket_open(state, "wandb", BASE, artel_str("r"), true, &bucket), 0);
    cr_assert_eq(artel_bucket_open(state, "wandb", BASE, artel_str("r"), true, &other), ARTEL_ELOCKED);
    json_object_set_new(bucket.now, "lines", json_integer(3));
    bucket.next = json_pack("{s:i}", "lines", 5);
    cr_assert_eq(artel_bucket_save(&bucket, BASE, true), 0);
    artel_bucket_close(&bucket);
    cr_assert_eq(artel_bucket_open(state, "wandb", BASE, artel_str("r"), true, &again), 0);
    cr_assert_eq(artel_bucket_number(again.now, "lines", 0), 3);
    cr_assert_eq(artel_bucket_number(again.next, "lines", 0), 5);
    artel_bucket_settle(&again, true);
    cr_assert_eq(artel_bucket_number(again.now, "lines", 0), 5);
    artel_bucket_close(&again);
    folder_destroy(state);
}

Test(bucket, another_server_has_nothing_of_it)
{
    char *state = folder_new();
    artel_bucket_t bucket;
    cr_assert_eq(artel_bucket_open(state, "wandb", BASE, artel_str("r"), true, &bucket), 0);
    json_object_set_new(bucket.now, "lines", json_integer(3));
    cr_assert_eq(artel_bucket_save(&bucket, BASE, true), 0);
    artel_bucket_close(&bucket);
    cr_assert_eq(artel_bucket_open(state, "wandb", "http://elsewhere", artel_str("r"), true, &bucket), 0);
    cr_assert_eq(json_object_size(bucket.now), 0);
    artel_bucket_close(&bucket);
    folder_destroy(state);
}

Test(bucket, a_damaged_file_is_told)
{
    char *state = folder_new();
    artel_bucket_t bucket;
    cr_assert_eq(artel_bucket_open(state, "wandb", BASE, artel_str("r"), true, &bucket), 0);
    cr_assert_eq(artel_bucket_save(&bucket, BASE, true), 0);
    FILE *file = fopen(bucket.path, "r+");
    cr_assert(file && fseek(file, 30, SEEK_SET) == 0 && putc('~', file) == '~' && fclose(file) == 0);
    artel_bucket_close(&bucket);
    cr_assert_eq(artel_bucket_open(state, "wandb", BASE, artel_str("r"), true, &bucket), ARTEL_ECORRUPT);
    folder_destroy(state);
}
