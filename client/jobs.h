//  jobs.h - the worker threads, which read the files of artifacts.
//
//  At most two, started when there is work. They end when the client stops.

#ifndef ARTEL_JOBS_H
#define ARTEL_JOBS_H

#include "artel.h"
#include "catalogue.h"

#include <pthread.h>
#include <stdbool.h>

enum { ARTEL_WORKERS = 2, ARTEL_MAX_JOBS = 64 };

typedef struct artel_job artel_job_t;

//  What a worker keeps between jobs.
typedef struct {
    artel_t *client;
    artel_catalogue_t *catalogue;   //  to know blobs that are there; NULL: not opened yet
} artel_worker_t;

//  Does the job and frees it. worker is NULL: it is not to be done, only ended.
typedef void artel_job_fn(artel_worker_t *worker, artel_job_t *job);

struct artel_job {
    artel_job_t *next;
    artel_job_fn *fn;           //  the rest is whoever's made it
};

typedef struct {
    pthread_mutex_t lock;       //  guards what follows
    pthread_cond_t work;        //  there is a job, or no more will come
    pthread_cond_t ended;       //  a worker has
    artel_job_t *first, *last;
    unsigned waiting, workers, idle;
    bool stop;                  //  no job is begun any more
} artel_jobs_t;

void
artel_jobs_init(artel_jobs_t *self);
void
artel_jobs_done(artel_jobs_t *self);

//  Have a worker do the job. ARTEL_EFULL if ARTEL_MAX_JOBS wait already; ARTEL_ECLOSED,
//  ARTEL_ENOMEM (no thread): the job is still the caller's.
int
artel_jobs_add(artel_t *client, artel_job_t *job);

//  End the jobs that wait, and tell the workers to end after the job in hand. ms:
//  how long to wait for the lock (see artel_lock_soon), here and below.
void
artel_jobs_stop(artel_t *client, int ms);

//  Whether the job in hand had better end early.
bool
artel_jobs_stopping(artel_jobs_t *self);

//  Wait until the workers are gone, at most ms.
void
artel_jobs_wait(artel_jobs_t *self, int ms);

#endif
