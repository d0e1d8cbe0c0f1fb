//  fork(): the child is told, the parent is not disturbed, and the child may have a client of its own.

#include "sanitized.h"
#include "session.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

enum { ROWS = 500, CHILD_MS = 60000 };

//  Everything a parent can have open.
typedef struct {
    artel_t *artel;
    artel_run_t *run;
    artel_artifact_t *artifact;
    artel_future_t *future;
} open_t;

static open_t
s_open_all(void)
{
    open_t o = { .artel = session_open(case_dir) };
    o.run = session_run(o.artel);
    o.future = session_send(o.run, "m");
    CHECK_OK(artel_artifact_new("n", NULL, &o.artifact));
    return o;
}

//  Every entry of artel.h that takes a client, a run or a future.
static void
s_all_say_forked(open_t *o)
{
    artel_value_t value = { .key = "k" };
    artel_future_t *future;
    artel_run_t *run;
    char text[100];
    CHECK_RC(artel_error(o->artel, text, sizeof text), ARTEL_EFORKED);
    CHECK(*text, "the error has no text");
    CHECK_RC(artel_run_start(o->artel, NULL, &run), ARTEL_EFORKED);
    CHECK_RC(artel_run_join(o->artel, NULL, 0, 2, &run), ARTEL_EFORKED);
    CHECK_RC(artel_find(o->artel, "m", NULL), ARTEL_EFORKED);
    CHECK_RC(artel_download(o->artel, "m", "/nowhere", NULL), ARTEL_EFORKED);
    CHECK_RC(artel_sync(o->artel, 1000, NULL), ARTEL_EFORKED);
    CHECK_RC(artel_run_log(o->run, "k", 0, 0), ARTEL_EFORKED);
    CHECK_RC(artel_run_log_row(o->run, 0, &value, 1), ARTEL_EFORKED);
    CHECK_RC(artel_run_config(o->run, &value, 1), ARTEL_EFORKED);
    CHECK_RC(artel_run_summary(o->run, &value, 1), ARTEL_EFORKED);
    CHECK_RC(artel_run_tags(o->run, NULL), ARTEL_EFORKED);
    CHECK_RC(artel_run_flush(o->run, ARTEL_ACCEPTED, 1000), ARTEL_EFORKED);
    CHECK_RC(artel_run_log_artifact(o->run, o->artifact, &future), ARTEL_EFORKED);
    CHECK_RC(artel_run_use_artifact(o->run, "m", NULL), ARTEL_EFORKED);
    CHECK_RC(artel_run_download(o->run, "m", "/nowhere", NULL), ARTEL_EFORKED);
    CHECK_RC(artel_future_wait(o->future, 1000), ARTEL_EFORKED);
    CHECK_RC(artel_future_wait_sink(o->future, "store", 1000), ARTEL_EFORKED);
    CHECK_RC(artel_future_wait_staged(o->future, 1000), ARTEL_EFORKED);
    CHECK_RC(artel_future_poll(o->future), ARTEL_EFORKED);
    CHECK_RC(artel_future_cancel(o->future), ARTEL_EFORKED);
    CHECK_RC(artel_future_error(o->future, text, sizeof text), ARTEL_EFORKED);
    CHECK_RC(artel_finish(o->run), ARTEL_EFORKED);
    uint64_t logged = 1, accepted = 1;
    artel_run_progress(o->run, &logged, &accepted);
    CHECK(logged == 0 && accepted == 0, "progress of a parent's run");
    artel_future_destroy(&o->future);
    artel_artifact_destroy(&o->artifact);
    CHECK_RC(artel_run_finish(&o->run, 0), ARTEL_EFORKED);
    CHECK_RC(artel_close(&o->artel, 1000), ARTEL_EFORKED);
    CHECK(!o->future && !o->run && !o->artel, "a handle was not forgotten");
}

static void
every_call_in_the_child_says_so_and_the_parent_goes_on(void)
{
    open_t o = s_open_all();
    session_log(o.run, ROWS);
    pid_t pid = fork();
    if (pid == 0) {
        s_all_say_forked(&o);
        exit(0);
    }
    int status = case_wait(pid, CHILD_MS);
    CHECK(status == 0, "the child ended with %#x", (unsigned) status);
    session_log(o.run, ROWS);
    CHECK_OK(artel_future_wait(o.future, 30000));
    uint64_t logged, accepted;
    CHECK_OK(artel_run_flush(o.run, ARTEL_DELIVERED, 30000));
    artel_run_progress(o.run, &logged, &accepted);
    CHECK(logged == 2 * ROWS + 1 && accepted == logged, "%d logged, %d accepted", (int) logged, (int) accepted);
    artel_future_destroy(&o.future);
    artel_artifact_destroy(&o.artifact);
    CHECK_OK(artel_close(&o.artel, 30000));
}

