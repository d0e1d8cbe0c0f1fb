//  Many writers, one run: who makes it, when it is over, with which code, and whose the rows are.

#include "client.h"
#include "stage.h"

#include <pthread.h>
#include <stdatomic.h>

TestSuite(ranks, .init = stage_up, .fini = stage_down, .timeout = 100);

enum { WORLD = 8, ROWS = 50 };

static int
s_try_join(uint32_t rank, uint32_t world, artel_run_t **ret)
{
    return artel_run_join(stage_artel, &(artel_run_options_t) { .size = sizeof(artel_run_options_t), .id = "r" }, rank,
                          world, ret);
}

static artel_run_t *
s_join(uint32_t rank, uint32_t world)
{
    artel_run_t *run;
    OK(s_try_join(rank, world, &run));
    return run;
}

//  Files of ranks that were removed, and how many of them with the client's lock held.
static atomic_int s_removed, s_removed_locked;

int
unlink(const char *path)
{
    if (stage_artel && strstr(path, "/clients/r.")) {
        bool is_free = artel_lock_soon(&stage_artel->lock, 1000);
        if (is_free)
            pthread_mutex_unlock(&stage_artel->lock);
        s_removed++;
        s_removed_locked += !is_free;
    }
    return unlinkat(AT_FDCWD, path, 0);
}

Test(ranks, are_given_back_without_a_lock_held_that_a_slow_disk_would_keep_from_others)
{
    artel_run_t *run = s_join(0, 2);
    OK(artel_run_finish(&run, 0));
    cr_assert_eq(s_removed, 1);
    run = s_join(1, 2);                         //  the client's end is its own
    artel_t *client = artel_client_ref(stage_artel);
    int rc = artel_close(&(artel_t *) { stage_artel }, WAIT_MS);
    stage_artel = NULL;
    artel_client_unref(client);
    OK(rc);
    cr_assert_eq(s_removed, 2);
    cr_assert_eq(s_removed_locked, 0);
}

//  End a rank, and wait until that is in the store.
static void
s_finish(artel_run_t *run, int code)
{
    OK(artel_run_finish(&run, code));
    stage_close();
    stage_open("store");
}

static void
s_start_and_finish(uint32_t rank, uint32_t world, int code)
{
    s_finish(s_join(rank, world), code);
}

Test(ranks, count_their_own_steps_and_go_on_with_them_when_they_join_again)
{
    static const uint32_t ranks[] = { 0, 1, 1, 0 };
    static const int rows[] = { 5, 2, 1, 1 };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        artel_run_t *run = s_join(ranks[i], 2);
        for (int k = 0; k < rows[i]; k++)
            OK(artel_run_log(run, "k", ARTEL_AUTO_STEP, k));
        OK(artel_run_finish(&run, 0));
    }
    stage_close();
    SQL_IS("0|0,1,2,3,4,5\n1|0,1,2", "SELECT rank, group_concat(step) FROM (SELECT rank, step FROM history"
           " ORDER BY rank, step) GROUP BY rank");
}

//  The owner: whoever starts or resumes the run.
static artel_run_t *
s_own(int resume)
{
    artel_run_t *run;
    OK(artel_run_start(stage_artel, &(artel_run_options_t) { .size = sizeof(artel_run_options_t), .id = "r",
                                                             .resume = resume }, &run));
    return run;
}

//  So that what comes next is later by the clock that records are stamped with.
static void
s_pass_a_millisecond(void)
{
    for (int64_t now = stage_now_ms(); stage_now_ms() < now + 2; )
        continue;
}

#define STATE_IS(wanted) SQL_IS(wanted, "SELECT state, exit_code FROM runs")

static void *
s_be_a_rank(void *arg)
{
    artel_run_t *run = s_join((uint32_t) (uintptr_t) arg, WORLD);
    for (int i = 0; i < ROWS; i++)
        OK(artel_run_log(run, "k", ARTEL_AUTO_STEP, (double) (uintptr_t) arg));
    OK(artel_run_finish(&run, 0));
    return NULL;
}

