//  wandb_self.h - the backend itself, for its files.
//
//  wandb.c is the actor and what the sender tells it, wandb_runs.c what goes on between a run and the
//  server, wandb_answers.c what the server says of it, wandb_artifacts.c the artifacts.

#ifndef ARTEL_WANDB_SELF_H
#define ARTEL_WANDB_SELF_H

#include "credentials.h"
#include "graphql.h"
#include "wandb.h"
#include "wandb_job.h"

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
    bool is_key_stale;          //  the server has refused it: another may be there by now
    char why[512];              //  there is no key
    TAILQ_HEAD(, artel_wandb_run) runs;
    TAILQ_HEAD(, artel_wandb_job) jobs;         //  in the order they came
    size_t bytes;               //  held by all runs
    unsigned out;               //  requests and readings under way
    bool hurries;               //  the node ends soon: nothing waits for company
    bool is_closing;
};

void
artel_wandb_tell(self_t *self, const artel_msg_t *msg);
void
artel_wandb_tell_delivered(self_t *self, const run_t *run, artel_id_t writer, int code, const char *text);

//  Hand a request out; its asker is told when it is back.
void
artel_wandb_send(self_t *self, artel_http_t *http, artel_wandb_asker_t *asker);

//  The key; read again while there is none, and once nothing is under way after it was refused. ARTEL_EPENDING (there is none, or W&B is not to be spoken to now) and why.
int
artel_wandb_need_key(self_t *self);

#endif
