//  client.h - what is behind the handles of artel.h.
//
//  Lock order: the client's lock, then an outbox's; the notes' lock is a leaf.
//  Nobody waits for a disk, a socket or a caller's function with a lock held.

#ifndef ARTEL_CLIENT_H
#define ARTEL_CLIENT_H

#include "ask.h"
#include "jobs.h"
#include "node.h"
#include "notes.h"
#include "request.h"
#include "run.h"
#include "targets.h"
#include "wait.h"

#include <czmq.h>
#include <stdatomic.h>

struct artel {
    unsigned generation;        //  of the process it was opened in (fds.h)
    atomic_uint refs;           //  the program's handle, futures, workers
    atomic_bool resting;        //  the link has looked, and sleeps until it is woken or a millisecond is over
    atomic_bool asleep;         //  it sleeps for longer, and wants to be woken for a record
    int wake_fd;                //  eventfd that wakes the link
    int queue_ms;
    char *dir;                  //  state directory; of a service known once it has welcomed us
    char endpoint[128];         //  of the node
    bool service;               //  it is in another process
    artel_node_t *node;         //  NULL: it is a service
    zactor_t *link;
    artel_notes_t notes;
    artel_jobs_t jobs;
    struct artel *next_open;    //  guard.c

    pthread_mutex_t lock;       //  guards what follows, and in runs and futures what says so
    pthread_cond_t changed;     //  marks, answers, ends: whoever waits looks again
    artel_run_t *runs;
    artel_asks_t asks;
    artel_request_t *requests;
    uint64_t dropped;           //  records of runs that are gone, dropped and not told
    char trouble[256];          //  why the primary sink takes nothing now; "" if it does
    bool put_off;               //  and nothing will change that by itself
    artel_targets_t *targets;   //  the node's sinks; of a service those of its last welcome, NULL before the first
    bool welcomed;              //  by the service that is there
    int welcome_code;           //  why it does not take us, or 0
    bool syncing;               //  an adoption is asked for
    bool closing;               //  no new runs
    bool stopping;              //  somebody stops link and node
    bool stopped;               //  nothing will change any more
};

//  0, ARTEL_EINVAL for NULL, ARTEL_EFORKED in a forked child. Touches no lock.
int
artel_client_enter(const artel_t *self);

//  A client with nothing started yet; NULL: out of memory.
artel_t *
artel_client_new(const artel_options_t *options);
artel_t *
artel_client_ref(artel_t *self);
void
artel_client_unref(artel_t *self);

//  Stop link and node, each part within ms, unless that is done already. False if something
//  is stuck: it is left alone, with the memory it may look at.
bool
artel_client_stop(artel_t *self, int ms);

//  What to start again when a disk has failed: "the program", or "the service".
const char *
artel_client_host(const artel_t *self);

//  The sentence of artel_open_error.
void
artel_open_failed(const char *format, ...) __attribute__((format(printf, 1, 2)));

//  The run of a writer, or NULL: it is finished and delivered. The lock is held.
artel_run_t *
artel_client_run(artel_t *self, artel_id_t writer);

//  Why what such a writer writes does not go to a sink ("": any); NULL: it does, or no service is there to
//  say. The lock is held.
const char *
artel_client_why_not(const artel_t *self, const artel_targets_t *born, const char *sink);

//  " (why)" if the primary sink takes nothing now, else "". Takes the client's lock.
const char *
artel_client_trouble(artel_t *self, char *ret, size_t size);

//  Whether the batch with this counter is accepted, or why it will not be (0: it may
//  be). The lock is held.
bool
artel_client_has_accepted(artel_t *self, artel_id_t writer, uint64_t counter);
int
artel_client_never_accepts(artel_t *self, artel_id_t writer, uint64_t counter);

#endif
