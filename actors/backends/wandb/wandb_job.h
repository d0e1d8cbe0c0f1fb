//  wandb_job.h - an artifact on its way to W&B.
//
//  Internal to the backend: wandb_artifacts.c.

#ifndef ARTEL_WANDB_JOB_H
#define ARTEL_WANDB_JOB_H

#include "saving.h"
#include "wandb_run.h"

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

typedef artel_wandb_job_t job_t;

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
