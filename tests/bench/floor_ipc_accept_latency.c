//  floor_ipc_accept_latency DIR - microseconds (median) for one message from a DEALER to a
//  ROUTER over ipc and one back, of the sizes of a batch of one row and of `accepted`. Both
//  ends wait in a blocking recv, and share one CPU.

#include "bench.h"
#include "serve.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

static bench_endpoint_t s_endpoint;

static void
s_echo(void)
{
    char peer[16], request[BENCH_BATCH_BYTES], response[BENCH_ACCEPTED_BYTES] = { 0 };
    void *context = zmq_ctx_new(), *router = zmq_socket(context, ZMQ_ROUTER);
    BENCH_CHECK(zmq_bind(router, s_endpoint) == 0);
    do {
        int n = zmq_recv(router, peer, sizeof peer, 0);
        BENCH_CHECK(n > 0 && zmq_recv(router, request, sizeof request, 0) >= 0);
        BENCH_CHECK(zmq_send(router, peer, (size_t) n, ZMQ_SNDMORE) == n
                    && zmq_send(router, response, sizeof response, 0) >= 0);
    } while (!request[0]);
    zmq_close(router);
    zmq_ctx_term(context);
}

static double
s_ask(void *dealer, const char *request)
{
    char response[BENCH_ACCEPTED_BYTES];
    double start = bench_now();
    BENCH_CHECK(zmq_send(dealer, request, BENCH_BATCH_BYTES, 0) == BENCH_BATCH_BYTES
                && zmq_recv(dealer, response, sizeof response, 0) == BENCH_ACCEPTED_BYTES);
    return (bench_now() - start) * 1e6;
}

int
main(void)
{
    static double took[BENCH_FLUSHES];
    char request[BENCH_BATCH_BYTES] = { 0 };
    bench_pin();
    bench_endpoint(s_endpoint);
    pid_t pid = fork();
    if (pid == 0) {
        s_echo();
        return 0;
    }
    void *context = zmq_ctx_new(), *dealer = zmq_socket(context, ZMQ_DEALER);
    BENCH_CHECK(pid > 0 && zmq_connect(dealer, s_endpoint) == 0);
    s_ask(dealer, request);                     //  now it is connected
    for (int i = 0; i < BENCH_FLUSHES; i++)
        took[i] = s_ask(dealer, request);
    printf("%.2f\n", bench_median(took, BENCH_FLUSHES));
    request[0] = 1;
    s_ask(dealer, request);
    BENCH_CHECK(waitpid(pid, NULL, 0) == pid);
    zmq_close(dealer);
    zmq_ctx_term(context);
    bench_endpoint_end(s_endpoint);
}
