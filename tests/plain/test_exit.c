//  How a program ends: what was accepted is safe, the exit status is the program's,
//  and a disk that hangs holds nobody up longer than was asked.

#include "client.h"
#include "link.h"
#include "sanitized.h"
#include "session.h"

#include <dirent.h>
#include <dlfcn.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

//  Exit with threads running, and in a handler, is what is tested.
__attribute__((visibility("default"))) const char *
__tsan_default_options(void)
{
    return "report_thread_leaks=0:report_signal_unsafe=0";
}

enum { ROWS = 2000, CHILD_MS = 60000 };

//  This program's fdatasync: hangs if it is told to, as a disk does.
static atomic_bool s_disk_hangs;

int
fdatasync(int fd)
{
    while (s_disk_hangs)
        pause();
    return (int) syscall(SYS_fdatasync, fd);
}

//  Run fn in a process, which it ends; what it ended with.
static int
s_program(void (*fn)(void))
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        fn();
        exit(0);
    }
    return case_wait(pid, CHILD_MS);
}

//  What programs left is delivered by the next one: how many journals that were.
static uint64_t
s_deliver(void)
{
    artel_t *artel = session_open(case_dir);
    uint64_t journals = 0;
    CHECK_OK(artel_sync(artel, 30000, &journals));
    CHECK_OK(artel_close(&artel, 30000));
    return journals;
}

static void
s_find(const char *name)
{
    artel_t *artel = session_open(case_dir);
    CHECK_OK(artel_find(artel, name, NULL));
    CHECK_OK(artel_close(&artel, 30000));
}

//  The same, and "m" is there; it was sent last, so all is.
static uint64_t
s_sync(void)
{
    uint64_t journals = s_deliver();
    s_find("m");
    return journals;
}

static void
s_log_and_exit(void)
{
    artel_run_t *run = session_run(session_open(case_dir));
    session_log(run, ROWS);
    artel_future_t *future = session_send(run, "m");
    (void) future;
    exit(7);
}

static void
exit_without_close_keeps_its_status_and_the_records(void)
{
    int status = s_program(s_log_and_exit);
    CHECK(status == 7 << 8, "it ended with %#x", (unsigned) status);
    CHECK(s_sync() == 1, "its journal was not found");
}

static void
s_default_program(void)
{
    setenv("ARTEL_DIR", case_dir, 1);
    artel_run_t *run = artel_start("p");
    CHECK(run, "artel_start");
    session_log(run, ROWS);
    session_send(run, "m");
    exit(0);
}

static void
a_program_that_forgets_artel_finish_loses_nothing(void)
{
    int status = s_program(s_default_program);
    CHECK(status == 0, "it ended with %#x", (unsigned) status);
    CHECK(s_sync() == 1, "its journal was not found");
}

//  Accepted, then gone without a word.
static void
s_accept(void)
{
    artel_run_t *run = session_run(session_open(case_dir));
    session_log(run, ROWS);
    session_send(run, "m");
    CHECK_OK(artel_run_flush(run, ARTEL_ACCEPTED, 30000));
}

static void
s_accept_and_vanish(void)
{
    s_accept();
    _exit(5);
}

static void
s_accept_and_die(void)
{
    s_accept();
    raise(SIGKILL);
}

static void
what_is_accepted_survives_exit_without_handlers(void)
{
    int status = s_program(s_accept_and_vanish);
    CHECK(status == 5 << 8, "it ended with %#x", (unsigned) status);
    CHECK(s_sync() == 1, "its journal was not found");
}

static void
what_is_accepted_survives_sigkill(void)
{
    int status = s_program(s_accept_and_die);
    CHECK(WIFSIGNALED(status), "it ended with %#x", (unsigned) status);
    CHECK(s_sync() == 1, "its journal was not found");
}

static void *
s_log_for_ever(void *run)
{
    while (artel_run_log(run, "k", ARTEL_AUTO_STEP, 1) == 0)
        continue;
    return NULL;
}

static void
s_exit_with_threads(void)
{
    artel_run_t *run = session_run(session_open(case_dir));
    session_send(run, "m");
    for (int i = 0; i < 3; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, s_log_for_ever, run);
    }
    CHECK_OK(artel_run_flush(run, ARTEL_ACCEPTED, 30000));
    exit(4);
}

static void
exit_while_other_threads_log_ends_well(void)
{
    int status = s_program(s_exit_with_threads);
    CHECK(status == 4 << 8, "it ended with %#x", (unsigned) status);
    CHECK(s_sync() == 1, "its journal was not found");
}

static void
s_on_alarm(int sig)
{
    exit(sig == SIGALRM ? 6 : 1);
}

//  What a handler finds that interrupts a call of ours: its lock held, and with
//  that the link waiting, with the client's lock held.
static void
s_exit_in_handler(void)
{
    artel_run_t *run = session_run(session_open(case_dir));
    session_send(run, "m");
    session_log(run, ROWS);
    CHECK_OK(artel_run_flush(run, ARTEL_ACCEPTED, 30000));
    pthread_mutex_lock(&run->outbox.lock);
    while (pthread_mutex_trylock(&run->client->lock) == 0) {
        pthread_mutex_unlock(&run->client->lock);
        artel_link_wake(run->client);
    }
    signal(SIGALRM, s_on_alarm);
    raise(SIGALRM);
}

