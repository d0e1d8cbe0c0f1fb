//  What a child of a program inherits from artel: no lock, and, once it is another program, no descriptor.

#include "sanitized.h"
#include "session.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>

enum { LIST = 4096, EXECS = 60, THREADS = 3 };

//  Descriptors: what is open in a program that is executed now.

//  This program as another: print its descriptors beyond the first three.
static int
s_print_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    if (!dir)
        return 1;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL; ) {
        int fd = atoi(entry->d_name);
        char path[64], target[256] = "";
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (entry->d_name[0] != '.' && fd > 2 && fd != dirfd(dir) && readlink(path, target, sizeof target - 1) > 0)
            printf("%d %s\n", fd, target);
    }
    closedir(dir);
    return 0;
}

//  Execute it, by fork and exec, or as vfork would, which runs no handler of ours.
static pid_t
s_execute(int out, bool forks)
{
    char *const argv[] = { (char *) "test_inherit", (char *) "--fds", NULL };
    extern char **environ;
    pid_t pid;
    if (forks) {
        pid = fork();
        if (pid == 0) {
            dup2(out, STDOUT_FILENO);
            execv("/proc/self/exe", argv);
            _exit(127);
        }
        return pid;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    CHECK(posix_spawn(&pid, "/proc/self/exe", &actions, NULL, argv, environ) == 0, "posix_spawn");
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static void
s_list_fds(bool forks, char *ret)
{
    int ends[2], status;
    size_t len = 0;
    CHECK(pipe2(ends, O_CLOEXEC) == 0, "pipe");
    pid_t pid = s_execute(ends[1], forks);
    close(ends[1]);
    for (ssize_t n; len < LIST - 1 && (n = read(ends[0], ret + len, LIST - 1 - len)) != 0; len += n > 0 ? (size_t) n : 0)
        continue;
    ret[len] = 0;
    close(ends[0]);
    status = case_wait(pid, 30000);
    CHECK(status == 0, "the program ended with %#x", (unsigned) status);
}

static atomic_bool s_stop;

//  All that opens something: clients, runs, artifacts, reading.
static void *
s_open_and_close(void *arg)
{
    artel_run_t *run = arg;
    for (int i = 0; !s_stop; i++) {
        artel_t *artel = session_open(case_dir);
        artel_run_t *own = session_run(artel);
        session_log(own, 10);
        artel_future_t *future = session_send(i % 2 ? own : run, "m");
        CHECK_OK(artel_future_wait(future, 30000));
        artel_future_destroy(&future);
        CHECK_OK(artel_find(artel, "m", NULL));
        CHECK_OK(artel_close(&artel, 30000));
    }
    return NULL;
}

static void
no_descriptor_of_artel_is_open_in_a_program_that_is_executed(void)
{
    char before[LIST], now[LIST];
    pthread_t threads[THREADS];
    session_serve();
    s_list_fds(false, before);
    artel_t *artel = session_open(case_dir);
    artel_run_t *run = session_run(artel);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, s_open_and_close, run);
    for (int i = 0; i < EXECS; i++) {
        s_list_fds(i % 2, now);
        CHECK(strcmp(now, before) == 0, "exec %d: it has\n%s, and before there were\n%s", i, now, before);
    }
    s_stop = true;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK_OK(artel_close(&artel, 30000));
}

//  Locks: what a forked child keeps of its parent that is dead.

static int s_ready[2];
static int s_life[2];               //  nothing is written to it; it ends with the case

//  Stay until killed, or until there is nobody left to do that.
static void
s_stay(void)
{
    char c;
    while (read(s_life[0], &c, 1) < 0)
        continue;
    _exit(0);
}

static int
s_read_for_ever(void *arg, uint64_t files, uint64_t bytes)
{
    (void) arg, (void) files, (void) bytes;
    CHECK(write(s_ready[1], "x", 1) == 1, "pipe");
    s_stay();
    return 0;
}

static void
s_await(void)
{
    char c;
    CHECK(read(s_ready[0], &c, 1) == 1, "nobody came");
}

//  A program with all it can hold: a run that is delivered as far as it goes, and an artifact being read.
static void
s_hold_all(void)
{
    char path[300];
    artel_t *artel = session_open(case_dir);
    artel_run_t *run = session_run(artel);
    artel_artifact_t *artifact;
    session_log(run, 10);
    CHECK_OK(artel_run_flush(run, ARTEL_DELIVERED, 30000));
    snprintf(path, sizeof path, "%s/host", case_dir);
    CHECK_OK(artel_artifact_new("m", NULL, &artifact));
    CHECK_OK(artel_artifact_add_file(artifact, path, "file"));
    CHECK_OK(artel_artifact_set_progress(artifact, s_read_for_ever, NULL));
    CHECK_OK(artel_artifact_set_async(artifact, 1));
    CHECK_OK(artel_run_log_artifact(run, artifact, NULL));
}

//  The locks of a kind, by the path's end or a part of it, and how many of them somebody holds.
typedef struct {
    const char *part;
    int held;
} locks_t;

static locks_t s_locks[] = { { "/append.lock", 0 }, { ".outcomes", 0 }, { "/clients/", 0 }, { "/blobs/LOCK", 0 } };
enum { APPEND, SINK, PRESENCE, BLOBS, LOCKS };

static int
s_look_at(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void) st, (void) kind, (void) ftw;
    struct flock lock = { .l_type = F_WRLCK };
    int fd = open(path, O_RDWR | O_CLOEXEC);
    bool held = fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    for (int i = 0; held && i < LOCKS; i++)
        s_locks[i].held += strstr(path, s_locks[i].part) != NULL;
    if (fd >= 0)
        close(fd);
    return 0;
}

