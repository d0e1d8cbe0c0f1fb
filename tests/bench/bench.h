//  bench.h - what floors and figures have in common, so that both do the same.
//
//  A program here is called with a fresh directory on the disk to be measured,
//  and what its own head comment says; it prints one number and ends with 0.

#ifndef ARTEL_BENCH_H
#define ARTEL_BENCH_H

#include <msgpack.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum {
    BENCH_SCALAR_CALLS = 1000000,       //  log_scalar
    BENCH_ROWS = 2000000,               //  log_accepted
    BENCH_DELIVERED_ROWS = 100000,      //  history_delivered
    BENCH_MEMORY_ROWS = 10000000,       //  memory
    BENCH_SMALL_FILES = 200,            //  artifact_1k: one put each
    BENCH_POLLS = 100000,               //  poll_rtt
    BENCH_POLL_BYTES = 22,              //  an artifact_poll, packed
    BENCH_RESPONSE_BYTES = 31,          //  its response; the figure checks both
    BENCH_BATCH = 64 * 1024,            //  bytes of one write
    BENCH_PROGRAMS = 64,                //  ipc_64_clients, linked_64_programs
    BENCH_FLOOD_MS = 2000,              //  ipc_64_clients
    BENCH_CROWD = 1000,                 //  service_idle
    BENCH_LINKED_ROWS = 64000,          //  linked_64_programs, of all in a second
    BENCH_FLUSHES = 20000,              //  ipc_accept_latency
    BENCH_BATCH_BYTES = 148,            //  a batch of one row, about
    BENCH_ACCEPTED_BYTES = 34,          //  the answer to it, about
    BENCH_CELLS = 5,                    //  scalars of one row
};

extern const char *const bench_keys[BENCH_CELLS];

//  Say what went wrong and end with 1, unless ok.
#define BENCH_CHECK(ok) bench_check(!!(ok), __FILE__, __LINE__, #ok)
void
bench_check(int ok, const char *file, int line, const char *what);

//  Seconds of CLOCK_MONOTONIC.
double
bench_now(void);

//  The middle of n values; sorts them.
double
bench_median(double *values, size_t n);

//  Keep this process on one CPU, threads to come included.
void
bench_pin(void);

//  Pages of this process that a bare program does not have, in MiB: clean and dirty,
//  those of libraries as if no other process mapped them. So it is the same whatever
//  else runs: the kernel calls a clean page private only while nobody else maps it.
double
bench_private_mib(void);

//  Those of them that are dirty: what goes to swap, and not back to a file.
double
bench_dirty_mib(void);

//  dir/name, where name may contain one %d for i; static, valid until the next call.
const char *
bench_path(const char *dir, const char *name, int i);

//  Make the file with size bytes that no other seed gives.
void
bench_write_file(const char *path, size_t size, uint64_t seed);

//  The value of cell k of row i.
static inline double
bench_value(uint64_t i, int k)
{
    return (double) i * 0.001 + k;
}

//  The record `history` as msgs/msgs_journal.h has it, with its time of day.
static inline void
bench_pack_row(msgpack_packer *pk, uint64_t i, int cells)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    msgpack_pack_array(pk, 4);
    msgpack_pack_int(pk, 3);
    msgpack_pack_int64(pk, (int64_t) i);
    msgpack_pack_int64(pk, (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000);
    msgpack_pack_map(pk, (size_t) cells);
    for (int k = 0; k < cells; k++) {
        msgpack_pack_uint32(pk, (uint32_t) k);
        msgpack_pack_double(pk, bench_value(i, k));
    }
}

#endif
