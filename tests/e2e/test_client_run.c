//  A run from the program to the catalogue: what is logged is what is found.

#include "stage.h"

#include <dirent.h>
#include <math.h>
#include <pthread.h>

TestSuite(run, .init = stage_up, .fini = stage_down, .timeout = 100);

static artel_value_t
s_f64(const char *key, double value)
{
    return (artel_value_t) { .key = key, .type = ARTEL_TYPE_DOUBLE, .f64 = value };
}

static artel_value_t
s_i64(const char *key, int64_t value)
{
    return (artel_value_t) { .key = key, .type = ARTEL_TYPE_INT, .i64 = value };
}

static artel_value_t
s_text(const char *key, const char *value)
{
    return (artel_value_t) { .key = key, .type = ARTEL_TYPE_STRING, .string = value };
}

Test(run, values_of_every_type_arrive_exactly)
{
    artel_run_t *run = stage_run("r");
    artel_value_t row[] = {
        s_f64("a", 0.1), s_f64("b", NAN), s_f64("c", INFINITY), s_f64("d", -INFINITY), s_f64("e", 5e-324),
        s_i64("f", 9007199254740993), s_i64("g", INT64_MIN), s_i64("h", INT64_MAX),
        { .key = "i", .type = ARTEL_TYPE_BOOL, .boolean = 7 }, { .key = "j", .type = ARTEL_TYPE_BOOL },
        s_text("k", ""), s_text("l", "na\xc3\xafve \"quoted\"\nline"), s_f64("m", 1.7976931348623157e308),
    };
    OK(artel_run_log_row(run, 3, row, sizeof row / sizeof *row));
    stage_close();
    SQL_IS("a|double|1\nb|double|0\nc|double|1\nd|double|1\ne|double|1\nm|double|1",
           "SELECT key, type, CASE key WHEN 'a' THEN value = 0.1 WHEN 'b' THEN value IS NOT NULL"
           " WHEN 'c' THEN value = 9e999 WHEN 'd' THEN value = -9e999 WHEN 'e' THEN value = 5e-324"
           " ELSE value = 1.7976931348623157e308 END FROM history WHERE type = 'double' ORDER BY key");
    SQL_IS("f|9007199254740993\ng|-9223372036854775808\nh|9223372036854775807",
           "SELECT key, value FROM history WHERE type = 'int' ORDER BY key");
    SQL_IS("i|1\nj|0", "SELECT key, value FROM history WHERE type = 'bool' ORDER BY key");
    SQL_IS("k|\nl|na\xc3\xafve \"quoted\"\nline", "SELECT key, value FROM history WHERE type = 'string' ORDER BY key");
    SQL_IS("3", "SELECT DISTINCT step FROM history");
}

Test(run, an_automatic_step_is_the_last_one_plus_one)
{
    static const int64_t steps[] = { ARTEL_AUTO_STEP, ARTEL_AUTO_STEP, 10, ARTEL_AUTO_STEP, 5, ARTEL_AUTO_STEP,
                                     -3, ARTEL_AUTO_STEP };
    artel_run_t *run = stage_run("r");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        OK(artel_run_log(run, "k", steps[i], (double) i));
    RC(artel_run_log(run, "", ARTEL_AUTO_STEP, 0), ARTEL_EINVAL);   //  takes no step
    OK(artel_run_log(run, "k", ARTEL_AUTO_STEP, 8));
    stage_close();
    SQL_IS("0,1,10,11,5,6,-3,-2,-1", "SELECT group_concat(step) FROM (SELECT step FROM history ORDER BY row)");
}

Test(run, config_and_summary_keep_the_latest_and_tags_are_replaced)
{
    artel_run_t *run = stage_run("r");
    artel_value_t first[] = { s_f64("lr", 0.5), s_text("model", "small") }, second[] = { s_f64("lr", 0.25) };
    OK(artel_run_config(run, first, 2));
    OK(artel_run_config(run, second, 1));
    OK(artel_run_summary(run, first, 1));
    OK(artel_run_summary(run, second, 1));
    OK(artel_run_tags(run, (const char *const[]) { "old", "older", NULL }));
    OK(artel_run_tags(run, (const char *const[]) { "new", NULL }));
    stage_close();
    SQL_IS("lr|0.25\nmodel|small", "SELECT key, value FROM config ORDER BY key");
    SQL_IS("lr|0.25", "SELECT key, value FROM summary ORDER BY key");
    SQL_IS("new", "SELECT tag FROM tags");
}

