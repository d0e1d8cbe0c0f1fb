//  Whose a rank of a run is.

#include "scratch.h"

#include "clients.h"
#include "errors.h"
#include "fds.h"
#include "rank.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static void
s_setup(void)
{
    s_scratch_make();
    cr_assert_eq(mkdir(s_in("tmp"), 0700), 0);
    artel_fds_init();
}

TestSuite(rank, .init = s_setup, .fini = s_scratch_remove, .timeout = 30);

static int
s_try(uint32_t rank)
{
    int fd;
    int rc = artel_rank_claim(s_scratch, "r", rank, &fd);
    return rc == 0 ? fd : rc;
}

static int
s_claim(uint32_t rank)
{
    int fd = s_try(rank);
    cr_assert(fd >= 0, "%s", artel_error_code_name(fd));
    return fd;
}

static void
s_release(uint32_t rank, int fd)
{
    artel_rank_release(s_scratch, "r", rank, fd);
}

static bool
s_is_there(void)
{
    return access(s_in("clients/r.1"), F_OK) == 0;
}

//  A program that has the rank until it is killed.
static pid_t
s_start_holder(void)
{
    int ready[2];
    char byte;
    cr_assert_eq(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || s_try(1) < 0 || write(ready[1], "", 1) != 1)
            _exit(1);
        pause();
        _exit(1);
    }
    close(ready[1]);
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static void
s_kill(pid_t pid)
{
    kill(pid, SIGKILL);
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

Test(rank, is_one_claimants_until_it_is_given_back)
{
    int fd = s_claim(1);
    cr_assert_eq(s_try(1), ARTEL_ELOCKED);
    s_release(1, fd);
    s_release(1, s_claim(1));
}

Test(rank, is_none_of_the_other_ranks_or_runs)
{
    int one = s_claim(1), two = s_claim(2), other;
    cr_assert_eq(artel_rank_claim(s_scratch, "q", 1, &other), 0);
    s_release(1, one);
    s_release(2, two);
    artel_rank_release(s_scratch, "q", 1, other);
}

Test(rank, leaves_no_file_when_it_is_given_back)
{
    int fd = s_claim(1);
    cr_assert(s_is_there());
    s_release(1, fd);
    cr_assert_not(s_is_there());
}

Test(rank, of_a_program_that_is_killed_is_free)
{
    char who[64], wanted[32];
    pid_t pid = s_start_holder();
    cr_assert_eq(s_try(1), ARTEL_ELOCKED);
    snprintf(wanted, sizeof wanted, "(pid %d)", (int) pid);
    artel_rank_holder(s_scratch, "r", 1, who, sizeof who);
    cr_assert(strstr(who, wanted), "'%s' does not name %s", who, wanted);
    s_kill(pid);
    s_release(1, s_claim(1));
}

Test(rank, of_a_program_that_is_killed_leaves_a_file_that_is_swept)
{
    pid_t pid = s_start_holder();
    artel_clients_sweep(s_scratch);
    cr_assert(s_is_there());
    s_kill(pid);
    cr_assert(s_is_there());
    artel_clients_sweep(s_scratch);
    cr_assert_not(s_is_there());
}

Test(rank, is_not_inherited_by_a_forked_child)
{
    int gate[2];
    char byte;
    cr_assert_eq(pipe(gate), 0);
    int fd = s_claim(1);
    pid_t pid = fork();
    if (pid == 0) {
        close(gate[1]);
        _exit(read(gate[0], &byte, 1) != 0);
    }
    artel_fd_close(fd);
    s_release(1, s_claim(1));
    close(gate[1]);
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert_eq(status, 0);
}

Test(rank, needs_a_run_id)
{
    int fd = -1;
    cr_assert_eq(artel_rank_claim(s_scratch, "../x", 1, &fd), ARTEL_EINVAL);
    cr_assert_eq(fd, -1);
}