static atomic_bool s_stop;

static void *
s_hammer(void *run)
{
    for (int i = 0; !s_stop; i++) {
        CHECK_OK(artel_run_log(run, i % 2 ? "a" : "b", ARTEL_AUTO_STEP, i));
        if (i % 1000 == 0)
            CHECK_OK(artel_run_flush(run, ARTEL_ACCEPTED, 30000));
    }
    return NULL;
}

//  Any of our locks may be held by another thread when the fork comes.
static void
a_fork_while_threads_log_hangs_nobody(void)
{
    enum { THREADS = 3, FORKS = SANITIZED ? 4 : 30 };
    artel_t *artel = session_open(case_dir);
    artel_run_t *run = session_run(artel);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, s_hammer, run);
    for (int i = 0; i < FORKS; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            CHECK_RC(artel_run_log(run, "a", 0, 0), ARTEL_EFORKED);
            CHECK_RC(artel_close(&artel, 1000), ARTEL_EFORKED);
            exit(i % 2);
        }
        int status = case_wait(pid, CHILD_MS);
        CHECK(status == (i % 2) << 8, "child %d ended with %#x", i, (unsigned) status);
    }
    s_stop = true;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    uint64_t logged, accepted;
    CHECK_OK(artel_run_flush(run, ARTEL_DELIVERED, 60000));
    artel_run_progress(run, &logged, &accepted);
    CHECK(logged == accepted, "%d logged, %d accepted", (int) logged, (int) accepted);
    CHECK_OK(artel_close(&artel, 30000));
}

//  What the child did with a client of its own; ends the child.
static void
s_work_in_child(const char *name, bool closes)
{
    artel_t *artel = session_open(case_dir);
    artel_run_t *run;
    CHECK_OK(artel_run_start(artel, &(artel_run_options_t) { .size = sizeof(artel_run_options_t), .id = name }, &run));
    session_log(run, ROWS);
    artel_future_t *future = session_send(run, name);
    CHECK_OK(artel_future_wait(future, 30000));
    artel_future_destroy(&future);
    if (closes)
        CHECK_OK(artel_close(&artel, 30000));
    exit(0);
}

//  A pool of workers, as multiprocessing makes them: forked from a program with an open client.
static void
children_with_clients_of_their_own_and_their_parent_deliver_all(void)
{
    enum { CHILDREN = 4 };
    static const char *const names[CHILDREN] = { "child-0", "child-1", "child-2", "child-3" };
    open_t o = s_open_all();
    pid_t pids[CHILDREN];
    for (int i = 0; i < CHILDREN; i++) {
        session_log(o.run, ROWS);
        pids[i] = fork();
        if (pids[i] == 0)
            s_work_in_child(names[i], i % 2);
    }
    for (int i = 0; i < CHILDREN; i++) {
        int status = case_wait(pids[i], CHILD_MS);
        CHECK(status == 0, "child %d ended with %#x", i, (unsigned) status);
    }
    session_log(o.run, ROWS);
    CHECK_OK(artel_run_flush(o.run, ARTEL_DELIVERED, 30000));
    for (int i = 0; i < CHILDREN; i++)
        CHECK_OK(artel_find(o.artel, names[i], NULL));
    artel_future_destroy(&o.future);
    artel_artifact_destroy(&o.artifact);
    CHECK_OK(artel_close(&o.artel, 30000));
}

//  Whether this process has a POSIX lock on the file; the kernel knows.
static bool
s_has_lock(const char *path)
{
    struct stat st;
    char line[200], pid[32];
    FILE *locks = fopen("/proc/locks", "r");
    CHECK(stat(path, &st) == 0 && locks, "%s: %m", path);
    snprintf(pid, sizeof pid, " %d ", (int) getpid());
    bool found = false;
    while (fgets(line, sizeof line, locks)) {
        unsigned long inode = 0;
        const char *at = strstr(line, pid);
        found |= at && sscanf(at + strlen(pid), "%*x:%*x:%lu", &inode) == 1 && inode == st.st_ino
                 && strstr(line, "POSIX");
    }
    fclose(locks);
    return found;
}

