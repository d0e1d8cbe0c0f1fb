//  ends.h - the signals that end the service: SIGTERM, SIGINT and SIGHUP.

#ifndef ARTELD_ENDS_H
#define ARTELD_ENDS_H

#include <signal.h>

//  Block them in this thread and all it starts from now on: they are taken with arteld_ends_wait.
sigset_t
arteld_ends_block(void);

//  Wait up to ms, or for ever if that is negative; the signal that ended it, or 0.
int
arteld_ends_wait(const sigset_t *ends, int ms);

#endif
