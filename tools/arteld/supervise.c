//  supervise.c - a parent that waits.

#include "supervise.h"

#include "log.h"
#include "serve.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STEADY_S = 10, PAUSE_MS = 500 };

static const int s_ends[] = { SIGTERM, SIGINT, SIGHUP };

static void
s_block(int how)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    for (size_t i = 0; i < sizeof s_ends / sizeof *s_ends; i++)
        sigaddset(&set, s_ends[i]);
    sigprocmask(how, &set, NULL);
}

//  The child. It is killed with its parent: a service without one would keep the lock.
static int
s_serve(const arteld_options_t *options, pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        return ARTELD_EXIT_FAILED;
    s_block(SIG_UNBLOCK);
    return arteld_serve(options);
}

//  Pass signals on until the child has ended; its wait status.
static int
s_attend(pid_t child, bool *ret_told)
{
    sigset_t set;
    int status;
    sigfillset(&set);
    for (;;) {
        int sig = sigwaitinfo(&set, NULL);
        if (sig < 0 && errno != EINTR)
            return 0;
        if (sig > 0 && sig != SIGCHLD) {
            *ret_told = true;
            kill(child, sig);
        }
        if (waitpid(child, &status, WNOHANG) == child)
            return status;
    }
}

static void
s_pause(time_t started)
{
    struct timespec pause = { 0, PAUSE_MS * 1000000L };
    if (time(NULL) - started < STEADY_S)
        nanosleep(&pause, NULL);
}

int
arteld_supervise(const arteld_options_t *options)
{
    pid_t parent = getpid();
    bool told = false, first = true;
    s_block(SIG_BLOCK);
    for (;;) {
        time_t started = time(NULL);
        pid_t child = fork();
        if (child < 0) {
            arteld_say("no process for the service: %s", strerror(errno));
            return ARTELD_EXIT_FAILED;
        }
        if (child == 0)
            exit(s_serve(options, parent));
        int status = s_attend(child, &told);
        if (WIFEXITED(status) || told)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        arteld_say("the service (pid %d) died: %s; starting it again", (int) child, strsignal(WTERMSIG(status)));
        if (!first)
            s_pause(started);
        first = false;
    }
}
