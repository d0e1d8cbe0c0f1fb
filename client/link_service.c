//  link_service.c - the link to a service: greeting it, and finding it again.
//
//  A socket lives as long as its connection. When that is lost, all that was sent
//  and not answered is asked for, or sent again, over the next one, which is tried
//  after a pause that doubles, with jitter. libzmq's own reconnecting is off: it
//  would hand batches of the old connection to a node that has not opened their
//  journal, and it takes its jitter from the host's rand().

#include "link_self.h"

#include "actor.h"
#include "bounds.h"
#include "errors.h"
#include "guest.h"
#include "service.h"

#include <errno.h>
#include <unistd.h>

enum {
    FIRST_PAUSE_MS = 10, LONGEST_PAUSE_MS = 500,
    GREETING_MS = 5000,         //  connected without a welcome
    PROMPT_MS = 1000,           //  who was heard so lately is not asked after
    SILENCE_MS = 15000,         //  longer than a poll is parked
};

//  A pause between its half and the whole of it: a thousand programs shall not come at once.
static int
s_jitter(int ms)
{
    artel_id_t random = artel_id_new();
    return ms / 2 + (random.at[0] | random.at[1] << 8) % (ms / 2 + 1);
}

void
artel_link_disconnect(artel_link_self_t *self)
{
    if (self->node)
        zmq_socket_monitor(zsock_resolve(self->node), NULL, 0);
    zsock_destroy(&self->monitor);
    zsock_destroy(&self->node);
    self->state = ARTEL_LINK_DOWN;
}

static void
s_pause(artel_link_self_t *self, int64_t now)
{
    self->backoff_ms = self->backoff_ms ? self->backoff_ms * 2 : FIRST_PAUSE_MS;
    if (self->backoff_ms > LONGEST_PAUSE_MS)
        self->backoff_ms = LONGEST_PAUSE_MS;
    self->next_try = now + s_jitter(self->backoff_ms);
}

//  What a lost connection leaves open is asked again. The client's lock is held.
static void
s_forget_sent(artel_t *client)
{
    client->welcomed = false;
    for (artel_run_t *run = client->runs; run; run = run->next) {
        if (run->state == ARTEL_RUN_OPEN || run->state == ARTEL_RUN_OPENING)
            run->state = ARTEL_RUN_NEW;
        run->flush_sent = 0;
        run->close_sent = false;
    }
    artel_ask_t *ask;
    TAILQ_FOREACH(ask, &client->asks.queue, entry)
        ask->in_flight = false;
    client->asks.in_flight = 0;
    for (artel_request_t *r = client->requests; r; r = r->next)
        r->sent = false;
    snprintf(client->trouble, sizeof client->trouble, "the service is gone");
}

static void
s_lose(artel_link_self_t *self, const char *why)
{
    bool was_up = self->state == ARTEL_LINK_UP;
    artel_link_disconnect(self);
    s_pause(self, artel_now_ms());
    pthread_mutex_lock(&self->client->lock);
    s_forget_sent(self->client);
    pthread_mutex_unlock(&self->client->lock);
    if (was_up)
        artel_warn(&self->client->notes, ARTEL_EUNAVAIL, "the service at %s %s; records are kept in memory (up to "
                   "8 MiB a run) until it is back", self->client->endpoint, why);
}

//  Watch what becomes of the connection.
static int
s_watch(artel_link_self_t *self)
{
    char name[ARTEL_ID_TEXT], endpoint[64];
    artel_id_t id = artel_id_new();
    artel_hex(id.at, sizeof id.at, name);
    snprintf(endpoint, sizeof endpoint, "inproc://artel-%s", name);
    artel_guest_random_begin();
    int rc = zmq_socket_monitor(zsock_resolve(self->node), endpoint, ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED
                                | ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL
                                | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL);
    artel_guest_random_end();
    self->monitor = rc == 0 ? artel_sock_new(ZMQ_PAIR) : NULL;
    return self->monitor && zsock_connect(self->monitor, "%s", endpoint) == 0 ? 0 : ARTEL_EMFILE;
}

static int
s_connect(artel_link_self_t *self)
{
    int rc = artel_guest_spare_fds(8);
    if (rc != 0)
        return rc;
    self->node = artel_sock_new(ZMQ_DEALER);
    if (!self->node)
        return ARTEL_EMFILE;
    zsock_set_reconnect_ivl(self->node, -1);
    rc = s_watch(self);
    if (rc == 0 && zsock_connect(self->node, "%s", self->client->endpoint) != 0)
        rc = artel_error_of_errno(errno);
    return rc;
}

