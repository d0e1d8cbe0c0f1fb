//  The socket and the lock of a service.

#include "scratch.h"

#include "errors.h"
#include "fds.h"
#include "service.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

static char s_holder[64];

static void
s_setup(void)
{
    s_scratch_make();
    cr_assert(mkdir(s_in("run"), 0700) == 0 && mkdir(s_in("state"), 0700) == 0);
    setenv("XDG_RUNTIME_DIR", s_in("run"), 1);
    s_holder[0] = 0;
}

TestSuite(service_place, .init = s_setup, .fini = s_scratch_remove, .timeout = 30);

//  The path of the socket for a name of the state directory; the test frees it.
static char *
s_path(const char *state)
{
    char *path = NULL;
    cr_assert_eq(artel_service_path(state, &path), 0);
    return path;
}

static int
s_take(int *ret_fd)
{
    return artel_service_take(s_in("state"), ret_fd, s_holder, sizeof s_holder);
}

//  The pid of the service; 0: nobody is.
static int
s_holds(void)
{
    int pid = 0, held = artel_service_holder(s_in("state"), &pid);
    cr_assert(held == 0 || (held == 1 && pid > 0), "%d, pid %d", held, pid);
    return pid;
}

static int
s_listen(const char *path, int backlog)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(fd >= 0 && bind(fd, (struct sockaddr *) &to, sizeof to) == 0 && listen(fd, backlog) == 0);
    return fd;
}

Test(service_place, is_one_for_every_name_of_a_directory)
{
    cr_assert_eq(symlink(s_in("state"), s_in("link")), 0);
    char *path = s_path(s_in("state")), *slash = s_path(s_in("state/")), *link = s_path(s_in("link"));
    size_t len = strlen(s_in("run/artel/"));
    cr_assert_eq(strncmp(path, s_in("run/artel/"), len), 0, "%s", path);
    cr_assert_eq(strlen(path), len + 16, "%s", path);
    cr_assert_str_eq(slash, path);
    cr_assert_str_eq(link, path);
    free(path);
    free(slash);
    free(link);
}

Test(service_place, differs_for_another_directory)
{
    char *one = s_path(s_in("state")), *other = s_path(s_in("run"));
    cr_assert_str_neq(one, other);
    free(one);
    free(other);
}

Test(service_place, is_in_tmp_without_a_runtime_directory)
{
    static const char *const values[] = { NULL, "", "relative" };
    char expected[64];
    snprintf(expected, sizeof expected, "/tmp/artel-%u/", (unsigned) geteuid());
    for (size_t i = 0; i < 3; i++) {
        if (values[i])
            setenv("XDG_RUNTIME_DIR", values[i], 1);
        else
            unsetenv("XDG_RUNTIME_DIR");
        char *path = s_path(s_in("state"));
        cr_assert_eq(strncmp(path, expected, strlen(expected)), 0, "%s", path);
        free(path);
    }
}

Test(service_place, needs_the_directory_and_a_short_enough_name)
{
    char *path = NULL, name[120];
    cr_assert_eq(artel_service_path(s_in("none"), &path), ARTEL_ENOENT);
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = 0;
    setenv("XDG_RUNTIME_DIR", s_in("%s", name), 1);
    cr_assert_eq(artel_service_path(s_in("state"), &path), ARTEL_ELIMIT);
    cr_assert_null(path);
}

Test(service_place, makes_its_folder_for_us_alone)
{
    struct stat st;
    umask(0);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(artel_service_folder(s_in("run/artel/socket")), 0);
    cr_assert_eq(stat(s_in("run/artel"), &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0700);
}

Test(service_place, a_folder_that_others_may_enter_is_refused)
{
    static const mode_t modes[] = { 0710, 0701, 0720, 0777 };
    cr_assert_eq(mkdir(s_in("run/artel"), 0700), 0);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        cr_assert_eq(chmod(s_in("run/artel"), modes[i]), 0);
        cr_assert_eq(artel_service_folder(s_in("run/artel/socket")), ARTEL_EACCES, "%03o", (unsigned) modes[i]);
    }
}

Test(service_place, a_folder_of_another_user_is_refused)
{
    if (geteuid() != 0)
        cr_skip_test("only root can give a folder away");
    cr_assert_eq(mkdir(s_in("run/artel"), 0700), 0);
    cr_assert_eq(chown(s_in("run/artel"), 65534, 65534), 0);
    cr_assert_eq(artel_service_folder(s_in("run/artel/socket")), ARTEL_EACCES);
}

Test(service_place, a_link_or_a_file_in_its_place_is_refused)
{
    cr_assert_eq(symlink(s_in("state"), s_in("run/artel")), 0);
    cr_assert_eq(artel_service_folder(s_in("run/artel/socket")), ARTEL_EACCES);
    unlink(s_in("run/artel"));
    s_write_text(s_in("run/artel"), "");
    cr_assert_eq(artel_service_folder(s_in("run/artel/socket")), ARTEL_EACCES);
}

Test(service_place, needs_the_runtime_directory)
{
    cr_assert_eq(artel_service_folder(s_in("none/artel/socket")), ARTEL_ENOENT);
}

