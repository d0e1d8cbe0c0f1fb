//  Descriptors that hold locks, and forked children that must not keep them.

#include <criterion/criterion.h>

#include "errors.h"
#include "fds.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char s_path[] = "/tmp/artel-fds.XXXXXX";

static void
s_setup(void)
{
    close(mkstemp(s_path));
}

static void
s_teardown(void)
{
    unlink(s_path);
}

TestSuite(fds, .init = s_setup, .fini = s_teardown, .timeout = 30);

static int
s_open_locked(void)
{
    int fd = artel_fd_open(s_path, O_RDWR);
    cr_assert_geq(fd, 0);
    int rc = artel_fd_lock(fd, true, false);
    if (rc == 0)
        return fd;
    artel_fd_close(fd);
    return rc;
}

//  Fork a child that runs fn and lives until the descriptor returned is closed.
static int
s_fork(int (*fn)(int arg), int arg, pid_t *ret_pid)
{
    int stay[2], ready[2];
    char byte;
    cr_assert_eq(pipe(stay) | pipe(ready), 0);
    *ret_pid = fork();
    if (*ret_pid == 0) {
        close(stay[1]);
        int rc = fn(arg);
        close(ready[1]);
        (void) !read(stay[0], &byte, 1);
        _exit(rc);
    }
    close(stay[0]);
    close(ready[1]);
    (void) !read(ready[0], &byte, 1);
    close(ready[0]);
    return stay[1];
}

static int
s_end(int stay, pid_t pid)
{
    int status;
    close(stay);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

//  What fn says in a child.
static int
s_in_child(int (*fn)(int arg), int arg)
{
    pid_t pid;
    int stay = s_fork(fn, arg, &pid);
    return s_end(stay, pid);
}

static int
s_is_open_there(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static int
s_generation_there(int before)
{
    return artel_fork_generation() == (unsigned) before + 1;
}

//  A handle that came along to the child is closed there; the number is
//  somebody else's by then.
static int
s_close_again_there(int fd)
{
    int mine = dup2(0, fd);
    artel_fd_close(fd);
    return mine == fd && fcntl(fd, F_GETFD) >= 0;
}

Test(fds, a_lock_keeps_a_second_opener_out_of_the_same_process)
{
    int fd = s_open_locked();
    cr_assert_eq(s_open_locked(), ARTEL_ELOCKED);
    artel_fd_close(fd);
    fd = s_open_locked();
    cr_assert_geq(fd, 0);
    artel_fd_close(fd);
}

Test(fds, readers_share_and_a_writer_waits_for_none_of_them)
{
    int a = artel_fd_open(s_path, O_RDWR), b = artel_fd_open(s_path, O_RDWR);
    cr_assert_eq(artel_fd_lock(a, false, false), 0);
    cr_assert_eq(artel_fd_lock(b, false, false), 0);
    cr_assert_eq(artel_fd_lock(b, true, false), ARTEL_ELOCKED);
    artel_fd_unlock(a);
    cr_assert_eq(artel_fd_lock(b, true, false), 0);
    artel_fd_close(a);
    artel_fd_close(b);
}

Test(fds, a_symbolic_link_is_not_followed)
{
    char link[] = "/tmp/artel-fds-link.XXXXXX";
    close(mkstemp(link));
    unlink(link);
    cr_assert_eq(symlink(s_path, link), 0);
    cr_assert_eq(artel_fd_open(link, O_RDWR), -1);
    cr_assert_eq(errno, ELOOP);
    unlink(link);
}

Test(fds, a_forked_child_has_none_of_them_and_a_generation_of_its_own)
{
    int fd = s_open_locked();
    cr_assert_eq(s_in_child(s_is_open_there, fd), 0);
    cr_assert_eq(s_in_child(s_generation_there, (int) artel_fork_generation()), 1);
    cr_assert(s_is_open_there(fd), "the parent still has it");
    artel_fd_close(fd);
}

Test(fds, a_lock_dies_with_the_parents_descriptor_though_a_child_lives)
{
    pid_t pid;
    int fd = s_open_locked();
    int stay = s_fork(s_is_open_there, fd, &pid);
    artel_fd_close(fd);
    fd = s_open_locked();
    cr_assert_geq(fd, 0, "the child keeps the lock");
    artel_fd_close(fd);
    s_end(stay, pid);
}

Test(fds, a_close_in_the_child_leaves_another_file_of_the_same_number_alone)
{
    int fd = s_open_locked();
    cr_assert_eq(s_in_child(s_close_again_there, fd), 1);
    artel_fd_close(fd);
}

static atomic_bool s_stop;
static atomic_int s_kept;

//  Lock and let go, over and over: the lock must be free again each time.
static void *
s_lock_over_and_over(void *arg)
{
    (void) arg;
    while (!atomic_load(&s_stop)) {
        int fd = s_open_locked();
        if (fd < 0)
            atomic_fetch_add(&s_kept, 1);
        else
            artel_fd_close(fd);
    }
    return NULL;
}

Test(fds, forks_at_any_moment_leave_no_lock_behind)
{
    enum { N = 200 };
    pthread_t thread;
    pid_t pids[N];
    int stay[N];
    pthread_create(&thread, NULL, s_lock_over_and_over, NULL);
    for (int i = 0; i < N; i++)
        stay[i] = s_fork(s_is_open_there, -1, &pids[i]);
    atomic_store(&s_stop, true);
    pthread_join(thread, NULL);
    cr_assert_eq(atomic_load(&s_kept), 0);
    for (int i = 0; i < N; i++) {
        kill(pids[i], SIGKILL);                 //  each has the pipes of those before it
        s_end(stay[i], pids[i]);
    }
}
