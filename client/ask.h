//  ask.h - futures, and the polls they are waiting for.
//
//  An ask is the question what a sink did with an artifact. Asks that somebody
//  waits for stand in a queue of the client; the link polls the oldest few.

#ifndef ARTEL_ASK_H
#define ARTEL_ASK_H

#include "artel.h"
#include "msgs.h"
#include "targets.h"

#include <stdatomic.h>
#include <sys/queue.h>

typedef struct artel_ask {
    struct artel_ask *next;     //  of the future
    TAILQ_ENTRY(artel_ask) entry;
    artel_future_t *future;
    char sink[64];
    unsigned waiters;
    bool wanted;                //  by artel_future_poll: asked once, without a waiter
    bool queued;
    bool cancel;                //  the next question is an artifact_cancel
    bool in_flight;             //  a question is on its way
    int64_t ask_at;             //  not before, ms monotonic
    bool put_off;               //  the sink takes nothing before somebody does something about it: status, why
    bool done;
    int status;
    int64_t version;
    bool fresh;
    char why[256];
} artel_ask_t;

typedef struct {
    TAILQ_HEAD(, artel_ask) queue;
    unsigned queued, in_flight;
} artel_asks_t;

struct artel_future {
    unsigned generation;
    atomic_uint refs;           //  the program's handle, its job, its queued asks
    artel_t *client;
    artel_id_t xid, writer;
    artel_targets_t *targets;   //  its run's

    artel_ask_t primary;        //  the rest: the client's lock
    bool staged;                //  its files may be changed
    bool canceled;
    int code;                   //  why it was refused before it was sent, or 0
    uint64_t counter;           //  of the batch it is in; 0: not queued yet
    char *record;               //  packed, to be sent again; until the primary sink is done
    size_t record_size;
    artel_digest_t digest;
    uint64_t files, bytes;
    char why[512];
};

//  A future of an open run with one reference, which is the caller's. NULL: out of memory.
artel_future_t *
artel_future_new(artel_run_t *run);
artel_future_t *
artel_future_ref(artel_future_t *self);
void
artel_future_unref(artel_future_t *self);

//  Why the sink is not going to answer; NULL: it may. The client's lock is held.
const char *
artel_ask_why_not(const artel_ask_t *ask);

//  Take an ask out of the queue when nobody wants it any more. The client's lock is held.
void
artel_ask_release(artel_t *client, artel_ask_t *ask);

//  Nothing will be answered any more: release the asks that nobody waits for.
//  The client's lock is held.
void
artel_asks_end(artel_t *client);

#endif
