//  The link to a service that is restarted, refuses, forgets, or says nothing: the node is played.

#include "actor.h"
#include "client.h"
#include "link.h"
#include "played_node.h"
#include "scratch.h"

static artel_t *s_client;
static char s_endpoint[160], s_said[512];
static atomic_int s_warnings;

static void
s_log(void *arg, int level, const char *text)
{
    (void) arg;
    if (level >= ARTEL_LOG_WARNING) {
        snprintf(s_said, sizeof s_said, "%s", text);
        s_warnings++;
    }
}

static int
s_open(void)
{
    return artel_open(&(artel_options_t) { .size = sizeof(artel_options_t), .log = s_log, .queue_ms = -1 }, &s_client);
}

static void
s_setup(void)
{
    s_scratch_make();
    cr_assert_eq(mkdir(s_in("tmp"), 0700), 0);
    s_node.state = s_scratch;
    snprintf(s_endpoint, sizeof s_endpoint, "ipc://%s/socket", s_scratch);
    setenv("ARTEL_ENDPOINT", s_endpoint, 1);
    s_node_start(s_endpoint);
}

static void
s_teardown(void)
{
    if (s_client)
        artel_close(&s_client, 500);
    s_node_stop();
    s_scratch_remove();
}

TestSuite(link_service, .init = s_setup, .fini = s_teardown, .timeout = 60);

static artel_run_t *
s_run(void)
{
    artel_run_t *run;
    cr_assert_eq(s_open(), 0, "%s", artel_open_error());
    cr_assert_eq(artel_run_start(s_client, &(artel_run_options_t) { .size = sizeof(artel_run_options_t), .id = "r" },
                                 &run), 0);
    return run;
}

static void
s_restart_node(void)
{
    s_node.restart = true;
    while (s_node.restart)
        usleep(1000);
}

Test(link_service, greets_and_knows_then_where_the_state_is)
{
    artel_run_t *run = s_run();
    cr_assert_eq(s_node.hellos, 1);
    cr_assert_str_eq(s_client->dir, s_scratch);
    cr_assert_eq(artel_run_log(run, "k", 0, 1), 0);
    cr_assert_eq(artel_run_flush(run, ARTEL_DELIVERED, WAIT_MS), 0);
}

Test(link_service, is_told_at_once_that_it_speaks_another_protocol)
{
    s_node.welcome_code = ARTEL_EVERSION;
    int64_t begin = artel_now_ms();
    cr_assert_eq(s_open(), ARTEL_EVERSION);
    cr_assert_lt(artel_now_ms() - begin, 3000);
    cr_assert_not_null(strstr(artel_open_error(), s_endpoint), "%s", artel_open_error());
}

Test(link_service, waits_five_seconds_for_a_welcome)
{
    s_node.silent = true;
    int64_t begin = artel_now_ms();
    cr_assert_eq(s_open(), ARTEL_EUNAVAIL);
    int64_t took = artel_now_ms() - begin;
    cr_assert(took >= 5000 && took < 7000, "%d ms", (int) took);
}

Test(link_service, opens_its_journals_again_after_a_restart_and_sends_only_the_rest)
{
    artel_run_t *run = s_run();
    for (int i = 0; i < 20; i++) {
        cr_assert_eq(artel_run_log(run, "k", i, i), 0);
        cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), 0);
    }
    uint64_t accepted = s_node.accepted;
    int batches = s_node.batches;
    s_restart_node();
    cr_assert_eq(artel_run_log(run, "k", 20, 20), 0);
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), 0);
    cr_assert_eq(s_node.accepted, accepted + 1);
    cr_assert_eq(s_node.batches, batches + 1);
    cr_assert_eq(s_node.hellos, 2);
    cr_assert_eq(s_node.opens, 2);
    cr_assert_eq(s_warnings, 1);                //  told before it was looked for again
    cr_assert_not_null(strstr(s_said, "is gone"), "%s", s_said);
}

Test(link_service, sends_again_what_the_old_service_did_not_accept)
{
    artel_run_t *run = s_run();
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), 0);
    uint64_t accepted = s_node.accepted;
    s_node.silent = true;
    cr_assert_eq(artel_run_log(run, "k", 0, 1), 0);
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, 200), ARTEL_ETIMEOUT);
    s_node.accepted = accepted;                 //  it lost what it took
    s_node.silent = false;
    s_restart_node();
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), 0);
    cr_assert_eq(s_node.accepted, accepted + 1);
}

