//  place.h - the state directory that is served, and the lock that says so.
//
//  The supervisor has the lock, if there is one: so there is somebody to stop, also between the
//  death of a service and the next.

#ifndef ARTELD_PLACE_H
#define ARTELD_PLACE_H

#include "options.h"

typedef struct {
    char *state;
    int lock;
} arteld_place_t;

//  Find the directory, make it, and become its service. One that is taken is waited for a moment, until
//  a signal ends that (ends.h). -1 and the place, or an exit code after a sentence: 0 if a signal came.
//  Leave it in any case.
int
arteld_place_take(const arteld_options_t *options, arteld_place_t *ret);

//  Have processes that are forked from now on hold the lock as well, as long as they live. -1 with errno.
int
arteld_place_share(const arteld_place_t *self);

//  Give the lock back, for those who share it too.
void
arteld_place_leave(arteld_place_t *self);

#endif
