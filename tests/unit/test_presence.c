//  Whether the program behind a writer still lives.

#include "scratch.h"

#include "errors.h"
#include "fds.h"
#include "presence.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static const artel_id_t s_a = { "writer a 16 byte" }, s_b = { "writer b 16 byte" };
static char s_seen[512];

static void
s_setup(void)
{
    s_scratch_make();
    cr_assert_eq(mkdir(s_in("tmp"), 0700), 0);
    artel_fds_init();
    s_seen[0] = 0;
}

TestSuite(presence, .init = s_setup, .fini = s_scratch_remove, .timeout = 30);

static int
s_begin(const char *run, artel_id_t writer)
{
    int fd = -1;
    cr_assert_eq(artel_presence_begin(s_scratch, run, writer, &fd), 0);
    return fd;
}

static int
s_note(void *arg, const char *run, artel_id_t writer)
{
    (void) arg;
    size_t used = strlen(s_seen);
    snprintf(s_seen + used, sizeof s_seen - used, "%s%c ", run, artel_id_equal(writer, s_a) ? 'a' : 'b');
    return 0;
}

static int
s_stop(void *arg, const char *run, artel_id_t writer)
{
    (void) run, (void) writer;
    ++*(int *) arg;
    return 42;
}

static const char *
s_dead(void)
{
    s_seen[0] = 0;
    cr_assert_eq(artel_presence_each_dead(s_scratch, s_note, NULL), 0);
    return s_seen;
}

Test(presence, lasts_until_it_is_given_up)
{
    int fd = s_begin("r", s_a);
    cr_assert_eq(artel_presence_check(s_scratch, "r", s_a), 1);
    cr_assert_str_eq(s_dead(), "");
    artel_fd_close(fd);
    cr_assert_eq(artel_presence_check(s_scratch, "r", s_a), 0);
    cr_assert_str_eq(s_dead(), "ra ");
}

Test(presence, is_that_of_one_writer)
{
    int a = s_begin("r", s_a);
    artel_fd_close(s_begin("r", s_b));
    cr_assert_eq(artel_presence_check(s_scratch, "r", s_b), 0);
    cr_assert_eq(artel_presence_check(s_scratch, "other", s_a), ARTEL_ENOENT);
    cr_assert_str_eq(s_dead(), "rb ");
    artel_fd_close(a);
}

Test(presence, of_who_never_said_so_is_none)
{
    cr_assert_eq(artel_presence_check(s_scratch, "r", s_a), ARTEL_ENOENT);
    cr_assert_str_eq(s_dead(), "");
}

Test(presence, needs_a_run_id)
{
    int fd = -1;
    cr_assert_eq(artel_presence_begin(s_scratch, "../x", s_a, &fd), ARTEL_EINVAL);
    cr_assert_eq(fd, -1);
    cr_assert_eq(artel_presence_check(s_scratch, "../x", s_a), ARTEL_EINVAL);
}

//  Asking is no lock: it never keeps a program from saying that it lives.
Test(presence, may_be_asked_for_while_it_begins_again)
{
    artel_fd_close(s_begin("r", s_a));
    cr_assert_eq(artel_presence_check(s_scratch, "r", s_a), 0);
    int fd = s_begin("r", s_a);
    cr_assert_eq(artel_presence_check(s_scratch, "r", s_a), 1);
    artel_fd_close(fd);
}

Test(presence, ends_with_a_program_that_is_killed)
{
    int ready[2];
    char byte;
    cr_assert_eq(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int fd;
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || artel_presence_begin(s_scratch, "r", s_a, &fd) != 0
            || write(ready[1], "", 1) != 1)
            _exit(1);
        pause();
        _exit(1);
    }
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    cr_assert_eq(artel_presence_check(s_scratch, "r", s_a), 1);
    kill(pid, SIGKILL);
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
    cr_assert_eq(artel_presence_check(s_scratch, "r", s_a), 0);
}

//  A child shares its parent's locks until it closes them: it would live on in the parent's name.
Test(presence, is_not_inherited_by_a_forked_child)
{
    int gate[2], ready[2];
    char byte;
    cr_assert(pipe(gate) == 0 && pipe(ready) == 0);
    int fd = s_begin("r", s_a);
    pid_t pid = fork();
    if (pid == 0) {
        close(gate[1]);
        _exit(write(ready[1], "", 1) != 1 || read(gate[0], &byte, 1) != 0);
    }
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    artel_fd_close(fd);
    cr_assert_eq(artel_presence_check(s_scratch, "r", s_a), 0);
    close(gate[1]);
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert_eq(status, 0);
}

Test(presence, of_a_dead_program_is_told_until_it_is_forgotten)
{
    artel_fd_close(s_begin("r", s_a));
    artel_fd_close(s_begin("r", s_b));
    artel_presence_forget(s_scratch, "r", s_a);
    cr_assert_str_eq(s_dead(), "rb ");
    artel_presence_forget(s_scratch, "r", s_b);
    artel_presence_forget(s_scratch, "r", s_b);
    cr_assert_str_eq(s_dead(), "");
}

Test(presence, dead_ones_end_with_the_first_value_that_is_not_zero)
{
    int calls = 0;
    artel_fd_close(s_begin("r", s_a));
    artel_fd_close(s_begin("r", s_b));
    cr_assert_eq(artel_presence_each_dead(s_scratch, s_stop, &calls), 42);
    cr_assert_eq(calls, 1);
}

//  What a program leaves that is killed between making its file and naming it.
Test(presence, a_birth_that_died_is_no_dead_program)
{
    artel_fd_close(s_begin("r", s_a));
    artel_presence_forget(s_scratch, "r", s_a);
    s_write_text(s_in("clients/r.77726974657220612031362062797465~"), "");
    cr_assert_str_eq(s_dead(), "");
}
