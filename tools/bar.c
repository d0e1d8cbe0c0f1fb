//  bar.c - the line, and the thread that draws it.

#include "bar.h"

#include "human.h"
#include "term.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FIRST_MS = 1000, EVERY_MS = 100 };

struct artel_bar {
    pthread_t thread;
    pthread_mutex_t mutex;          //  for all that follows
    pthread_cond_t ended;
    bool end, drawn;
    char doing[160];
    uint64_t total, files, bytes;
    struct timespec start;
};

static double
s_seconds_since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double) (now.tv_sec - start->tv_sec) + (double) (now.tv_nsec - start->tv_nsec) / 1e9;
}

//  "reading model  62%  1.3 GB  1,234 files  180 MB/s  0:04 left".
static void
s_compose(const artel_bar_t *self, FILE *out)
{
    double seconds = s_seconds_since(&self->start);
    double rate = seconds > 0 ? (double) self->bytes / seconds : 0;
    fputs(self->doing, out);
    if (!self->bytes) {
        fprintf(out, "  %.0f s", seconds);
        return;
    }
    if (self->total)
        fprintf(out, "  %.0f%%", 100.0 * (double) self->bytes / (double) self->total);
    fprintf(out, "  %s", artel_human_bytes(self->bytes, ARTEL_HUMAN_BUFFER));
    if (self->files)
        fprintf(out, "  %s", artel_human_things(self->files, "file", ARTEL_HUMAN_BUFFER));
    fprintf(out, "  %s/s", artel_human_bytes((uint64_t) rate, ARTEL_HUMAN_BUFFER));
    if (self->total > self->bytes) {
        int left = (int) ((double) (self->total - self->bytes) / rate);
        fprintf(out, "  %d:%02d left", left / 60, left % 60);
    }
}

static void
s_draw(artel_bar_t *self)
{
    char line[512] = "";
    FILE *out = fmemopen(line, sizeof line, "w");
    if (!out)
        return;
    s_compose(self, out);
    fclose(out);
    fprintf(stderr, "\r%.*s\x1b[K", artel_term_width(stderr) - 1, line);
    fflush(stderr);
    self->drawn = true;
}

//  Wait until ms from now or the end; whether it is the end.
static bool
s_wait(artel_bar_t *self, long ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    int rc = 0;
    while (!self->end && rc == 0)
        rc = pthread_cond_timedwait(&self->ended, &self->mutex, &until);
    return self->end;
}

static void *
s_run(void *arg)
{
    artel_bar_t *self = arg;
    pthread_mutex_lock(&self->mutex);
    for (long ms = FIRST_MS; !s_wait(self, ms); ms = EVERY_MS)
        s_draw(self);
    pthread_mutex_unlock(&self->mutex);
    return NULL;
}

//  Start the thread with every signal blocked: they are the command's.
static int
s_start(artel_bar_t *self)
{
    sigset_t all, old;
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&self->ended, &clock);
    pthread_condattr_destroy(&clock);
    pthread_mutex_init(&self->mutex, NULL);
    clock_gettime(CLOCK_MONOTONIC, &self->start);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int rc = pthread_create(&self->thread, NULL, s_run, self);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc;
}

artel_bar_t *
artel_bar_new(const artel_args_t *args, const char *doing, uint64_t total_bytes)
{
    if (artel_args_has(args, "quiet") || !artel_term_redraws(stderr))
        return NULL;
    artel_bar_t *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    snprintf(self->doing, sizeof self->doing, "%s", doing);
    self->total = total_bytes;
    if (s_start(self) != 0) {
        free(self);
        return NULL;
    }
    return self;
}

void
artel_bar_move(artel_bar_t *self, uint64_t files, uint64_t bytes)
{
    if (!self)
        return;
    pthread_mutex_lock(&self->mutex);
    self->files = files;
    self->bytes = bytes;
    pthread_mutex_unlock(&self->mutex);
}

void
artel_bar_doing(artel_bar_t *self, const char *doing)
{
    if (!self)
        return;
    pthread_mutex_lock(&self->mutex);
    snprintf(self->doing, sizeof self->doing, "%s", doing);
    self->total = self->files = self->bytes = 0;
    clock_gettime(CLOCK_MONOTONIC, &self->start);
    pthread_mutex_unlock(&self->mutex);
}

void
artel_bar_end(artel_bar_t **self_p)
{
    artel_bar_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    pthread_mutex_lock(&self->mutex);
    self->end = true;
    pthread_cond_signal(&self->ended);
    pthread_mutex_unlock(&self->mutex);
    pthread_join(self->thread, NULL);
    if (self->drawn) {
        fputs("\r\x1b[K", stderr);
        fflush(stderr);
    }
    pthread_cond_destroy(&self->ended);
    pthread_mutex_destroy(&self->mutex);
    free(self);
}
