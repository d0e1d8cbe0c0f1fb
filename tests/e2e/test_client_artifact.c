//  Artifacts from the program to the store and back, and what is told of them meanwhile.

#include "stage.h"

#include <pthread.h>
#include <sys/stat.h>

TestSuite(artifact, .init = stage_up, .fini = stage_down, .timeout = 100);

static const char *
s_path(const char *name)
{
    static char path[2][600];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", stage_dir, name);
    return path[turn];
}

static const char *
s_write(const char *name, const char *text)
{
    const char *path = s_path(name);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
    return path;
}

static const char *
s_read(const char *name)
{
    static char text[1000];
    FILE *file = fopen(s_path(name), "r");
    cr_assert_not_null(file, "%s", name);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return text;
}

static artel_artifact_t *
s_bytes(const char *name, const char *text)
{
    artel_artifact_t *artifact;
    OK(artel_artifact_new(name, NULL, &artifact));
    OK(artel_artifact_add_bytes(artifact, "file", text, strlen(text)));
    return artifact;
}

//  Log it, wait for it, and say which version it is.
static artel_version_info_t
s_log_and_wait(artel_run_t *run, artel_artifact_t *artifact)
{
    artel_future_t *future;
    artel_version_info_t info = { .size = sizeof info };
    OK(artel_run_log_artifact(run, artifact, &future));
    OK(artel_future_wait(future, WAIT_MS));
    OK(artel_future_info(future, &info));
    artel_future_destroy(&future);
    artel_artifact_destroy(&artifact);
    return info;
}

Test(artifact, is_logged_waited_for_found_and_fetched)
{
    artel_run_t *run = stage_run("r");
    artel_artifact_t *artifact;
    mkdir(s_path("in"), 0755);
    s_write("in/a", "alpha");
    s_write("in/b", "beta");
    OK(artel_artifact_new("model", "weights", &artifact));
    OK(artel_artifact_add_dir(artifact, s_path("in"), "tree"));
    OK(artel_artifact_add_file(artifact, s_write("one", "1"), NULL));
    OK(artel_artifact_add_bytes(artifact, "raw", "\0\1", 2));
    OK(artel_artifact_add_reference(artifact, "far", "s3://bucket/key", "etag", 1000));
    OK(artel_artifact_set_description(artifact, "what it is"));
    OK(artel_artifact_set_metadata(artifact, "{\"acc\": 0.5}"));
    OK(artel_artifact_add_alias(artifact, "best"));
    OK(artel_artifact_set_history_step(artifact, 41));
    artel_version_info_t info = s_log_and_wait(run, artifact), found = { .size = sizeof found };
    cr_assert(info.version == 0 && info.fresh && info.files == 5 && info.bytes == 5 + 4 + 1 + 2 + 1000,
              "v%d, %d files, %d bytes", (int) info.version, (int) info.files, (int) info.bytes);
    OK(artel_find(stage_artel, "model:best", &found));
    cr_assert_str_eq(found.digest, info.digest);
    cr_assert(found.version == 0 && found.files == 5 && found.bytes == info.bytes);
    OK(artel_download(stage_artel, "model", s_path("out"), NULL));
    cr_assert_str_eq(s_read("out/tree/a"), "alpha");
    cr_assert_str_eq(s_read("out/tree/b"), "beta");
    cr_assert_str_eq(s_read("out/one"), "1");
    stage_close();
    SQL_IS("model|weights|0|41|what it is|{\"acc\": 0.5}", "SELECT name, type, version, history_step, description,"
           " metadata FROM artifact_versions");
    SQL_IS("s3://bucket/key|1000", "SELECT uri, size FROM artifact_entries WHERE kind = 'reference'");
}

Test(artifact, equal_content_makes_no_new_version)
{
    artel_run_t *run = stage_run("r");
    artel_version_info_t a = s_log_and_wait(run, s_bytes("m", "one")), b = s_log_and_wait(run, s_bytes("m", "one"));
    artel_version_info_t c = s_log_and_wait(run, s_bytes("m", "two"));
    cr_assert(a.version == 0 && a.fresh && b.version == 0 && !b.fresh && c.version == 1 && c.fresh);
    cr_assert_str_eq(a.digest, b.digest);
    OK(artel_download(stage_artel, "m:v0", s_path("v0"), NULL));
    OK(artel_download(stage_artel, "m", s_path("v1"), NULL));
    cr_assert_str_eq(s_read("v0/file"), "one");
    cr_assert_str_eq(s_read("v1/file"), "two");
}

