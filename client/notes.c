//  notes.c - what a client tells.

#include "notes.h"

#include "actor.h"
#include "client.h"
#include "errors.h"
#include "trace.h"

enum { TELL_EVERY_MS = 10000 };

static void
s_to_stderr(void *arg, int level, const char *text)
{
    (void) arg;
    if (level >= ARTEL_LOG_WARNING)
        fprintf(stderr, "artel: %s\n", text);
}

void
artel_notes_init(artel_notes_t *self, artel_log_fn *log, void *arg)
{
    *self = (artel_notes_t) { .log = log ? log : s_to_stderr, .log_arg = arg };
    pthread_mutex_init(&self->lock, NULL);
}

void
artel_notes_done(artel_notes_t *self)
{
    pthread_mutex_destroy(&self->lock);
}

void
artel_tell_trace(const artel_notes_t *self)
{
    char text[512];
    if (artel_trace_trouble(text, sizeof text))
        self->log(self->log_arg, ARTEL_LOG_WARNING, text);
}

//  The lock is held.
static void
s_keep(artel_notes_t *self, int code, const char *format, va_list args)
{
    self->code = code;
    vsnprintf(self->text, sizeof self->text, format, args);
}

int
artel_fail(artel_notes_t *self, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    pthread_mutex_lock(&self->lock);
    s_keep(self, code, format, args);
    pthread_mutex_unlock(&self->lock);
    va_end(args);
    return code;
}

//  The lock is held.
static bool
s_is_news(artel_notes_t *self, int code)
{
    int64_t now = artel_now_ms(), *told = &self->told_at[-code & 31];
    if (*told && now - *told < TELL_EVERY_MS)
        return false;
    *told = now;
    return true;
}

int
artel_warn(artel_notes_t *self, int code, const char *format, ...)
{
    char text[sizeof self->text];
    va_list args;
    va_start(args, format);
    pthread_mutex_lock(&self->lock);
    s_keep(self, code, format, args);
    bool news = s_is_news(self, code);
    memcpy(text, self->text, sizeof text);
    pthread_mutex_unlock(&self->lock);
    va_end(args);
    if (news)
        self->log(self->log_arg, ARTEL_LOG_WARNING, text);
    return code;
}
