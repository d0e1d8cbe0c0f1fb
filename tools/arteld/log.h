//  log.h - what the service has to say, on stderr.

#ifndef ARTELD_LOG_H
#define ARTELD_LOG_H

//  Have stderr, with what libraries write there, in a file from now on. Its lines are
//  appended; at 1 MiB it is renamed to <path>.1 and a new one begun. path must live on.
//  0, or -1 with errno.
int
arteld_log_open(const char *path);

//  One line. Any process of the service, one thread at a time.
void
arteld_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
