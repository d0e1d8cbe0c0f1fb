//  Waiting for a sink that is slow, refuses, or is gone: every wait ends, and says what it knows.

#include "stage.h"

#include <glob.h>
#include <sys/stat.h>

TestSuite(future, .init = stage_up, .fini = stage_down, .timeout = 100);

Test(future, a_wait_on_a_sink_that_stands_still_ends_in_time_and_can_be_repeated)
{
    artel_run_t *run = stage_run("r");
    OK(artel_run_flush(run, ARTEL_DELIVERED, WAIT_MS));
    stage_stop_store();
    artel_future_t *future = stage_log(run, "m", NULL);
    TAKES(300, artel_future_wait(future, 300), ARTEL_ETIMEOUT);
    cr_assert(strstr(stage_error(), "store") && strstr(stage_error(), "wait again"), "%s", stage_error());
    TAKES(300, artel_run_flush(run, ARTEL_DELIVERED, 300), ARTEL_ETIMEOUT);
    OK(artel_run_flush(run, ARTEL_DURABLE, WAIT_MS));       //  the journal is not held up
    cr_assert_eq(artel_future_poll(future), 0);
    stage_start_store();
    OK(artel_future_wait(future, WAIT_MS));
    artel_future_destroy(&future);
}

Test(future, an_artifact_the_sink_refuses_ends_every_wait_with_the_reason)
{
    artel_run_t *run = stage_run("r");
    artel_future_t *first = stage_log(run, "m", "model"), *second = stage_log(run, "m", "dataset");
    char text[512];
    OK(artel_future_wait(first, WAIT_MS));
    RC(artel_future_wait(second, WAIT_MS), ARTEL_EREFUSED);
    cr_assert(strstr(stage_error(), "sink store: artifact 'm' has type 'model', not 'dataset'"), "%s", stage_error());
    RC(artel_future_wait(second, 0), ARTEL_EREFUSED);
    cr_assert_eq(artel_future_error(second, text, sizeof text), ARTEL_EREFUSED);
    cr_assert(strstr(text, "has type 'model'"), "%s", text);
    OK(artel_run_log(run, "k", 0, 1));
    OK(artel_run_flush(run, ARTEL_DELIVERED, WAIT_MS));     //  the run goes on
    artel_future_destroy(&first);
    artel_future_destroy(&second);
}

//  A catalogue that cannot be opened: a folder is where its file belongs.
Test(future, a_wait_on_a_sink_that_cannot_start_ends_in_time_and_says_why)
{
    char path[300];
    OK(artel_close(&stage_artel, WAIT_MS));
    snprintf(path, sizeof path, "%s/catalogue.db", stage_dir);
    cr_assert(access(path, F_OK) != 0 || unlink(path) == 0);
    cr_assert_eq(mkdir(path, 0700), 0);
    stage_open("store");
    artel_run_t *run = stage_run("r");
    artel_future_t *future = stage_log(run, "m", NULL);
    OK(artel_run_flush(run, ARTEL_DURABLE, WAIT_MS));
    TAKES(300, artel_future_wait(future, 300), ARTEL_ETIMEOUT);
    cr_assert(strstr(stage_error(), "catalogue"), "%s", stage_error());
    TAKES(300, artel_run_flush(run, ARTEL_DELIVERED, 300), ARTEL_ETIMEOUT);
    cr_assert_eq(rmdir(path), 0);
    OK(artel_future_wait(future, WAIT_MS));
    OK(artel_run_flush(run, ARTEL_DELIVERED, WAIT_MS));
    artel_future_destroy(&future);
}

Test(future, a_second_sink_that_is_gone_holds_up_only_those_who_wait_for_it)
{
    STAGE_LINKED();
    char place[300], sinks[400];
    OK(artel_close(&stage_artel, WAIT_MS));
    snprintf(place, sizeof place, "%s/disk", stage_dir);
    snprintf(sinks, sizeof sinks, "store,copy=store:%s/copy", place);
    cr_assert_eq(close(creat(place, 0600)), 0);             //  no folder: the disk is not mounted
    stage_open(sinks);
    artel_run_t *run = stage_run("r");
    artel_future_t *future = stage_log(run, "m", NULL);
    OK(artel_future_wait(future, WAIT_MS));
    OK(artel_run_flush(run, ARTEL_DELIVERED, WAIT_MS));
    TAKES(300, artel_future_wait_sink(future, "copy", 300), ARTEL_ETIMEOUT);
    cr_assert(strstr(stage_error(), "sink copy"), "%s", stage_error());
    cr_assert(unlink(place) == 0 && mkdir(place, 0700) == 0);
    OK(artel_future_wait_sink(future, "copy", WAIT_MS));
    artel_future_destroy(&future);
}

//  The first segment of the run's one journal.
static FILE *
s_open_segment(const char *run)
{
    char pattern[300];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/runs/%s/*/00000001.seg", stage_dir, run);
    cr_assert_eq(glob(pattern, 0, NULL, &found), 0, "%s", pattern);
    FILE *file = fopen(found.gl_pathv[0], "r+");
    cr_assert(file, "%s", found.gl_pathv[0]);
    globfree(&found);
    return file;
}

//  Change a byte of a text that it holds.
static void
s_damage(const char *run, const char *text)
{
    static char bytes[16384];
    FILE *file = s_open_segment(run);
    size_t len = fread(bytes, 1, sizeof bytes, file);
    const char *at = memmem(bytes, len, text, strlen(text));
    cr_assert(at, "%s is not there", text);
    cr_assert(fseek(file, at - bytes, SEEK_SET) == 0 && fputc('!', file) == '!' && fclose(file) == 0);
}

//  More batches than are handed to a sink at once; a later one is damaged before it is read.
Test(future, a_flush_says_once_that_a_journal_was_damaged_meanwhile)
{
    artel_run_t *run = stage_run("r");
    stage_stop_store();
    for (int i = 10; i < 30; i++) {
        char text[16];
        snprintf(text, sizeof text, "batch-%d.", i);
        artel_value_t row = { .key = "text", .type = ARTEL_TYPE_STRING, .string = text };
        OK(artel_run_log_row(run, ARTEL_AUTO_STEP, &row, 1));
        OK(artel_run_flush(run, ARTEL_DURABLE, WAIT_MS));
    }
    s_damage("r", "batch-27.");
    stage_start_store();
    RC(artel_run_flush(run, ARTEL_DELIVERED, WAIT_MS), ARTEL_ELOST);
    cr_assert(strstr(stage_error(), "1 batches of run r are lost"), "%s", stage_error());
    OK(artel_run_flush(run, ARTEL_DELIVERED, WAIT_MS));
}

Test(future, many_waits_with_deadlines_of_their_own_all_end_in_time)
{
    artel_run_t *run = stage_run("r");
    artel_future_t *futures[100];
    OK(artel_run_flush(run, ARTEL_DELIVERED, WAIT_MS));
    stage_stop_store();
    for (int i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "m-%d", i);
        futures[i] = stage_log(run, name, NULL);
    }
    for (int i = 0; i < 100; i += 10)
        TAKES(50, artel_future_wait(futures[i], 50), ARTEL_ETIMEOUT);
    stage_start_store();
    for (int i = 99; i >= 0; i--) {
        OK(artel_future_wait(futures[i], WAIT_MS));
        artel_future_destroy(&futures[i]);
    }
}
