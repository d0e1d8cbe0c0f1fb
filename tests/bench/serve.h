//  serve.h - a service over a directory, and programs at once, for the figures that need them.

#ifndef ARTEL_BENCH_SERVE_H
#define ARTEL_BENCH_SERVE_H

#include <stdbool.h>
#include <sys/types.h>

//  Start the arteld that lies beside this program over dir/state, and wait until it answers.
//  From then on artel_open finds that one and no other. It dies with this process.
pid_t
bench_serve(const char *dir);

//  End it at once: the directory goes anyway.
void
bench_serve_end(pid_t service);

//  A fresh ipc endpoint for a floor, and its end.
typedef char bench_endpoint_t[64];
void
bench_endpoint(bench_endpoint_t ret);
void
bench_endpoint_end(bench_endpoint_t endpoint);

//  Run fn(i, arg) in n child processes; wait until each has ended with 0.
void
bench_fork(int n, void (*fn)(int i, void *arg), void *arg);

//  Memory that children share, all zero.
void *
bench_share(size_t size);

//  A field of /proc/PID/status in MiB: "VmRSS", "VmHWM".
double
bench_status_mib(pid_t pid, const char *field);

//  Percent of a core that a process takes within a time.
double
bench_cpu_percent(pid_t pid, int ms);

#endif
