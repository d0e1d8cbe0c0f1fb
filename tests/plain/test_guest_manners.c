//  A host program doesn't notice artel: docs/guest-manners.md, case by case.

#include "session.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>

static void
the_streams_of_rand_and_random_go_on(void)
{
    enum { N = 8 };
    long wanted[2 * N];
    srandom(42);
    for (int i = 0; i < 2 * N; i++)
        wanted[i] = i % 2 ? rand() : random();
    srandom(42);
    for (int i = 0; i < N; i++) {
        CHECK(random() == wanted[2 * i] && rand() == wanted[2 * i + 1], "they differ after %d sessions", i);
        session(case_dir);
    }
}

//  In one line each: how every signal is handled, and what is blocked.
static void
s_signals(char *ret, size_t size)
{
    size_t n = 0;
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    for (int sig = 1; sig < NSIG; sig++) {
        struct sigaction action = { 0 };
        sigaction(sig, NULL, &action);
        n += (size_t) snprintf(ret + n, size - n, "%d:%p:%d:%d ", sig, (void *) action.sa_handler,
                               action.sa_flags, sigismember(&mask, sig));
    }
}

static void
s_ignore(int sig)
{
    (void) sig;
}

static void
signal_dispositions_and_the_mask_stay(void)
{
    static char before[8192], after[8192], open[8192];
    signal(SIGUSR1, s_ignore);
    signal(SIGPIPE, SIG_DFL);
    sigset_t usr2;
    sigemptyset(&usr2);
    sigaddset(&usr2, SIGUSR2);
    sigprocmask(SIG_BLOCK, &usr2, NULL);
    s_signals(before, sizeof before);
    artel_t *artel = session_open(case_dir);
    session_run(artel);
    s_signals(open, sizeof open);
    CHECK_OK(artel_close(&artel, 30000));
    s_signals(after, sizeof after);
    CHECK(strcmp(before, open) == 0, "while open: %s", open);
    CHECK(strcmp(before, after) == 0, "after close: %s", after);
}

//  The line of /proc/self/task/TID/status with the blocked signals.
static unsigned long long
s_blocked(const char *tid)
{
    char path[300], line[200];
    snprintf(path, sizeof path, "/proc/self/task/%s/status", tid);
    FILE *file = fopen(path, "r");
    unsigned long long blocked = ~0ULL;
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "SigBlk: %llx", &blocked) == 1)
            break;
    if (file)
        fclose(file);
    return blocked;
}

//  SIGKILL, SIGSTOP and the two that pthreads keeps can't be blocked.
static void
no_thread_of_artel_takes_a_signal(void)
{
    artel_t *artel = session_open(case_dir);
    artel_run_t *run = session_run(artel);
    artel_future_t *future = session_send(run, "m");
    CHECK_OK(artel_future_wait(future, 30000));
    const unsigned long long ours = 1ULL << (SIGINT - 1) | 1ULL << (SIGTERM - 1) | 1ULL << (SIGALRM - 1)
                                    | 1ULL << (SIGPROF - 1) | 1ULL << (SIGUSR1 - 1) | 1ULL << (SIGXFSZ - 1);
    char self[16];
    snprintf(self, sizeof self, "%d", (int) getpid());
    DIR *tasks = opendir("/proc/self/task");
    int threads = 0;
    for (struct dirent *task; (task = readdir(tasks)); )
        if (task->d_name[0] != '.' && strcmp(task->d_name, self) != 0) {
            unsigned long long blocked = s_blocked(task->d_name);
            threads++;
            CHECK((blocked & ours) == ours, "thread %s blocks %llx", task->d_name, blocked);
        }
    closedir(tasks);
    CHECK(threads >= 7, "there are %d threads", threads);
    artel_future_destroy(&future);
    CHECK_OK(artel_close(&artel, 30000));
}

