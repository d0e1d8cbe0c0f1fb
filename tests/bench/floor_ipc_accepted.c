//  floor_ipc_accepted DIR - rows a second from one program to another: rows of 5 scalars are
//  packed, each 64 KiB of them go from a DEALER to a ROUTER over ipc, and what has come is
//  checksummed and appended to a file with one write. No fdatasync: accepted means in the page
//  cache. The ROUTER answers each write with the count of frames it has.

#include "bench.h"
#include "serve.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>
#include <zmq.h>

enum { AT_ONCE = 64 };

typedef struct {
    uint64_t len, counter, checksum;
} header_t;

static bench_endpoint_t s_endpoint;

//  Append n frames.
static void
s_append(int fd, zmq_msg_t *frames, int n, uint64_t counter)
{
    header_t headers[AT_ONCE];
    struct iovec parts[2 * AT_ONCE];
    ssize_t sum = 0;
    for (int i = 0; i < n; i++) {
        size_t len = zmq_msg_size(&frames[i]);
        headers[i] = (header_t) { len, counter++, XXH3_64bits(zmq_msg_data(&frames[i]), len) };
        parts[2 * i] = (struct iovec) { &headers[i], sizeof headers[i] };
        parts[2 * i + 1] = (struct iovec) { zmq_msg_data(&frames[i]), len };
        sum += (ssize_t) (sizeof headers[i] + len);
    }
    BENCH_CHECK(writev(fd, parts, 2 * n) == sum);
    for (int i = 0; i < n; i++)
        zmq_msg_close(&frames[i]);
}

//  Take what is there, waiting for the first; how many, and whether the last was empty.
static int
s_take(void *router, char *peer, zmq_msg_t *frames, int *ret_over)
{
    int n = 0;
    *ret_over = 0;
    while (n < AT_ONCE && !*ret_over && zmq_recv(router, peer, 5, n ? ZMQ_DONTWAIT : 0) >= 0) {
        zmq_msg_init(&frames[n]);
        BENCH_CHECK(zmq_msg_recv(&frames[n], router, 0) >= 0);
        *ret_over = zmq_msg_size(&frames[n]) == 0;
        n += !*ret_over;
    }
    return n;
}

static void
s_serve(const char *journal)
{
    char peer[5];
    zmq_msg_t frames[AT_ONCE];
    uint64_t counter = 0;
    int over = 0, fd = open(journal, O_CREAT | O_WRONLY, 0600);
    void *context = zmq_ctx_new(), *router = zmq_socket(context, ZMQ_ROUTER);
    BENCH_CHECK(fd >= 0 && zmq_bind(router, s_endpoint) == 0);
    while (!over) {
        int n = s_take(router, peer, frames, &over);
        s_append(fd, frames, n, counter);
        counter += (uint64_t) n;
        BENCH_CHECK(zmq_send(router, peer, sizeof peer, ZMQ_SNDMORE) >= 0
                    && zmq_send(router, &counter, sizeof counter, 0) >= 0);
    }
    zmq_close(router);
    zmq_ctx_term(context);
}

static void
s_send(void *dealer, msgpack_sbuffer *batch)
{
    zmq_msg_t frame;
    BENCH_CHECK(zmq_msg_init_size(&frame, batch->size) == 0);
    memcpy(zmq_msg_data(&frame), batch->data, batch->size);
    BENCH_CHECK(zmq_msg_send(&frame, dealer, 0) >= 0);
    msgpack_sbuffer_clear(batch);
}

//  Have all frames acknowledged.
static void
s_await(void *dealer, uint64_t sent)
{
    for (uint64_t counter = 0; counter < sent; )
        BENCH_CHECK(zmq_recv(dealer, &counter, sizeof counter, 0) == sizeof counter);
}

static double
s_log(void *dealer)
{
    uint64_t sent = 0;
    msgpack_sbuffer batch;
    msgpack_sbuffer_init(&batch);
    msgpack_packer pk;
    msgpack_packer_init(&pk, &batch, msgpack_sbuffer_write);
    double start = bench_now();
    for (uint64_t i = 0; i < BENCH_ROWS; i++) {
        bench_pack_row(&pk, i, BENCH_CELLS);
        if (batch.size < BENCH_BATCH && i + 1 < BENCH_ROWS)
            continue;
        s_send(dealer, &batch);
        sent++;
    }
    s_await(dealer, sent);
    double took = bench_now() - start;
    msgpack_sbuffer_destroy(&batch);
    return took;
}

int
main(int argc, char **argv)
{
    BENCH_CHECK(argc == 2);
    bench_endpoint(s_endpoint);
    pid_t pid = fork();
    if (pid == 0) {
        s_serve(bench_path(argv[1], "journal", 0));
        return 0;
    }
    void *context = zmq_ctx_new(), *dealer = zmq_socket(context, ZMQ_DEALER);
    BENCH_CHECK(pid > 0 && zmq_connect(dealer, s_endpoint) == 0);
    uint64_t none = 0;
    printf("%.0f\n", BENCH_ROWS / s_log(dealer));
    BENCH_CHECK(zmq_send(dealer, "", 0, 0) == 0 && zmq_recv(dealer, &none, sizeof none, 0) >= 0);
    BENCH_CHECK(waitpid(pid, NULL, 0) == pid);
    zmq_close(dealer);
    zmq_ctx_term(context);
    bench_endpoint_end(s_endpoint);
}