static void
s_greet(artel_link_self_t *self, int64_t now)
{
    self->state = ARTEL_LINK_GREETING;
    self->greeted_at = self->heard_at = now;
    self->due_at = 0;
    artel_link_send(self, &(artel_msg_t) { .id = ARTEL_MSG_HELLO, .hello = {
        ARTEL_WIRE_VERSION, artel_str(program_invocation_short_name), (uint64_t) getpid() } });
}

bool
artel_link_connect(artel_link_self_t *self, int64_t now)
{
    if (self->state != ARTEL_LINK_DOWN || now < self->next_try)
        return false;
    int rc = artel_service_probe(self->client->endpoint + strlen("ipc://"));
    if (rc == 0)
        rc = s_connect(self);
    if (rc == 0) {
        s_greet(self, now);
        return true;
    }
    artel_link_disconnect(self);
    s_pause(self, now);
    return false;
}

//  Whether an answer is due. The client's lock is held.
static bool
s_waits(artel_t *client)
{
    if (client->asks.in_flight)
        return true;
    for (artel_run_t *run = client->runs; run; run = run->next) {
        pthread_mutex_lock(&run->outbox.lock);
        bool sent = run->outbox.sent_bytes > 0;
        pthread_mutex_unlock(&run->outbox.lock);
        if (sent || run->state == ARTEL_RUN_OPENING || (run->flush_sent && run->durable < run->flush_sent))
            return true;
    }
    return false;
}

bool
artel_link_is_silent(artel_link_self_t *self, int64_t now)
{
    if (self->state == ARTEL_LINK_GREETING && now - self->greeted_at >= GREETING_MS) {
        s_lose(self, "does not answer");
        return true;
    }
    if (!self->monitor || self->state != ARTEL_LINK_UP || now - self->heard_at < PROMPT_MS)
        return false;
    pthread_mutex_lock(&self->client->lock);
    bool waits = s_waits(self->client);
    pthread_mutex_unlock(&self->client->lock);
    if (!waits || !self->due_at)                //  silence counts from the question on
        self->due_at = waits ? now : 0;
    if (!waits || now - self->due_at < SILENCE_MS)
        return false;
    s_lose(self, "has not answered for 15 s");
    return true;
}

//  Whatever the monitor tells of is the end of the connection.
int
artel_link_read_monitor(void *arg)
{
    artel_link_self_t *self = arg;
    zmsg_t *event = zmsg_recv(self->monitor);
    zmsg_destroy(&event);
    s_lose(self, "is gone");
    return ARTEL_LOOP_OVER;
}

//  The sinks are those of the service at hand, which may have been started with others.
static void
s_take_sinks(artel_link_self_t *self, artel_targets_t *targets)
{
    artel_targets_t *before = self->client->targets;
    self->client->targets = targets;
    if (before && strcmp(before->list, targets->list) != 0) {
        self->told = ARTEL_EINVAL;
        snprintf(self->told_text, sizeof self->told_text, "the service at %s was started again with other sinks: it "
                 "delivers to %.180s now, no longer to %.180s; a run goes on to those it was started with",
                 self->client->endpoint, targets->list, before->list);
    }
    artel_targets_unref(before);
}

//  What the service is. Of one that was started again with sinks that we do not understand, we go on with those
//  it had. The client's lock is held.
static int
s_learn(artel_link_self_t *self, const artel_msg_welcome_t *welcome)
{
    artel_t *client = self->client;
    artel_targets_t *targets = NULL;
    char list[4096], why[256];
    snprintf(list, sizeof list, "%.*s", (int) welcome->sinks.len, welcome->sinks.at);
    if (!client->dir && !(client->dir = strndup(welcome->state.at, welcome->state.len)))
        return ARTEL_ENOMEM;
    int rc = artel_targets_new(list, &targets, why, sizeof why);
    if (rc == 0)
        s_take_sinks(self, targets);
    return client->targets ? 0 : rc;
}

void
artel_link_welcome(artel_link_self_t *self, const artel_msg_welcome_t *welcome)
{
    artel_t *client = self->client;
    client->welcome_code = welcome->code ? (int) welcome->code : s_learn(self, welcome);
    client->welcomed = client->welcome_code == 0;
    if (!client->welcomed)
        return;
    self->state = ARTEL_LINK_UP;
    self->backoff_ms = 0;
    client->trouble[0] = 0;
    client->put_off = false;
}