static void
locale_directory_and_umask_stay(void)
{
    char cwd[2][4096], locale[2][256];
    setlocale(LC_ALL, "C.UTF-8");
    CHECK(chdir(case_dir) == 0, "chdir: %m");
    umask(0013);
    snprintf(locale[0], sizeof locale[0], "%s", setlocale(LC_ALL, NULL));
    CHECK(getcwd(cwd[0], sizeof cwd[0]) != NULL, "getcwd: %m");
    session("here");
    snprintf(locale[1], sizeof locale[1], "%s", setlocale(LC_ALL, NULL));
    CHECK(getcwd(cwd[1], sizeof cwd[1]) != NULL, "getcwd: %m");
    CHECK(strcmp(locale[0], locale[1]) == 0, "the locale is %s", locale[1]);
    CHECK(strcmp(cwd[0], cwd[1]) == 0, "the directory is %s", cwd[1]);
    CHECK(umask(0) == 0013, "the umask changed");
}

extern char **environ;

static void
the_environment_stays(void)
{
    enum { MOST = 1000 };
    static char *texts[MOST], *copies[MOST];
    int n = 0;
    for (; environ[n] && n < MOST; n++) {
        texts[n] = environ[n];
        copies[n] = strdup(environ[n]);
    }
    char **before = environ;
    session(case_dir);
    CHECK(environ == before && environ[n] == NULL, "environ moved or grew");
    for (int i = 0; i < n; i++) {
        CHECK(environ[i] == texts[i] && strcmp(environ[i], copies[i]) == 0, "%s", environ[i]);
        free(copies[i]);
    }
}

//  Both files are empty at the end, also after an exit without close.
static void
nothing_is_printed(void)
{
    char path[300];
    snprintf(path, sizeof path, "%s/printed", case_dir);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        session(case_dir);
        session_log(session_run(session_open(case_dir)), 10);
        exit(0);
    }
    CHECK(case_wait(pid, 60000) == 0, "the program did not end well");
    struct stat st;
    CHECK(stat(path, &st) == 0 && st.st_size == 0, "%lld bytes were printed", (long long) st.st_size);
}

static atomic_int s_times_told;
static char s_told[600];

static void
s_note(void *arg, int level, const char *text)
{
    (void) arg;
    CHECK(level == ARTEL_LOG_WARNING, "level %d: %s", level, text);
    snprintf(s_told, sizeof s_told, "%s", text);
    s_times_told++;
}

//  Two clients log with the trace; one of them is told, and no call fails.
static void
s_expect_trace_told(const char *path)
{
    setenv("ARTEL_TRACE", path, 1);
    for (int i = 0; i < 2; i++) {
        artel_t *artel;
        CHECK_OK(artel_open(&(artel_options_t) { .size = sizeof(artel_options_t), .dir = case_dir, .log = s_note },
                            &artel));
        session_log(session_run(artel), 10);
        CHECK_OK(artel_close(&artel, 30000));
    }
    CHECK(s_times_told == 1, "%d warnings, the last: %s", s_times_told, s_told);
    CHECK(strstr(s_told, path) && strstr(s_told, "ARTEL_TRACE"), "it says: %s", s_told);
}

static void
a_trace_that_cannot_be_opened_is_told_once_and_fails_nothing(void)
{
    s_expect_trace_told("/nowhere/trace");
}

static void
so_is_one_whose_disk_is_full(void)
{
    s_expect_trace_told("/dev/full");
}

//  Calls fn for each open descriptor but the one it reads the folder with.
static int
s_each_fd(void (*fn)(int fd))
{
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(dir)); ) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || fd == dirfd(dir))
            continue;
        n++;
        if (fn)
            fn(fd);
    }
    closedir(dir);
    return n;
}

static void
s_is_cloexec(int fd)
{
    char path[64], target[256] = "";
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t rc = readlink(path, target, sizeof target - 1);
    (void) rc;
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC, "descriptor %d (%s) survives an exec", fd, target);
}

