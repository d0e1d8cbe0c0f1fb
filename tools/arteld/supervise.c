//  supervise.c - a parent that waits.

#include "supervise.h"

#include "ends.h"
#include "log.h"
#include "serve.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STEADY_MS = 10000, PAUSE_MS = 500 };

//  What ends the service, and the end of its process, blocked.
static sigset_t
s_signals(void)
{
    sigset_t set = arteld_ends_block();
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return set;
}

static int64_t
s_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

//  The child. It is killed with its parent: a service without one would keep the lock, and nobody could stop it.
//  What ends it stays blocked until it waits for that.
static int
s_serve(const arteld_options_t *options, const arteld_place_t *place, pid_t parent)
{
    sigset_t set;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        return ARTELD_EXIT_FAILED;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    return arteld_serve(options, place);
}

//  Pass signals on until the child has ended; its wait status.
static int
s_attend(pid_t child, const sigset_t *set, bool *ret_told)
{
    int status;
    for (;;) {
        int sig = sigwaitinfo(set, NULL);
        if (sig > 0 && sig != SIGCHLD) {
            *ret_told = true;
            kill(child, sig);
        }
        if (waitpid(child, &status, WNOHANG) == child)
            return status;
    }
}

//  Whether a signal told us to end meanwhile. No child is left that could be waited for.
static bool
s_pause(const sigset_t *set)
{
    int64_t end = s_now_ms() + PAUSE_MS, left;
    while ((left = end - s_now_ms()) > 0) {
        struct timespec wait = { left / 1000, left % 1000 * 1000000L };
        int sig = sigtimedwait(set, NULL, &wait);
        if (sig > 0 && sig != SIGCHLD)
            return true;
    }
    return false;
}

int
arteld_supervise(const arteld_options_t *options, const arteld_place_t *place)
{
    pid_t parent = getpid();
    bool told = false, first = true;
    sigset_t set = s_signals();
    for (;;) {
        int64_t started = s_now_ms();
        pid_t child = fork();
        if (child < 0) {
            arteld_say(ARTELD_ERROR, "no process for the service: %s", strerror(errno));
            return ARTELD_EXIT_FAILED;
        }
        if (child == 0)
            exit(s_serve(options, place, parent));
        int status = s_attend(child, &set, &told);
        if (WIFEXITED(status) || told)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        arteld_say(ARTELD_WARNING, "the service (pid %d) died: %s; starting it again", (int) child, strsignal(WTERMSIG(status)));
        if (!first && s_now_ms() - started < STEADY_MS && s_pause(&set))
            return 0;
        first = false;
    }
}