Test(service_place, nobody_listens_where_nothing_is_or_a_socket_is_left_over)
{
    cr_assert_eq(artel_service_probe(s_in("run/socket")), ARTEL_ENOENT);
    cr_assert_eq(artel_service_probe(s_in("none/socket")), ARTEL_ENOENT);
    close(s_listen(s_in("run/socket"), 1));
    cr_assert_eq(access(s_in("run/socket"), F_OK), 0);
    cr_assert_eq(artel_service_probe(s_in("run/socket")), ARTEL_ENOENT);
}

Test(service_place, who_listens_is_found)
{
    int fd = s_listen(s_in("run/socket"), 8);
    cr_assert_eq(artel_service_probe(s_in("run/socket")), 0);
    close(fd);
}

//  A backlog of 0 holds one connection: the next would block.
Test(service_place, a_full_queue_is_said_and_not_waited_for)
{
    int fd = s_listen(s_in("run/socket"), 0);
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    snprintf(to.sun_path, sizeof to.sun_path, "%s", s_in("run/socket"));
    int first = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(first, (struct sockaddr *) &to, sizeof to), 0);
    cr_assert_eq(artel_service_probe(s_in("run/socket")), ARTEL_EUNAVAIL);
    close(first);
    close(fd);
}

Test(service_place, a_path_no_socket_can_have_is_a_limit)
{
    char name[120];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = 0;
    cr_assert_eq(artel_service_probe(s_in("run/%s", name)), ARTEL_ELIMIT);
}

//  The kernel says who listens: a folder and a socket may be ours, and the process another's.
Test(service_place, another_users_process_is_not_trusted)
{
    if (geteuid() != 0)
        cr_skip_test("only root can become another user");
    int ready[2];
    char byte;
    cr_assert(pipe(ready) == 0 && chmod(s_scratch, 0711) == 0 && chmod(s_in("run"), 0777) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        //  Behind setuid, which forgets it.
        if (setuid(65534) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
            _exit(1);
        s_listen(s_in("run/socket"), 8);
        if (write(ready[1], "", 1) == 1)
            pause();
        _exit(1);
    }
    close(ready[1]);
    cr_assert_eq(read(ready[0], &byte, 1), 1, "it does not listen");
    cr_assert_eq(artel_service_probe(s_in("run/socket")), ARTEL_EACCES);
    kill(pid, SIGKILL);
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

Test(service_place, is_held_by_one_who_is_named)
{
    char expected[32];
    int fd = -1, other = -1;
    cr_assert_eq(s_take(&fd), 0);
    cr_assert_eq(s_take(&other), ARTEL_ELOCKED);
    cr_assert_eq(other, -1);
    snprintf(expected, sizeof expected, "pid %d", (int) getpid());
    cr_assert_str_eq(s_holder, expected);
    cr_assert_eq(s_holds(), getpid());
    artel_fd_close(fd);
}

Test(service_place, is_held_by_nobody_before_and_after)
{
    int fd;
    cr_assert_eq(s_holds(), 0);
    cr_assert_neq(access(s_in("state/service"), F_OK), 0, "asking makes nothing");
    cr_assert_eq(s_take(&fd), 0);
    artel_fd_close(fd);
    cr_assert_eq(s_holds(), 0);
    cr_assert_eq(s_take(&fd), 0);
    artel_fd_close(fd);
}

//  The pid of who was killed stays in the file: only the lock counts.
Test(service_place, is_free_again_when_its_holder_is_killed)
{
    int ready[2], fd;
    char byte;
    cr_assert_eq(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && s_take(&fd) == 0 && write(ready[1], "", 1) == 1)
            pause();
        _exit(1);
    }
    close(ready[1]);
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    cr_assert_eq(s_holds(), pid);
    kill(pid, SIGKILL);
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
    cr_assert_eq(s_holds(), 0);
    cr_assert_eq(s_take(&fd), 0);
    cr_assert_eq(s_holds(), getpid());
    artel_fd_close(fd);
}

//  Who takes the lock writes its pid a moment later: until then the file has that of the one before, which may
//  be any process by now.
Test(service_place, is_not_taken_for_that_of_the_process_before)
{
    char text[32];
    int pid = 0, other = -1;
    snprintf(text, sizeof text, "%d\n", (int) getppid());
    s_write_text(s_in("state/service"), text);
    int fd = artel_fd_open(s_in("state/service"), O_RDWR);
    cr_assert(fd >= 0 && artel_fd_lock(fd, true, false) == 0);
    cr_assert_eq(artel_service_holder(s_in("state"), &pid), 1);
    cr_assert_eq(pid, 0);
    cr_assert_eq(s_take(&other), ARTEL_ELOCKED);
    cr_assert_str_eq(s_holder, "a process that is not seen from here");
    artel_fd_close(fd);
}

Test(service_place, needs_a_state_directory)
{
    int fd = -1, pid = 0;
    cr_assert_eq(artel_service_take(s_in("none"), &fd, s_holder, sizeof s_holder), ARTEL_ENOENT);
    cr_assert_eq(artel_service_holder(s_in("none"), &pid), 0);
    cr_assert_eq(fd, -1);
}
