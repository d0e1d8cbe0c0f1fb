//  log.h - what the service has to say, on stderr.

#ifndef ARTELD_LOG_H
#define ARTELD_LOG_H

void
arteld_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
