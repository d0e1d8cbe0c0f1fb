//  The parent that waits, with a service that the test plays.

#include <criterion/criterion.h>

#include "serve.h"
#include "supervise.h"

#include "log.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 20000, MAX_STARTS = 16, SERVED = 3 };

//  What a played service does once it runs.
typedef enum { WAITS, DIES, IS_SLOW_TO_LISTEN } part_t;

//  Seen by the test, the supervisor and each service.
typedef struct {
    part_t part;
    int dies;                           //  so many of the first die at once
    atomic_int starts, said;
    _Atomic(pid_t) service;             //  the last one
    _Atomic(int64_t) at[MAX_STARTS];    //  when each began
    char text[256];                     //  what was said last
} stage_t;

static stage_t *s_stage;
static pid_t s_supervisor;

static int64_t
s_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
arteld_say(arteld_level_t level, const char *format, ...)
{
    (void) level;
    va_list args;
    va_start(args, format);
    vsnprintf(s_stage->text, sizeof s_stage->text, format, args);
    va_end(args);
    s_stage->said++;
}

//  SIGTERM comes before the service has asked for it.
static int
s_be_slow(void)
{
    sigset_t pending;
    int64_t end = s_now_ms() + WAIT_MS;
    do
        sigpending(&pending);
    while (!sigismember(&pending, SIGTERM) && s_now_ms() < end);
    return s_now_ms() < end ? SERVED : 1;
}

static int
s_serve_until_told(void)
{
    sigset_t ends;
    int sig;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    return sigwait(&ends, &sig) == 0 ? SERVED : 1;
}

int
arteld_serve(const arteld_options_t *options, const arteld_place_t *place)
{
    (void) options, (void) place;
    int n = s_stage->starts;
    if (n < MAX_STARTS)
        s_stage->at[n] = s_now_ms();
    s_stage->service = getpid();
    s_stage->starts++;
    if (n < s_stage->dies || s_stage->part == DIES)
        raise(SIGKILL);
    return s_stage->part == IS_SLOW_TO_LISTEN ? s_be_slow() : s_serve_until_told();
}