Test(run, what_a_run_says_of_itself_arrives)
{
    artel_run_t *run;
    OK(artel_run_start(stage_artel, &(artel_run_options_t) { .size = sizeof(artel_run_options_t), .id = "the-id",
        .project = "pro", .name = "a name", .group = "g", .job_type = "train", .notes = "n\xc3\xb6tes",
        .tags = (const char *const[]) { "t1", "t2", NULL }, .hidden = 1 }, &run));
    cr_assert_str_eq(artel_run_id(run), "the-id");
    OK(artel_run_finish(&run, 3));
    cr_assert_null(run);
    stage_close();
    SQL_IS("the-id|pro|a name|g|train|n\xc3\xb6tes|1|3",
           "SELECT run, project, name, run_group, job_type, notes, hidden, exit_code FROM runs");
    SQL_IS("t1\nt2", "SELECT tag FROM tags ORDER BY tag");
    char pid[32];
    snprintf(pid, sizeof pid, "%d", (int) getpid());
    SQL_IS(pid, "SELECT pid FROM writers");
}

Test(run, a_run_without_options_gets_an_id_a_name_and_the_default_project)
{
    artel_run_t *a, *b;
    OK(artel_run_start(stage_artel, NULL, &a));
    OK(artel_run_start(stage_artel, NULL, &b));
    cr_assert_str_neq(artel_run_id(a), artel_run_id(b));
    stage_close();
    SQL_IS("2|default|1|finished|0", "SELECT count(*), min(project), min(name = run), min(state), max(exit_code)"
           " FROM runs");
}

Test(run, the_environment_fills_in_what_is_not_said)
{
    STAGE_LINKED();
    stage_close();
    setenv("ARTEL_DIR", stage_dir, 1);
    setenv("ARTEL_PROJECT", "from-env", 1);
    setenv("ARTEL_RUN_ID", "id-from-env", 1);
    char sinks[300];
    snprintf(sinks, sizeof sinks, "second=store:%s/second,store", stage_dir);
    setenv("ARTEL_SINKS", sinks, 1);
    OK(artel_open(NULL, &stage_artel));
    artel_run_t *run;
    OK(artel_run_start(stage_artel, NULL, &run));
    cr_assert_str_eq(artel_run_id(run), "id-from-env");
    OK(artel_run_log(run, "k", 0, 1));
    OK(artel_run_start(stage_artel, &(artel_run_options_t) { .size = sizeof(artel_run_options_t), .id = "x",
                                                             .project = "said" }, &run));
    stage_close();
    SQL_IS("id-from-env|from-env\nx|said", "SELECT run, project FROM runs ORDER BY run");
    snprintf(sinks, sizeof sinks, "%s/second/catalogue.db", stage_dir);
    cr_assert_eq(access(sinks, F_OK), 0);
}

Test(run, an_id_is_taken_once_unless_the_run_is_resumed)
{
    artel_run_options_t o = { .size = sizeof o, .id = "r", .name = "first" };
    artel_run_t *run;
    OK(artel_run_start(stage_artel, &o, &run));
    OK(artel_run_log(run, "k", 0, 1));
    OK(artel_run_finish(&run, 1));
    OK(artel_run_start(stage_artel, &(artel_run_options_t) { .size = sizeof o, .id = "other" }, &run));
    RC(artel_run_start(stage_artel, &o, &run), ARTEL_EEXIST);
    cr_assert(strstr(stage_error(), "run r ") && strstr(stage_error(), "resume"), "%s", stage_error());
    o.resume = ARTEL_RESUME_MUST;
    o.name = NULL;
    OK(artel_run_start(stage_artel, &o, &run));
    OK(artel_run_log(run, "k", 1, 2));
    OK(artel_run_finish(&run, 0));
    o.id = "nobody";
    RC(artel_run_start(stage_artel, &o, &run), ARTEL_ENOENT);
    o.resume = ARTEL_RESUME_ALLOW;
    OK(artel_run_start(stage_artel, &o, &run));
    stage_close();
    SQL_IS("2|2", "SELECT count(*), count(DISTINCT writer) FROM writers w JOIN runs r ON w.run = r.id"
           " WHERE r.run = 'r'");
    SQL_IS("1.0\n2.0", "SELECT value FROM history WHERE run = 'r' ORDER BY step");
    SQL_IS("first|0", "SELECT name, exit_code FROM runs WHERE run = 'r'");
}

