//  guard.h - the open clients of this process, for exit and fork.

#ifndef ARTEL_GUARD_H
#define ARTEL_GUARD_H

#include "artel.h"

//  At exit() an open client gets 2 s to have what is queued accepted, and is
//  stopped. A forked child forgets its parent's clients.
void
artel_guard_add(artel_t *client);
void
artel_guard_remove(artel_t *client);

#endif
