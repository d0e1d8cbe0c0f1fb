//  guest.h - living in somebody else's process.
//
//  czmq reseeds rand(), takes SIGINT and SIGTERM, and aborts at exit if an actor
//  is left; libzmq aborts when descriptors run out. What is here keeps the host
//  from noticing.

#ifndef ARTEL_GUEST_H
#define ARTEL_GUEST_H

//  Initialise czmq once, without its signal handlers, and see that enough
//  descriptors are free to start a node. ARTEL_EMFILE.
int
artel_guest_enter(void);

//  Around every call that makes a socket or an actor: the host's random()
//  stream is put aside and put back. Guards of several threads may overlap.
void
artel_guest_random_begin(void);
void
artel_guest_random_end(void);

//  Call fn at exit(), before czmq shuts down. One fn per process.
void
artel_guest_at_exit(void (*fn)(void));

#endif