static void
s_set_cloexec(int fd)
{
    fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void
every_descriptor_is_closed_on_exec(void)
{
    s_each_fd(s_set_cloexec);                   //  what the test was started with is not ours
    artel_t *artel = session_open(case_dir);
    artel_run_t *run = session_run(artel);
    artel_future_t *future = session_send(run, "m");
    s_each_fd(s_is_cloexec);
    CHECK_OK(artel_future_wait(future, 30000));
    artel_future_destroy(&future);
    CHECK_OK(artel_close(&artel, 30000));
}

static int
s_threads(void)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/task");
    for (struct dirent *entry; (entry = readdir(dir)); )
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

//  Threads end a moment after they have said so.
static int
s_threads_soon(int wanted)
{
    int64_t deadline = case_now_ms() + 5000;
    while (s_threads() > wanted && case_now_ms() < deadline)
        sched_yield();
    return s_threads();
}

//  libzmq's reaper closes a socket's descriptors a moment after the socket is closed.
static int
s_fds_soon(int wanted)
{
    int64_t deadline = case_now_ms() + 5000;
    while (s_each_fd(NULL) > wanted && case_now_ms() < deadline)
        sched_yield();
    return s_each_fd(NULL);
}

static void
opening_and_closing_leaves_no_descriptor_and_no_thread(void)
{
    session(case_dir);                          //  czmq's context and its threads stay
    int threads = s_threads_soon(3), fds = s_each_fd(NULL);
    for (int i = 0; i < 100; i++) {
        artel_t *artel = session_open(case_dir);
        if (i % 10 == 0)
            session_log(session_run(artel), 10);
        CHECK_OK(artel_close(&artel, 30000));
    }
    int fds_now = s_fds_soon(fds), threads_now = s_threads_soon(threads);
    CHECK(fds_now <= fds, "%d descriptors were open, %d are", fds, fds_now);
    CHECK(threads_now <= threads, "there were %d threads, there are %d", threads, threads_now);
}

//  Leave room for n more descriptors.
static void
s_limit_fds(int n)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    int highest = open("/dev/null", O_RDONLY | O_CLOEXEC);      //  the lowest that is free
    close(highest);
    limit.rlim_cur = (rlim_t) (highest + n);
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit: %m");
}

static void
too_few_descriptors_are_an_error_and_no_abort(void)
{
    int opened = 0, refused = 0;
    for (int n = 0; n < 160; n += n < 12 ? 1 : 7) {
        s_limit_fds(n);
        artel_t *artel = NULL;
        int rc = artel_open(&(artel_options_t) { .size = sizeof(artel_options_t), .dir = case_dir }, &artel);
        CHECK(rc == 0 || rc == ARTEL_EMFILE, "with %d descriptors: %s", n, artel_error_name(rc));
        opened += rc == 0;
        refused += rc != 0;
        if (rc == 0)
            artel_close(&artel, 30000);
    }
    CHECK(opened && refused, "opened %d times, refused %d times", opened, refused);
}

//  What is open goes on, or says that it can't; close ends in any case.
static void
descriptors_that_run_out_later_are_an_error_and_no_abort(void)
{
    artel_t *artel = session_open(case_dir);
    artel_run_t *run = session_run(artel), *other;
    s_limit_fds(0);
    session_log(run, 1000);
    CHECK_OK(artel_run_flush(run, ARTEL_ACCEPTED, 30000));
    int rc = artel_run_start(artel, NULL, &other);
    CHECK(rc != 0, "a journal was made without a descriptor");
    artel_artifact_t *artifact;
    CHECK_OK(artel_artifact_new("m", NULL, &artifact));
    CHECK_OK(artel_artifact_add_file(artifact, "/etc/passwd", NULL));
    rc = artel_run_log_artifact(run, artifact, NULL);
    CHECK(rc == ARTEL_EMFILE, "log_artifact: %s", artel_error_name(rc));
    artel_artifact_destroy(&artifact);
    rc = artel_close(&artel, 3000);
    CHECK(rc == 0 || rc == ARTEL_EPENDING, "close: %s", artel_error_name(rc));
}

static void
two_clients_in_one_process_do_not_meet(void)
{
    char other[300];
    snprintf(other, sizeof other, "%s/other", case_dir);
    artel_t *a = session_open(case_dir), *b = session_open(case_dir), *c = session_open(other);
    artel_run_t *runs[] = { session_run(a), session_run(b), session_run(c), session_run(a) };
    for (int i = 0; i < 4; i++)
        session_log(runs[i], 1000);
    artel_future_t *f = session_send(runs[0], "m"), *g = session_send(runs[1], "n"), *h = session_send(runs[2], "m");
    CHECK_OK(artel_future_wait(f, 30000));
    CHECK_OK(artel_close(&a, 30000));
    CHECK_OK(artel_future_wait(g, 30000));
    CHECK_OK(artel_future_wait(h, 30000));
    CHECK_OK(artel_find(b, "m", NULL));
    CHECK_RC(artel_find(c, "n", NULL), ARTEL_ENOENT);
    CHECK_OK(artel_close(&c, 30000));
    CHECK_OK(artel_close(&b, 30000));
    CHECK_OK(artel_future_wait(f, 0));          //  known since before the close
    artel_future_destroy(&f);
    artel_future_destroy(&g);
    artel_future_destroy(&h);
}

