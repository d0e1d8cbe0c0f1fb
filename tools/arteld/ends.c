//  ends.c - blocking what ends the service, and waiting for it.

#include "ends.h"

#include <errno.h>
#include <time.h>

sigset_t
arteld_ends_block(void)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGHUP);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    return ends;
}

int
arteld_ends_wait(const sigset_t *ends, int ms)
{
    struct timespec wait = { ms / 1000, ms % 1000 * 1000000L };
    int sig;
    do
        sig = ms < 0 ? sigwaitinfo(ends, NULL) : sigtimedwait(ends, NULL, &wait);
    while (sig < 0 && errno == EINTR);
    return sig > 0 ? sig : 0;
}