static void
s_look_at_locks(void)
{
    for (int i = 0; i < LOCKS; i++)
        s_locks[i].held = 0;
    CHECK(nftw(case_dir, s_look_at, 16, FTW_PHYS) == 0, "%m");
}

static int s_child[2];              //  the pid of the child

static void
s_be_parent(void)
{
    close(s_life[1]);
    s_hold_all();
    s_await();                                  //  the artifact is being read
    if (fork() == 0) {                          //  by now it has closed what it is not to keep
        pid_t child = getpid();
        CHECK(write(s_child[1], &child, sizeof child) == sizeof child, "pipe");
    }
    s_stay();
}

//  Of a service's client the journal and its sink are the service's.
static void
no_lock_of_a_dead_parent_is_held_by_its_child(void)
{
    bool linked = !served_is_wanted();
    pid_t child = 0;
    CHECK(pipe(s_ready) == 0 && pipe(s_child) == 0 && pipe(s_life) == 0, "pipe");
    session_serve();
    pid_t parent = fork();
    if (parent == 0)
        s_be_parent();
    close(s_child[1]);
    CHECK(read(s_child[0], &child, sizeof child) == sizeof child, "the parent died");
    s_look_at_locks();
    CHECK(s_locks[APPEND].held && s_locks[SINK].held && s_locks[BLOBS].held && s_locks[PRESENCE].held == !linked,
          "it holds %d, %d, %d, %d", s_locks[APPEND].held, s_locks[SINK].held, s_locks[BLOBS].held, s_locks[PRESENCE].held);

    kill(parent, SIGKILL);
    CHECK(waitpid(parent, NULL, 0) == parent, "waitpid");
    s_look_at_locks();
    CHECK(!s_locks[BLOBS].held && !s_locks[PRESENCE].held, "%d, %d", s_locks[BLOBS].held, s_locks[PRESENCE].held);
    CHECK(!linked || (!s_locks[APPEND].held && !s_locks[SINK].held), "%d, %d", s_locks[APPEND].held, s_locks[SINK].held);
    CHECK(kill(child, 0) == 0, "the child did not outlive it");
    uint64_t journals = 0;
    artel_t *artel = session_open(case_dir);
    CHECK_OK(artel_sync(artel, 30000, &journals));
    CHECK(!linked || journals == 1, "%d journals were adopted", (int) journals);
    CHECK_OK(artel_close(&artel, 30000));
    kill(child, SIGKILL);
}

int
main(int argc, char **argv)
{
#define CASE(name) { #name, name }
    static const case_t cases[] = {
        CASE(no_descriptor_of_artel_is_open_in_a_program_that_is_executed),
        CASE(no_lock_of_a_dead_parent_is_held_by_its_child),
    };
    if (argc > 1 && strcmp(argv[1], "--fds") == 0)
        return s_print_fds();
    return case_main(cases, sizeof cases / sizeof *cases, argc > 1 ? argv[1] : NULL);
}
