//  xids.c - what is known of each artifact_send, and who waits for it.

#include "xids.h"

#include "errors.h"
#include "idmap.h"

#include <sys/queue.h>

enum { MAX_WHY = 256 };

//  What one sink said of one xid.
typedef struct {
    bool done;
    bool fresh;
    int64_t status;
    int64_t version;
    char *why;                  //  or NULL
} outcome_t;

//  The polls of one peer that are parked.
typedef struct {
    artel_id_t key;
    unsigned parked;
} asker_t;

typedef struct parked {
    TAILQ_ENTRY(parked) of_xid, by_time;
    struct known *known;
    asker_t *asker;
    artel_peer_t peer;
    int sink;
    int64_t until;
} parked_t;

typedef TAILQ_HEAD(polls, parked) polls_t;

typedef struct known {
    TAILQ_ENTRY(known) by_age;
    artel_id_t xid;
    polls_t polls;              //  parked for it
    size_t n;
    outcome_t of[];             //  one a sink
} known_t;

struct artel_xids {
    const artel_sinks_t *sinks;
    zhashx_t *known;            //  xid -> known_t
    TAILQ_HEAD(, known) by_age; //  oldest first
    polls_t by_time;            //  all that is parked, first due first
    zhashx_t *askers;           //  peer (as an id) -> asker_t
};

static void
s_free(void **value_p)
{
    free(*value_p);
    *value_p = NULL;
}

static void
s_known_free(void **known_p)
{
    known_t *known = *known_p;
    for (size_t i = 0; i < known->n; i++)
        free(known->of[i].why);
    free(known);
    *known_p = NULL;
}

artel_xids_t *
artel_xids_new(const artel_sinks_t *sinks)
{
    artel_xids_t *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->sinks = sinks;
    self->known = artel_idmap_new(s_known_free);
    self->askers = artel_idmap_new(s_free);
    TAILQ_INIT(&self->by_age);
    TAILQ_INIT(&self->by_time);
    return self;
}

void
artel_xids_destroy(artel_xids_t **self_p)
{
    artel_xids_t *self = *self_p;
    if (!self)
        return;
    for (parked_t *p; (p = TAILQ_FIRST(&self->by_time)); free(p))
        TAILQ_REMOVE(&self->by_time, p, by_time);
    zhashx_destroy(&self->known);
    zhashx_destroy(&self->askers);
    free(self);
    *self_p = NULL;
}

//  Forget the oldest. One that somebody polls is younger than it looks.
static void
s_make_room(artel_xids_t *self)
{
    known_t *oldest = TAILQ_FIRST(&self->by_age);
    for (size_t i = zhashx_size(self->known); i && !TAILQ_EMPTY(&oldest->polls); i--) {
        TAILQ_REMOVE(&self->by_age, oldest, by_age);
        TAILQ_INSERT_TAIL(&self->by_age, oldest, by_age);
        oldest = TAILQ_FIRST(&self->by_age);
    }
    if (!TAILQ_EMPTY(&oldest->polls))
        return;
    TAILQ_REMOVE(&self->by_age, oldest, by_age);
    artel_id_t xid = oldest->xid;
    zhashx_delete(self->known, xid.at);
}

void
artel_xids_add(artel_xids_t *self, artel_id_t xid)
{
    if (zhashx_lookup(self->known, xid.at))
        return;
    if (zhashx_size(self->known) >= ARTEL_MAX_XIDS)
        s_make_room(self);
    known_t *known = calloc(1, sizeof *known + self->sinks->n * sizeof known->of[0]);
    if (!known)
        return;                                 //  a poll will say unknown
    known->xid = xid;
    known->n = self->sinks->n;
    TAILQ_INIT(&known->polls);
    TAILQ_INSERT_TAIL(&self->by_age, known, by_age);
    zhashx_insert(self->known, xid.at, known);
}

void
artel_xids_done(artel_xids_t *self, const artel_msg_artifact_done_t *done)
{
    known_t *known = zhashx_lookup(self->known, done->xid.at);
    int sink = artel_sinks_find(self->sinks, done->sink.at, done->sink.len);
    if (!known || sink < 0)
        return;
    outcome_t *of = &known->of[sink];
    free(of->why);
    size_t len = done->text.len < MAX_WHY ? done->text.len : MAX_WHY;
    *of = (outcome_t) { true, done->fresh, done->status, done->version,
                        len ? strndup(done->text.at, len) : NULL };
}

