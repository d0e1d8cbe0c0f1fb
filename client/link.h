//  link.h - the client's actor: its one socket to the node.
//
//  The link sleeps until it is woken. The first record after 100 ms of silence
//  wakes it; from then on it looks every millisecond, so that no other call
//  pays for a wake. It sends what the runs and asks have, and notes the answers.

#ifndef ARTEL_LINK_H
#define ARTEL_LINK_H

#include "artel.h"

int
artel_link_start(artel_t *client);

//  Have the link look now.
void
artel_link_wake(artel_t *client);

//  Have the link look within a millisecond: costs something only if it sleeps.
void
artel_link_nudge(artel_t *client);

#endif
