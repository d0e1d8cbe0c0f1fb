//  at_once.h - a lock that is to be free.

#ifndef ARTEL_AT_ONCE_H
#define ARTEL_AT_ONCE_H

#include "blobs.h"

static inline bool
s_never(void *arg)
{
    (void) arg;
    return false;
}

static const artel_patience_t s_at_once = { s_never, NULL };

#endif