Test(ranks, that_come_at_once_make_one_run_and_each_row_knows_whose_it_is)
{
    pthread_t threads[WORLD];
    for (uintptr_t i = 0; i < WORLD; i++)
        pthread_create(&threads[i], NULL, s_be_a_rank, (void *) i);
    for (int i = 0; i < WORLD; i++)
        pthread_join(threads[i], NULL);
    stage_close();
    SQL_IS("r|8|400|finished|0", "SELECT run, world, rows, state, exit_code FROM runs");
    SQL_IS("8|8|0|7", "SELECT count(*), count(DISTINCT rank), min(rank), max(rank) FROM writers");
    SQL_IS("400|50", "SELECT count(*), count(*) / count(DISTINCT rank) FROM history WHERE value = rank");
    SQL_IS("400|0|399", "SELECT count(DISTINCT row), min(row), max(row) FROM history");
}

Test(ranks, that_have_not_all_ended_leave_the_run_running_also_one_that_comes_late_or_never)
{
    s_start_and_finish(1, 3, 0);
    STATE_IS("running|");
    s_start_and_finish(0, 3, 0);
    STATE_IS("running|");
    artel_run_t *late = s_join(2, 3);
    OK(artel_run_log(late, "k", 0, 1));
    OK(artel_run_flush(late, ARTEL_DELIVERED, WAIT_MS));
    STATE_IS("running|");
    s_finish(late, 0);
    STATE_IS("finished|0");
}

Test(ranks, one_that_ends_badly_is_the_runs_exit_code_and_the_first_of_them_counts)
{
    artel_run_t *second = s_join(1, 4), *third = s_join(2, 4), *fourth = s_join(3, 4);
    artel_run_t *first = s_join(0, 4);
    OK(artel_run_finish(&first, 0));
    OK(artel_run_finish(&third, 7));
    OK(artel_run_flush(second, ARTEL_DELIVERED, WAIT_MS));
    s_pass_a_millisecond();
    OK(artel_run_finish(&second, 3));
    OK(artel_run_finish(&fourth, 0));
    stage_close();
    STATE_IS("failed|7");
}

Test(ranks, of_which_one_failed_and_one_never_comes_are_not_waited_for)
{
    s_start_and_finish(0, 3, 0);
    s_start_and_finish(1, 3, 2);
    STATE_IS("failed|2");
    s_start_and_finish(2, 3, 0);                //  it came after all
    STATE_IS("failed|2");
}

Test(ranks, end_when_the_owner_of_the_run_does)
{
    artel_run_t *owner = s_own(ARTEL_RESUME_NEVER), *worker = s_join(0, 4);
    OK(artel_run_log(owner, "k", 0, 1));
    OK(artel_run_log(worker, "k", 0, 2));
    OK(artel_run_flush(owner, ARTEL_DELIVERED, WAIT_MS));
    OK(artel_run_flush(worker, ARTEL_DELIVERED, WAIT_MS));
    STATE_IS("running|");
    SQL_IS("1.0|\n2.0|0", "SELECT value, rank FROM history ORDER BY value");
    OK(artel_run_finish(&owner, 0));
    for (int64_t end = stage_now_ms() + WAIT_MS; stage_now_ms() < end; usleep(5000))
        if (strcmp(stage_sql("SELECT state FROM runs"), "running") != 0)
            break;
    STATE_IS("finished|0");
    s_finish(worker, 5);                        //  its code is told all the same
    STATE_IS("failed|5");
}

Test(ranks, are_not_waited_for_by_an_owner_who_comes_later_to_end_the_run)
{
    s_start_and_finish(0, 3, 0);
    STATE_IS("running|");
    s_finish(s_own(ARTEL_RESUME_MUST), 0);
    STATE_IS("finished|0");
}

Test(ranks, that_say_another_world_are_refused_with_what_the_run_has)
{
    artel_run_t *run = s_join(0, 4), *other;
    RC(s_try_join(1, 8, &other), ARTEL_EINVAL);
    cr_assert(strstr(stage_error(), "rank 1 of 8") && strstr(stage_error(), "4 ranks"), "%s", stage_error());
    s_finish(run, 0);
    RC(s_try_join(1, 3, &other), ARTEL_EINVAL);
    SQL_IS("1", "SELECT count(*) FROM writers");
    s_finish(s_own(ARTEL_RESUME_MUST), 0);      //  who owns the run says nothing of ranks
    RC(s_try_join(1, 3, &other), ARTEL_EINVAL);
    s_start_and_finish(1, 4, 0);
}

