//  usage.h - what a folder takes on disk.

#ifndef ARTEL_USAGE_H
#define ARTEL_USAGE_H

#include <stdint.h>

//  Bytes of disk below path (0 if it is not there), links not followed.
uint64_t
artel_usage(const char *path);

//  The same for state/name.
uint64_t
artel_usage_in(const char *state, const char *name);

#endif
