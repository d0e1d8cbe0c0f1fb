//  The thread that waits for the disk.

#include "actors.h"
#include "adopt.h"
#include "reader.h"
#include "syncer.h"

static zactor_t *s_syncer;
static zsock_t *s_sock;

static void
s_setup(void)
{
    zsock_t *end;
    s_begin();
    cr_assert_eq(artel_sock_pair(&s_sock, &end), 0);
    artel_syncer_args_t args = { .start.name = "artel/syncer", .state = s_state, .sinks = "store=store",
                                 .writer = end };
    cr_assert_eq(artel_actor_start(&s_syncer, artel_syncer, &args.start), 0);
}

static void
s_teardown(void)
{
    s_stop_worker(&s_syncer, &s_sock);
}

TestSuite(syncer, .init = s_setup, .fini = s_teardown, .timeout = 30);

static void
s_ask(artel_sync_job_t job)
{
    snprintf(job.run, sizeof job.run, "r");
    job.writer = s_id;
    s_send_struct(s_sock, &job, sizeof job);
}

static artel_sync_job_t
s_answer(void)
{
    artel_sync_job_t job;
    s_recv_struct(s_sock, &job, sizeof job);
    return job;
}

static artel_sync_job_t
s_do(artel_sync_job_t job)
{
    s_ask(job);
    return s_answer();
}

Test(syncer, opens_a_new_journal_syncs_it_and_closes_it)
{
    artel_sync_job_t job = s_do((artel_sync_job_t) { .op = ARTEL_SYNC_OPEN });
    cr_assert_eq(job.rc, 0);
    cr_assert_eq(job.counter, 0);
    s_append(job.journal, (batch_t) { .writer = s_id, .counter = 1 });
    cr_assert_eq(artel_journal_durable(job.journal), 0);
    job = s_do((artel_sync_job_t) { .op = ARTEL_SYNC_SYNC, .journal = job.journal });
    cr_assert_eq(job.rc, 0);
    cr_assert_eq(job.counter, 1);
    cr_assert_eq(artel_journal_durable(job.journal), 1);
    s_do((artel_sync_job_t) { .op = ARTEL_SYNC_CLOSE, .journal = job.journal });
    job = s_do((artel_sync_job_t) { .op = ARTEL_SYNC_OPEN });
    cr_assert_eq(job.counter, 1, "it goes on where it was");
    s_do((artel_sync_job_t) { .op = ARTEL_SYNC_CLOSE, .journal = job.journal });
}

Test(syncer, says_why_a_journal_cannot_be_opened)
{
    artel_sync_job_t job = s_do((artel_sync_job_t) { .op = ARTEL_SYNC_OPEN, .resumes = ARTEL_RESUMES_MUST });
    cr_assert_eq(job.rc, ARTEL_ENOENT);
    artel_journal_t *journal = s_create("r", s_id, "store");
    job = s_do((artel_sync_job_t) { .op = ARTEL_SYNC_OPEN });
    cr_assert_eq(job.rc, ARTEL_ELOCKED);
    artel_journal_close(&journal);
}

static int
s_ignore(void *arg, const artel_adopted_t *adopted)
{
    (void) arg, (void) adopted;
    return 0;
}

//  Its next batch has the number of the end that it does not know of.
Test(syncer, lets_no_writer_go_on_behind_the_end_that_another_wrote_for_it)
{
    char why[256];
    s_make_journal("r", s_id, "store=store", 2, false);
    cr_assert_eq(artel_adopt_all(s_state, s_ignore, NULL, why, sizeof why), 0);
    for (int i = 0; i < 2; i++) {               //  and keeps it from nobody else
        artel_sync_job_t job = s_do((artel_sync_job_t) { .op = ARTEL_SYNC_OPEN, .resumes = ARTEL_RESUMES_ALLOW });
        cr_assert_eq(job.rc, ARTEL_ELOST);
        cr_assert_null(job.journal);
        cr_assert_eq(job.counter, 2, "%d", (int) job.counter);
    }
}

Test(syncer, lets_a_writer_go_on_behind_an_end_of_its_own)
{
    s_make_journal("r", s_id, "store=store", 2, true);
    artel_sync_job_t job = s_do((artel_sync_job_t) { .op = ARTEL_SYNC_OPEN });
    cr_assert_eq(job.rc, 0);
    cr_assert_eq(job.counter, 2);
    s_do((artel_sync_job_t) { .op = ARTEL_SYNC_CLOSE, .journal = job.journal });
}

Test(syncer, writes_the_wanted_sinks_into_what_it_makes)
{
    artel_journal_reader_t *reader;
    artel_sync_job_t job = s_do((artel_sync_job_t) { .op = ARTEL_SYNC_OPEN });
    cr_assert_eq(artel_journal_reader_open(s_state, "r", s_id, &reader), 0);
    cr_assert_str_eq(artel_journal_reader_sinks(reader), "store=store");
    artel_journal_reader_close(&reader);
    s_do((artel_sync_job_t) { .op = ARTEL_SYNC_CLOSE, .journal = job.journal });
}

//  A hundred jobs are asked for at once, the last one urgently.
Test(syncer, does_first_what_somebody_waits_for)
{
    enum { N = 100 };
    artel_journal_t *journal = s_create("r", s_id, "store");
    for (uint64_t i = 1; i <= N; i++) {
        s_append(journal, (batch_t) { .writer = s_id, .counter = i });
        s_ask((artel_sync_job_t) { .op = ARTEL_SYNC_SYNC, .journal = journal, .counter = i });
    }
    s_ask((artel_sync_job_t) { .op = ARTEL_SYNC_SYNC, .journal = journal, .urgent = true });
    int at = -1;
    for (int i = 0; i <= N; i++)
        if (s_answer().urgent)
            at = i;
    cr_assert_geq(at, 0);
    cr_assert_lt(at, N, "it came last");
    artel_journal_close(&journal);
}

Test(syncer, does_what_was_asked_before_it_ends)
{
    artel_sync_job_t job = s_do((artel_sync_job_t) { .op = ARTEL_SYNC_OPEN });
    for (uint64_t i = 1; i <= 50; i++) {
        s_append(job.journal, (batch_t) { .writer = s_id, .counter = i });
        s_ask((artel_sync_job_t) { .op = ARTEL_SYNC_SYNC, .journal = job.journal });
    }
    s_ask((artel_sync_job_t) { .op = ARTEL_SYNC_CLOSE, .journal = job.journal });
    cr_assert_eq(artel_actor_stop(&s_syncer, 5000), 0);
    for (int i = 0; i < 50; i++)
        cr_assert_eq(s_answer().rc, 0);
    cr_assert_eq(s_answer().op, ARTEL_SYNC_CLOSE);
}
