//  interrupt.c - noting a signal.

#include "interrupt.h"

#include "command.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t s_signal;

static void
s_note(int signal)
{
    if (s_signal)
        _exit(ARTEL_EXIT_SIGNAL + signal);
    s_signal = signal;
}

void
artel_interrupt_start(void)
{
    struct sigaction action = { .sa_handler = s_note };     //  no SA_RESTART: read must end
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

//  The signals are let in only while it waits: none slips in between looking and waiting.
void
artel_interrupt_wait(int fd)
{
    sigset_t both, old;
    sigemptyset(&both);
    sigaddset(&both, SIGINT);
    sigaddset(&both, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &both, &old);
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };
    if (!s_signal)
        ppoll(&pollfd, 1, NULL, &old);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

int
artel_interrupted(void)
{
    return s_signal;
}