static void
exit_in_a_signal_handler_does_not_hang(void)
{
    int64_t begin = case_now_ms();
    int status = s_program(s_exit_in_handler);
    CHECK(status == 6 << 8, "it ended with %#x", (unsigned) status);
    CHECK(case_now_ms() - begin < 12000, "it took %d ms", (int) (case_now_ms() - begin));
    CHECK(s_sync() == 1, "its journal was not found");
}

//  A file that takes longer to read than the program lives.
static void
s_send_large(artel_run_t *run)
{
    char path[300];
    snprintf(path, sizeof path, "%s/large", case_dir);
    CHECK(truncate(path, 0) == 0 || errno == ENOENT, "%m");
    FILE *file = fopen(path, "w");
    CHECK(file && ftruncate(fileno(file), 8LL << 30) == 0, "a file of 8 GiB: %m");
    artel_artifact_t *artifact;
    CHECK_OK(artel_artifact_new("large", NULL, &artifact));
    CHECK_OK(artel_artifact_add_file(artifact, path, NULL));
    CHECK_OK(artel_artifact_set_async(artifact, 1));
    CHECK_OK(artel_run_log_artifact(run, artifact, NULL));
}

static void
s_exit_while_reading(void)
{
    artel_run_t *run = session_run(session_open(case_dir));
    session_send(run, "m");
    s_send_large(run);
    CHECK_OK(artel_run_flush(run, ARTEL_ACCEPTED, 30000));
    exit(3);
}

static void
exit_while_files_are_read_ends_well_and_logs_nothing_of_them(void)
{
    int status = s_program(s_exit_while_reading);
    CHECK(status == 3 << 8, "it ended with %#x", (unsigned) status);
    CHECK(s_sync() == 1, "its journal was not found");
    artel_t *artel = session_open(case_dir);
    CHECK_RC(artel_find(artel, "large", NULL), ARTEL_ENOENT);
    CHECK_OK(artel_close(&artel, 30000));
}

//  Whether a thread of ours hashes a file.
static bool
s_is_hashing(void)
{
    char path[300], name[32];
    bool found = false;
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *task; (task = readdir(tasks)); ) {
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", task->d_name);
        FILE *file = fopen(path, "r");
        found |= file && fgets(name, sizeof name, file) && strcmp(name, "artel/hash\n") == 0;
        if (file)
            fclose(file);
    }
    closedir(tasks);
    return found;
}

//  A host that loads and uses OpenSSL itself once artel is open: its exit handler
//  runs before ours, while a file is hashed.
static void
s_exit_with_openssl(void)
{
    artel_run_t *run = session_run(session_open(case_dir));
    void *crypto = dlopen("libcrypto.so.3", RTLD_NOW);
    __typeof__(&OPENSSL_init_crypto) init;
    *(void **) &init = dlsym(crypto, "OPENSSL_init_crypto");
    CHECK(init && init(OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL), "OpenSSL");
    s_send_large(run);
    CHECK_OK(artel_run_flush(run, ARTEL_ACCEPTED, 30000));
    while (!s_is_hashing())
        sched_yield();
    exit(3);
}

static void
a_host_that_uses_openssl_exits_well_while_files_are_read(void)
{
    int status = s_program(s_exit_with_openssl);
    CHECK(status == 3 << 8, "it ended with %#x", (unsigned) status);
    CHECK(s_deliver() == 1, "its journal was not found");
}

static void
s_close_in_atexit(void)
{
    static artel_t *artel;
    CHECK_RC(artel_close(&artel, 0), ARTEL_EINVAL);
}

static artel_t *s_late;

static void
s_close_late(void)
{
    artel_close(&s_late, 5000);
}

//  The host's handler was registered before ours, so it runs after it.
static void
s_exit_then_close(void)
{
    atexit(s_close_late);
    atexit(s_close_in_atexit);
    s_late = session_open(case_dir);
    artel_run_t *run = session_run(s_late);
    session_log(run, ROWS);
    session_send(run, "m");
    exit(2);
}

static void
a_close_after_the_exit_handler_is_harmless(void)
{
    int status = s_program(s_exit_then_close);
    CHECK(status == 2 << 8, "it ended with %#x", (unsigned) status);
    CHECK(s_sync() <= 1, "there are other journals");
}

