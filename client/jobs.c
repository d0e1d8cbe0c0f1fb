//  jobs.c - the worker threads, which read the files of artifacts.

#include "jobs.h"

#include "client.h"

#include <signal.h>

void
artel_jobs_init(artel_jobs_t *self)
{
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->work, NULL);
    artel_cond_init(&self->ended);
}

void
artel_jobs_done(artel_jobs_t *self)
{
    pthread_cond_destroy(&self->work);
    pthread_cond_destroy(&self->ended);
    pthread_mutex_destroy(&self->lock);
}

//  The next job; NULL when there will be none.
static artel_job_t *
s_take(artel_jobs_t *self)
{
    pthread_mutex_lock(&self->lock);
    self->idle++;
    while (!self->first && !self->stop)
        pthread_cond_wait(&self->work, &self->lock);
    self->idle--;
    artel_job_t *job = self->first;
    if (job) {
        self->first = job->next;
        self->waiting--;
    }
    if (!self->first)
        self->last = NULL;
    pthread_mutex_unlock(&self->lock);
    return job;
}

static void *
s_work(void *arg)
{
    artel_worker_t worker = { .client = arg };
    artel_jobs_t *jobs = &worker.client->jobs;
    pthread_setname_np(pthread_self(), "artel/ingest");
    for (artel_job_t *job; (job = s_take(jobs)); )
        job->fn(&worker, job);
    artel_catalogue_close(&worker.catalogue);

    pthread_mutex_lock(&jobs->lock);
    jobs->workers--;
    pthread_cond_broadcast(&jobs->ended);
    pthread_mutex_unlock(&jobs->lock);
    artel_client_unref(worker.client);
    return NULL;
}

//  Start one more worker, with every signal blocked. The lock is held.
static int
s_start(artel_t *client)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_t thread;
    int rc = pthread_create(&thread, NULL, s_work, artel_client_ref(client));
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rc != 0) {
        artel_client_unref(client);
        return ARTEL_ENOMEM;
    }
    pthread_detach(thread);
    client->jobs.workers++;
    return 0;
}

//  The lock is held.
static int
s_add(artel_t *client, artel_job_t *job)
{
    artel_jobs_t *self = &client->jobs;
    if (self->stop)
        return ARTEL_ECLOSED;
    if (self->waiting == ARTEL_MAX_JOBS)
        return ARTEL_EFULL;
    if (self->idle <= self->waiting && self->workers < ARTEL_WORKERS && s_start(client) != 0
        && self->workers == 0)
        return ARTEL_ENOMEM;
    job->next = NULL;
    *(self->last ? &self->last->next : &self->first) = job;
    self->last = job;
    self->waiting++;
    pthread_cond_signal(&self->work);
    return 0;
}

int
artel_jobs_add(artel_t *client, artel_job_t *job)
{
    pthread_mutex_lock(&client->jobs.lock);
    int rc = s_add(client, job);
    pthread_mutex_unlock(&client->jobs.lock);
    return rc;
}

void
artel_jobs_stop(artel_t *client, int ms)
{
    artel_jobs_t *self = &client->jobs;
    if (!artel_lock_soon(&self->lock, ms))
        return;
    self->stop = true;
    artel_job_t *job = self->first;
    self->first = self->last = NULL;
    self->waiting = 0;
    pthread_cond_broadcast(&self->work);
    pthread_mutex_unlock(&self->lock);
    for (artel_job_t *next; job; job = next) {
        next = job->next;
        job->fn(NULL, job);
    }
}

bool
artel_jobs_stopping(artel_jobs_t *self)
{
    pthread_mutex_lock(&self->lock);
    bool stop = self->stop;
    pthread_mutex_unlock(&self->lock);
    return stop;
}

void
artel_jobs_wait(artel_jobs_t *self, int ms)
{
    artel_deadline_t deadline = artel_deadline(ms);
    if (!artel_lock_soon(&self->lock, ms))
        return;
    while (self->workers && artel_wait(&self->ended, &self->lock, deadline))
        continue;
    pthread_mutex_unlock(&self->lock);
}