Test(artifact, belongs_to_the_last_step_logged_if_none_is_said)
{
    artel_run_t *run = stage_run("r");
    s_log_and_wait(run, s_bytes("before", "x"));
    OK(artel_run_log(run, "k", 7, 0));
    s_log_and_wait(run, s_bytes("after", "x"));
    stage_close();
    SQL_IS("after|7\nbefore|", "SELECT name, history_step FROM artifact_versions ORDER BY name");
}

Test(artifact, one_bad_entry_refuses_it_whole_and_is_named)
{
    artel_run_t *run = stage_run("r");
    artel_artifact_t *artifact;
    artel_future_t *future = NULL;
    OK(artel_artifact_new("m", NULL, &artifact));
    OK(artel_artifact_add_file(artifact, s_write("good", "1"), NULL));
    OK(artel_artifact_add_file(artifact, s_path("missing"), NULL));
    RC(artel_run_log_artifact(run, artifact, &future), ARTEL_ENOENT);
    cr_assert_null(future);
    cr_assert(strstr(stage_error(), "\"m\"") && strstr(stage_error(), "missing"), "%s", stage_error());
    s_write("missing", "2");
    OK(artel_run_log_artifact(run, artifact, &future));     //  the artifact is as it was
    OK(artel_future_wait(future, WAIT_MS));
    artel_future_destroy(&future);
    artel_artifact_destroy(&artifact);
}

Test(artifact, descriptions_that_make_no_sense_are_refused_with_a_sentence)
{
    artel_artifact_t *artifact = NULL;
    RC(artel_artifact_new("a/b", NULL, &artifact), ARTEL_EINVAL);
    RC(artel_artifact_new("", NULL, &artifact), ARTEL_EINVAL);
    RC(artel_artifact_new(NULL, NULL, &artifact), ARTEL_EINVAL);
    RC(artel_artifact_new("m", "a:b", &artifact), ARTEL_EINVAL);
    OK(artel_artifact_new("m", NULL, &artifact));
    struct { int rc; const char *word; } expected[] = {
        { artel_artifact_set_metadata(artifact, "[1]"), "JSON" }, { artel_artifact_set_metadata(artifact, "{"), "JSON" },
        { artel_artifact_add_alias(artifact, "v3"), "v3" }, { artel_artifact_add_alias(artifact, "a:b"), "a:b" },
        { artel_artifact_add_file(artifact, "", NULL), "empty" }, { artel_artifact_add_file(artifact, NULL, NULL), "NULL" },
        { artel_artifact_add_bytes(artifact, NULL, "x", 1), "name" },
        { artel_artifact_add_reference(artifact, "n", NULL, NULL, 0), "URI" },
        { artel_artifact_set_description(artifact, "\xff"), "UTF-8" },
        { artel_artifact_set_links(artifact, 9), "ARTEL_LINKS" },
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        cr_assert_eq(expected[i].rc, ARTEL_EINVAL, "case %zu (%s)", i, expected[i].word);
    RC(artel_artifact_add_alias(artifact, "v12"), ARTEL_EINVAL);
    cr_assert(strstr(artel_artifact_error(artifact), "v12"), "%s", artel_artifact_error(artifact));
    OK(artel_artifact_add_alias(artifact, "vnext"));
    OK(artel_artifact_set_metadata(artifact, NULL));
    artel_artifact_destroy(&artifact);
    cr_assert_null(artifact);
    RC(artel_artifact_add_file(NULL, "x", NULL), ARTEL_EINVAL);
}

Test(artifact, a_path_is_meant_from_where_the_program_was)
{
    artel_run_t *run = stage_run("r");
    artel_artifact_t *artifact;
    s_write("here", "x");
    OK(artel_artifact_new("m", NULL, &artifact));
    cr_assert_eq(chdir(stage_dir), 0);
    OK(artel_artifact_add_file(artifact, "here", NULL));
    cr_assert_eq(chdir("/"), 0);
    s_log_and_wait(run, artifact);
}

Test(artifact, without_a_future_is_delivered_all_the_same)
{
    artel_run_t *run = stage_run("r");
    for (int i = 0; i < 20; i++) {
        char name[16];
        snprintf(name, sizeof name, "m-%d", i);
        artel_artifact_t *artifact = s_bytes(name, name);
        OK(artel_run_log_artifact(run, artifact, NULL));
        artel_artifact_destroy(&artifact);
    }
    stage_close();
    SQL_IS("20", "SELECT count(*) FROM artifact_versions");
}

//  A progress function that holds the reading up until it is let go.
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t change;
    bool reading, go, cancel;
    uint64_t files;
} gate_t;