Test(link_service, a_journal_that_takes_no_more_takes_records_again_from_the_next_service)
{
    char text[512];
    artel_run_t *run = s_run();
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), 0);
    s_node.die = 1;
    cr_assert_eq(artel_run_log(run, "k", 0, 1), 0);
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, -1), ARTEL_EIO);
    cr_assert_eq(artel_run_log(run, "k", 1, 1), ARTEL_EIO);
    artel_error(s_client, text, sizeof text);
    cr_assert_not_null(strstr(text, "/a/file is dead"), "%s", text);

    int rc;
    s_restart_node();
    for (int64_t end = artel_now_ms() + WAIT_MS;    //  it may not have seen yet that the old one is gone
         (rc = artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS)) == ARTEL_EIO && artel_now_ms() < end; )
        continue;
    cr_assert_eq(rc, ARTEL_EFULL, "one was dropped, and the other is accepted: %s", artel_error_name(rc));
    cr_assert_eq(artel_run_log(run, "k", 2, 1), 0);
    cr_assert_eq(artel_run_flush(run, ARTEL_DELIVERED, WAIT_MS), 0);
}

Test(link_service, an_accepted_batch_that_the_next_service_has_not_is_told_as_lost)
{
    artel_run_t *run = s_run();
    cr_assert_eq(artel_run_log(run, "k", 0, 1), 0);
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), 0);
    s_node.accepted = 0;
    s_restart_node();
    artel_run_log(run, "k", 1, 1);
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), ARTEL_ELOST);
    char text[512];
    artel_error(s_client, text, sizeof text);
    cr_assert_not_null(strstr(text, "not in it any more"), "%s", text);
}

Test(link_service, asks_for_its_journal_until_the_next_service_has_it)
{
    artel_run_t *run = s_run();
    s_node.open_fails = 3;
    s_node.open_code = ARTEL_ELOCKED;
    s_restart_node();
    cr_assert_eq(artel_run_log(run, "k", 0, 1), 0);
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), 0);
    cr_assert_eq(s_node.opens, 5);
}

Test(link_service, a_journal_that_is_over_ends_the_waits_with_the_reason)
{
    artel_run_t *run = s_run();
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), 0);
    s_node.open_fails = 1;
    s_node.open_code = ARTEL_ECORRUPT;
    s_restart_node();
    cr_assert_eq(artel_run_log(run, "k", 0, 1), 0);
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), ARTEL_ECORRUPT);
}

//  What it had accepted before it was ended is accepted; what is sent later never comes under its number.
Test(link_service, a_journal_that_was_ended_for_its_program_tells_what_is_lost)
{
    char text[512];
    artel_run_t *run = s_run();
    cr_assert_eq(artel_run_log(run, "k", 0, 1), 0);
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), 0);
    uint64_t accepted = s_node.accepted;
    s_node.silent = true;
    for (int i = 1; i <= 2; i++) {              //  a batch each
        cr_assert_eq(artel_run_log(run, "k", i, 1), 0);
        cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, 200), ARTEL_ETIMEOUT);
    }
    s_node.open_accepted = accepted + 1;        //  the old service had taken the first
    s_node.open_fails = 1;
    s_node.open_code = ARTEL_ELOST;
    s_node.silent = false;
    s_restart_node();
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), ARTEL_ELOST);
    artel_error(s_client, text, sizeof text);
    cr_assert(strstr(text, "not now") && strstr(text, "lost"), "%s", text);
    cr_assert_eq(artel_run_log(run, "k", 3, 1), ARTEL_ELOST);
    uint64_t logged, count;
    artel_run_progress(run, &logged, &count);
    cr_assert(logged == 3 && count == 2, "%d logged, %d accepted", (int) logged, (int) count);
    cr_assert_eq(artel_close(&s_client, WAIT_MS), ARTEL_ELOST);
    cr_assert_not_null(strstr(artel_open_error(), "lost"), "%s", artel_open_error());
}

