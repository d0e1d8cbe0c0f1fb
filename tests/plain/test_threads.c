//  Every call from many threads at once, for ThreadSanitizer to look at, and for the counts to be right.

#include "session.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 6, ROWS = 1500, ARTIFACTS = 8, RESTARTS = 6 };

static artel_t *s_artel;
static artel_run_t *s_shared;
static atomic_int s_next;

//  Rows in the shared run, beside rows, settings and artifacts in a run of its own.
static void *
s_do_everything(void *arg)
{
    (void) arg;
    char id[32], name[48];
    snprintf(id, sizeof id, "run-%d", s_next++);
    artel_run_t *own;
    CHECK_OK(artel_run_start(s_artel, &(artel_run_options_t) { .size = sizeof(artel_run_options_t), .id = id }, &own));
    artel_value_t values[] = { { .key = id, .f64 = 1 }, { .key = "n", .type = ARTEL_TYPE_INT, .i64 = 2 } };
    for (int i = 0; i < ROWS; i++) {
        CHECK_OK(artel_run_log_row(s_shared, ARTEL_AUTO_STEP, values, 2));
        CHECK_OK(artel_run_log(own, "k", ARTEL_AUTO_STEP, i));
        if (i % 100 == 0)
            CHECK_OK(artel_run_flush(i % 200 ? own : s_shared, ARTEL_ACCEPTED + i / 100 % 2, 60000));
    }
    CHECK_OK(artel_run_config(own, values, 2));
    CHECK_OK(artel_run_summary(own, values, 2));
    CHECK_OK(artel_run_tags(own, (const char *const[]) { "t", NULL }));
    for (int i = 0; i < ARTIFACTS; i++) {
        snprintf(name, sizeof name, "%s-%d", id, i);
        artel_future_t *future = session_send(own, i % 2 ? name : "common");
        artel_future_poll(future);
        if (i % 3 == 0)
            CHECK_OK(artel_future_wait(future, 60000));
        artel_future_destroy(&future);          //  some are still under way
    }
    CHECK_OK(artel_run_finish(&own, 0));
    return NULL;
}

static void
many_threads_share_a_client_and_a_run(void)
{
    pthread_t threads[THREADS];
    s_artel = session_open(case_dir);
    s_shared = session_run(s_artel);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, s_do_everything, NULL) == 0, "pthread_create");
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    uint64_t logged, accepted;
    CHECK_OK(artel_run_flush(s_shared, ARTEL_DELIVERED, 90000));
    artel_run_progress(s_shared, &logged, &accepted);
    CHECK(logged == THREADS * ROWS && accepted == logged, "%d logged, %d accepted", (int) logged, (int) accepted);
    CHECK_OK(artel_close(&s_artel, 90000));
}

//  Clients of one directory, each in a thread, opened and closed while others work.
static void *
s_have_a_client(void *arg)
{
    (void) arg;
    for (int i = 0; i < 4; i++) {
        artel_t *artel = session_open(case_dir);
        session_log(session_run(artel), 50);
        CHECK_OK(artel_close(&artel, 60000));
    }
    return NULL;
}

static void
clients_come_and_go_in_threads(void)
{
    pthread_t threads[THREADS];
    session_serve();                            //  not by a thread: it would end with that
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, s_have_a_client, NULL) == 0, "pthread_create");
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static artel_future_t *s_future;

static void *
s_wait(void *arg)
{
    (void) arg;
    int rc = artel_future_wait(s_future, 60000);
    CHECK(rc == 0 || rc == ARTEL_ECANCELED, "wait is %s", artel_error_name(rc));
    return NULL;
}

//  One waits, one polls, one cancels; whoever is first decides.
static void
futures_are_waited_for_polled_and_canceled_at_once(void)
{
    s_artel = session_open(case_dir);
    s_shared = session_run(s_artel);
    for (int i = 0; i < 20; i++) {
        pthread_t waiters[3];
        char text[200];
        s_future = session_send(s_shared, "m");
        for (int k = 0; k < 3; k++)
            CHECK(pthread_create(&waiters[k], NULL, s_wait, NULL) == 0, "pthread_create");
        artel_future_poll(s_future);
        if (i % 2)
            CHECK_OK(artel_future_cancel(s_future));
        artel_future_error(s_future, text, sizeof text);
        for (int k = 0; k < 3; k++)
            pthread_join(waiters[k], NULL);
        artel_future_destroy(&s_future);
    }
    CHECK_OK(artel_close(&s_artel, 60000));
}

