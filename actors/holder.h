//  holder.h - who holds a lock on a file.

#ifndef ARTEL_HOLDER_H
#define ARTEL_HOLDER_H

#include <stdbool.h>
#include <stddef.h>

//  "python3 (pid 4242)", several with commas between; "" if it cannot be known: it is another
//  user's program, or has just let go. Looks through /proc: for a sentence, not for a decision.
const char *
artel_lock_holders(const char *path, char *ret, size_t size);

//  Whether this process holds it; false also if that cannot be known.
bool
artel_lock_is_held_by(const char *path, int pid);

#endif
