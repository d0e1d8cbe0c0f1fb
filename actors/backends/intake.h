//  intake.h - batches that wait to be applied, and what their artifacts need first.
//
//  Internal to backends/. Before a batch may be applied, every manifest it sends
//  must be filed in the catalogue; before that, in a store that is not the state
//  directory, its blobs must be imported. Both take their time: meanwhile the
//  batches of other writers pass by. One thread.

#ifndef ARTEL_INTAKE_H
#define ARTEL_INTAKE_H

#include "delivery.h"
#include "filing.h"
#include "importer.h"

//  A deliver that is not answered yet.
typedef struct artel_held {
    struct artel_held *next;
    zmq_msg_t frame;
    artel_msg_deliver_t deliver;    //  points into frame
    bool is_suspect;                //  it may send artifacts
    bool is_done;                   //  only the answer is missing: code, text, verdicts
    int code;
    char text[512];
    artel_verdicts_t verdicts;
    artel_verdicts_t seen;          //  its artifacts that are filed (0), or cannot be had (why)
    artel_filing_t *filing;         //  of the artifact in hand, or NULL
    unsigned turns;                 //  it has had for that
    uint64_t importing;             //  number of its import under way, or 0
    bool is_imported;               //  the artifact in hand is, into pack
    artel_id_t xid;                 //  the artifact in hand
    char pack[ARTEL_ID_TEXT];
    int lock;                       //  of blobs/, while what was imported is not committed; or -1
} artel_held_t;

typedef struct {
    artel_held_t *first, *last;     //  in the order they came
    zsock_t *importer;              //  PAIR; NULL if the store is the state directory
    uint64_t jobs;                  //  imports asked for so far
} artel_intake_t;

//  Hold a deliver. Takes what is in frame. ARTEL_ENOMEM, ARTEL_EPROTO.
int
artel_intake_add(artel_intake_t *self, zmq_msg_t *frame, msgpack_zone *zone);

//  Let one go, answered or not.
void
artel_intake_remove(artel_intake_t *self, artel_held_t *held);

//  Whether it must wait because one of its writer is before it.
bool
artel_intake_is_behind(const artel_intake_t *self, const artel_held_t *held);

//  How it stands, after looking for what is needed next. Not in a transaction, as
//  it reads files. A code: not now.
typedef enum { ARTEL_HELD_READY, ARTEL_HELD_FILING, ARTEL_HELD_IMPORTING } artel_held_state_t;

int
artel_intake_prepare(artel_intake_t *self, artel_catalogue_t *catalogue, artel_held_t *held);

//  The next to apply, or to file some of: the first that is ready; the one that
//  has had the fewest turns, so that a small artifact does not wait for a large
//  one. NULL if there is none.
artel_held_t *
artel_intake_next_ready(artel_intake_t *self);
artel_held_t *
artel_intake_next_filing(artel_intake_t *self);

//  The artifact in hand is filed. ARTEL_ENOMEM.
int
artel_held_filed(artel_held_t *held);

//  It sends something that is not filed, or is not any more: look at all of it again.
void
artel_held_suspect(artel_held_t *held);

//  Only the answer is missing now.
void
artel_held_end(artel_held_t *held, int code, const char *text);

//  The transaction has failed, and with it whatever was applied in it, filed, or
//  still waits: all of it will be delivered again.
void
artel_intake_fail(artel_intake_t *self, int code, const char *text);

//  An import has come back.
void
artel_intake_imported(artel_intake_t *self, const artel_import_job_t *job);

#endif
