//  A service that is started again with other sinks, beside a program that goes on.

#include "stage.h"

#include <pthread.h>
#include <stdatomic.h>

static char s_other[300];               //  a list with the sink "other" alone
static char s_both[320];                //  "store", and that
static atomic_int s_told;               //  warnings that the sinks are others
static char s_text[512];                //  the last

static void
s_log(void *arg, int level, const char *text)
{
    (void) arg;
    if (level < ARTEL_LOG_WARNING || !strstr(text, "other sinks"))
        return;
    snprintf(s_text, sizeof s_text, "%s", text);
    s_told++;
}

static void
s_serve(const char *sinks)
{
    setenv("ARTEL_SINKS", sinks, 1);
    cr_assert((stage_service = served_start(stage_dir)) > 0, "no service answers");
    unsetenv("ARTEL_SINKS");
}

//  The program has seen it when a run of the next service is open.
static artel_run_t *
s_serve_again(const char *sinks, const char *id)
{
    kill(stage_service, SIGKILL);
    waitpid(stage_service, NULL, 0);
    s_serve(sinks);
    return stage_run(id);
}

static void
s_setup(void)
{
    snprintf(stage_dir, sizeof stage_dir, "/tmp/artel-XXXXXX");
    cr_assert(mkdtemp(stage_dir) != NULL);
    snprintf(s_other, sizeof s_other, "other=store:%s/other", stage_dir);
    snprintf(s_both, sizeof s_both, "store,%s", s_other);
}

TestSuite(sinks, .init = s_setup, .fini = stage_down, .timeout = 100);

static void
s_open(const char *sinks)
{
    s_serve(sinks);
    OK(artel_open(&(artel_options_t) { .size = sizeof(artel_options_t), .dir = stage_dir, .log = s_log }, &stage_artel));
}

Test(sinks, a_wait_for_one_that_the_service_has_no_more_ends_and_says_so)
{
    s_open(s_both);
    artel_run_t *run = stage_run("r");
    OK(artel_run_flush(run, ARTEL_DELIVERED, WAIT_MS));
    stage_stop_store();
    artel_future_t *future = stage_log(run, "m", NULL);
    RC(artel_future_wait(future, 100), ARTEL_ETIMEOUT);

    artel_run_t *later = s_serve_again(s_other, "q");
    RC(artel_future_wait(future, WAIT_MS), ARTEL_ENOENT);
    cr_assert(strstr(stage_error(), "sink store: the node has no sink of this name"), "%s", stage_error());
    RC(artel_future_wait_sink(future, "store", WAIT_MS), ARTEL_ENOENT);
    OK(artel_future_wait_sink(future, "other", WAIT_MS));
    OK(artel_run_flush(run, ARTEL_DELIVERED, WAIT_MS));     //  to the primary that there is
    OK(artel_run_flush(later, ARTEL_DELIVERED, WAIT_MS));
    stage_start_store();

    s_serve_again("store", "p");
    OK(artel_future_wait(future, WAIT_MS));                 //  the answer was not for ever
    artel_future_destroy(&future);
}

static void *
s_wait(void *future)
{
    return (void *) (intptr_t) artel_future_wait(future, WAIT_MS);
}

Test(sinks, a_wait_under_way_ends_when_the_sink_is_gone)
{
    pthread_t thread;
    void *rc;
    s_open(s_both);
    stage_stop_store();
    artel_run_t *run = stage_run("r");
    artel_future_t *future = stage_log(run, "m", NULL);
    pthread_create(&thread, NULL, s_wait, future);
    s_serve_again(s_other, "q");
    pthread_join(thread, &rc);
    cr_assert_eq((intptr_t) rc, ARTEL_ENOENT, "%s", artel_error_name((int) (intptr_t) rc));
    stage_start_store();
    artel_future_destroy(&future);
}

Test(sinks, a_new_one_takes_what_runs_log_that_are_started_now)
{
    s_open("store");
    artel_run_t *old = stage_run("old");
    artel_future_t *before = stage_log(old, "m", NULL);
    OK(artel_future_wait(before, WAIT_MS));
    artel_run_t *run = s_serve_again(s_both, "new");
    artel_future_t *after = stage_log(run, "m", NULL);
    OK(artel_future_wait_sink(after, "other", WAIT_MS));
    RC(artel_future_wait_sink(before, "other", WAIT_MS), ARTEL_ENOENT);
    cr_assert(strstr(stage_error(), "when the run was started"), "%s", stage_error());
    artel_future_destroy(&before);
    artel_future_destroy(&after);
}

Test(sinks, that_are_others_are_told_once)
{
    s_open("store");
    s_serve_again("store", "a");
    cr_assert_eq(s_told, 0, "%s", s_text);
    s_serve_again(s_both, "b");
    s_serve_again(s_both, "c");
    cr_assert_eq(s_told, 1);
    cr_assert(strstr(s_text, "delivers to store=store,other=store:"), "%s", s_text);
}

Test(sinks, downloads_read_from_where_the_primary_of_now_has_its_blobs)
{
    char into[300], blobs[300];
    s_open("store");
    artel_run_t *run = s_serve_again(s_other, "r");
    artel_future_t *future = stage_log(run, "m", NULL);
    OK(artel_future_wait(future, WAIT_MS));
    snprintf(into, sizeof into, "%s/into", stage_dir);
    snprintf(blobs, sizeof blobs, "%s/blobs", stage_dir);
    nftw(blobs, stage_unlink, 16, FTW_DEPTH | FTW_PHYS);    //  what the program itself had read
    OK(artel_download(stage_artel, "m", into, NULL));
    artel_future_destroy(&future);
}

//  Nothing that could still come delivers it: neither flush nor close waits until its deadline.
Test(sinks, a_run_that_goes_to_none_of_them_is_waited_for_by_nobody)
{
    s_open("store");
    artel_run_t *run = stage_run("r");
    OK(artel_run_flush(run, ARTEL_DELIVERED, WAIT_MS));
    artel_run_t *later = s_serve_again(s_other, "q");
    OK(artel_run_finish(&later, 0));
    OK(artel_run_log(run, "k", 0, 1));
    TAKES(0, artel_run_flush(run, ARTEL_DELIVERED, WAIT_MS), ARTEL_ENOENT);
    cr_assert(strstr(stage_error(), "other sinks"), "%s", stage_error());
    TAKES(0, artel_close(&stage_artel, WAIT_MS), ARTEL_EPENDING);
}

Test(sinks, a_run_that_goes_to_one_that_is_not_the_primary_any_more_is_delivered_there)
{
    s_open(s_other);
    artel_run_t *run = stage_run("r");
    OK(artel_run_flush(run, ARTEL_DELIVERED, WAIT_MS));
    artel_run_t *later = s_serve_again(s_both, "q");
    OK(artel_run_log(run, "k", 0, 1));
    artel_future_t *future = stage_log(run, "m", NULL);
    OK(artel_future_wait(future, WAIT_MS));
    RC(artel_future_wait_sink(future, "store", WAIT_MS), ARTEL_ENOENT);
    OK(artel_run_flush(run, ARTEL_DELIVERED, WAIT_MS));
    OK(artel_run_finish(&later, 0));
    artel_future_destroy(&future);
    OK(artel_close(&stage_artel, WAIT_MS));
}
