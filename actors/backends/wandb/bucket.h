//  bucket.h - what a W&B server has of one run, as far as we know. W&B calls a run a bucket.
//
//  Kept in sinks/<sink>/<run>.json of the state directory (docs/store.md), together with what the server
//  will have once the post under way has come through. Whoever has a bucket open has the run to itself,
//  among all processes. One thread.

#ifndef ARTEL_BUCKET_H
#define ARTEL_BUCKET_H

#include "msgs_types.h"

#include <jansson.h>

//  The fields of a state, now or next, are objects and numbers by these names:
//    lines         of the history that the server has
//    step          the last of them (absent: there is none)
//    started_ms    of the run
//    entity, project, id     as the server calls them (absent: it was not asked yet)
//    complete      it was told the end
//    params        what the run record says, and host and program
//    config, summary         key -> its JSON text
//    set           key -> true: the summary's value was given by itself, and no row changes it
//    world         ranks of the run
//    writers       hex -> { mark, rank, exit, exit_ms, crashed }
//    open, done    xid -> { writer, counter }: artifacts on their way, and those there beyond a position
typedef struct {
    json_t *now;
    json_t *next;               //  NULL: nothing is under way
    char *path;
    int lock;
} artel_bucket_t;

//  Take the run's lock (or, without take, only look) and read what is kept; nothing, or a file of another server, is an empty state.
//  ARTEL_ELOCKED: another process delivers it; ARTEL_ECORRUPT, ARTEL_EVERSION, ARTEL_ENOMEM, ARTEL_EMFILE, ARTEL_EIO,
//  ARTEL_EACCES, ARTEL_ENOSPC.
int
artel_bucket_open(const char *state, const char *sink, const char *base, artel_str_t run, bool take,
                  artel_bucket_t *ret);
void
artel_bucket_close(artel_bucket_t *self);

//  Keep both states; durable if sync. The codes above.
int
artel_bucket_save(const artel_bucket_t *self, const char *base, bool sync);

//  The post under way has come through, or has not.
void
artel_bucket_settle(artel_bucket_t *self, bool came_through);

//  Everything of a writer is there up to this batch, of a state. 0: nothing.
uint64_t
artel_bucket_position(const json_t *state, artel_id_t writer);

//  Of a state: its part by that name, made if it is missing (NULL: no memory); a number; a text or NULL.
json_t *
artel_bucket_part(json_t *state, const char *name);
int64_t
artel_bucket_number(const json_t *state, const char *name, int64_t otherwise);
const char *
artel_bucket_text(const json_t *state, const char *name);

#endif
