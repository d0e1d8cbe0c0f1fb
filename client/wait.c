//  wait.c - waiting on a condition with a deadline of CLOCK_MONOTONIC.

#include "wait.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>

static struct timespec
s_from_now(clockid_t clock, int ms)
{
    struct timespec at;
    clock_gettime(clock, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * 1000000L;
    if (at.tv_nsec >= 1000000000L) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000L;
    }
    return at;
}

artel_deadline_t
artel_deadline(int timeout_ms)
{
    artel_deadline_t deadline = { .never = timeout_ms < 0 };
    if (!deadline.never)
        deadline.at = s_from_now(CLOCK_MONOTONIC, timeout_ms);
    return deadline;
}

int
artel_deadline_left(artel_deadline_t deadline)
{
    if (deadline.never)
        return INT_MAX;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t ms = (int64_t) (deadline.at.tv_sec - now.tv_sec) * 1000
                 + (deadline.at.tv_nsec - now.tv_nsec + 999999) / 1000000;
    return ms < 0 ? 0 : ms > INT_MAX ? INT_MAX : (int) ms;
}

int
artel_deadline_within(artel_deadline_t deadline, int least_ms, int most_ms)
{
    int left = artel_deadline_left(deadline);
    return left < least_ms ? least_ms : left > most_ms ? most_ms : left;
}

void
artel_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

void
artel_brief_lock_init(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
#ifdef PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ADAPTIVE_NP);
#endif
    pthread_mutex_init(lock, &attr);
    pthread_mutexattr_destroy(&attr);
}

bool
artel_wait(pthread_cond_t *cond, pthread_mutex_t *lock, artel_deadline_t deadline)
{
    if (deadline.never)
        return pthread_cond_wait(cond, lock) == 0;
    return pthread_cond_timedwait(cond, lock, &deadline.at) != ETIMEDOUT;
}

bool
artel_lock_soon(pthread_mutex_t *lock, int ms)
{
    struct timespec at = s_from_now(CLOCK_REALTIME, ms);    //  the one clock it takes
    return pthread_mutex_timedlock(lock, &at) == 0;
}
