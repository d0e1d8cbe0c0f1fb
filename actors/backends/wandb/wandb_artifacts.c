//  wandb_artifacts.c - the artifacts of runs on their way: read, sent, and answered.
//
//  They keep no rows waiting: the writer's position stays before an artifact until it is there, while
//  the run's posts go on. Those of one name go one after the other, others side by side.

#include "wandb_self.h"

#include "batch.h"
#include "errors.h"
#include "handover.h"
#include "state.h"

#include <stdlib.h>
#include <string.h>

static job_t *
s_find(const self_t *self, artel_id_t xid)
{
    job_t *job;
    TAILQ_FOREACH(job, &self->jobs, link)
        if (artel_id_equal(job->xid, xid))
            return job;
    return NULL;
}

void
artel_wandb_job_free(self_t *self, job_t *job)
{
    TAILQ_REMOVE(&self->jobs, job, link);
    job->run->jobs--;
    artel_saving_destroy(&job->saving);
    free(job->name);
    free(job);
}

//  A request of a job is back.
static void
s_took(self_t *self, void *owner, artel_http_t *http)
{
    (void) self;
    job_t *job = owner;
    artel_saving_take(job->saving, http);
}

//  What a record wants: id stands for it in the state.
typedef struct {
    const artel_msg_t *record;
    artel_id_t id;
    bool is_use;
} wish_t;

static int
s_new_saving(self_t *self, run_t *run, const wish_t *wish, artel_saving_t **ret)
{
    artel_saving_args_t args = { .store = self->state, .base = self->server.base, .graphql = self->server.graphql,
        .key = &self->server.key, .entity = run->entity, .project = run->project, .run = run->id };
    return wish->is_use ? artel_saving_use(&args, &wish->record->use_artifact, -1, ret)
                        : artel_saving_new(&args, &wish->record->artifact_send, ret);
}

static int
s_add(self_t *self, run_t *run, const artel_msg_deliver_t *deliver, const wish_t *wish)
{
    artel_str_t name = wish->is_use ? wish->record->use_artifact.name : wish->record->artifact_send.name;
    job_t *job = calloc(1, sizeof *job);
    int rc = ARTEL_ENOMEM;
    if (job && (job->name = artel_format("%s/%.*s", run->project, (int) name.len, name.at)))
        rc = s_new_saving(self, run, wish, &job->saving);
    if (rc != 0) {
        free(job ? job->name : NULL);
        free(job);
        return rc;
    }
    job->run = run;
    job->writer = deliver->writer;
    job->counter = deliver->counter;
    job->xid = wish->id;
    job->is_use = wish->is_use;
    job->asker = (artel_wandb_asker_t) { s_took, job };
    run->jobs++;
    TAILQ_INSERT_TAIL(&self->jobs, job, link);
    return 0;
}

static bool
s_is_open(const run_t *run, artel_id_t xid)
{
    char hex[ARTEL_ID_TEXT];
    artel_hex(xid.at, sizeof xid.at, hex);
    return json_object_get(json_object_get(run->bucket.now, "open"), hex) != NULL;
}

//  Whether a record is about an artifact, and which.
static bool
s_wish(const artel_msg_deliver_t *deliver, const artel_msg_t *record, uint64_t *used, wish_t *ret)
{
    bool is_use = record->id == ARTEL_MSG_USE_ARTIFACT;
    *ret = (wish_t) { .record = record, .is_use = is_use };
    if (is_use)
        ret->id = artel_post_use_id(deliver->writer, deliver->counter, (*used)++);
    else if (record->id == ARTEL_MSG_ARTIFACT_SEND || record->id == ARTEL_MSG_ARTIFACT)
        ret->id = record->artifact_send.xid;    //  the two are alike
    else
        return false;
    return true;
}

int
artel_wandb_begin(self_t *self, run_t *run, const held_t *held)
{
    artel_batch_reader_t batch;
    artel_msg_t record;
    wish_t wish;
    uint64_t used = 0;
    if (json_object_size(json_object_get(run->bucket.now, "open")) == 0)
        return 0;
    msgpack_zone_clear(&self->wire.zone);
    int rc = artel_batch_read(held->deliver.batch.at, held->deliver.batch.len, &self->wire.zone, &batch);
    while (rc == 0 && artel_batch_next(&batch, &record) > 0)
        if (s_wish(&held->deliver, &record, &used, &wish) && s_is_open(run, wish.id) && !s_find(self, wish.id))
            rc = s_add(self, run, &held->deliver, &wish);
    return rc;
}

