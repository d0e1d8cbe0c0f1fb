//  notes.h - what a client tells: its last error, and the log callback.

#ifndef ARTEL_NOTES_H
#define ARTEL_NOTES_H

#include "artel.h"

#include <pthread.h>

typedef struct {
    artel_log_fn *log;
    void *log_arg;
    pthread_mutex_t lock;       //  a leaf; guards what follows
    int code;
    char text[512];
    int64_t told_at[32];        //  by code: when it was last told, ms
} artel_notes_t;

void
artel_notes_init(artel_notes_t *self, artel_log_fn *log, void *arg);
void
artel_notes_done(artel_notes_t *self);

//  Tell through the log callback that the trace misses events (ARTEL_TRACE), if that is
//  so and nobody was told. Not with a lock held.
void
artel_tell_trace(const artel_notes_t *self);

//  Keep the sentence as the client's last error. Returns code.
int
artel_fail(artel_notes_t *self, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

//  The same, and tell it through the log callback, unless the same code was told in the
//  last 10 s. Not with a lock held.
int
artel_warn(artel_notes_t *self, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
