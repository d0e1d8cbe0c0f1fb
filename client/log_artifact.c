//  log_artifact.c - reading an artifact's files and sending it.
//
//  A worker ingests: when that is finished the blobs and the manifest are durable, and
//  only then is the record queued. The worker holds the ingest, and with it the
//  lock against gc, until the record is accepted.

#include "actor.h"
#include "artifact.h"
#include "client.h"
#include "errors.h"
#include "link.h"

//  Reading one artifact.
typedef struct {
    artel_job_t job;            //  first
    artel_run_t *run;           //  stays while its jobs are counted
    artel_future_t *future;
    artel_artifact_t *what;     //  a copy
    bool nobody_waits;          //  the caller took no future: the record is `artifact`
} send_t;

//  What the callbacks of an ingest need.
typedef struct {
    send_t *send;
    artel_worker_t *worker;
} hand_t;

static bool
s_is_canceled(send_t *send)
{
    artel_t *client = send->run->client;
    pthread_mutex_lock(&client->lock);
    bool canceled = send->future->canceled;
    pthread_mutex_unlock(&client->lock);
    return canceled || artel_jobs_stopping(&client->jobs);
}

static int
s_on_progress(void *arg, uint64_t files, uint64_t bytes)
{
    send_t *send = ((hand_t *) arg)->send;
    artel_artifact_t *what = send->what;
    return s_is_canceled(send) || (what->progress && what->progress(what->progress_arg, files, bytes));
}

//  A blob that the store's catalogue knows is on disk: gc is locked out.
static bool
s_is_known(void *arg, const artel_digest_t *digest, uint64_t size)
{
    artel_worker_t *worker = ((hand_t *) arg)->worker;
    return worker->catalogue && artel_catalogue_knows_blob(worker->catalogue, digest, size);
}

static void
s_failed(send_t *send, int rc, const char *why)
{
    artel_t *client = send->run->client;
    pthread_mutex_lock(&client->lock);
    send->future->code = rc;
    snprintf(send->future->why, sizeof send->future->why, "artifact \"%s\" was not logged: %s",
             send->what->name, why && *why ? why : artel_error_code_text(rc));
    pthread_cond_broadcast(&client->changed);
    pthread_mutex_unlock(&client->lock);
}

static int
s_read_parts(send_t *send, artel_ingest_t *ingest, artel_ingest_result_t *ret)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < send->what->n_parts; i++)
        rc = send->what->parts[i]->ingest(ingest, send->what->parts[i]);
    if (rc == 0)
        rc = artel_ingest_finish(ingest, ret);
    if (rc != 0)
        s_failed(send, rc, artel_ingest_error(ingest));
    return rc;
}

//  The files may be changed now.
static void
s_staged(send_t *send, const artel_ingest_result_t *result)
{
    artel_t *client = send->run->client;
    pthread_mutex_lock(&client->lock);
    send->future->digest = result->manifest;
    send->future->files = result->files;
    send->future->bytes = result->bytes;
    send->future->staged = true;
    pthread_cond_broadcast(&client->changed);
    pthread_mutex_unlock(&client->lock);
}

//  The step the artifact belongs to: as said, or the last one logged.
static int64_t
s_step(send_t *send)
{
    artel_run_t *run = send->run;
    if (send->what->history_step != ARTEL_AUTO_STEP)
        return send->what->history_step;
    pthread_mutex_lock(&run->outbox.lock);
    int64_t step = run->outbox.next_step - 1;
    pthread_mutex_unlock(&run->outbox.lock);
    return step;
}

