//  floor_service_idle DIR - MiB that a process with a bare ROUTER has resident to which 1,000
//  DEALERs are connected over ipc.

#include "bench.h"
#include "serve.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

static bench_endpoint_t s_endpoint;

//  Take a message of each peer; say when all have come, and end when the parent has looked.
static void
s_serve(int ready, int hold)
{
    char message[8];
    void *context = zmq_ctx_new(), *router = zmq_socket(context, ZMQ_ROUTER);
    BENCH_CHECK(zmq_bind(router, s_endpoint) == 0);
    for (int i = 0; i < 2 * BENCH_CROWD; i++)   //  its id, and what it says
        BENCH_CHECK(zmq_recv(router, message, sizeof message, 0) >= 0);
    BENCH_CHECK(write(ready, message, 1) == 1 && read(hold, message, 1) == 0);
    _exit(0);
}

int
main(void)
{
    static void *dealers[BENCH_CROWD];
    int ready[2], hold[2];
    char byte;
    bench_endpoint(s_endpoint);
    BENCH_CHECK(pipe(ready) == 0 && pipe(hold) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(hold[1]);
        s_serve(ready[1], hold[0]);
    }
    void *context = zmq_ctx_new();
    BENCH_CHECK(pid > 0 && zmq_ctx_set(context, ZMQ_MAX_SOCKETS, 2 * BENCH_CROWD) == 0);
    for (int i = 0; i < BENCH_CROWD; i++) {
        dealers[i] = zmq_socket(context, ZMQ_DEALER);
        BENCH_CHECK(zmq_connect(dealers[i], s_endpoint) == 0 && zmq_send(dealers[i], "x", 1, 0) == 1);
    }
    BENCH_CHECK(read(ready[0], &byte, 1) == 1);
    printf("%.1f\n", bench_status_mib(pid, "VmRSS"));
    close(hold[1]);
    BENCH_CHECK(waitpid(pid, NULL, 0) == pid);
    for (int i = 0; i < BENCH_CROWD; i++)
        zmq_close(dealers[i]);
    zmq_ctx_term(context);
    bench_endpoint_end(s_endpoint);
}
