//  log.c - a line with its time.

#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

void
arteld_say(const char *format, ...)
{
    char text[1024], stamp[32];
    struct tm tm;
    time_t now = time(NULL);
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    gmtime_r(&now, &tm);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &tm);
    fprintf(stderr, "%s arteld: %s\n", stamp, text);
}