Test(link_service, a_wait_for_an_artifact_goes_on_with_the_next_service)
{
    artel_run_t *run = s_run();
    artel_artifact_t *artifact;
    artel_future_t *future;
    s_node.pending = 1000000;
    cr_assert_eq(artel_artifact_new("m", NULL, &artifact), 0);
    cr_assert_eq(artel_artifact_add_bytes(artifact, "x", "1", 1), 0);
    cr_assert_eq(artel_run_log_artifact(run, artifact, &future), 0);
    cr_assert_eq(artel_future_wait(future, 200), ARTEL_ETIMEOUT);
    s_restart_node();
    s_node.pending = 0;
    cr_assert_eq(artel_future_wait(future, WAIT_MS), 0);
    artel_future_destroy(&future);
    artel_artifact_destroy(&artifact);
}

Test(link_service, goes_on_with_a_service_whose_sinks_it_does_not_understand)
{
    artel_run_t *run = s_run();
    s_node.sinks = "store=store,later=later:/there";
    s_restart_node();
    cr_assert_eq(artel_run_log(run, "k", 0, 1), 0);
    cr_assert_eq(artel_run_flush(run, ARTEL_DELIVERED, WAIT_MS), 0);
    cr_assert_eq(s_node.hellos, 2);
}

Test(link_service, does_not_open_a_client_of_one_whose_sinks_it_does_not_understand)
{
    s_node.sinks = "later=later:/there";
    cr_assert_eq(s_open(), ARTEL_EINVAL);
}

//  A cancel is answered for the primary sink, which is another one now: nobody would know that answer, and the
//  connection be given up after 15 s of silence.
Test(link_service, a_cancel_for_a_sink_that_is_the_primary_no_more_is_a_question_about_that_sink)
{
    s_node.sinks = "copy=store:/elsewhere";
    artel_run_t *run = s_run();
    artel_artifact_t *artifact;
    artel_future_t *future;
    cr_assert_eq(artel_artifact_new("m", NULL, &artifact), 0);
    cr_assert_eq(artel_artifact_add_bytes(artifact, "x", "1", 1), 0);
    cr_assert_eq(artel_run_log_artifact(run, artifact, &future), 0);
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), 0);
    int opens = s_node.opens;
    s_node.sinks = "store=store,copy=store:/elsewhere";
    s_restart_node();
    while (s_node.opens == opens)
        usleep(1000);
    int polls = s_node.polls;
    cr_assert_eq(artel_future_cancel(future), 0);
    while (s_node.polls == polls && s_node.cancels == 0)
        usleep(1000);
    cr_assert_eq(s_node.cancels, 0);
    artel_future_destroy(&future);
    artel_artifact_destroy(&artifact);
}

//  A lost answer: fifteen seconds of silence are the thing under test.
Test(link_service, a_service_that_says_nothing_is_greeted_anew)
{
    artel_run_t *run = s_run();
    s_node.silent = true;
    cr_assert_eq(artel_run_log(run, "k", 0, 1), 0);
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, 300), ARTEL_ETIMEOUT);
    s_node.silent = false;
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, 30000), 0);
    cr_assert_eq(s_node.hellos, 2);
}

//  An answer that takes four seconds, after thirteen in which nothing was asked.
Test(link_service, silence_counts_from_the_question_on)
{
    artel_run_t *run = s_run();
    cr_assert_eq(artel_run_flush(run, ARTEL_DELIVERED, WAIT_MS), 0);
    usleep(13000000);
    s_node.silent = true;
    cr_assert_eq(artel_run_log(run, "k", 0, 1), 0);
    cr_assert_eq(artel_run_flush(run, ARTEL_ACCEPTED, 4000), ARTEL_ETIMEOUT);
    cr_assert_eq(s_node.hellos, 1);
    cr_assert_eq(s_warnings, 0, "%s", s_said);
}

Test(link_service, close_ends_in_time_while_the_service_is_away)
{
    artel_run_t *run = s_run();
    s_node.silent = true;
    cr_assert_eq(artel_run_log(run, "k", 0, 1), 0);
    int64_t begin = artel_now_ms();
    cr_assert_eq(artel_close(&s_client, 300), ARTEL_ELOST);
    cr_assert_lt(artel_now_ms() - begin, 1500);
}