static void
s_setup(void)
{
    s_stage = mmap(NULL, sizeof *s_stage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(s_stage, MAP_FAILED);
}

//  Also after a failure nothing is left: a service is killed with its supervisor.
static void
s_teardown(void)
{
    if (s_supervisor > 0) {
        kill(s_supervisor, SIGKILL);
        waitpid(s_supervisor, NULL, 0);
    }
}

TestSuite(supervise, .init = s_setup, .fini = s_teardown, .timeout = 60);

static void
s_supervise(part_t part, int dies)
{
    s_stage->part = part;
    s_stage->dies = dies;
    s_supervisor = fork();
    cr_assert(s_supervisor >= 0);
    if (s_supervisor == 0)
        _exit(arteld_supervise(&(arteld_options_t) { 0 }, &(arteld_place_t) { 0 }));
}

static void
s_await(atomic_int *count, int n)
{
    int64_t end = s_now_ms() + WAIT_MS;
    while (*count < n && s_now_ms() < end)
        poll(NULL, 0, 1);
    cr_assert_geq(*count, n);
}

//  Until the supervisor has taken a signal, whatever it does with it.
static void
s_await_taken(int sig)
{
    char path[64], line[128];
    unsigned long long pending = 1ull << (sig - 1);
    int64_t end = s_now_ms() + WAIT_MS;
    snprintf(path, sizeof path, "/proc/%d/status", (int) s_supervisor);
    while (pending >> (sig - 1) & 1 && s_now_ms() < end) {
        FILE *in = fopen(path, "r");
        cr_assert_not_null(in);
        while (fgets(line, sizeof line, in))
            sscanf(line, "ShdPnd: %llx", &pending);
        fclose(in);
    }
    cr_assert_eq(pending >> (sig - 1) & 1, 0);
}

//  The supervisor's exit code, or -1.
static int
s_end(void)
{
    int status = 0, fd = (int) syscall(SYS_pidfd_open, s_supervisor, 0);
    struct pollfd item = { .fd = fd, .events = POLLIN };
    cr_assert_eq(poll(&item, 1, WAIT_MS), 1, "it does not end");
    close(fd);
    waitpid(s_supervisor, &status, 0);
    s_supervisor = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(supervise, a_service_that_ends_by_itself_ends_it_with_its_code)
{
    s_supervise(WAITS, 0);
    s_await(&s_stage->starts, 1);
    kill(s_stage->service, SIGTERM);
    cr_assert_eq(s_end(), SERVED);
    cr_assert_eq(s_stage->starts, 1);
    cr_assert_eq(s_stage->said, 0);
}

Test(supervise, a_signal_that_ends_the_service_is_passed_on)
{
    static const int ends[] = { SIGTERM, SIGINT };
    for (int i = 0; i < 2; i++) {
        s_supervise(WAITS, 0);
        s_await(&s_stage->starts, i + 1);
        kill(s_supervisor, ends[i]);
        cr_assert_eq(s_end(), SERVED);
        cr_assert_eq(s_stage->starts, i + 1);
    }
}

Test(supervise, a_signal_before_the_service_listens_is_kept_for_it)
{
    s_supervise(IS_SLOW_TO_LISTEN, 0);
    s_await(&s_stage->starts, 1);
    kill(s_supervisor, SIGTERM);
    cr_assert_eq(s_end(), SERVED);
}

Test(supervise, a_service_that_is_killed_is_followed_by_another_and_that_is_said)
{
    char expected[128];
    s_supervise(WAITS, 0);
    s_await(&s_stage->starts, 1);
    pid_t killed = s_stage->service;
    kill(killed, SIGKILL);
    s_await(&s_stage->starts, 2);
    snprintf(expected, sizeof expected, "the service (pid %d) died: Killed; starting it again", (int) killed);
    cr_assert_str_eq(s_stage->text, expected);
    cr_assert_eq(s_stage->said, 1);
    kill(s_supervisor, SIGTERM);
    cr_assert_eq(s_end(), SERVED);
}

Test(supervise, one_that_dies_at_once_again_and_again_is_started_with_a_pause_and_told_each_time)
{
    s_supervise(WAITS, 4);
    s_await(&s_stage->starts, 5);
    int64_t first = s_stage->at[1] - s_stage->at[0];
    for (int i = 2; i < 5; i++) {
        int64_t gap = s_stage->at[i] - s_stage->at[i - 1];
        cr_assert_geq(gap, 500);
        cr_assert_lt(first, gap, "the first is followed at once");
    }
    cr_assert_eq(s_stage->said, 4);
    kill(s_supervisor, SIGTERM);
    cr_assert_eq(s_end(), SERVED);
}

Test(supervise, a_signal_during_the_pause_ends_it)
{
    s_supervise(DIES, 0);
    s_await(&s_stage->said, 2);
    kill(s_supervisor, SIGTERM);
    cr_assert_eq(s_end(), 0);
    cr_assert_eq(s_stage->starts, 2);
}

Test(supervise, one_that_was_stopped_and_goes_on_still_starts_the_service_again)
{
    s_supervise(WAITS, 0);
    s_await(&s_stage->starts, 1);
    kill(s_supervisor, SIGTSTP);
    s_await_taken(SIGTSTP);
    kill(s_supervisor, SIGCONT);
    kill(s_stage->service, SIGKILL);
    s_await(&s_stage->starts, 2);
    kill(s_supervisor, SIGTERM);
    cr_assert_eq(s_end(), SERVED);
}

Test(supervise, no_service_outlives_it)
{
    s_supervise(WAITS, 0);
    s_await(&s_stage->starts, 1);
    int fd = (int) syscall(SYS_pidfd_open, s_stage->service, 0);
    struct pollfd item = { .fd = fd, .events = POLLIN };
    cr_assert(fd >= 0);
    kill(s_supervisor, SIGKILL);
    cr_assert_eq(s_end(), -1);
    cr_assert_eq(poll(&item, 1, WAIT_MS), 1);
    close(fd);
}