//  Handlers without SA_RESTART: every call in this thread that can be interrupted is.
static void
a_storm_of_signals_disturbs_nothing(void)
{
    struct sigaction action = { .sa_handler = s_ignore };
    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGPROF, &action, NULL);
    struct itimerval often = { { 0, 500 }, { 0, 500 } };
    setitimer(ITIMER_REAL, &often, NULL);
    setitimer(ITIMER_PROF, &often, NULL);
    for (int i = 0; i < 5; i++)
        session(case_dir);
    setitimer(ITIMER_REAL, &(struct itimerval) { 0 }, NULL);
    setitimer(ITIMER_PROF, &(struct itimerval) { 0 }, NULL);
}

//  The library comes and goes while the program runs.
static void
the_library_can_be_loaded_by_dlopen(void)
{
    char path[4096], text[64];
    const char *lib = getenv("ARTEL_LIB");
    snprintf(path, sizeof path, "%s/libartel.so.0", lib ? lib : ".");
    for (int i = 0; i < 2; i++) {
        void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        CHECK(so, "%s", dlerror());
        int (*open_fn)(const artel_options_t *, artel_t **) = dlsym(so, "artel_open");
        int (*close_fn)(artel_t **, int) = dlsym(so, "artel_close");
        int (*start_fn)(artel_t *, const artel_run_options_t *, artel_run_t **) = dlsym(so, "artel_run_start");
        int (*log_fn)(artel_run_t *, const char *, int64_t, double) = dlsym(so, "artel_run_log");
        int (*error_fn)(artel_t *, char *, size_t) = dlsym(so, "artel_error");
        CHECK(open_fn && close_fn && start_fn && log_fn && error_fn, "a symbol is missing");
        CHECK(!dlsym(so, "artel_outbox_seal") && !dlsym(so, "zsock_new_"), "more is visible than artel.h");
        artel_t *artel;
        artel_run_t *run;
        CHECK(open_fn(&(artel_options_t) { .size = sizeof(artel_options_t), .dir = case_dir }, &artel) == 0, "open");
        CHECK(start_fn(artel, NULL, &run) == 0, "run_start");
        CHECK(log_fn(run, "k", ARTEL_AUTO_STEP, 1) == 0, "log");
        CHECK(error_fn(artel, text, sizeof text) == 0, "%s", text);
        CHECK(close_fn(&artel, 30000) == 0, "close");
        dlclose(so);
    }
}

//  A host may call from threads with little room.
static void
a_host_with_small_stacks_can_log(void)
{
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 64 * 1024);
    pthread_t thread;
    CHECK(pthread_create(&thread, &attr, (void *(*)(void *)) (void *) session, case_dir) == 0, "pthread_create");
    pthread_join(thread, NULL);
}

int
main(int argc, char **argv)
{
#define CASE(name) { #name, name }
    static const case_t cases[] = {
        CASE(the_streams_of_rand_and_random_go_on),
        CASE(signal_dispositions_and_the_mask_stay),
        CASE(no_thread_of_artel_takes_a_signal),
        CASE(locale_directory_and_umask_stay),
        CASE(the_environment_stays),
        CASE(nothing_is_printed),
        CASE(a_trace_that_cannot_be_opened_is_told_once_and_fails_nothing),
        CASE(so_is_one_whose_disk_is_full),
        CASE(every_descriptor_is_closed_on_exec),
        CASE(opening_and_closing_leaves_no_descriptor_and_no_thread),
        CASE(too_few_descriptors_are_an_error_and_no_abort),
        CASE(descriptors_that_run_out_later_are_an_error_and_no_abort),
        CASE(two_clients_in_one_process_do_not_meet),
        CASE(a_storm_of_signals_disturbs_nothing),
        CASE(the_library_can_be_loaded_by_dlopen),
        CASE(a_host_with_small_stacks_can_log),
    };
    return case_main(cases, sizeof cases / sizeof *cases, argc > 1 ? argv[1] : NULL);
}
