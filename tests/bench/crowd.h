//  crowd.h - 1,000 programs, as far as a service can tell: clients with a connection and an open
//  run each, 100 to a process.

#ifndef ARTEL_BENCH_CROWD_H
#define ARTEL_BENCH_CROWD_H

#include "artel.h"
#include "bench.h"
#include "rows.h"
#include "serve.h"

#include <poll.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

enum { BENCH_A_PROCESS = 100, BENCH_QUIET_MS = 3000, BENCH_IDLE_MS = 10000 };

//  Open clients and runs, log a row in each and have it delivered; say so, and be idle until
//  the parent closes its end.
static inline void
bench_crowd_part(int ready, int hold)
{
    char byte = 0;
    artel_t *artel;
    for (int i = 0; i < BENCH_A_PROCESS; i++)
        bench_start(NULL, &artel);
    BENCH_CHECK(write(ready, &byte, 1) == 1);
    BENCH_CHECK(read(hold, &byte, 1) == 0);
    _exit(0);
}

//  The descriptor that holds the crowd: it leaves when that is closed.
static inline int
bench_crowd_gather(void)
{
    int ready[2], hold[2];
    char byte;
    BENCH_CHECK(pipe(ready) == 0 && pipe(hold) == 0);
    for (int i = 0; i < BENCH_CROWD / BENCH_A_PROCESS; i++) {
        pid_t pid = fork();
        BENCH_CHECK(pid >= 0);
        if (pid == 0) {
            close(hold[1]);
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            bench_crowd_part(ready[1], hold[0]);
        }
    }
    close(hold[0]);
    for (int i = 0; i < BENCH_CROWD / BENCH_A_PROCESS; i++)
        BENCH_CHECK(read(ready[0], &byte, 1) == 1);
    return hold[1];
}

#endif