static char s_lists[2][400];            //  both sinks, and the second alone
static atomic_bool s_over;

//  No run is being started when the service is killed: whose journal was born, and the answer lost, takes the sinks
//  of the next service for its own.
static pthread_rwlock_t s_starting = PTHREAD_RWLOCK_INITIALIZER;

//  The call, though the sinks may be others by now.
#define CHECK_SINK(call) do { int rc_ = (call); \
    CHECK(rc_ == 0 || rc_ == ARTEL_ENOENT, "%s is %s", #call, artel_error_name(rc_)); } while (0)

static artel_run_t *
s_start_run(void)
{
    pthread_rwlock_rdlock(&s_starting);
    artel_run_t *run = session_run(s_artel);
    pthread_rwlock_unlock(&s_starting);
    return run;
}

static void *
s_wait_for_sinks(void *arg)
{
    (void) arg;
    for (char text[200]; !s_over; ) {
        artel_run_t *run = s_start_run();
        artel_future_t *future = session_send(run, "m");
        CHECK_SINK(artel_future_wait(future, 60000));
        CHECK_SINK(artel_future_wait_sink(future, "store", 60000));
        CHECK_SINK(artel_future_wait_sink(future, "other", 60000));
        artel_future_error(future, text, sizeof text);
        artel_future_destroy(&future);
        CHECK_SINK(artel_run_flush(run, ARTEL_DELIVERED, 60000));
        CHECK_OK(artel_run_finish(&run, 0));
    }
    return NULL;
}

//  A primary that changes between the answer and the fetch may lack the blobs.
static void *
s_fetch(void *arg)
{
    char into[300];
    snprintf(into, sizeof into, "%s/into-%d", case_dir, *(int *) arg);
    while (!s_over)
        (void) artel_download(s_artel, "m", into, NULL);
    return NULL;
}

static void
s_serve_again(const char *sinks)
{
    pthread_rwlock_wrlock(&s_starting);
    kill(session_service, SIGKILL);
    waitpid(session_service, NULL, 0);
    pthread_rwlock_unlock(&s_starting);
    setenv("ARTEL_SINKS", sinks, 1);
    session_service = served_start(case_dir);
    CHECK(session_service > 0, "no service answers");
}

//  The service is started again and again, in the end with all the sinks that there were: nothing is left.
static void
the_sinks_change_while_threads_wait_for_them(void)
{
    pthread_t threads[THREADS];
    int numbers[THREADS];
    snprintf(s_lists[0], sizeof s_lists[0], "store,other=store:%s/other", case_dir);
    snprintf(s_lists[1], sizeof s_lists[1], "other=store:%s/other", case_dir);
    setenv("ARTEL_SINKS", s_lists[0], 1);
    s_artel = session_open(case_dir);
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        CHECK(pthread_create(&threads[i], NULL, i % 3 ? s_wait_for_sinks : s_fetch, &numbers[i]) == 0,
              "pthread_create");
    }
    for (int i = 1; i <= RESTARTS; i++) {
        s_serve_again(s_lists[i % 2]);
        artel_run_t *run = s_start_run();       //  the client has seen it
        CHECK_OK(artel_run_finish(&run, 0));
    }
    s_over = true;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK_OK(artel_close(&s_artel, 60000));
}

int
main(int argc, char **argv)
{
#define CASE(name) { #name, name }
    const case_t cases[] = {
        CASE(many_threads_share_a_client_and_a_run),
        CASE(clients_come_and_go_in_threads),
        CASE(futures_are_waited_for_polled_and_canceled_at_once),
        { "the_sinks_change_while_threads_wait_for_them",
          served_is_wanted() ? the_sinks_change_while_threads_wait_for_them : NULL },
    };
    return case_main(cases, sizeof cases / sizeof *cases, argc > 1 ? argv[1] : NULL);
}