static gate_t *
s_gate(void)
{
    static gate_t gate = { .lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER };
    return &gate;
}

static int
s_at_gate(void *arg, uint64_t files, uint64_t bytes)
{
    gate_t *gate = arg;
    (void) bytes;
    pthread_mutex_lock(&gate->lock);
    gate->reading = true;
    gate->files = files;
    pthread_cond_broadcast(&gate->change);
    while (!gate->go)
        pthread_cond_wait(&gate->change, &gate->lock);
    bool cancel = gate->cancel;
    pthread_mutex_unlock(&gate->lock);
    return cancel;
}

static void
s_wait_at_gate(gate_t *gate)
{
    pthread_mutex_lock(&gate->lock);
    while (!gate->reading)
        pthread_cond_wait(&gate->change, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static void
s_open_gate(gate_t *gate, bool cancel)
{
    s_wait_at_gate(gate);
    pthread_mutex_lock(&gate->lock);
    gate->go = true;
    gate->cancel = cancel;
    pthread_cond_broadcast(&gate->change);
    pthread_mutex_unlock(&gate->lock);
}

//  An async artifact whose reading stands at the gate.
static artel_future_t *
s_log_async(artel_run_t *run, const char *name, gate_t *gate)
{
    artel_future_t *future;
    artel_artifact_t *artifact = s_bytes(name, name);
    OK(artel_artifact_add_file(artifact, s_write(name, "in a file"), NULL));
    OK(artel_artifact_set_async(artifact, 1));
    OK(artel_artifact_set_progress(artifact, s_at_gate, gate));
    OK(artel_run_log_artifact(run, artifact, &future));
    artel_artifact_destroy(&artifact);          //  it is not needed any more
    return future;
}

Test(artifact, async_returns_at_once_and_says_when_the_files_may_change)
{
    artel_run_t *run = stage_run("r");
    gate_t *gate = s_gate();
    artel_future_t *future = s_log_async(run, "m", gate);
    RC(artel_future_wait_staged(future, 50), ARTEL_ETIMEOUT);
    RC(artel_future_wait(future, 50), ARTEL_ETIMEOUT);
    cr_assert_eq(artel_future_poll(future), 0);
    s_open_gate(gate, false);
    OK(artel_future_wait_staged(future, WAIT_MS));
    OK(artel_future_wait(future, WAIT_MS));
    cr_assert_eq(artel_future_poll(future), 1);
    artel_future_destroy(&future);
}

Test(artifact, a_run_that_is_finished_meanwhile_ends_after_its_artifacts)
{
    artel_run_t *run = stage_run("r");
    gate_t *gate = s_gate();
    artel_future_t *future = s_log_async(run, "m", gate);
    OK(artel_run_finish(&run, 5));
    s_open_gate(gate, false);
    OK(artel_future_wait(future, WAIT_MS));
    artel_future_destroy(&future);
    stage_close();
    SQL_IS("failed|5|m", "SELECT state, exit_code, (SELECT name FROM artifact_versions) FROM runs");
}

Test(artifact, the_progress_function_can_cancel)
{
    artel_run_t *run = stage_run("r");
    gate_t *gate = s_gate();
    artel_future_t *future = s_log_async(run, "m", gate);
    s_open_gate(gate, true);
    RC(artel_future_wait(future, WAIT_MS), ARTEL_ECANCELED);
    RC(artel_future_wait_staged(future, WAIT_MS), ARTEL_ECANCELED);
    char text[300];
    RC(artel_future_error(future, text, sizeof text), ARTEL_ECANCELED);
    cr_assert(strstr(text, "\"m\""), "%s", text);
    artel_future_destroy(&future);
    stage_close();
    SQL_IS("0", "SELECT count(*) FROM versions");
}

static void *
s_cancel(void *future)
{
    OK(artel_future_cancel(future));
    return NULL;
}

Test(artifact, canceling_a_future_ends_the_reading_and_the_waiting)
{
    artel_run_t *run = stage_run("r");
    gate_t *gate = s_gate();
    artel_future_t *future = s_log_async(run, "m", gate);
    pthread_t thread;
    s_wait_at_gate(gate);
    pthread_create(&thread, NULL, s_cancel, future);
    RC(artel_future_wait(future, WAIT_MS), ARTEL_ECANCELED);
    pthread_join(thread, NULL);
    s_open_gate(gate, false);
    stage_close();
    RC(artel_future_wait(future, 0), ARTEL_ECANCELED);
    artel_future_destroy(&future);
    SQL_IS("0", "SELECT count(*) FROM versions");
}

Test(artifact, canceling_what_is_done_changes_nothing)
{
    artel_run_t *run = stage_run("r");
    artel_future_t *future;
    artel_artifact_t *artifact = s_bytes("m", "x");
    OK(artel_run_log_artifact(run, artifact, &future));
    OK(artel_future_wait(future, WAIT_MS));
    OK(artel_future_cancel(future));
    OK(artel_future_wait(future, WAIT_MS));
    artel_future_destroy(&future);
    artel_artifact_destroy(&artifact);
}

Test(artifact, close_cancels_what_is_still_read_at_its_deadline)
{
    artel_run_t *run = stage_run("r");
    gate_t *gate = s_gate();
    artel_future_t *future = s_log_async(run, "m", gate);
    s_wait_at_gate(gate);
    int64_t begin = stage_now_ms();
    cr_assert_neq(artel_close(&stage_artel, 200), 0);
    cr_assert(stage_now_ms() - begin < 1300, "close took %d ms", (int) (stage_now_ms() - begin));
    cr_assert(artel_future_wait(future, 0) < 0);
    s_open_gate(gate, false);
    artel_future_destroy(&future);
}

Test(artifact, more_than_64_that_wait_to_be_read_are_refused)
{
    artel_run_t *run = stage_run("r");
    gate_t *gate = s_gate();
    artel_artifact_t *artifact = s_bytes("m", "x");
    OK(artel_artifact_set_async(artifact, 1));
    OK(artel_artifact_set_progress(artifact, s_at_gate, gate));
    int rc = 0, n = 0;
    for (; rc == 0 && n < 100; n++)
        rc = artel_run_log_artifact(run, artifact, NULL);
    cr_assert_eq(rc, ARTEL_EFULL, "%d were taken", n);
    cr_assert(strstr(stage_error(), "64"), "%s", stage_error());
    s_open_gate(gate, false);
    stage_close();
    SQL_IS("1", "SELECT count(*) FROM versions");
    artel_artifact_destroy(&artifact);
}

//  More futures than the node parks polls for one client, waited for in no order by many threads.
enum { FUTURES = 240, WAITERS = 80 };
static artel_future_t *s_futures[FUTURES];

static void *
s_wait_for_some(void *arg)
{
    size_t first = (size_t) arg;
    for (size_t i = 0; i < FUTURES / WAITERS; i++)
        OK(artel_future_wait(s_futures[FUTURES - 1 - first - i * WAITERS], WAIT_MS));
    return NULL;
}

Test(artifact, many_threads_wait_for_many_futures)
{
    artel_run_t *run = stage_run("r");
    pthread_t threads[WAITERS];
    for (int i = 0; i < FUTURES; i++) {
        char name[16];
        snprintf(name, sizeof name, "m-%d", i);
        artel_artifact_t *artifact = s_bytes(name, name);
        OK(artel_run_log_artifact(run, artifact, &s_futures[i]));
        artel_artifact_destroy(&artifact);
    }
    for (size_t i = 0; i < WAITERS; i++)
        pthread_create(&threads[i], NULL, s_wait_for_some, (void *) i);
    for (size_t i = 0; i < WAITERS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < FUTURES; i++)
        artel_future_destroy(&s_futures[i]);
    stage_close();
    SQL_IS("240", "SELECT count(*) FROM versions");
}

Test(artifact, poll_turns_to_one_by_itself)
{
    artel_run_t *run = stage_run("r");
    artel_future_t *future;
    artel_artifact_t *artifact = s_bytes("m", "x");
    OK(artel_run_log_artifact(run, artifact, &future));
    int done = 0;
    for (int64_t end = stage_now_ms() + WAIT_MS; !done && stage_now_ms() < end; )
        done = artel_future_poll(future);
    cr_assert_eq(done, 1);
    OK(artel_future_wait(future, 0));
    artel_future_destroy(&future);
    artel_artifact_destroy(&artifact);
}

Test(artifact, a_future_outlives_its_client)
{
    artel_run_t *run = stage_run("r");
    artel_future_t *known, *unknown;
    artel_artifact_t *artifact = s_bytes("m", "x");
    OK(artel_run_log_artifact(run, artifact, &known));
    OK(artel_run_log_artifact(run, artifact, &unknown));
    OK(artel_future_wait(known, WAIT_MS));
    stage_close();
    OK(artel_future_wait(known, WAIT_MS));
    cr_assert_eq(artel_future_wait(unknown, WAIT_MS), ARTEL_ECLOSED);
    artel_version_info_t info = { .size = sizeof info };
    OK(artel_future_info(known, &info));
    cr_assert_eq(info.version, 0);
    artel_future_destroy(&known);
    artel_future_destroy(&unknown);
    artel_artifact_destroy(&artifact);
}

Test(artifact, using_one_records_the_lineage)
{
    artel_run_t *producer = stage_run("producer"), *consumer = stage_run("consumer");
    s_log_and_wait(producer, s_bytes("m", "x"));
    artel_version_info_t info = { .size = sizeof info };
    OK(artel_run_use_artifact(consumer, "m:v0", &info));
    cr_assert(info.version == 0 && info.files == 1);
    OK(artel_run_download(producer, "m", s_path("out"), &info));
    cr_assert_str_eq(s_read("out/file"), "x");
    stage_close();
    SQL_IS("consumer|in|m|0\nproducer|in|m|0\nproducer|out|m|0",
           "SELECT run, direction, name, version FROM artifact_lineage ORDER BY run, direction");
}

Test(artifact, what_is_not_there_is_not_found)
{
    artel_run_t *run = stage_run("r");
    RC(artel_find(stage_artel, "nothing", NULL), ARTEL_ENOENT);
    s_log_and_wait(run, s_bytes("m", "x"));
    RC(artel_find(stage_artel, "m:v7", NULL), ARTEL_ENOENT);
    cr_assert(strstr(stage_error(), "\"m\"") && strstr(stage_error(), "v7"), "%s", stage_error());
    RC(artel_find(stage_artel, "m:", NULL), ARTEL_EINVAL);
    RC(artel_find(stage_artel, "", NULL), ARTEL_EINVAL);
    RC(artel_download(stage_artel, "m", "", NULL), ARTEL_EINVAL);
    RC(artel_run_use_artifact(run, "m:nobody", NULL), ARTEL_ENOENT);
}

Test(artifact, a_damaged_blob_is_named_and_nothing_false_is_written)
{
    artel_run_t *run = stage_run("r");
    s_log_and_wait(run, s_bytes("m", "precious"));
    char command[900];
    snprintf(command, sizeof command, "for f in %s/blobs/packs/*.pack; do chmod u+w $f; sed -i s/precious/damaged!/ $f;"
             " done", stage_dir);
    cr_assert_eq(system(command), 0);
    RC(artel_download(stage_artel, "m", s_path("out"), NULL), ARTEL_ECORRUPT);
    cr_assert(strstr(stage_error(), "file"), "%s", stage_error());
    cr_assert_neq(access(s_path("out/file"), F_OK), 0);
}