//  The record, packed once: should the node not know its xid, it is sent again.
static int
s_pack_record(send_t *send, const artel_ingest_result_t *result)
{
    const artel_artifact_t *what = send->what;
    artel_str_t aliases[ARTEL_MAX_ALIASES];
    for (size_t i = 0; i < what->n_aliases; i++)
        aliases[i] = artel_str(what->aliases[i]);
    artel_msg_artifact_send_t fields = {
        .xid = send->future->xid, .name = artel_str(what->name), .type = artel_str(what->type),
        .manifest = result->manifest, .pack = artel_str(result->pack),
        .files = result->files, .bytes = result->bytes,
        .description = artel_str(what->description), .metadata = artel_str(what->metadata),
        .aliases = { aliases, what->n_aliases }, .history_step = s_step(send), .at_ms = artel_wall_ms() };
    artel_msg_t msg = { .id = send->nobody_waits ? ARTEL_MSG_ARTIFACT : ARTEL_MSG_ARTIFACT_SEND };
    static_assert(sizeof msg.artifact == sizeof fields, "artifact and artifact_send are alike");
    memcpy(send->nobody_waits ? (void *) &msg.artifact : (void *) &msg.artifact_send, &fields, sizeof fields);

    msgpack_sbuffer packed;
    msgpack_sbuffer_init(&packed);
    int rc = artel_msg_pack(&msg, &packed);
    if (rc == 0) {
        send->future->record_size = packed.size;
        send->future->record = msgpack_sbuffer_release(&packed);
    }
    msgpack_sbuffer_destroy(&packed);
    return rc;
}

//  Queue the record; its batch is sealed, and sent at once.
static int
s_queue_record(send_t *send)
{
    artel_run_t *run = send->run;
    artel_future_t *future = send->future;
    uint64_t counter = 0;
    pthread_mutex_lock(&run->outbox.lock);
    int rc = artel_outbox_wait(&run->outbox, run->client->queue_ms);
    if (rc == 0)
        rc = artel_outbox_add_packed(&run->outbox, future->record, future->record_size,
                                     send->nobody_waits ? NULL : &future->xid, &counter);
    if (rc == 0)
        (void) artel_outbox_seal(&run->outbox);
    pthread_mutex_unlock(&run->outbox.lock);
    if (rc != 0) {
        char dead[sizeof run->dead_why];
        s_failed(send, rc, rc == ARTEL_EFULL ? "the queue of its run is full"
                                             : artel_run_dead_why(run, dead, sizeof dead));
        return rc;
    }
    pthread_mutex_lock(&run->client->lock);
    future->counter = counter;
    pthread_cond_broadcast(&run->client->changed);
    pthread_mutex_unlock(&run->client->lock);
    artel_link_wake(run->client);
    return 0;
}

//  The run goes on without this job: its exit may be written.
static void
s_leave_run(send_t *send)
{
    artel_run_t *run = send->run;
    artel_t *client = run->client;
    pthread_mutex_lock(&client->lock);
    if (--run->jobs == 0 && run->ending)
        artel_run_end(run);
    pthread_cond_broadcast(&client->changed);
    pthread_mutex_unlock(&client->lock);
    artel_link_wake(client);
}

static void
s_free(send_t *send)
{
    artel_future_unref(send->future);
    artel_artifact_destroy(&send->what);
    free(send);
}

//  Or until it never will be: nothing refers to the blobs then.
static void
s_wait_accepted(artel_t *client, const artel_future_t *future)
{
    pthread_mutex_lock(&client->lock);
    while (!client->stopped && !artel_client_has_accepted(client, future->writer, future->counter)
           && !artel_client_never_accepts(client, future->writer, future->counter))
        pthread_cond_wait(&client->changed, &client->lock);
    pthread_mutex_unlock(&client->lock);
}

static int
s_begin(send_t *send, const artel_ingest_options_t *options, artel_ingest_t **ret)
{
    int rc = artel_ingest_begin(options, ret);
    if (rc == 0)
        return 0;
    char why[400];
    snprintf(why, sizeof why, "%s/blobs can't be used: %s", options->store, artel_error_code_text(rc));
    s_failed(send, rc, why);
    return rc;
}

