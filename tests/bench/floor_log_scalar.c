//  floor_log_scalar DIR - nanoseconds to pack one record of one scalar under a
//  mutex into a byte queue, in a tight loop of one thread. Nobody reads the
//  queue: it is emptied when a batch is full.

#include "bench.h"

#include <pthread.h>
#include <stdio.h>

int
main(void)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    msgpack_sbuffer queue;
    msgpack_sbuffer_init(&queue);
    msgpack_packer pk;
    msgpack_packer_init(&pk, &queue, msgpack_sbuffer_write);

    double start = bench_now();
    for (uint64_t i = 0; i < BENCH_SCALAR_CALLS; i++) {
        pthread_mutex_lock(&lock);
        bench_pack_row(&pk, i, 1);
        if (queue.size >= BENCH_BATCH)
            msgpack_sbuffer_clear(&queue);
        pthread_mutex_unlock(&lock);
    }
    printf("%.2f\n", (bench_now() - start) * 1e9 / BENCH_SCALAR_CALLS);
    msgpack_sbuffer_destroy(&queue);
}
