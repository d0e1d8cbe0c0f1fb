//  error.c - codes and sentences, as programs ask for them.

#include "client.h"
#include "errors.h"

const char *
artel_error_name(int code)
{
    return artel_error_code_name(code);
}

const char *
artel_error_text(int code)
{
    return artel_error_code_text(code);
}

int
artel_error(artel_t *self, char *text, size_t size)
{
    int rc = artel_client_enter(self);
    if (rc != 0) {
        snprintf(text, size, "%s", artel_error_code_text(rc));
        return rc;
    }
    pthread_mutex_lock(&self->notes.lock);
    snprintf(text, size, "%s", self->notes.text);
    rc = self->notes.code;
    pthread_mutex_unlock(&self->notes.lock);
    return rc;
}

//  artel_open has no handle to keep its sentence in.
static _Thread_local char s_open_why[512];

void
artel_open_failed(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(s_open_why, sizeof s_open_why, format, args);
    va_end(args);
}

const char *
artel_open_error(void)
{
    return s_open_why;
}
