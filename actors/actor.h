//  actor.h - start, run and stop an actor; what zactor leaves to its caller.

#ifndef ARTEL_ACTOR_H
#define ARTEL_ACTOR_H

#include <czmq.h>
#include <stdatomic.h>

//  What every actor is started with: the first member of its own arguments.
typedef struct {
    atomic_int rc;      //  set by the actor before it signals: 0, or why not
    atomic_bool entered;    //  the actor has begun: what its arguments hold is its own
    const char *name;   //  "artel/handler": the thread's name, at most 15 bytes
    zactor_fn *fn;      //  artel_actor_start's
} artel_start_t;

//  Start fn on its own thread, with every signal blocked there. Returns 0 and
//  the actor, or the rc that fn left in args; its thread is then already gone.
//  ARTEL_EMFILE, ARTEL_EAGAIN (no thread to be had) if fn was not even called: then
//  args->entered is false, and sockets in the arguments are still the caller's.
int
artel_actor_start(zactor_t **ret, zactor_fn *fn, artel_start_t *args);

//  Ask the actor to stop and wait until its function has returned, at most
//  timeout_ms; only $TERM ends an actor. ARTEL_ETIMEOUT: it is stuck (a disk
//  that hangs), and is left alone with its thread and sockets.
int
artel_actor_stop(zactor_t **self_p, int timeout_ms);

//  Called first in an actor's function: it takes its arguments over, and names
//  its thread.
void
artel_actor_enter(artel_start_t *start);

//  Let this actor's thread stand behind those of the program while they compete for a
//  core: it gets a tenth of their share, as a command under nice(1) does.
void
artel_actor_step_back(void);

//  Something to read and what to call when it has input: a socket, or a
//  descriptor if sock is NULL. The function takes what is there without
//  blocking, and returns 0 to go on, or anything else to end the loop with it.
typedef struct {
    zsock_t *sock;
    int (*fn)(void *self);
    int fd;
} artel_reader_t;

//  Call the readers that have input, in their order, each once a round, until
//  one ends it. A reader may stop early: it is called again in the next round,
//  after those before it. Before each round tick (may be NULL) does what is due
//  and returns for how many milliseconds to wait at most, -1 for ever, or
//  ARTEL_TICK_OVER to end the loop with ARTEL_LOOP_OVER. -1: the context is gone.
//  Within the loop its sockets are used through wire.h alone, but to read the last message.
enum { ARTEL_TICK_OVER = -2, ARTEL_LOOP_OVER = 2 };

int
artel_actor_loop(const artel_reader_t *readers, size_t n, int (*tick)(void *self), void *self);

//  For wire.c, which tells the loop what it saw of a socket: it had nothing, and its descriptor
//  will tell when it has (dry); or it was used, which takes in the signal of what came meanwhile.
void
artel_actor_saw(const zsock_t *sock, bool dry);

//  For an actor that has been waiting for something else than its sockets: if the
//  process is exiting meanwhile it was left behind, and waits here for the end.
void
artel_actor_wait_if_exiting(void);

//  A reader for the command pipe: it knows nothing but $TERM.
int
artel_actor_read_pipe(zsock_t *pipe);

//  Milliseconds of CLOCK_MONOTONIC.
int64_t
artel_now_ms(void);

//  Milliseconds since 1970, for people.
int64_t
artel_wall_ms(void);

//  The same, at a fifth of the price, and up to a tick of the kernel (4 ms) late.
int64_t
artel_wall_coarse_ms(void);

#endif