//  Steps go on where those before came to: in a client that is there, in another, and in one
//  that logs beside it.
Test(run, an_automatic_step_goes_on_in_a_run_that_is_resumed)
{
    artel_run_options_t o = { .size = sizeof o, .id = "r", .resume = ARTEL_RESUME_ALLOW };
    artel_run_t *runs[4];
    OK(artel_run_start(stage_artel, &o, &runs[0]));
    for (int i = 0; i < 3; i++)
        OK(artel_run_log(runs[0], "k", ARTEL_AUTO_STEP, i));
    OK(artel_run_flush(runs[0], ARTEL_ACCEPTED, WAIT_MS));
    OK(artel_run_start(stage_artel, &o, &runs[1]));
    OK(artel_run_log(runs[1], "k", ARTEL_AUTO_STEP, 3));
    OK(artel_run_log(runs[1], "k", 50, 4));
    OK(artel_run_log(runs[0], "k", ARTEL_AUTO_STEP, 5));
    OK(artel_run_finish(&runs[0], 0));
    OK(artel_run_finish(&runs[1], 0));
    stage_close();
    stage_open("store");
    OK(artel_run_start(stage_artel, &o, &runs[2]));
    OK(artel_run_log(runs[2], "k", ARTEL_AUTO_STEP, 6));
    o.id = "new";
    OK(artel_run_start(stage_artel, &o, &runs[3]));
    OK(artel_run_log(runs[3], "k", ARTEL_AUTO_STEP, 7));
    stage_close();
    SQL_IS("0|0.0\n1|1.0\n2|2.0\n3|3.0\n50|4.0\n3|5.0\n51|6.0", "SELECT step, value FROM history WHERE run = 'r'"
           " ORDER BY value");
    SQL_IS("0", "SELECT step FROM history WHERE run = 'new'");
}

Test(run, bad_arguments_are_refused_with_a_sentence_that_names_them)
{
    artel_run_t *run = stage_run("r"), *other;
    artel_value_t twice[] = { s_f64("a", 0), s_f64("a", 1) }, bad = s_text("t", "\xff"), none = s_text("t", NULL);
    artel_value_t odd = { .key = "o", .type = 99 };
    struct { int rc; const char *word; } expected[] = {
        { artel_run_log(run, "", 0, 0), "empty" }, { artel_run_log(run, NULL, 0, 0), "NULL" },
        { artel_run_log_row(run, 0, twice, 2), "twice" }, { artel_run_log_row(run, 0, &bad, 1), "UTF-8" },
        { artel_run_log_row(run, 0, &none, 1), "NULL" }, { artel_run_log_row(run, 0, &odd, 1), "type" },
        { artel_run_log_row(run, 0, twice, 0), "0 values" }, { artel_run_log_row(run, 0, NULL, 1), "values" },
        { artel_run_flush(run, 9, 0), "level 9" },
        { artel_run_tags(run, (const char *const[]) { "", NULL }), "tag" },
        { artel_run_start(stage_artel, &(artel_run_options_t) { .size = sizeof(artel_run_options_t), .id = "a/b" },
                          &other), "a/b" },
        { artel_run_start(stage_artel, &(artel_run_options_t) { .size = sizeof(artel_run_options_t), .id = "" },
                          &other), "id" },
        { artel_run_start(stage_artel, &(artel_run_options_t) { .id = "r" }, &other), "size" },
        { artel_run_start(stage_artel, &(artel_run_options_t) { .size = sizeof(artel_run_options_t), .resume = 7 },
                          &other), "resume" },
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        cr_assert_eq(expected[i].rc, ARTEL_EINVAL, "case %zu (%s)", i, expected[i].word);
    cr_assert(strstr(stage_error(), "resume"), "%s", stage_error());
    RC(artel_run_log(run, "", 0, 0), ARTEL_EINVAL);
    cr_assert(strstr(stage_error(), "run r") && strstr(stage_error(), "empty"), "%s", stage_error());
    RC(artel_run_log_row(run, 0, twice, 2), ARTEL_EINVAL);
    cr_assert(strstr(stage_error(), "\"a\"") && strstr(stage_error(), "twice"), "%s", stage_error());
}

Test(run, calls_without_a_handle_are_refused)
{
    artel_t *no_artel = NULL;
    artel_run_t *no_run = NULL;
    artel_future_t *no_future = NULL;
    artel_value_t value = s_f64("k", 0);
    RC(artel_run_log(NULL, "k", 0, 0), ARTEL_EINVAL);
    RC(artel_run_log_row(NULL, 0, &value, 1), ARTEL_EINVAL);
    RC(artel_run_config(NULL, &value, 1), ARTEL_EINVAL);
    RC(artel_run_tags(NULL, NULL), ARTEL_EINVAL);
    RC(artel_run_flush(NULL, ARTEL_ACCEPTED, 0), ARTEL_EINVAL);
    RC(artel_run_finish(&no_run, 0), ARTEL_EINVAL);
    RC(artel_run_finish(NULL, 0), ARTEL_EINVAL);
    RC(artel_run_log_artifact(NULL, NULL, NULL), ARTEL_EINVAL);
    RC(artel_run_use_artifact(NULL, "m", NULL), ARTEL_EINVAL);
    RC(artel_future_wait(NULL, 0), ARTEL_EINVAL);
    RC(artel_future_poll(NULL), ARTEL_EINVAL);
    RC(artel_close(&no_artel, 0), ARTEL_EINVAL);
    RC(artel_close(NULL, 0), ARTEL_EINVAL);
    RC(artel_finish(NULL), ARTEL_EINVAL);
    RC(artel_find(NULL, "m", NULL), ARTEL_EINVAL);
    RC(artel_sync(NULL, 0, NULL), ARTEL_EINVAL);
    artel_future_destroy(&no_future);
    artel_future_destroy(NULL);
    artel_run_progress(NULL, NULL, NULL);
    cr_assert_str_eq(artel_run_id(NULL), "");
}

Test(run, flush_waits_for_the_level_and_progress_counts)
{
    artel_run_t *run = stage_run("r");
    uint64_t logged, accepted;
    artel_run_progress(run, &logged, &accepted);
    cr_assert(logged == 0 && accepted == 0);
    for (int i = 0; i < 1000; i++)
        OK(artel_run_log(run, "k", ARTEL_AUTO_STEP, i));
    OK(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS));
    artel_run_progress(run, &logged, &accepted);
    cr_assert(logged == 1000 && accepted == 1000, "%d logged, %d accepted", (int) logged, (int) accepted);
    OK(artel_run_flush(run, ARTEL_DURABLE, WAIT_MS));
    OK(artel_run_flush(run, ARTEL_DELIVERED, WAIT_MS));
    SQL_IS("1000", "SELECT count(*) FROM history");
    OK(artel_run_flush(run, ARTEL_DELIVERED, 0));       //  nothing new: at once
}

