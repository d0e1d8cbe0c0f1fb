//  floor_poll_rtt DIR - microseconds (median) for one message from a DEALER to a
//  ROUTER and one back, over inproc, of the sizes of an artifact_poll and its
//  response. Both ends wait in a blocking recv, and share one CPU.

#include "bench.h"

#include <pthread.h>
#include <stdio.h>
#include <zmq.h>

static void *
s_echo(void *router)
{
    static const char response[BENCH_RESPONSE_BYTES];
    for (;;) {
        char peer[16], request[64];
        int n = zmq_recv(router, peer, sizeof peer, 0);
        BENCH_CHECK(n > 0 && zmq_recv(router, request, sizeof request, 0) >= 0);
        if (request[0])
            return NULL;
        BENCH_CHECK(zmq_send(router, peer, (size_t) n, ZMQ_SNDMORE) == n
                    && zmq_send(router, response, sizeof response, 0) >= 0);
    }
}

int
main(void)
{
    static double took[BENCH_POLLS];
    char request[BENCH_POLL_BYTES] = { 0 }, response[64];
    bench_pin();
    void *context = zmq_ctx_new();
    void *router = zmq_socket(context, ZMQ_ROUTER), *dealer = zmq_socket(context, ZMQ_DEALER);
    BENCH_CHECK(zmq_bind(router, "inproc://echo") == 0
                && zmq_connect(dealer, "inproc://echo") == 0);
    pthread_t thread;
    BENCH_CHECK(pthread_create(&thread, NULL, s_echo, router) == 0);

    for (int i = 0; i < BENCH_POLLS; i++) {
        double start = bench_now();
        zmq_send(dealer, request, sizeof request, 0);
        BENCH_CHECK(zmq_recv(dealer, response, sizeof response, 0) == BENCH_RESPONSE_BYTES);
        took[i] = (bench_now() - start) * 1e6;
    }
    printf("%.3f\n", bench_median(took, BENCH_POLLS));

    request[0] = 1;
    zmq_send(dealer, request, sizeof request, 0);
    pthread_join(thread, NULL);
    zmq_close(router);
    zmq_close(dealer);
    zmq_ctx_term(context);
}
