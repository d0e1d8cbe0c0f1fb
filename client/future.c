//  future.c - what will become of a sent artifact.

#include "client.h"
#include "errors.h"
#include "link.h"

#include <inttypes.h>

artel_future_t *
artel_future_new(artel_run_t *run)
{
    artel_t *client = run->client;
    artel_future_t *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->generation = client->generation;
    self->refs = 1;
    self->client = artel_client_ref(client);
    self->xid = artel_id_new();
    self->writer = run->writer;
    self->primary.future = self;
    pthread_mutex_lock(&client->lock);
    self->targets = artel_targets_ref(run->targets);
    snprintf(self->primary.sink, sizeof self->primary.sink, "%s", artel_targets_first(client->targets, self->targets)->name);
    pthread_mutex_unlock(&client->lock);
    return self;
}

artel_future_t *
artel_future_ref(artel_future_t *self)
{
    atomic_fetch_add(&self->refs, 1);
    return self;
}

void
artel_future_unref(artel_future_t *self)
{
    if (atomic_fetch_sub(&self->refs, 1) != 1)
        return;
    for (artel_ask_t *ask = self->primary.next, *next; ask; ask = next) {
        next = ask->next;
        free(ask);
    }
    artel_client_unref(self->client);
    artel_targets_unref(self->targets);
    free(self->record);
    free(self);
}

void
artel_future_destroy(artel_future_t **self_p)
{
    artel_future_t *self = self_p ? *self_p : NULL;
    if (self_p)
        *self_p = NULL;
    if (self && artel_client_enter(self->client) == 0)
        artel_future_unref(self);
}

static int
s_enter(const artel_future_t *self)
{
    return self ? artel_client_enter(self->client) : ARTEL_EINVAL;
}

//  The queue of asks. The client's lock is held.

static void
s_queue(artel_t *client, artel_ask_t *ask)
{
    if (ask->queued)
        return;
    ask->queued = true;
    TAILQ_INSERT_TAIL(&client->asks.queue, ask, entry);
    client->asks.queued++;
    artel_future_ref(ask->future);
}

void
artel_ask_release(artel_t *client, artel_ask_t *ask)
{
    bool wanted = (ask->waiters || ask->wanted || ask->cancel) && !ask->done;
    if (!ask->queued || ask->in_flight || wanted)
        return;
    ask->queued = false;
    TAILQ_REMOVE(&client->asks.queue, ask, entry);
    client->asks.queued--;
    artel_future_unref(ask->future);
}

void
artel_asks_end(artel_t *client)
{
    artel_ask_t *ask, *next;
    for (ask = TAILQ_FIRST(&client->asks.queue); ask; ask = next) {
        next = TAILQ_NEXT(ask, entry);
        ask->in_flight = ask->wanted = ask->cancel = false;
        artel_ask_release(client, ask);
    }
}

//  The future's ask of a sink, made if it is new; NULL: out of memory.
static artel_ask_t *
s_ask(artel_future_t *self, const char *sink)
{
    if (!*sink)
        return &self->primary;
    for (artel_ask_t *ask = &self->primary; ask; ask = ask->next)
        if (strcmp(ask->sink, sink) == 0)
            return ask;
    artel_ask_t *ask = calloc(1, sizeof *ask);
    if (!ask)
        return NULL;
    ask->future = self;
    snprintf(ask->sink, sizeof ask->sink, "%s", sink);
    ask->next = self->primary.next;
    self->primary.next = ask;
    return ask;
}

const char *
artel_ask_why_not(const artel_ask_t *ask)
{
    return artel_client_why_not(ask->future->client, ask->future->targets, ask->sink);
}

//  A record that the journal will never take is refused before it was sent.
static void
s_note_lost(artel_future_t *self, const artel_ask_t *ask)
{
    const artel_run_t *run = artel_client_run(self->client, self->writer);
    if (self->code || ask->done || !artel_client_never_accepts(self->client, self->writer, self->counter))
        return;
    self->code = run->dead;
    snprintf(self->why, sizeof self->why, "it is not in the journal: %s", run->dead_why);
}

//  Whether nothing that can still come changes the answer, and the answer; a sink that is not to be had now
//  may be later, so that this is kept nowhere.
static bool
s_is_settled(artel_future_t *self, const artel_ask_t *ask, int *ret)
{
    s_note_lost(self, ask);
    bool nowhere = !ask->done && artel_ask_why_not(ask);
    *ret = self->code ? self->code : ask->done ? ask->status : self->canceled ? ARTEL_ECANCELED
           : ask->put_off ? ARTEL_EPENDING : nowhere ? ARTEL_ENOENT : ARTEL_ECLOSED;
    return self->code || ask->done || self->canceled || ask->put_off || nowhere || self->client->stopped;
}

//  The client's lock is held.
static int
s_wait(artel_future_t *self, artel_ask_t *ask, artel_deadline_t deadline)
{
    artel_t *client = self->client;
    int rc;
    ask->put_off = false;                       //  it may take something by now
    if (s_is_settled(self, ask, &rc))
        return rc;
    ask->waiters++;
    s_queue(client, ask);
    artel_link_wake(client);
    while (!s_is_settled(self, ask, &rc))
        if (!artel_wait(&client->changed, &client->lock, deadline)) {
            rc = ARTEL_ETIMEOUT;
            break;
        }
    ask->waiters--;
    artel_ask_release(client, ask);
    return rc;
}

//  Why the future failed, or the sink is not to be had, or what it last said: copied under the lock, as an
//  answer may come while the caller is told of an earlier one. "": nothing is known.
static const char *
s_why(artel_future_t *self, const artel_ask_t *ask, char *ret, size_t size)
{
    pthread_mutex_lock(&self->client->lock);
    const char *why_not = ask->done ? NULL : artel_ask_why_not(ask);
    snprintf(ret, size, "%s", self->code ? self->why : why_not ? why_not : ask->why);
    pthread_mutex_unlock(&self->client->lock);
    return ret;
}