//  Every wait ends by its deadline plus a second, though the disk hangs for ever.
static void
s_work_on_a_hung_disk(void)
{
    artel_t *artel = session_open(case_dir);
    artel_run_t *run = session_run(artel), *other;
    session_log(run, ROWS);
    CHECK_OK(artel_run_flush(run, ARTEL_DELIVERED, 30000));
    s_disk_hangs = true;
    session_log(run, ROWS);
    int64_t begin = case_now_ms();
    CHECK_RC(artel_run_flush(run, ARTEL_DURABLE, 300), ARTEL_ETIMEOUT);
    CHECK(case_now_ms() - begin < 1300, "flush took %d ms", (int) (case_now_ms() - begin));
    begin = case_now_ms();
    CHECK_RC(artel_run_start(artel, NULL, &other), ARTEL_ETIMEOUT);
    CHECK(case_now_ms() - begin < 6000, "run_start took %d ms", (int) (case_now_ms() - begin));
    begin = case_now_ms();
    int rc = artel_close(&artel, 500);
    CHECK(rc == 0 || rc == ARTEL_EPENDING, "close: %s", artel_error_name(rc));
    CHECK(case_now_ms() - begin < 1500, "close took %d ms", (int) (case_now_ms() - begin));
    exit(9);
}

static void
a_disk_that_hangs_holds_no_call_and_no_exit_up(void)
{
    int64_t begin = case_now_ms();
    int status = s_program(s_work_on_a_hung_disk);
    CHECK(status == 9 << 8, "it ended with %#x", (unsigned) status);
    CHECK(case_now_ms() - begin < 15000, "it took %d ms", (int) (case_now_ms() - begin));
}

static void
s_exit_on_a_hung_disk(void)
{
    artel_run_t *run = session_run(session_open(case_dir));
    session_log(run, ROWS);
    CHECK_OK(artel_run_flush(run, ARTEL_DELIVERED, 30000));
    s_disk_hangs = true;
    session_log(run, ROWS);
    CHECK_RC(artel_run_flush(run, ARTEL_DURABLE, 100), ARTEL_ETIMEOUT);
    exit(8);
}

static void
exit_on_a_disk_that_hangs_ends_with_its_status(void)
{
    int64_t begin = case_now_ms();
    int status = s_program(s_exit_on_a_hung_disk);
    CHECK(status == 8 << 8, "it ended with %#x", (unsigned) status);
    CHECK(case_now_ms() - begin < 12000, "it took %d ms", (int) (case_now_ms() - begin));
}

static artel_run_t *s_late_run;

//  A host's handler that was registered once artel was open runs before ours, and may
//  do anything; also if OpenSSL came later still, with the first artifact.
static void
s_send_and_close(void)
{
    session_send(s_late_run, "late");
    CHECK_OK(artel_close(&s_late, 30000));
}

static void
s_exit_into_own_handler(void)
{
    s_late = session_open(case_dir);
    atexit(s_send_and_close);
    s_late_run = session_run(s_late);
    session_send(s_late_run, "first");
    exit(2);
}

static void
a_host_may_log_and_close_in_an_exit_handler_of_its_own(void)
{
    int status = s_program(s_exit_into_own_handler);
    CHECK(status == 2 << 8, "it ended with %#x", (unsigned) status);
    CHECK(s_deliver() == 0, "a journal was left");
    s_find("first");
    s_find("late");
}

//  It has OpenSSL from the start, and uses it only when artel is open.
static void
s_exit_into_own_handler_with_openssl(void)
{
    void *crypto = dlopen("libcrypto.so.3", RTLD_NOW);
    __typeof__(&OPENSSL_init_crypto) init;
    *(void **) &init = dlsym(crypto, "OPENSSL_init_crypto");
    s_late = session_open(case_dir);
    atexit(s_send_and_close);
    s_late_run = session_run(s_late);
    CHECK(init && init(OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL), "OpenSSL");
    session_send(s_late_run, "first");
    exit(2);
}

static void
so_may_one_that_has_openssl(void)
{
    int status = s_program(s_exit_into_own_handler_with_openssl);
    CHECK(status == 2 << 8, "it ended with %#x", (unsigned) status);
    CHECK(s_deliver() == 0, "a journal was left");
    s_find("first");
    s_find("late");
}

int
main(int argc, char **argv)
{
#define CASE(name) { #name, name }
    static const case_t cases[] = {
        CASE(exit_without_close_keeps_its_status_and_the_records),
        CASE(a_program_that_forgets_artel_finish_loses_nothing),
        CASE(what_is_accepted_survives_exit_without_handlers),
        CASE(what_is_accepted_survives_sigkill),
        CASE(exit_while_other_threads_log_ends_well),
        CASE(exit_in_a_signal_handler_does_not_hang),
        CASE(exit_while_files_are_read_ends_well_and_logs_nothing_of_them),
        CASE(a_host_that_uses_openssl_exits_well_while_files_are_read),
        CASE(a_close_after_the_exit_handler_is_harmless),
        CASE(a_host_may_log_and_close_in_an_exit_handler_of_its_own),
        CASE(so_may_one_that_has_openssl),
        CASE(a_disk_that_hangs_holds_no_call_and_no_exit_up),
        CASE(exit_on_a_disk_that_hangs_ends_with_its_status),
    };
    return case_main(cases, sizeof cases / sizeof *cases, argc > 1 ? argv[1] : NULL);
}
