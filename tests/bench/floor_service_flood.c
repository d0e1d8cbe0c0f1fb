//  floor_service_flood DIR - MiB, the most that a process had resident whose bare ROUTER took, and
//  dropped, what 64 DEALERs sent over ipc in frames of 64 KiB for two seconds; four frames of each
//  may wait in it.

#include "bench.h"
#include "serve.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

enum { QUEUED = 4, SECONDS = 2 };

static bench_endpoint_t s_endpoint;

static void
s_flood(void)
{
    static const char frame[BENCH_BATCH];
    int most = QUEUED;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    void *context = zmq_ctx_new(), *dealer = zmq_socket(context, ZMQ_DEALER);
    BENCH_CHECK(zmq_setsockopt(dealer, ZMQ_SNDHWM, &most, sizeof most) == 0
                && zmq_connect(dealer, s_endpoint) == 0);
    while (zmq_send(dealer, frame, sizeof frame, 0) >= 0)
        continue;
    _exit(1);
}

int
main(void)
{
    static char frame[BENCH_BATCH];
    int most = QUEUED;
    pid_t pids[BENCH_PROGRAMS];
    bench_endpoint(s_endpoint);
    for (int i = 0; i < BENCH_PROGRAMS; i++)
        if ((pids[i] = fork()) == 0)
            s_flood();
    void *context = zmq_ctx_new(), *router = zmq_socket(context, ZMQ_ROUTER);
    BENCH_CHECK(zmq_setsockopt(router, ZMQ_RCVHWM, &most, sizeof most) == 0
                && zmq_bind(router, s_endpoint) == 0);
    for (double end = bench_now() + SECONDS; bench_now() < end; )
        BENCH_CHECK(zmq_recv(router, frame, sizeof frame, 0) >= 0);
    printf("%.1f\n", bench_status_mib(getpid(), "VmHWM"));
    for (int i = 0; i < BENCH_PROGRAMS; i++)
        BENCH_CHECK(kill(pids[i], SIGKILL) == 0 && waitpid(pids[i], NULL, 0) == pids[i]);
    bench_endpoint_end(s_endpoint);
    fflush(stdout);
    _exit(0);                           //  the context would wait for what the dead have sent
}
