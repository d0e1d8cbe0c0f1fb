//  What a host program must not notice.

#include <criterion/criterion.h>

#include "actor.h"
#include "errors.h"
#include "guest.h"
#include "wire.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(guest, .timeout = 30);

static void
s_actor(zsock_t *pipe, void *arg)
{
    (void) arg;
    zsock_signal(pipe, 0);
    artel_actor_read_pipe(pipe);
}

//  Make sockets and an actor, as a node does.
static void
s_use(void)
{
    zsock_t *a, *b;
    zactor_t *actor;
    artel_start_t start = { .name = "artel/test" };
    cr_assert_eq(artel_guest_enter(), 0);
    cr_assert_eq(artel_sock_pair(&a, &b), 0);
    cr_assert_eq(artel_actor_start(&actor, s_actor, &start), 0);
    cr_assert_eq(artel_actor_stop(&actor, 5000), 0);
    zsock_destroy(&a);
    zsock_destroy(&b);
}

Test(guest, the_hosts_random_numbers_go_on_as_if_nothing_had_been)
{
    int expected[10];
    srand(42);
    for (int i = 0; i < 10; i++)
        expected[i] = rand();
    srand(42);
    for (int i = 0; i < 10; i++) {
        cr_assert_eq(rand(), expected[i], "number %d", i);
        s_use();
    }
}

static void
s_hosts_handler(int number)
{
    (void) number;
}

Test(guest, signals_stay_as_the_host_had_them)
{
    struct sigaction mine = { .sa_handler = s_hosts_handler }, now;
    sigaction(SIGINT, &mine, NULL);
    s_use();
    sigaction(SIGINT, NULL, &now);
    cr_assert_eq(now.sa_handler, s_hosts_handler);
    sigaction(SIGTERM, NULL, &now);
    cr_assert_eq(now.sa_handler, SIG_DFL);
}

Test(guest, a_host_that_uses_czmq_itself_keeps_its_handlers_and_its_log)
{
    struct sigaction before, now;
    FILE *log = tmpfile();
    zsock_t *hosts = zsock_new(ZMQ_PAIR);       //  czmq takes SIGINT here
    zsys_set_logstream(log);
    sigaction(SIGINT, NULL, &before);
    cr_assert_neq(before.sa_handler, SIG_DFL);
    s_use();
    sigaction(SIGINT, NULL, &now);
    cr_assert_eq(now.sa_handler, before.sa_handler);
    zsys_error("for the host");
    cr_assert_gt(ftell(log), 0, "the host's log went elsewhere");
    zsock_destroy(&hosts);
    fclose(log);
}

Test(guest, descriptors_are_counted_before_libzmq_misses_them)
{
    struct rlimit limit = { 40, 40 };
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_assert_eq(artel_guest_enter(), 0);
    cr_assert_eq(artel_guest_spare_fds(20), 0);
    cr_assert_eq(artel_guest_spare_fds(100), ARTEL_EMFILE);
    cr_assert_eq(artel_guest_spare_fds(20), 0, "those it had taken are free again");
}

Test(guest, descriptors_that_are_left_are_told_without_taking_them)
{
    struct rlimit limit = { 40, 40 };
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    int n = 0, fd;
    while (artel_guest_has_fds(n + 1))
        n++;
    cr_assert(n > 0 && n < 40, "%d", n);
    cr_assert_geq(fd = open("/dev/null", O_RDONLY), 0);
    cr_assert_not(artel_guest_has_fds(n));
    cr_assert(artel_guest_has_fds(n - 1));
    close(fd);
    cr_assert_eq(artel_guest_spare_fds(n), 0);
    cr_assert_eq(artel_guest_spare_fds(n + 1), ARTEL_EMFILE);
}

//  What becomes of a process that exits with an actor running, our handler being
//  the one that stops it.
static zactor_t *s_left;

static void
s_stop_left(void)
{
    artel_actor_stop(&s_left, 5000);
}

Test(guest, an_exit_with_an_actor_running_is_no_abort)
{
    pid_t pid = fork();
    if (pid == 0) {
        artel_start_t start = { .name = "artel/test" };
        artel_guest_enter();
        artel_guest_at_exit(s_stop_left);
        artel_actor_start(&s_left, s_actor, &start);
        exit(7);
    }
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status), "killed by signal %d", WTERMSIG(status));
    cr_assert_eq(WEXITSTATUS(status), 7);
}

//  zsys_shutdown sleeps 200 ms if it finds a socket open.
Test(guest, an_exit_after_the_actors_were_stopped_is_not_held_up)
{
    int slow = 0;
    for (int i = 0; i < 20; i++) {
        int64_t since = artel_now_ms();
        pid_t pid = fork();
        if (pid == 0) {
            zactor_t *actors[6];
            artel_start_t start = { .name = "artel/test" };
            for (int j = 0; j < 6; j++)
                artel_actor_start(&actors[j], s_actor, &start);
            for (int j = 0; j < 6; j++)
                artel_actor_stop(&actors[j], 5000);
            exit(0);
        }
        int status;
        cr_assert_eq(waitpid(pid, &status, 0), pid);
        cr_assert_eq(status, 0);
        slow += artel_now_ms() - since >= 200;
    }
    cr_assert_leq(slow, 3);
}
