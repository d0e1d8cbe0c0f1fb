//  supervise.h - starting the service again should it die.

#ifndef ARTELD_SUPERVISE_H
#define ARTELD_SUPERVISE_H

#include "place.h"

//  Serve a place in a child process. One that is killed or aborts (libzmq does when it runs
//  out of descriptors at an ipc socket) is followed by another at once, the next within
//  a second; one that ends by itself ends this as well. Signals that end the service
//  are passed on. Should this process be killed, the child is too. Exit code.
int
arteld_supervise(const arteld_options_t *options, const arteld_place_t *place);

#endif
