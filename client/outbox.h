//  outbox.h - the records of one writer on their way to the node.
//
//  Calling threads pack records into the open batch under the outbox's mutex;
//  the client's actor seals and sends. A sealed batch is kept, and resent byte
//  for byte, until it is accepted.

#ifndef ARTEL_OUTBOX_H
#define ARTEL_OUTBOX_H

#include "msgs.h"

#include <msgpack.h>
#include <pthread.h>
#include <zmq.h>

//  A sealed batch.
typedef struct artel_sealed {
    struct artel_sealed *next;
    uint64_t counter;
    uint64_t records;           //  records queued before and with this batch
    zmq_msg_t frame;
} artel_sealed_t;

//  A key of the run, and its index in the open batch.
typedef struct {
    char *text;
    uint32_t len;
    uint32_t index;             //  valid if batch is the open one
    uint64_t hash;
    uint64_t batch;
} artel_key_t;

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t room;        //  signaled when batches were accepted
    char run[64];
    artel_id_t writer;
    msgpack_sbuffer open;       //  records of the open batch
    artel_str_t *keys;          //  its keys, by index
    size_t n_keys, cap_keys;
    msgpack_sbuffer xids;       //  its artifact_sends
    artel_key_t *table;         //  keys of the run: open addressing
    size_t table_size, table_used;
    uint64_t counter;           //  of the open batch
    uint64_t logged;            //  records packed so far
    artel_sealed_t *first, *last;   //  sealed and not accepted, oldest first
    artel_sealed_t *unsent;     //  the first of them that is not sent
    size_t queued_bytes;        //  sealed and not accepted
    size_t sent_bytes;          //  of them, on their way
    uint64_t accepted;          //  counters
    uint64_t accepted_records;
} artel_outbox_t;

int
artel_outbox_init(artel_outbox_t *self, const char *run, artel_id_t writer);
void
artel_outbox_done(artel_outbox_t *self);

//  The following expect the lock to be held.

//  The index of a key in the open batch. ARTEL_EINVAL (empty, too long, not
//  UTF-8), ARTEL_ELIMIT, ARTEL_ENOMEM.
int
artel_outbox_key(artel_outbox_t *self, const char *key, uint32_t *ret_index);

//  Append a record to the open batch; it is sealed when it is large enough.
//  The record is in the batch with *ret_counter. ARTEL_ENOMEM, ARTEL_ELIMIT.
int
artel_outbox_add(artel_outbox_t *self, const artel_msg_t *record, uint64_t *ret_counter);

//  Seal the open batch if it holds a record. ARTEL_ENOMEM: it stays open.
int
artel_outbox_seal(artel_outbox_t *self);

//  The next batch to send with at most credit bytes on the way: a copy that shares
//  its bytes. False if there is none.
bool
artel_outbox_next(artel_outbox_t *self, size_t credit, zmq_msg_t *ret);

//  The node has everything up to counter: free it, and wake who waits for room.
void
artel_outbox_accept(artel_outbox_t *self, uint64_t counter);

//  Send again everything above the accepted counter.
void
artel_outbox_rewind(artel_outbox_t *self);

#endif
