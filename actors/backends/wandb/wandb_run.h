//  wandb_run.h - a run on its way to W&B: what is held of it, and the request under way.
//
//  Internal to the backend: wandb_runs.c, and wandb_answers.c for what the server says of a run.

#ifndef ARTEL_WANDB_RUN_H
#define ARTEL_WANDB_RUN_H

#include "batch.h"
#include "http.h"
#include "over.h"
#include "post.h"
#include "wire.h"

#include <sys/queue.h>

typedef struct artel_wandb_self artel_wandb_self_t;
typedef artel_wandb_self_t self_t;

//  Who a request is for: the arg of each.
typedef struct {
    void (*back)(artel_wandb_self_t *self, void *owner, artel_http_t *http);
    void *owner;
} artel_wandb_asker_t;

//  A deliver that the server does not have yet.
typedef struct artel_wandb_held {
    TAILQ_ENTRY(artel_wandb_held) link;
    zmq_msg_t frame;
    artel_msg_deliver_t deliver;    //  points into frame
    bool is_told;               //  the post under way has it
} artel_wandb_held_t;

//  A question for the position that waits for a request to come back.
typedef struct artel_wandb_ask {
    TAILQ_ENTRY(artel_wandb_ask) link;
    artel_id_t writer;
} artel_wandb_ask_t;

typedef struct artel_wandb_run {
    TAILQ_ENTRY(artel_wandb_run) link;
    char id[64];
    artel_bucket_t bucket;
    bool is_open;               //  the bucket is ours
    TAILQ_HEAD(, artel_wandb_held) held;        //  in the order they came
    TAILQ_HEAD(, artel_wandb_ask) asks;
    size_t bytes;               //  held
    bool hurries;               //  the end of a writer is among them
    bool is_live;               //  its program writes, as far as we saw
    bool is_met;                //  the server knows the run, by this process
    char *told;                 //  the last body of UpsertBucket
    char *entity, *project;     //  as the server calls them; NULL before
    char *stream;               //  the URL of its posts
    unsigned jobs;              //  artifacts on their way
    int64_t posted_ms;          //  monotonic
    int64_t held_ms;            //  since when there is something held
    artel_http_t http;          //  the request under way
    artel_wandb_asker_t asker;
    bool is_busy;
    char *body;
    artel_post_t post;
} artel_wandb_run_t;

typedef artel_wandb_run_t run_t;
typedef artel_wandb_held_t held_t;

//  The run of this id, made if need be. NULL: no memory.
run_t *
artel_wandb_run(self_t *self, artel_str_t id);
void
artel_wandb_run_free(self_t *self, run_t *run);

int
artel_wandb_run_hold(self_t *self, run_t *run, zmq_msg_t *frame);

//  Where the run's writer stands; told now, or once the request under way is back.
void
artel_wandb_run_ask(self_t *self, run_t *run, artel_id_t writer);

//  Whether there is anything to do for it, or to know of it.
bool
artel_wandb_run_is_needed(const run_t *run);

//  Do what is due; in how many ms to come again, -1: when something happens.
int64_t
artel_wandb_run_tick(self_t *self, run_t *run, int64_t now);

//  Nothing of it goes on now: what is held will be delivered again.
void
artel_wandb_run_fail(self_t *self, run_t *run, int code, const char *text);

//  The post under way, or nothing to post, has come through.
void
artel_wandb_run_done(self_t *self, run_t *run);

//  Ask the server something for the run. Takes body.
void
artel_wandb_run_send(self_t *self, run_t *run, const char *url, char *body,
                     void (*back)(self_t *self, void *owner, artel_http_t *http));

//  ---- wandb_answers.c: what UpsertBucket, RunResumeStatus and a post came to; owner is the run.

void
artel_wandb_upserted(self_t *self, void *owner, artel_http_t *http);
void
artel_wandb_posted(self_t *self, void *owner, artel_http_t *http);

#endif
