//  wandb_self.h - what the files of the backend share.
//
//  wandb.c is the actor and what the sender tells it, wandb_runs.c what goes on between a run and the
//  server, wandb_answers.c what the server says of it, wandb_artifacts.c the artifacts.

#ifndef ARTEL_WANDB_SELF_H
#define ARTEL_WANDB_SELF_H

#include "credentials.h"
#include "graphql.h"
#include "batch.h"
#include "over.h"
#include "post.h"
#include "saving.h"
#include "batch.h"
#include "over.h"
#include "wandb.h"
#include "wire.h"

#include <sys/queue.h>

typedef struct artel_wandb_self artel_wandb_self_t;

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

typedef enum { WANDB_JOB_WAITING, WANDB_JOB_HASHING, WANDB_JOB_SENDING } artel_wandb_step_t;

//  An artifact on its way.
typedef struct artel_wandb_job {
    TAILQ_ENTRY(artel_wandb_job) link;
    artel_wandb_run_t *run;
    artel_id_t writer, xid;
    uint64_t counter;
    bool is_use;                //  of one that is there: nobody waits for it
    char *name;                 //  with its project: one of a name after the other
    artel_saving_t *saving;
    artel_wandb_step_t step;
    artel_wandb_asker_t asker;
} artel_wandb_job_t;

struct artel_wandb_self {
    zsock_t *pipe;              //  $TERM
    zsock_t *sender;            //  PAIR: batches and questions in, answers out
    zsock_t *transfer;          //  PAIR: requests out and back
    zsock_t *hashing;           //  PAIR: artifacts to be read, and back
    zactor_t *hasher;
    const char *state, *sink, *place;
    artel_wire_t wire;
    artel_credentials_t server;
    bool has_key;
    char why[512];              //  there is no key
    TAILQ_HEAD(, artel_wandb_run) runs;
    TAILQ_HEAD(, artel_wandb_job) jobs;         //  in the order they came
    size_t bytes;               //  held by all runs
    unsigned out;               //  requests and readings under way
    bool is_closing;
};

typedef artel_wandb_self_t self_t;
typedef artel_wandb_run_t run_t;
typedef artel_wandb_held_t held_t;
typedef artel_wandb_job_t job_t;

//  ---- wandb.c

void
artel_wandb_tell(self_t *self, const artel_msg_t *msg);
void
artel_wandb_tell_delivered(self_t *self, const run_t *run, artel_id_t writer, int code, const char *text);

//  Hand a request out; its asker is told when it is back.
void
artel_wandb_send(self_t *self, artel_http_t *http, artel_wandb_asker_t *asker);

//  The key; read again while there is none. ARTEL_EACCES and why.
int
artel_wandb_need_key(self_t *self);

//  ---- wandb_runs.c

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

//  ---- wandb_artifacts.c

//  Begin with the artifacts of a batch that are open and not under way.
int
artel_wandb_begin(self_t *self, run_t *run, const held_t *held);

//  Hand out what the jobs have to hand out, and end those that are over.
void
artel_wandb_jobs_tick(self_t *self);
void
artel_wandb_hashed(self_t *self, artel_saving_t *saving);

//  Give all up: what is out comes back soon.
void
artel_wandb_jobs_cancel(self_t *self);
void
artel_wandb_job_free(self_t *self, job_t *job);

#endif