//  " (why)" if it is known why the sink does not answer. Of the primary the client knows it
//  at once, of others the last poll has said it.
static const char *
s_trouble(artel_future_t *self, const artel_ask_t *ask, char *ret, size_t size)
{
    char why[sizeof self->why];
    if (ask == &self->primary)
        return artel_client_trouble(self->client, ret, size);
    s_why(self, ask, why, sizeof why);
    snprintf(ret, size, *why ? " (%s)" : "%s", why);
    return ret;
}

static int
s_tell(artel_future_t *self, const artel_ask_t *ask, int rc)
{
    char xid[ARTEL_ID_TEXT], why[sizeof self->why];
    artel_hex(self->xid.at, sizeof self->xid.at, xid);
    if (rc == ARTEL_ETIMEOUT)
        artel_fail(&self->client->notes, rc, "artifact (xid %s): sink %s has not answered yet%s; wait again, "
                   "it goes on", xid, ask->sink, s_trouble(self, ask, why, sizeof why));
    else if (rc == ARTEL_ECLOSED)
        artel_fail(&self->client->notes, rc, "artifact (xid %s): the client was closed before sink %s "
                   "answered; `artel sync` delivers it", xid, ask->sink);
    else if (rc != 0)
        artel_fail(&self->client->notes, rc, "artifact (xid %s), sink %s: %s", xid, ask->sink,
                   *s_why(self, ask, why, sizeof why) ? why : artel_error_code_text(rc));
    return rc;
}

int
artel_future_wait_sink(artel_future_t *self, const char *sink, int timeout_ms)
{
    int rc = s_enter(self);
    if (rc != 0)
        return rc;
    if (!sink || strlen(sink) >= sizeof self->primary.sink)
        return artel_fail(&self->client->notes, ARTEL_EINVAL, "a sink's name is NULL or too long");
    artel_deadline_t deadline = artel_deadline(timeout_ms);
    pthread_mutex_lock(&self->client->lock);
    artel_ask_t *ask = s_ask(self, sink);
    rc = ask ? s_wait(self, ask, deadline) : ARTEL_ENOMEM;
    pthread_mutex_unlock(&self->client->lock);
    return ask ? s_tell(self, ask, rc) : rc;
}

int
artel_future_wait(artel_future_t *self, int timeout_ms)
{
    return artel_future_wait_sink(self, "", timeout_ms);
}

int
artel_future_wait_staged(artel_future_t *self, int timeout_ms)
{
    int rc = s_enter(self);
    if (rc != 0)
        return rc;
    artel_deadline_t deadline = artel_deadline(timeout_ms);
    pthread_mutex_lock(&self->client->lock);
    bool in_time = true;
    while (in_time && !self->staged && !self->code && !self->client->stopped)
        in_time = artel_wait(&self->client->changed, &self->client->lock, deadline);
    rc = self->code ? self->code : self->staged ? 0 : in_time ? ARTEL_ECLOSED : ARTEL_ETIMEOUT;
    pthread_mutex_unlock(&self->client->lock);
    return s_tell(self, &self->primary, rc);
}

int
artel_future_poll(artel_future_t *self)
{
    int rc = s_enter(self);
    if (rc != 0)
        return rc;
    artel_ask_t *ask = &self->primary;
    pthread_mutex_lock(&self->client->lock);
    bool settled = s_is_settled(self, ask, &rc);
    if (!settled && !ask->wanted) {
        ask->wanted = true;
        s_queue(self->client, ask);
        artel_link_wake(self->client);
    }
    pthread_mutex_unlock(&self->client->lock);
    return settled;
}

int
artel_future_cancel(artel_future_t *self)
{
    int rc = s_enter(self);
    if (rc != 0)
        return rc;
    pthread_mutex_lock(&self->client->lock);
    if (!s_is_settled(self, &self->primary, &rc)) {
        self->canceled = true;
        self->primary.cancel = true;
        s_queue(self->client, &self->primary);
        pthread_cond_broadcast(&self->client->changed);
        artel_link_wake(self->client);
    }
    pthread_mutex_unlock(&self->client->lock);
    return 0;
}

int
artel_future_info(artel_future_t *self, artel_version_info_t *ret)
{
    int rc = s_enter(self);
    if (rc == 0 && (!ret || ret->size < sizeof ret->size))
        rc = ARTEL_EINVAL;
    if (rc != 0)
        return rc;
    artel_version_info_t info = { .size = ret->size, .version = -1 };
    pthread_mutex_lock(&self->client->lock);
    if (self->primary.done && self->primary.status == 0) {
        info.version = self->primary.version;
        info.fresh = self->primary.fresh;
    }
    if (self->staged)
        artel_hex(self->digest.at, sizeof self->digest.at, info.digest);
    info.files = self->files;
    info.bytes = self->bytes;
    pthread_mutex_unlock(&self->client->lock);
    memcpy(ret, &info, ret->size < sizeof info ? ret->size : sizeof info);
    return 0;
}

int
artel_future_error(artel_future_t *self, char *text, size_t size)
{
    int rc = s_enter(self);
    if (rc != 0) {
        snprintf(text, size, "%s", artel_error_code_text(rc));
        return rc;
    }
    pthread_mutex_lock(&self->client->lock);
    rc = self->code ? self->code : self->primary.done ? self->primary.status : 0;
    snprintf(text, size, "%s", self->code ? self->why : self->primary.done ? self->primary.why : "");
    pthread_mutex_unlock(&self->client->lock);
    return rc;
}