//  ---- the end of a job

//  Artifacts that are there are remembered as long as their batch may come again.
static void
s_forget_done(json_t *state, artel_id_t writer)
{
    char hex[ARTEL_ID_TEXT];
    artel_hex(writer.at, sizeof writer.at, hex);
    int64_t position = (int64_t) artel_bucket_position(state, writer);
    const char *xid;
    json_t *done, *at;
    void *next;
    json_object_foreach_safe(json_object_get(state, "done"), next, xid, done) {
        at = json_object_get(done, "writer");
        if (strcmp(json_string_value(at), hex) == 0 && artel_bucket_number(done, "counter", 0) <= position)
            json_object_del(json_object_get(state, "done"), xid);
    }
}

static void
s_note_done(json_t *state, const job_t *job)
{
    char xid[ARTEL_ID_TEXT];
    artel_hex(job->xid.at, sizeof job->xid.at, xid);
    json_t *open = json_object_get(state, "open"), *done = artel_bucket_part(state, "done");
    json_t *kept = json_object_get(open, xid);
    if (kept && done)
        json_object_set(done, xid, kept);
    json_object_del(open, xid);
    s_forget_done(state, job->writer);
}

//  There, or refused for good: either way it is over.
static void
s_tell_done(self_t *self, job_t *job, const artel_saving_state_t *state)
{
    run_t *run = job->run;
    s_note_done(run->bucket.now, job);
    if (run->bucket.next)
        s_note_done(run->bucket.next, job);
    (void) artel_bucket_save(&run->bucket, self->place, false);     //  it would be found there again
    if (!job->is_use)
        artel_wandb_tell(self, &(artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_DONE, .artifact_done = {
            .xid = job->xid, .status = state->code, .version = state->code == 0 ? state->version : -1,
            .fresh = state->fresh, .text = artel_str(state->text), .writer = job->writer,
            .counter = job->counter } });
    artel_wandb_tell_delivered(self, run, job->writer, 0, "");
}

static void
s_end(self_t *self, job_t *job)
{
    const artel_saving_state_t *state = artel_saving_state(job->saving);
    if (self->is_closing)
        return;
    if (state->code == 0 || !state->passes)
        s_tell_done(self, job, state);
    else
        artel_wandb_tell_delivered(self, job->run, job->writer, state->code, state->text);
    artel_wandb_job_free(self, job);
}

//  ---- what there is to do

//  Whether one of its name is before it.
static bool
s_is_behind(const self_t *self, const job_t *job)
{
    const job_t *other;
    for (other = TAILQ_FIRST(&self->jobs); other != job; other = TAILQ_NEXT(other, link))
        if (strcmp(other->name, job->name) == 0)
            return true;
    return false;
}

static void
s_hash(self_t *self, job_t *job)
{
    job->step = WANDB_JOB_HASHING;
    artel_hand_over(job->saving);
    self->out += artel_wire_put(self->hashing, &job->saving, sizeof job->saving) == 0;
}

void
artel_wandb_hashed(self_t *self, artel_saving_t *saving)
{
    job_t *job;
    TAILQ_FOREACH(job, &self->jobs, link)
        if (job->saving == saving)
            job->step = WANDB_JOB_SENDING;
}

void
artel_wandb_jobs_tick(self_t *self)
{
    job_t *job, *next;
    artel_http_t *http;
    for (job = TAILQ_FIRST(&self->jobs); job; job = next) {
        next = TAILQ_NEXT(job, link);
        if (job->step == WANDB_JOB_WAITING && !s_is_behind(self, job))
            s_hash(self, job);
        while (job->step == WANDB_JOB_SENDING && (http = artel_saving_next(job->saving)))
            artel_wandb_send(self, http, &job->asker);
        if (job->step == WANDB_JOB_SENDING && artel_saving_state(job->saving)->over)
            s_end(self, job);
    }
}

void
artel_wandb_jobs_cancel(self_t *self)
{
    job_t *job;
    TAILQ_FOREACH(job, &self->jobs, link)
        artel_saving_cancel(job->saving);
}
