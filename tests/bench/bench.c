//  bench.c - what floors and figures have in common.

#include "bench.h"

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const bench_keys[BENCH_CELLS] = { "loss", "accuracy", "lr", "grad_norm", "epoch" };

void
bench_check(int ok, const char *file, int line, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "%s:%d: %s does not hold (%m)\n", file, line, what);
    exit(1);
}

double
bench_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double) ts.tv_sec + (double) ts.tv_nsec * 1e-9;
}

static int
s_compare(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;
    return x < y ? -1 : x > y;
}

double
bench_median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, s_compare);
    return values[n / 2];
}

void
bench_pin(void)
{
    cpu_set_t allowed, one;
    BENCH_CHECK(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
    int cpu = 0;
    while (!CPU_ISSET(cpu, &allowed))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    BENCH_CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
}

//  What every program maps; shared pages of it are nobody's.
static bool
s_is_everyones(const char *mapping)
{
    return strstr(mapping, "/libc.so.") || strstr(mapping, "/ld-linux") || strstr(mapping, "[v");
}

//  The sum, in MiB, of the lines "NAME: n kB" of each mapping that are wanted.
static double
s_sum_smaps(bool (*wanted)(const char *name, bool everyones))
{
    FILE *in = fopen("/proc/self/smaps", "r");
    BENCH_CHECK(in);
    char line[4200], name[64];
    bool everyones = false;
    long kib, sum = 0;
    while (fgets(line, sizeof line, in))
        if (strchr("0123456789abcdef", *line))          //  a mapping; its numbers follow
            everyones = s_is_everyones(line);
        else if (sscanf(line, "%63[^:]: %ld kB", name, &kib) == 2 && wanted(name, everyones))
            sum += kib;
    fclose(in);
    return (double) sum / 1024;
}

static bool
s_is_private(const char *name, bool everyones)
{
    return strncmp(name, "Private_C", 9) == 0 || strncmp(name, "Private_D", 9) == 0
           || (!everyones && strncmp(name, "Shared_", 7) == 0 && strcmp(name, "Shared_Hugetlb") != 0);
}

static bool
s_is_dirty(const char *name, bool everyones)
{
    (void) everyones;
    return strcmp(name, "Private_Dirty") == 0;
}

double
bench_private_mib(void)
{
    return s_sum_smaps(s_is_private);
}

double
bench_dirty_mib(void)
{
    return s_sum_smaps(s_is_dirty);
}

const char *
bench_path(const char *dir, const char *name, int i)
{
    static char path[4096];
    int n = snprintf(path, sizeof path, "%s/", dir);
    snprintf(path + n, sizeof path - (size_t) n, name, i);
    return path;
}

void
bench_write_file(const char *path, size_t size, uint64_t seed)
{
    uint64_t *data = malloc(size + sizeof *data);
    BENCH_CHECK(data);
    uint64_t x = seed * 2654435769u + 1;
    for (size_t i = 0; i <= size / sizeof *data; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;        //  xorshift64
        data[i] = x;
    }
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    BENCH_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t) size && close(fd) == 0);
    free(data);
}
