//  guest.h - living in somebody else's process.
//
//  czmq reseeds rand(), takes SIGINT and SIGTERM, and aborts at exit if an actor
//  is left; libzmq aborts when descriptors run out. What is here keeps the host
//  from noticing, also a host that uses czmq itself.

#ifndef ARTEL_GUEST_H
#define ARTEL_GUEST_H

#include <stdbool.h>

//  Initialise czmq once, leaving signals and, if the host has initialised it
//  before, its settings as they were. ARTEL_EMFILE if there are not even the
//  descriptors for that; ARTEL_ECLOSED once the process is exiting.
int
artel_guest_enter(void);

//  0 if n more descriptors (at most 512) are to be had now, else ARTEL_EMFILE.
int
artel_guest_spare_fds(int n);

//  Whether n more descriptors may be opened. It takes none meanwhile, so that it may be asked while libzmq runs.
bool
artel_guest_has_fds(int n);

//  Around every call that makes a socket or an actor: the host's random()
//  stream is put aside and put back. Guards of several threads may overlap.
void
artel_guest_random_begin(void);
void
artel_guest_random_end(void);

//  Call fn at exit(), before czmq shuts down. One fn per process.
void
artel_guest_at_exit(void (*fn)(void));

//  Whether fn has been called: czmq closes every socket then, under whoever
//  still uses one. An actor that was left behind must not touch one any more.
bool
artel_guest_is_exiting(void);

#endif
