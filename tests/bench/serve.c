//  serve.c - a service over a directory, and programs at once.

#include "serve.h"

#include "bench.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_TRIES = 5000 };            //  a millisecond each

static char s_runtime[] = "/tmp/artel-bench-XXXXXX";   //  a socket's path must be short

static void
s_exec(const char *state)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - sizeof "arteld");
    BENCH_CHECK(n > 0);
    path[n] = 0;
    strcpy(strrchr(path, '/') + 1, "arteld");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execl(path, "arteld", "--no-restart", "--state", state, NULL);
    _exit(127);
}

//  The one file in the folder of sockets.
static bool
s_find_socket(struct sockaddr_un *ret)
{
    char folder[64];
    snprintf(folder, sizeof folder, "%s/artel", s_runtime);
    DIR *dir = opendir(folder);
    if (!dir)
        return false;
    bool found = false;
    for (struct dirent *e; !found && (e = readdir(dir)); ) {
        found = e->d_name[0] != '.';
        snprintf(ret->sun_path, sizeof ret->sun_path, "%s/%.30s", folder, e->d_name);
    }
    closedir(dir);
    return found;
}

static bool
s_answers(struct sockaddr_un *at)
{
    if (!s_find_socket(at))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    bool ok = connect(fd, (struct sockaddr *) at, sizeof *at) == 0;
    close(fd);
    return ok;
}

pid_t
bench_serve(const char *dir)
{
    char state[PATH_MAX], endpoint[256];
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    BENCH_CHECK(mkdtemp(s_runtime) && setenv("XDG_RUNTIME_DIR", s_runtime, 1) == 0);
    snprintf(state, sizeof state, "%s/state", dir);
    pid_t service = fork();
    BENCH_CHECK(service >= 0);
    if (service == 0)
        s_exec(state);
    for (int i = 0; !s_answers(&at); i++) {
        BENCH_CHECK(i < START_TRIES && waitpid(service, NULL, WNOHANG) == 0);
        usleep(1000);
    }
    snprintf(endpoint, sizeof endpoint, "ipc://%s", at.sun_path);
    BENCH_CHECK(setenv("ARTEL_ENDPOINT", endpoint, 1) == 0);
    return service;
}

void
bench_serve_end(pid_t service)
{
    struct sockaddr_un at;
    BENCH_CHECK(kill(service, SIGKILL) == 0 && waitpid(service, NULL, 0) == service);
    if (s_find_socket(&at)) {
        unlink(at.sun_path);
        *strrchr(at.sun_path, '/') = 0;
        rmdir(at.sun_path);
    }
    rmdir(s_runtime);
}

void
bench_endpoint(bench_endpoint_t ret)
{
    char folder[] = "/tmp/artel-floor-XXXXXX";
    BENCH_CHECK(mkdtemp(folder));
    snprintf(ret, sizeof (bench_endpoint_t), "ipc://%s/socket", folder);
}

void
bench_endpoint_end(bench_endpoint_t endpoint)
{
    char *path = endpoint + strlen("ipc://");
    unlink(path);
    *strrchr(path, '/') = 0;
    rmdir(path);
}

void
bench_fork(int n, void (*fn)(int i, void *arg), void *arg)
{
    for (int i = 0; i < n; i++) {
        pid_t pid = fork();
        BENCH_CHECK(pid >= 0);
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            fn(i, arg);
            exit(0);
        }
    }
    int status;
    for (int i = 0; i < n; i++)
        BENCH_CHECK(wait(&status) > 0 && status == 0);
}

void *
bench_share(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    BENCH_CHECK(at != MAP_FAILED);
    return at;
}

double
bench_status_mib(pid_t pid, const char *field)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", (int) pid);
    FILE *in = fopen(path, "r");
    BENCH_CHECK(in);
    long kib = -1;
    size_t len = strlen(field);
    while (kib < 0 && fgets(line, sizeof line, in))
        if (strncmp(line, field, len) == 0 && line[len] == ':')
            kib = atol(line + len + 1);
    fclose(in);
    BENCH_CHECK(kib >= 0);
    return (double) kib / 1024;
}

double
bench_cpu_percent(pid_t pid, int ms)
{
    clockid_t clock;
    struct timespec before, after;
    BENCH_CHECK(clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &before) == 0);
    usleep((unsigned) ms * 1000);
    BENCH_CHECK(clock_gettime(clock, &after) == 0);
    double took = (double) (after.tv_sec - before.tv_sec) + (double) (after.tv_nsec - before.tv_nsec) * 1e-9;
    return took * 1000 / ms * 100;
}