Test(run, a_lone_record_is_accepted_without_a_flush)
{
    artel_run_t *run = stage_run("r");
    OK(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS));
    int64_t slept = stage_now_ms() + 250;               //  the link is asleep by then
    while (stage_now_ms() < slept)
        usleep(10000);
    OK(artel_run_log(run, "k", 0, 1));
    uint64_t accepted = 0;
    for (int64_t end = stage_now_ms() + 5000; accepted < 1 && stage_now_ms() < end; )
        artel_run_progress(run, NULL, &accepted);
    cr_assert_eq(accepted, 1);
}

enum { THREADS = 8, EACH = 2000 };

static void *
s_log_many(void *arg)
{
    artel_run_t *run = arg;
    static const char *const keys[] = { "a", "b", "c" };
    for (int i = 0; i < EACH; i++)
        OK(artel_run_log(run, keys[i % 3], ARTEL_AUTO_STEP, i));
    return NULL;
}

Test(run, many_threads_log_in_one_run_and_every_row_has_a_step_of_its_own)
{
    artel_run_t *run = stage_run("r");
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, s_log_many, run);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    stage_close();
    SQL_IS("16000|16000|0|15999", "SELECT count(*), count(DISTINCT step), min(step), max(step) FROM history");
}

static void *
s_whole_run(void *arg)
{
    artel_run_t *run;
    OK(artel_run_start(stage_artel, &(artel_run_options_t) { .size = sizeof(artel_run_options_t), .id = arg }, &run));
    s_log_many(run);
    OK(artel_run_finish(&run, 0));
    return NULL;
}

