//  sender_self.h - what the files of the sender share.
//
//  sender.c is the actor and what writer and handler tell it, sender_sinks.c what
//  goes on between it and the backends.

#ifndef ARTEL_SENDER_SELF_H
#define ARTEL_SENDER_SELF_H

#include "sender.h"
#include "turns.h"
#include "wire.h"

//  One journal and its way to each sink.
typedef struct {
    char run[ARTEL_MAX_RUN_ID + 1];
    artel_id_t writer;
    uint64_t committed;         //  last batch that may be delivered
    bool closed;                //  nothing comes any more
    bool ended;                 //  its last batch ends in an exit
    bool knows_sinks;           //  wanted, first and missing are right
    unsigned wanted;            //  bit i: sink i
    size_t first;               //  of them the one that is waited for as delivered: the primary, or else the first
    unsigned missing;           //  wanted sinks that this node does not have
    artel_lane_t lanes[ARTEL_MAX_SINKS];
} artel_sender_entry_t;

//  Why a sink does not go on; code 0: it does.
typedef struct {
    int64_t code;
    char text[256];
} artel_sender_trouble_t;

//  The adoption under way: over when the search is and all it found has left.
typedef struct {
    uint64_t token;             //  0: none
    bool searched;              //  the search is over
    int64_t until;
    uint64_t stuck;             //  journals that left without some wanted sink
    uint64_t journals, lost;    //  what the search said
    int64_t code;
    char text[256];
} artel_sender_adoption_t;

typedef struct {
    zsock_t *pipe;              //  $TERM
    zsock_t *handler;           //  PAIR: questions in, completions out
    zsock_t *writer;            //  PAIR: notices in, room for more out
    zsock_t *backends[ARTEL_MAX_SINKS];     //  NULL: the sink lacks one
    artel_sender_lack_t lacks[ARTEL_MAX_SINKS];
    const char *state;
    const artel_sinks_t *sinks;
    artel_turns_t turns[ARTEL_MAX_SINKS];
    artel_sender_trouble_t troubles[ARTEL_MAX_SINKS];
    artel_wire_t wire;
    zhashx_t *entries;          //  writer id -> artel_sender_entry_t
    uint64_t leaving;           //  entries that are closed
    unsigned noted;             //  notices read since the writer was told
    artel_sender_adoption_t adoption;
    const atomic_int_fast64_t *drain_by;    //  NULL: it ends when it is told to
    bool draining;              //  it was told to
} artel_sender_self_t;

//  One message of a backend.
typedef struct {
    artel_sender_self_t *self;
    size_t sink;
} artel_sender_back_t;

void
artel_sender_tell_handler(artel_sender_self_t *self, const artel_msg_t *msg);

//  Have a backend answer something.
void
artel_sender_ask(artel_sender_self_t *self, size_t sink, const artel_msg_t *msg);

//  There may be something to do for an entry and a sink.
void
artel_sender_advance(artel_sender_self_t *self, artel_sender_entry_t *entry, size_t sink);

//  Do what the window of a sink has room for.
void
artel_sender_pump(artel_sender_self_t *self, size_t sink);

//  Take what a backend says; arg is an artel_sender_back_t.
void
artel_sender_take_back(void *arg, const artel_msg_t *msg, zmq_msg_t *frame);

//  Let go of the lanes of an entry.
void
artel_sender_close_lanes(artel_sender_self_t *self, artel_sender_entry_t *entry);

//  Which sinks the journal wants, of one that is gone all; false if that cannot be read now.
bool
artel_sender_learn_sinks(artel_sender_self_t *self, artel_sender_entry_t *entry);

//  If everything is everywhere, the entry goes: the mark too, if the run has
//  ended and nobody else is to deliver.
void
artel_sender_retire(artel_sender_self_t *self, artel_sender_entry_t *entry);

#endif