Test(ranks, one_that_is_taken_is_refused_with_who_has_it_until_that_has_finished)
{
    artel_run_t *run = s_join(1, 4), *other;
    RC(s_try_join(1, 4, &other), ARTEL_ELOCKED);
    char pid[32];
    snprintf(pid, sizeof pid, "(pid %d)", (int) getpid());
    cr_assert(strstr(stage_error(), "run r ") && strstr(stage_error(), "rank 1 of 4") && strstr(stage_error(), pid),
              "%s", stage_error());
    s_finish(run, 0);
    SQL_IS("1", "SELECT count(*) FROM writers");    //  who was refused left nothing
    s_start_and_finish(1, 4, 0);
}

Test(ranks, are_free_again_when_they_could_not_be_started)
{
    artel_run_options_t must = { .size = sizeof must, .id = "r", .resume = ARTEL_RESUME_MUST };
    artel_run_t *run;
    RC(artel_run_join(stage_artel, &must, 0, 2, &run), ARTEL_ENOENT);
    s_start_and_finish(0, 2, 0);
}

Test(ranks, may_make_a_world_in_a_run_that_was_there)
{
    artel_run_t *owner = s_own(ARTEL_RESUME_NEVER), *worker = s_join(0, 2), *other;
    RC(s_try_join(1, 4, &other), ARTEL_EINVAL);
    OK(artel_run_finish(&worker, 0));
    OK(artel_run_finish(&owner, 0));
    stage_close();
    SQL_IS("r|2|finished|0", "SELECT run, world, state, exit_code FROM runs");
}

Test(ranks, that_cannot_be_are_refused_with_a_sentence)
{
    artel_run_t *run;
    artel_run_options_t o = { .size = sizeof o, .id = "r" };
    RC(artel_run_join(stage_artel, &o, 4, 4, &run), ARTEL_EINVAL);
    cr_assert(strstr(stage_error(), "rank 4 of 4"), "%s", stage_error());
    RC(artel_run_join(stage_artel, &o, 0, 0, &run), ARTEL_EINVAL);
    RC(artel_run_join(stage_artel, &o, 0, UINT32_MAX, &run), ARTEL_EINVAL);
    RC(artel_run_join(stage_artel, &o, 0, 1, NULL), ARTEL_EINVAL);
    RC(artel_run_join(NULL, &o, 0, 1, &run), ARTEL_EINVAL);
    RC(artel_run_join(stage_artel, NULL, 0, 2, &run), ARTEL_EINVAL);
    cr_assert(strstr(stage_error(), "ARTEL_RUN_ID"), "%s", stage_error());
    o.resume = ARTEL_RESUME_MUST;
    RC(artel_run_join(stage_artel, &o, 0, 2, &run), ARTEL_ENOENT);
    OK(artel_run_join(stage_artel, NULL, 0, 1, &run));      //  alone it needs to meet nobody
    setenv("ARTEL_RUN_ID", "from-env", 1);
    OK(artel_run_join(stage_artel, NULL, 1, 2, &run));
    cr_assert_str_eq(artel_run_id(run), "from-env");
}

Test(ranks, leave_what_the_owner_said_of_the_run)
{
    artel_run_t *owner, *worker;
    OK(artel_run_start(stage_artel, &(artel_run_options_t) { .size = sizeof(artel_run_options_t), .id = "r",
        .project = "pro", .name = "a name", .notes = "n", .tags = (const char *const[]) { "t", NULL } }, &owner));
    OK(artel_run_flush(owner, ARTEL_DELIVERED, WAIT_MS));
    worker = s_join(0, 1);
    OK(artel_run_flush(worker, ARTEL_DELIVERED, WAIT_MS));
    SQL_IS("pro|a name|n|t", "SELECT project, name, notes, tag FROM runs JOIN tags ON tags.run = runs.id");
    SQL_IS("pro", "SELECT project FROM projects");
}

Test(ranks, that_nobody_named_are_in_the_default_project_under_their_id)
{
    s_start_and_finish(0, 1, 0);
    SQL_IS("default|r", "SELECT project, name FROM runs");
    SQL_IS("default", "SELECT project FROM projects");
}

Test(ranks, one_that_joins_again_makes_good_what_it_left)
{
    s_start_and_finish(0, 2, 0);
    s_start_and_finish(1, 2, 9);
    STATE_IS("failed|9");
    s_start_and_finish(1, 2, 0);
    STATE_IS("finished|0");
    SQL_IS("0\n1\n1", "SELECT rank FROM writers ORDER BY rank");
}