static void
s_ingest(send_t *send, artel_worker_t *worker)
{
    hand_t hand = { send, worker };
    artel_t *client = worker->client;
    artel_ingest_options_t options = { .store = client->dir, .links = (artel_links_t) send->what->links,
        .known = s_is_known, .progress = s_on_progress, .arg = &hand };
    artel_ingest_t *ingest = NULL;
    artel_ingest_result_t result;
    int rc = s_begin(send, &options, &ingest);
    if (rc == 0)
        rc = s_read_parts(send, ingest, &result);
    if (rc == 0) {
        rc = s_pack_record(send, &result);
        s_staged(send, &result);
        rc = rc == 0 ? s_queue_record(send) : (s_failed(send, rc, ""), rc);
    }
    s_leave_run(send);
    if (rc == 0)
        s_wait_accepted(client, send->future);
    artel_ingest_destroy(&ingest);
}

//  The job.
static void
s_send(artel_worker_t *worker, artel_job_t *job)
{
    send_t *send = (send_t *) job;
    if (!worker || s_is_canceled(send)) {
        s_failed(send, ARTEL_ECANCELED, worker ? "it was canceled" : "the client was closed before it was read");
        s_leave_run(send);
    } else {
        if (!worker->catalogue)
            (void) artel_catalogue_open(worker->client->dir, false, &worker->catalogue);
        s_ingest(send, worker);
    }
    s_free(send);
}

static int
s_new(artel_run_t *run, const artel_artifact_t *what, bool nobody_waits, send_t **ret)
{
    send_t *send = calloc(1, sizeof *send);
    if (!send)
        return ARTEL_ENOMEM;
    *send = (send_t) { .job.fn = s_send, .run = run, .nobody_waits = nobody_waits,
                       .what = artel_artifact_copy(what), .future = artel_future_new(run) };
    if (!send->what || !send->future) {
        if (send->future)
            artel_future_unref(send->future);
        artel_artifact_destroy(&send->what);
        free(send);
        return ARTEL_ENOMEM;
    }
    *ret = send;
    return 0;
}

//  Count the job, so that the run stays and its exit waits.
static int
s_join_run(artel_run_t *run)
{
    pthread_mutex_lock(&run->client->lock);
    bool ended = run->ending || run->client->closing;
    if (!ended)
        run->jobs++;
    pthread_mutex_unlock(&run->client->lock);
    return ended ? ARTEL_ECLOSED : 0;
}

static int
s_start(artel_run_t *run, send_t *send)
{
    int rc = s_join_run(run);
    if (rc != 0)
        return rc;
    rc = artel_jobs_add(run->client, &send->job);
    if (rc != 0)
        s_leave_run(send);
    return rc;
}

//  Wait until the record is queued, or refused.
static int
s_wait_queued(artel_future_t *future)
{
    artel_t *client = future->client;
    pthread_mutex_lock(&client->lock);
    while (!future->counter && !future->code && !client->stopped)
        pthread_cond_wait(&client->changed, &client->lock);
    int rc = future->code ? future->code : future->counter ? 0 : ARTEL_ECLOSED;
    pthread_mutex_unlock(&client->lock);
    return rc == 0 ? 0 : artel_fail(&client->notes, rc, "%s", future->code ? future->why
                                    : "the client was closed while an artifact was read");
}

int
artel_run_log_artifact(artel_run_t *run, artel_artifact_t *artifact, artel_future_t **ret)
{
    int rc = artel_run_enter(run);
    if (rc != 0)
        return rc;
    if (!artifact)
        return artel_fail(&run->client->notes, ARTEL_EINVAL, "the artifact to log is NULL");
    send_t *send;
    rc = s_new(run, artifact, !ret, &send);
    if (rc != 0)
        return artel_fail(&run->client->notes, rc, "artifact \"%s\": out of memory", artifact->name);
    artel_future_t *future = artel_future_ref(send->future);
    rc = s_start(run, send);
    if (rc != 0) {
        s_free(send);
        artel_fail(&run->client->notes, rc, "artifact \"%s\" was not logged: %s", artifact->name,
                   rc == ARTEL_EFULL ? "64 artifacts wait to be read; wait for some of them first"
                   : artel_error_code_text(rc));
    } else if (!artifact->async) {
        rc = s_wait_queued(future);
    }
    if (rc == 0 && ret)
        *ret = future;
    else
        artel_future_unref(future);
    return rc;
}
