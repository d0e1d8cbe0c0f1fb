//  Who holds a lock on a file.

#include <criterion/criterion.h>

#include "fds.h"
#include "holder.h"
#include "scratch.h"

#include <sys/wait.h>

TestSuite(holder, .init = s_scratch_make, .fini = s_scratch_remove, .timeout = 30);

static const char *
s_holders(void)
{
    static char text[256];
    return artel_lock_holders(s_in("LOCK"), text, sizeof text);
}

static int
s_lock(bool exclusive)
{
    int fd = artel_fd_open(s_in("LOCK"), O_RDWR | O_CREAT);
    cr_assert_eq(artel_fd_lock(fd, exclusive, false), 0);
    return fd;
}

Test(holder, is_named_with_its_pid_as_long_as_it_holds_the_lock)
{
    char expected[64];
    snprintf(expected, sizeof expected, "(pid %d)", (int) getpid());
    cr_assert_str_empty(s_holders(), "there is no file");
    int fd = s_lock(true);
    cr_assert_not_null(strstr(s_holders(), expected), "%s", s_holders());
    artel_fd_unlock(fd);
    cr_assert_str_empty(s_holders(), "it is open, and not locked");
    artel_fd_close(fd);
}

Test(holder, are_all_named)
{
    int ready[2], over[2];
    char byte, expected[64];
    cr_assert(pipe(ready) == 0 && pipe(over) == 0);
    pid_t child = fork();
    if (child == 0) {
        close(over[1]);
        s_lock(false);
        _exit(write(ready[1], "", 1) != 1 || read(over[0], &byte, 1) != 0);
    }
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    int fd = s_lock(false);
    snprintf(expected, sizeof expected, "(pid %d)", (int) child);
    cr_assert_not_null(strstr(s_holders(), expected), "%s", s_holders());
    cr_assert_not_null(strstr(s_holders(), "), "), "%s", s_holders());
    artel_fd_close(fd);
    close(over[1]);
    cr_assert_eq(waitpid(child, NULL, 0), child);
    cr_assert_str_empty(s_holders());
}