static artel_msg_artifact_poll_response_t
s_response(const artel_xids_t *self, const known_t *known, int sink)
{
    const outcome_t *of = &known->of[sink];
    artel_msg_artifact_poll_response_t response = {
        .xid = known->xid, .sink = artel_str(self->sinks->at[sink].name), .version = -1,
        .state = of->done ? ARTEL_POLL_READY : ARTEL_POLL_PENDING };
    if (of->done) {
        response.status = of->status;
        response.version = of->version;
        response.fresh = of->fresh;
        response.text = artel_str(of->why);
    }
    return response;
}

artel_msg_artifact_poll_response_t
artel_xids_poll(artel_xids_t *self, artel_id_t xid, artel_str_t name)
{
    int sink = artel_sinks_find(self->sinks, name.at, name.len);
    known_t *known = zhashx_lookup(self->known, xid.at);
    if (sink < 0)
        return (artel_msg_artifact_poll_response_t) {
            .xid = xid, .state = ARTEL_POLL_READY, .sink = name, .status = ARTEL_ENOENT,
            .version = -1, .text = artel_str("the node has no sink of this name") };
    if (!known)
        return (artel_msg_artifact_poll_response_t) {
            .xid = xid, .state = ARTEL_POLL_UNKNOWN, .version = -1,
            .sink = artel_str(self->sinks->at[sink].name) };
    return s_response(self, known, sink);
}

//  A peer's routing id is at most five bytes: with its length a key of a map of ids.
static asker_t *
s_asker(artel_xids_t *self, const artel_peer_t *peer)
{
    artel_id_t key = { { 0 } };
    key.at[0] = peer->size;
    memcpy(key.at + 1, peer->at, peer->size);
    asker_t *asker = zhashx_lookup(self->askers, key.at);
    if (!asker && (asker = calloc(1, sizeof *asker))) {
        asker->key = key;
        zhashx_insert(self->askers, key.at, asker);
    }
    return asker;
}

//  Polls ask for much the same time, so a new one's place is near the end.
static void
s_insert_by_time(artel_xids_t *self, parked_t *parked)
{
    parked_t *before = TAILQ_LAST(&self->by_time, polls);
    while (before && before->until > parked->until)
        before = TAILQ_PREV(before, polls, by_time);
    if (before)
        TAILQ_INSERT_AFTER(&self->by_time, before, parked, by_time);
    else
        TAILQ_INSERT_HEAD(&self->by_time, parked, by_time);
}

bool
artel_xids_park(artel_xids_t *self, const artel_peer_t *peer, artel_id_t xid, artel_str_t name,
                int64_t until)
{
    int sink = artel_sinks_find(self->sinks, name.at, name.len);
    known_t *known = zhashx_lookup(self->known, xid.at);
    if (sink < 0 || !known || known->of[sink].done)
        return false;
    asker_t *asker = s_asker(self, peer);
    parked_t *parked = asker && asker->parked < ARTEL_MAX_PARKED ? malloc(sizeof *parked) : NULL;
    if (!parked)
        return false;
    *parked = (parked_t) { .known = known, .asker = asker, .peer = *peer, .sink = sink, .until = until };
    asker->parked++;
    TAILQ_INSERT_TAIL(&known->polls, parked, of_xid);
    s_insert_by_time(self, parked);
    return true;
}

static void
s_answer(artel_xids_t *self, parked_t *parked, artel_xids_answer_fn *fn, void *arg)
{
    artel_msg_artifact_poll_response_t response = s_response(self, parked->known, parked->sink);
    fn(arg, &parked->peer, &response);
    TAILQ_REMOVE(&parked->known->polls, parked, of_xid);
    TAILQ_REMOVE(&self->by_time, parked, by_time);
    if (--parked->asker->parked == 0) {
        artel_id_t key = parked->asker->key;
        zhashx_delete(self->askers, key.at);
    }
    free(parked);
}

void
artel_xids_release(artel_xids_t *self, artel_id_t xid, artel_xids_answer_fn *fn, void *arg)
{
    known_t *known = zhashx_lookup(self->known, xid.at);
    for (parked_t *p = known ? TAILQ_FIRST(&known->polls) : NULL, *next; p; p = next) {
        next = TAILQ_NEXT(p, of_xid);
        if (known->of[p->sink].done)
            s_answer(self, p, fn, arg);
    }
}

int64_t
artel_xids_expire(artel_xids_t *self, int64_t now, artel_xids_answer_fn *fn, void *arg)
{
    parked_t *first;
    while ((first = TAILQ_FIRST(&self->by_time)) && first->until <= now)
        s_answer(self, first, fn, arg);
    return first ? first->until : -1;
}