Test(run, many_threads_each_have_a_run_of_one_client)
{
    static char ids[THREADS][8];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        snprintf(ids[i], sizeof ids[i], "run-%d", i);
        pthread_create(&threads[i], NULL, s_whole_run, ids[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    stage_close();
    SQL_IS("8|2000|2000", "SELECT count(*), min(rows), max(rows) FROM runs WHERE state = 'finished'");
}

static unsigned
s_count_pending(void)
{
    char path[300];
    unsigned n = 0;
    snprintf(path, sizeof path, "%s/pending", stage_dir);
    DIR *dir = opendir(path);
    cr_assert(dir, "%s", path);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL; )
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

//  A service puts a journal away after its program has heard that all is delivered.
static void
s_await_none_pending(void)
{
    for (int ms = 0; stage_service && s_count_pending() > 0 && ms < WAIT_MS; ms++)
        usleep(1000);
}

Test(run, a_hundred_runs_one_after_the_other_are_all_delivered_and_none_stays_pending)
{
    artel_run_t *run;
    for (int i = 0; i < 100; i++) {
        OK(artel_run_start(stage_artel, NULL, &run));
        OK(artel_run_log(run, "k", 0, i));
        OK(artel_run_finish(&run, 0));
    }
    stage_close();
    SQL_IS("100", "SELECT count(*) FROM runs WHERE state = 'finished' AND rows = 1");
    s_await_none_pending();
    stage_open("store");
    uint64_t journals;
    OK(artel_sync(stage_artel, WAIT_MS, &journals));
    cr_assert_eq(journals, 0, "%d journals were left pending", (int) journals);
}

Test(run, the_third_of_three_keys_of_10001_is_over_the_limit)
{
    artel_run_t *run = stage_run("r");
    char key[16];
    for (int i = 0; i < 10000; i++) {
        snprintf(key, sizeof key, "%d", i);
        OK(artel_run_log(run, key, 0, i));
    }
    RC(artel_run_log(run, "one more", 0, 0), ARTEL_ELIMIT);
    cr_assert(strstr(stage_error(), "10001"), "%s", stage_error());
    stage_close();
    SQL_IS("10000", "SELECT count(DISTINCT key) FROM history");
}

Test(run, two_stores_get_everything)
{
    STAGE_LINKED();
    char dir[300];
    stage_close();
    snprintf(dir, sizeof dir, "store,copy=store:%s/copy", stage_dir);
    stage_open(dir);
    artel_run_t *run = stage_run("r");
    for (int i = 0; i < 100; i++)
        OK(artel_run_log(run, "k", ARTEL_AUTO_STEP, i));
    artel_artifact_t *artifact;
    artel_future_t *future;
    OK(artel_artifact_new("m", NULL, &artifact));
    OK(artel_artifact_add_bytes(artifact, "x", "y", 1));
    OK(artel_run_log_artifact(run, artifact, &future));
    OK(artel_future_wait_sink(future, "copy", WAIT_MS));
    OK(artel_future_wait(future, WAIT_MS));
    RC(artel_future_wait_sink(future, "nobody", WAIT_MS), ARTEL_ENOENT);
    artel_future_destroy(&future);
    artel_artifact_destroy(&artifact);
    stage_close();
    SQL_IS("100", "SELECT count(*) FROM history");
    strcat(stage_dir, "/copy");
    SQL_IS("100|m", "SELECT count(*), (SELECT name FROM artifact_versions) FROM history");
    stage_dir[strlen(stage_dir) - strlen("/copy")] = 0;
}

static void
s_count(void *arg, int level, const char *text)
{
    (void) level;
    (void) text;
    ++*(int *) arg;
}

Test(run, a_client_that_does_not_open_says_why)
{
    STAGE_LINKED();
    artel_t *artel = NULL;
    int told = 0;
    artel_options_t o = { .size = sizeof o, .dir = stage_dir, .sinks = "nonsense", .log = s_count, .log_arg = &told };
    RC(artel_open(&o, &artel), ARTEL_EINVAL);
    cr_assert(strstr(artel_open_error(), "nonsense"), "%s", artel_open_error());
    o.sinks = NULL;
    o.dir = "/proc/nowhere";
    cr_assert(artel_open(&o, &artel) < 0);
    cr_assert(strstr(artel_open_error(), "/proc/nowhere"), "%s", artel_open_error());
    o.size = 0;
    RC(artel_open(&o, &artel), ARTEL_EINVAL);
    cr_assert(strstr(artel_open_error(), "size"), "%s", artel_open_error());
    RC(artel_open(NULL, NULL), ARTEL_EINVAL);
    cr_assert_null(artel);
}

Test(run, the_nine_line_program_works)
{
    setenv("ARTEL_DIR", stage_dir, 1);
    artel_run_t *run = artel_start("demo");
    cr_assert_not_null(run);
    for (int step = 0; step < 100; step++)
        artel_run_log(run, "loss", step, 1.0 / (step + 1));
    OK(artel_finish(run));
    SQL_IS("demo|100", "SELECT project, rows FROM runs");
}

Test(run, what_is_not_finished_is_finished_by_close)
{
    artel_run_t *run = stage_run("r");
    OK(artel_run_log(run, "k", 0, 1));
    stage_close();
    SQL_IS("finished|0", "SELECT state, exit_code FROM runs");
}
