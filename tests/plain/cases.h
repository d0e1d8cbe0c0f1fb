//  cases.h - a plain test program: each case in a process of its own.
//
//  What is tested here belongs to the whole process (signals, exit, fork, limits), and
//  a sanitizer that Criterion can't run must. A case passes if its process ends
//  with 0 within a minute; CHECK says why it does not.

#ifndef ARTEL_CASES_H
#define ARTEL_CASES_H

#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    const char *name;
    void (*fn)(void);           //  NULL: not in this build, or not this way
} case_t;

enum { CASE_FAILED = 99, CASE_MS = 100000 };

static char case_dir[256];          //  made for the case, removed after it
static int case_why[2];             //  pipe: why it failed

__attribute__((format(printf, 3, 4), noreturn)) static void
case_fail(const char *file, int line, const char *format, ...)
{
    char text[1024];
    int n = snprintf(text, sizeof text, "%s:%d: ", strrchr(file, '/') ? strrchr(file, '/') + 1 : file, line);
    va_list args;
    va_start(args, format);
    vsnprintf(text + n, sizeof text - (size_t) n, format, args);
    va_end(args);
    ssize_t rc = write(case_why[1], text, strlen(text));
    (void) rc;
    _exit(CASE_FAILED);
}

#define CHECK(ok, ...) do { if (!(ok)) case_fail(__FILE__, __LINE__, __VA_ARGS__); } while (0)
#define CHECK_RC(call, wanted) do { int rc_ = (call); \
    CHECK(rc_ == (wanted), "%s is %s, not %s (%s)", #call, artel_error_name(rc_), \
          artel_error_name(wanted), artel_open_error()); } while (0)
#define CHECK_OK(call) CHECK_RC(call, 0)

static int64_t
case_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

//  Wait for a child; its status, or -1 if it is still there after ms (it is killed then).
static int
case_wait(pid_t pid, int ms)
{
    struct pollfd item = { .fd = (int) syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
    int64_t deadline = case_now_ms() + ms, left;
    int ready = 0, status;
    while ((left = deadline - case_now_ms()) > 0 && (ready = poll(&item, 1, (int) left)) < 0 && errno == EINTR)
        continue;
    if (ready <= 0)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    close(item.fd);
    return ready > 0 ? status : -1;
}

static int
case_unlink(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void) st;
    (void) kind;
    (void) ftw;
    return remove(path);
}

static bool
case_run(const case_t *c)
{
    if (!c->fn) {
        printf("SKIP %s: not under a sanitizer, or not through a service\n", c->name);
        return true;
    }
    const char *tmp = getenv("TMPDIR");
    snprintf(case_dir, sizeof case_dir, "%s/artel-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(case_dir) || pipe(case_why) != 0)
        return false;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(case_why[0]);
        c->fn();
        exit(0);
    }
    close(case_why[1]);
    int status = case_wait(pid, CASE_MS);
    char why[1024] = "";
    if (status > 0 && WIFEXITED(status) && WEXITSTATUS(status) == CASE_FAILED) {
        ssize_t n = read(case_why[0], why, sizeof why - 1);
        why[n > 0 ? n : 0] = 0;
    } else if (status != 0) {
        snprintf(why, sizeof why, status < 0 ? "it hung" : "it ended with wait status %#x", (unsigned) status);
    }
    close(case_why[0]);
    nftw(case_dir, case_unlink, 16, FTW_DEPTH | FTW_PHYS);
    if (status == 0)
        printf("PASS %s\n", c->name);
    else
        printf("FAIL %s: %s\n", c->name, why);
    return status == 0;
}

//  Run the cases, or only the one named.
static int
case_main(const case_t *cases, size_t n, const char *only)
{
    bool all = true;
    for (size_t i = 0; i < n; i++)
        if (!only || strcmp(only, cases[i].name) == 0)
            all &= case_run(&cases[i]);
    return all ? 0 : 1;
}

#endif
