//  floor_log_accepted DIR - rows a second: rows of 5 scalars are packed, and each
//  64 KiB of them are checksummed and appended to a file. No fdatasync: accepted
//  means in the page cache.

#include "bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/uio.h>
#include <xxhash.h>

typedef struct {
    uint64_t len, counter, checksum;
} header_t;

static void
s_append(int fd, msgpack_sbuffer *batch, uint64_t counter)
{
    header_t header = { batch->size, counter, XXH3_64bits(batch->data, batch->size) };
    struct iovec parts[] = { { &header, sizeof header }, { batch->data, batch->size } };
    BENCH_CHECK(writev(fd, parts, 2) == (ssize_t) (sizeof header + batch->size));
    msgpack_sbuffer_clear(batch);
}

int
main(int argc, char **argv)
{
    BENCH_CHECK(argc == 2);
    int fd = open(bench_path(argv[1], "journal", 0), O_CREAT | O_WRONLY, 0600);
    BENCH_CHECK(fd >= 0);
    msgpack_sbuffer batch;
    msgpack_sbuffer_init(&batch);
    msgpack_packer pk;
    msgpack_packer_init(&pk, &batch, msgpack_sbuffer_write);
    uint64_t counter = 0;

    double start = bench_now();
    for (uint64_t i = 0; i < BENCH_ROWS; i++) {
        bench_pack_row(&pk, i, BENCH_CELLS);
        if (batch.size >= BENCH_BATCH)
            s_append(fd, &batch, ++counter);
    }
    s_append(fd, &batch, ++counter);
    printf("%.0f\n", BENCH_ROWS / (bench_now() - start));
    msgpack_sbuffer_destroy(&batch);
}
