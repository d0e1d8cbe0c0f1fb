//  clock.h - the clock of the programs that the fault suites strike or watch.

#ifndef ARTEL_FAULT_CLOCK_H
#define ARTEL_FAULT_CLOCK_H

#include <time.h>

static inline long
clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static inline long
clock_ms(void)
{
    return clock_us() / 1000;
}

#endif