//  SQLite in the child must not take the parent's locks, of which it remembers, for its own.
static void
a_childs_locks_on_the_catalogue_are_its_own(void)
{
    char path[300];
    snprintf(path, sizeof path, "%s/catalogue.db", case_dir);
    open_t o = s_open_all();
    CHECK_OK(artel_future_wait(o.future, 30000));
    CHECK(s_has_lock(path), "the parent has no lock");
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(!s_has_lock(path), "the child has a lock before it opened anything");
        artel_t *own = session_open(case_dir);
        artel_future_t *future = session_send(session_run(own), "n");
        CHECK_OK(artel_future_wait(future, 30000));
        CHECK(s_has_lock(path), "the child has no lock");
        exit(0);
    }
    int status = case_wait(pid, CHILD_MS);
    CHECK(status == 0, "the child ended with %#x", (unsigned) status);
    CHECK(s_has_lock(path), "the parent has lost its lock");
    artel_future_destroy(&o.future);
    artel_artifact_destroy(&o.artifact);
    CHECK_OK(artel_close(&o.artel, 30000));
}

static void
a_child_with_a_client_leaves_ctrl_c_alone(void)
{
    artel_t *artel = session_open(case_dir);
    pid_t pid = fork();
    if (pid == 0) {
        artel_t *own = session_open(case_dir);
        session_run(own);
        raise(SIGINT);
        _exit(0);
    }
    int status = case_wait(pid, CHILD_MS);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT, "the child ended with %#x", (unsigned) status);
    CHECK_OK(artel_close(&artel, 30000));
}

//  While the parent lives its journal is its own: nobody may take it for a dead one's.
static void
a_child_that_ends_does_not_give_the_parents_journal_away(void)
{
    artel_t *artel = session_open(case_dir);
    artel_run_t *run = session_run(artel);
    session_log(run, ROWS);
    CHECK_OK(artel_run_flush(run, ARTEL_DELIVERED, 30000));
    pid_t pid = fork();
    if (pid == 0) {
        artel_t *own = session_open(case_dir);
        uint64_t journals = 99;
        CHECK_OK(artel_sync(own, 30000, &journals));
        CHECK(journals == 0, "%d journals were adopted", (int) journals);
        CHECK_OK(artel_close(&own, 30000));
        exit(0);
    }
    int status = case_wait(pid, CHILD_MS);
    CHECK(status == 0, "the child ended with %#x", (unsigned) status);
    session_log(run, ROWS);
    CHECK_OK(artel_run_flush(run, ARTEL_DELIVERED, 30000));
    CHECK_OK(artel_close(&artel, 30000));
}

static void
a_child_of_a_program_that_closed_its_client_starts_afresh(void)
{
    session(case_dir);
    pid_t pid = fork();
    if (pid == 0) {
        session(case_dir);
        exit(3);
    }
    int status = case_wait(pid, CHILD_MS);
    CHECK(status == 3 << 8, "the child ended with %#x", (unsigned) status);
    session(case_dir);
}

#define CASE_WITH_A_WORKING_CHILD(name) { #name, SANITIZED ? NULL : name }

//  The catalogue is the service's where there is one.
#define CASE_WITH_A_LINKED_CHILD(name) { #name, SANITIZED || served_is_wanted() ? NULL : name }

int
main(int argc, char **argv)
{
#define CASE(name) { #name, name }
    const case_t cases[] = {
        CASE(every_call_in_the_child_says_so_and_the_parent_goes_on),
        CASE(a_fork_while_threads_log_hangs_nobody),
        CASE_WITH_A_WORKING_CHILD(children_with_clients_of_their_own_and_their_parent_deliver_all),
        CASE_WITH_A_LINKED_CHILD(a_childs_locks_on_the_catalogue_are_its_own),
        CASE_WITH_A_WORKING_CHILD(a_child_with_a_client_leaves_ctrl_c_alone),
        CASE_WITH_A_WORKING_CHILD(a_child_that_ends_does_not_give_the_parents_journal_away),
        CASE_WITH_A_WORKING_CHILD(a_child_of_a_program_that_closed_its_client_starts_afresh),
    };
    return case_main(cases, sizeof cases / sizeof *cases, argc > 1 ? argv[1] : NULL);
}
