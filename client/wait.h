//  wait.h - waiting on a condition with a deadline of CLOCK_MONOTONIC.

#ifndef ARTEL_WAIT_H
#define ARTEL_WAIT_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

//  A point in time, or never.
typedef struct {
    bool never;
    struct timespec at;
} artel_deadline_t;

//  timeout_ms from now; negative is never.
artel_deadline_t
artel_deadline(int timeout_ms);

//  Milliseconds until then, at least 0; INT_MAX for never.
int
artel_deadline_left(artel_deadline_t deadline);

//  The same, but so much at least and at most.
int
artel_deadline_within(artel_deadline_t deadline, int least_ms, int most_ms);

void
artel_cond_init(pthread_cond_t *cond);

//  A lock that is held for less time than it takes to sleep and be woken: who finds it
//  taken looks again a few times first.
void
artel_brief_lock_init(pthread_mutex_t *lock);

//  Wait until cond is signaled (or for no reason: look again); false once the deadline has passed.
bool
artel_wait(pthread_cond_t *cond, pthread_mutex_t *lock, artel_deadline_t deadline);

//  Lock within ms, or return false. For exit(), which a signal handler may call in
//  a thread that holds the lock.
bool
artel_lock_soon(pthread_mutex_t *lock, int ms);

#endif
