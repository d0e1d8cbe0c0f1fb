//  handler_self.h - what the files of the handler share.
//
//  handler.c is the actor, handler_clients.c what clients ask of it,
//  handler_node.c what writer and sender tell it.

#ifndef ARTEL_HANDLER_SELF_H
#define ARTEL_HANDLER_SELF_H

#include "credit.h"
#include "handler.h"
#include "wire.h"
#include "xids.h"

#include <sys/queue.h>

//  An artifact_send whose response waits until its batch is durable.
typedef struct {
    artel_id_t xid;
    uint64_t counter;
} artel_handler_wait_t;

//  One writer of one run.
typedef struct {
    artel_id_t writer;
    char run[ARTEL_MAX_RUN_ID + 1];
    artel_peer_t peer;          //  who writes
    bool opening;               //  the writer was asked to open its journal
    bool open;                  //  batches may come
    bool closed;                //  the writer has closed its journal
    uint64_t retired;           //  the sender is done with it, up to here
    uint64_t passed;            //  last batch given to the writer
    uint64_t asked;             //  the writer was asked to make it durable up to here
    uint64_t accepted, durable, delivered;
    uint64_t lost;              //  batches of what is delivered
    bool stands_in;             //  it does not go to the primary, and
    size_t sink;                //  this is the one that delivered is of
    int64_t next_step;          //  where the run's steps went on when it was opened
    artel_account_t account;    //  what is passed and not accepted
    bool resetting;             //  the writer drops what it gets, until it says that it takes more
    int64_t dead;               //  why the journal takes nothing more, or 0
    char dead_why[512];
    artel_handler_wait_t *waiting;
    size_t n_waiting;
} artel_handler_entry_t;

//  Who asked a question that the node answers later.
typedef struct {
    artel_peer_t peer;
    uint64_t token;             //  the client's; the question goes on under ours
    int sink;                   //  that it is about
} artel_handler_asker_t;

//  An adopt that waits for the one before it.
typedef struct artel_handler_adopt {
    STAILQ_ENTRY(artel_handler_adopt) next;
    uint64_t token;             //  ours
    int64_t until;              //  ms monotonic
} artel_handler_adopt_t;

//  Why a sink does not go on; code 0: it does.
typedef struct {
    int64_t code;
    char text[256];
} artel_handler_trouble_t;

typedef struct {
    zsock_t *pipe;              //  $TERM
    zsock_t *clients;           //  ROUTER: [peer][message], both ways
    zsock_t *writer;            //  PAIR: batches out, marks in
    zsock_t *sender;            //  PAIR: questions out, completions in
    const char *state, *wanted; //  for a welcome
    bool foreign;               //  clients are other processes: nothing they send is believed
    const artel_sinks_t *sinks;
    artel_handler_trouble_t troubles[ARTEL_MAX_SINKS];
    artel_wire_t wire;
    zhashx_t *entries;          //  writer id -> artel_handler_entry_t
    artel_credit_t credit;      //  bytes between clients and journals
    unsigned n_open;            //  entries that are opening or open
    artel_xids_t *xids;
    zhashx_t *askers;           //  our token (as an id) -> artel_handler_asker_t
    uint64_t last_token;
    uint64_t adopting;          //  our token of the adopt under way, or 0
    STAILQ_HEAD(, artel_handler_adopt) adopts;  //  those that wait for it
} artel_handler_self_t;

//  One message of a client. A function that keeps the frame empties it.
typedef struct {
    artel_peer_t peer;
    zmq_msg_t frame;
    artel_msg_t msg;            //  points into frame
} artel_handler_turn_t;

//  The function for a message that a client may send, or NULL.
typedef void artel_handler_fn(artel_handler_self_t *self, artel_handler_turn_t *turn);
artel_handler_fn *
artel_handler_from_client(int id);

//  Do what a message of writer or sender says.
void
artel_handler_from_node(void *self, const artel_msg_t *msg, zmq_msg_t *frame);

//  Answer a client; one that has gone hears nothing.
void
artel_handler_reply(artel_handler_self_t *self, const artel_peer_t *peer, const artel_msg_t *msg);

//  Tell a client how far its writer has come, and, of a poll, what is known.
//  Later answers replace these.
void
artel_handler_tell_marks(artel_handler_self_t *self, artel_handler_entry_t *entry);
//  That its journal takes nothing more, if that is so.
void
artel_handler_tell_dead(artel_handler_self_t *self, const artel_handler_entry_t *entry);
void
artel_handler_answer_poll(void *self, const artel_peer_t *peer,
                          const artel_msg_artifact_poll_response_t *response);

//  No batches come any more.
void
artel_handler_close(artel_handler_self_t *self, artel_handler_entry_t *entry);

//  Begin the next adopt that waits, if none is under way.
void
artel_handler_adopt_next(artel_handler_self_t *self);

//  Forget an entry.
void
artel_handler_drop(artel_handler_self_t *self, artel_handler_entry_t *entry);

//  The entry of a writer, or NULL.
artel_handler_entry_t *
artel_handler_entry(artel_handler_self_t *self, artel_id_t writer);

//  Take out who asked under our token; false if it is nobody.
bool
artel_handler_take_asker(artel_handler_self_t *self, uint64_t token, artel_handler_asker_t *ret);

#endif
