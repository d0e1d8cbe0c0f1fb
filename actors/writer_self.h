//  writer_self.h - what the files of the writer share.
//
//  writer.c is the actor and what the handler asks of it, writer_back.c what
//  comes back from syncer, adopter and sender, writer_due.c what time brings.

#ifndef ARTEL_WRITER_SELF_H
#define ARTEL_WRITER_SELF_H

#include "adopter.h"
#include "syncer.h"
#include "wire.h"
#include "writer.h"

#include <sys/queue.h>

//  A batch that waits for its journal's turn. Credit bounds how many there are.
typedef struct artel_waiting {
    TAILQ_ENTRY(artel_waiting) next;
    zmq_msg_t msg;
    uint64_t counter;
    bool ends;                  //  its last record is an exit
    int64_t next_step;
} artel_waiting_t;

//  One journal.
typedef struct artel_writer_entry {
    char run[ARTEL_MAX_RUN_ID + 1];
    artel_id_t writer;
    artel_journal_t *journal;   //  NULL while the syncer opens or closes it
    artel_resumes_t resumes;    //  whether it may join an existing run
    bool failed;                //  refusing until reset
    bool ended;                 //  its last batch ends in an exit
    int64_t next_step;          //  of its last batch; before the first, of the run
    unsigned syncing;           //  SYNCs that are with the syncer
    bool urgent;                //  one of them is urgent
    bool again;                 //  somebody asked meanwhile
    bool undurable;             //  a sync has failed, so will all others, and it is told
    bool closing;               //  CLOSE follows when the SYNCs are back
    bool closed;                //  all that is left is to say so
    int64_t dirty_since;        //  when the oldest unsynced byte came, 0: none
    int64_t grown_at;           //  when it was opened, or a batch came
    uint64_t ready;             //  the sender may deliver up to here
    uint64_t told;              //  and knows it up to here
    bool waits;                 //  stands in unnoticed
    TAILQ_HEAD(artel_writer_queue, artel_waiting) waiting;  //  if there are any it stands in turns
    uint64_t sync_at;           //  make it durable when this batch is appended, 0: nobody waits for that
    TAILQ_ENTRY(artel_writer_entry) dirty, unnoticed, turn;
} artel_writer_entry_t;

typedef struct {
    zsock_t *pipe;              //  $TERM
    zsock_t *handler;           //  PAIR: batches and requests in, marks out
    zsock_t *sender;            //  PAIR: notices out, room for more in
    zsock_t *syncer_sock;       //  PAIR: jobs
    zsock_t *adopter_sock;      //  PAIR: requests out, dead journals in
    zsock_t *adopter_end;       //  its other end, until the adopter is started
    zactor_t *syncer, *adopter;
    const char *state;
    const atomic_int_fast64_t *stop_by;
    artel_wire_t wire;
    zhashx_t *entries;          //  writer id -> artel_writer_entry_t
    TAILQ_HEAD(, artel_writer_entry) dirty;     //  oldest first
    TAILQ_HEAD(, artel_writer_entry) unnoticed; //  notices that wait for room
    unsigned notices;           //  committed messages the sender has not read
    TAILQ_HEAD(, artel_writer_entry) turns;     //  those whose batches wait, the next first
    int search_ms;              //  how often dead journals are looked for unasked; 0: never
    int64_t search_at;          //  when next
    bool searching;             //  the adopter is at it, unasked
    int rest_ms;                //  when a journal without a batch rests
    int64_t rest_at;            //  when next to look for such, 0: all do
    uint64_t token;             //  of the adopt under way
    uint64_t adopted, lost;     //  journals found by it, batches found missing
} artel_writer_self_t;

artel_writer_entry_t *
artel_writer_entry(artel_writer_self_t *self, artel_id_t writer);

void
artel_writer_tell_handler(artel_writer_self_t *self, const artel_msg_t *msg);
void
artel_writer_tell_sender(artel_writer_self_t *self, const artel_msg_t *msg);

//  Have the syncer do something with a journal.
void
artel_writer_give_job(artel_writer_self_t *self, const artel_sync_job_t *job,
                      const artel_writer_entry_t *entry);

//  Have what was appended made durable; urgent: before those nobody waits for.
void
artel_writer_sync(artel_writer_self_t *self, artel_writer_entry_t *entry, bool urgent);

//  If the journal has failed for ever: say so, once, and let what it has be delivered.
void
artel_writer_note_failure(artel_writer_self_t *self, artel_writer_entry_t *entry);

//  Have it closed, all of it being with the disk; at the very end it is closed as it is.
void
artel_writer_close(artel_writer_self_t *self, artel_writer_entry_t *entry);

//  Nothing more comes for it: have it made durable and closed.
void
artel_writer_finish(artel_writer_self_t *self, artel_writer_entry_t *entry);

//  Tell the marks of an open journal; or why it is not open, and what it had accepted, if known.
void
artel_writer_answer_open(artel_writer_self_t *self, const artel_writer_entry_t *entry);
void
artel_writer_refuse_open(artel_writer_self_t *self, const artel_writer_entry_t *entry, int code,
                         const char *why, uint64_t accepted);

//  It has grown, or is open: it is to rest some time.
void
artel_writer_grown(artel_writer_self_t *self, artel_writer_entry_t *entry);

//  Have dead journals looked for; token 0: nobody asked.
int
artel_writer_search(artel_writer_self_t *self, uint64_t token);

//  Append for some that wait; whether others still do.
bool
artel_writer_serve(artel_writer_self_t *self);

//  Do what is due; for how many ms nothing will be, or -1.
int
artel_writer_tick(void *self);

//  Readers of the sockets behind the writer.
int
artel_writer_read_syncer(void *self);
int
artel_writer_read_adopter(void *self);
int
artel_writer_read_sender(void *self);

#endif
