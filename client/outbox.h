//  outbox.h - the records of one writer on their way to the node.
//
//  Calling threads pack records into the open batch under the outbox's lock;
//  the client's link seals and sends. A sealed batch is kept, and resent byte
//  for byte, until it is accepted. Sealed and open bytes together stay below
//  ARTEL_CREDIT; who has no room waits.

#ifndef ARTEL_OUTBOX_H
#define ARTEL_OUTBOX_H

#include "keys.h"
#include "msgs.h"

#include <msgpack.h>
#include <pthread.h>
#include <zmq.h>

//  A sealed batch.
typedef struct artel_sealed {
    struct artel_sealed *next;
    uint64_t counter;
    uint64_t records;           //  records queued before and with this batch
    size_t size;                //  bytes of the frame, and what a batch counts beside them
    zmq_msg_t frame;
} artel_sealed_t;

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t room;        //  signaled when batches were accepted
    char run[64];
    artel_id_t writer;
    msgpack_sbuffer open;       //  records of the open batch
    artel_keys_t keys;          //  of the run, and of the open batch
    msgpack_sbuffer xids;       //  artifact_sends of the open batch
    bool ends;                  //  the last record added is the run's exit
    uint64_t counter;           //  of the open batch
    uint64_t logged;            //  records packed so far
    int64_t next_step;          //  of a row that has none
    artel_sealed_t *first, *last;   //  sealed and not accepted, oldest first
    artel_sealed_t *unsent;     //  the first of them that is not sent
    size_t queued_bytes;        //  sealed and not accepted
    size_t sent_bytes;          //  of them, on their way
    uint64_t accepted;          //  counters
    uint64_t accepted_records;
    uint64_t dropped;           //  records for which there was no room
    int refused;                //  why the node takes nothing now, or 0
    int dead;                   //  why it will not, until the journal is opened anew, or 0
    bool stalled;               //  somebody waited in vain; nobody waits until there is room
    bool closed;                //  no room for anybody any more
    artel_cell_t *cells;        //  of the row being packed
    size_t cap_cells;
} artel_outbox_t;

int
artel_outbox_init(artel_outbox_t *self, const char *run, artel_id_t writer);
void
artel_outbox_done(artel_outbox_t *self);

//  The following expect the lock to be held.

//  Wait up to wait_ms for room for one more record. ARTEL_ECLOSED; ARTEL_EFULL,
//  or why the node refuses to take more: the record is counted as dropped.
//  After one wait in vain nobody waits again until there has been room, and
//  nobody waits for a journal that takes no more.
int
artel_outbox_wait(artel_outbox_t *self, int wait_ms);

//  Append a row of history, or a config or summary, of values that are checked
//  (values.h). ARTEL_AUTO_STEP is next_step, which is the last row's step plus one.
//  ARTEL_EINVAL (a bad key, or one key twice), ARTEL_ELIMIT, ARTEL_ENOMEM; nothing is
//  appended then.
int
artel_outbox_history(artel_outbox_t *self, int64_t step, const artel_value_t *values, size_t n);
int
artel_outbox_set(artel_outbox_t *self, artel_msg_id_t id, const artel_value_t *values, size_t n);

//  Append any other record, packed already or not; it is in the batch with
//  *ret_counter. xid is an artifact_send's, else NULL. ARTEL_ENOMEM, ARTEL_ELIMIT.
int
artel_outbox_add_packed(artel_outbox_t *self, const char *record, size_t size, const artel_id_t *xid,
                        uint64_t *ret_counter);
int
artel_outbox_add(artel_outbox_t *self, const artel_msg_t *record, uint64_t *ret_counter);

//  Seal the open batch if it holds a record. ARTEL_ENOMEM: it stays open.
int
artel_outbox_seal(artel_outbox_t *self);

//  The counter of the last batch that holds a record, sealed or open.
uint64_t
artel_outbox_last(const artel_outbox_t *self);

//  The next batch to send with at most credit bytes on the way: a copy that shares
//  its bytes. False if there is none.
bool
artel_outbox_next(artel_outbox_t *self, size_t credit, zmq_msg_t *ret);

//  The node has everything up to counter: wake who waits for room. Returns the batches that
//  are not needed any more, to be freed when the lock is not held: memory goes back
//  to the system, and callers would wait for that.
artel_sealed_t *
artel_outbox_accept(artel_outbox_t *self, uint64_t counter);

//  Free batches that belong to no outbox; NULL is fine. No lock.
void
artel_sealed_free(artel_sealed_t *first);

//  Nothing more will be accepted, so nobody waits for room any longer. 0: it may be again.
void
artel_outbox_end(artel_outbox_t *self, int code);

//  Send again everything above the accepted counter.
void
artel_outbox_rewind(artel_outbox_t *self);

#endif
