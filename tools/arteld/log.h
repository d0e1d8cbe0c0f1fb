//  log.h - what the service has to say, on stderr.

#ifndef ARTELD_LOG_H
#define ARTELD_LOG_H

typedef enum { ARTELD_ERROR, ARTELD_WARNING, ARTELD_INFO, ARTELD_DEBUG } arteld_level_t;

#define ARTELD_LOG_LEVELS "error, warning, info or debug"

//  The level of a name, or -1.
int
arteld_log_level(const char *name);

//  Say nothing that matters less than level; without it, than ARTELD_INFO.
void
arteld_log_limit(arteld_level_t level);

//  Have stderr, with what libraries write there, in a file from now on. Its lines are
//  appended; at 1 MiB it is renamed to <path>.1 and a new one begun. path must live on.
//  0, or -1 with errno.
int
arteld_log_open(const char *path);

//  One line: time, level and text. Any process of the service, one thread at a time.
void
arteld_say(arteld_level_t level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
