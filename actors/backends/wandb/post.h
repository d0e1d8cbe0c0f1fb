//  post.h - batches of one writer, put as W&B's server wants to be told: the run's parameters,
//  and one post of its file_stream.
//
//  What comes out depends on the state and the batches alone: told again it is the same, to the byte,
//  and so a post whose answer was lost may be sent again. No socket, no file; one thread.

#ifndef ARTEL_POST_H
#define ARTEL_POST_H

#include "bucket.h"
#include "msgs.h"

#include <stdio.h>

typedef struct {
    json_t *state;              //  what the server will have
    int64_t from;               //  the first line's number
    int64_t n;                  //  lines
    FILE *lines;
    char *text;                 //  of lines
    size_t len;
    bool has_summary;           //  it has changed
    int64_t seen_ms;            //  time of the record in hand
} artel_post_t;

//  Begin behind a state. ARTEL_ENOMEM.
int
artel_post_begin(const json_t *now, artel_post_t *ret);
void
artel_post_done(artel_post_t *self);

//  Add a batch. One that is there by the state brings nothing but its artifacts. ARTEL_ENOMEM, ARTEL_EPROTO.
int
artel_post_add(artel_post_t *self, const artel_msg_deliver_t *deliver, msgpack_zone *zone);

//  The body of the post, which the caller frees: *ret NULL if there is nothing to tell. The run's end is told once all
//  its artifacts are there. ARTEL_ENOMEM.
int
artel_post_end(artel_post_t *self, char **ret);

//  What stands for an artifact in the state: of one that is sent its xid, of one that is used, which has none, made up
//  from its place. n: how many were used before it in the batch.
artel_id_t
artel_post_use_id(artel_id_t writer, uint64_t counter, uint64_t n);

//  The variables of UpsertBucket: a new reference, or NULL.
json_t *
artel_post_parameters(const json_t *state, const char *run);

#endif
