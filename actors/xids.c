//  xids.c - what is known of each artifact_send, and who waits for it.

#include "xids.h"

#include "errors.h"
#include "idmap.h"

enum { MAX_KNOWN = 16384, MAX_WHY = 256 };

//  What one sink said of one xid.
typedef struct {
    bool done;
    bool fresh;
    int64_t status;
    int64_t version;
    char why[MAX_WHY];
} outcome_t;

typedef struct {
    artel_id_t xid;
    outcome_t of[];             //  one a sink
} known_t;

typedef struct parked {
    struct parked *next;
    artel_peer_t peer;
    artel_id_t xid;
    int sink;
    int64_t until;
} parked_t;

struct artel_xids {
    const artel_sinks_t *sinks;
    zhashx_t *known;            //  xid -> known_t
    zlistx_t *order;            //  the same, oldest first: who is forgotten next
    parked_t *parked;
};

static void
s_free(void **value_p)
{
    free(*value_p);
    *value_p = NULL;
}

artel_xids_t *
artel_xids_new(const artel_sinks_t *sinks)
{
    artel_xids_t *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->sinks = sinks;
    self->known = artel_idmap_new(s_free);
    self->order = zlistx_new();
    return self;
}

void
artel_xids_destroy(artel_xids_t **self_p)
{
    artel_xids_t *self = *self_p;
    if (!self)
        return;
    for (parked_t *p = self->parked, *next; p; p = next) {
        next = p->next;
        free(p);
    }
    zlistx_destroy(&self->order);
    zhashx_destroy(&self->known);
    free(self);
    *self_p = NULL;
}

void
artel_xids_add(artel_xids_t *self, artel_id_t xid)
{
    if (zhashx_lookup(self->known, xid.at))
        return;
    if (zhashx_size(self->known) >= MAX_KNOWN) {
        known_t *oldest = zlistx_detach(self->order, NULL);
        zhashx_delete(self->known, oldest->xid.at);
    }
    known_t *known = calloc(1, sizeof *known + self->sinks->n * sizeof known->of[0]);
    if (!known)
        return;                                 //  a poll will say unknown
    known->xid = xid;
    zhashx_insert(self->known, xid.at, known);
    zlistx_add_end(self->order, known);
}

void
artel_xids_done(artel_xids_t *self, const artel_msg_artifact_done_t *done)
{
    known_t *known = zhashx_lookup(self->known, done->xid.at);
    int sink = artel_sinks_find(self->sinks, done->sink.at, done->sink.len);
    if (!known || sink < 0)
        return;
    outcome_t *of = &known->of[sink];
    *of = (outcome_t) { true, done->fresh, done->status, done->version, "" };
    snprintf(of->why, sizeof of->why, "%.*s", (int) done->text.len, done->text.at ? done->text.at : "");
}

static artel_msg_artifact_poll_response_t
s_response(artel_xids_t *self, artel_id_t xid, int sink)
{
    artel_msg_artifact_poll_response_t response = { .xid = xid, .version = -1 };
    known_t *known = zhashx_lookup(self->known, xid.at);
    if (!known)
        return response;
    const outcome_t *of = &known->of[sink];
    response.sink = artel_str(self->sinks->at[sink].name);
    response.state = of->done ? ARTEL_POLL_READY : ARTEL_POLL_PENDING;
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
    if (sink >= 0)
        return s_response(self, xid, sink);
    return (artel_msg_artifact_poll_response_t) {
        .xid = xid, .state = ARTEL_POLL_READY, .sink = name, .status = ARTEL_ENOENT,
        .version = -1, .text = artel_str("the node has no sink of this name") };
}

static bool
s_same_peer(const artel_peer_t *a, const artel_peer_t *b)
{
    return a->size == b->size && memcmp(a->at, b->at, a->size) == 0;
}

bool
artel_xids_park(artel_xids_t *self, const artel_peer_t *peer, artel_id_t xid, artel_str_t name,
                int64_t until)
{
    unsigned mine = 0;
    for (parked_t *p = self->parked; p; p = p->next)
        mine += s_same_peer(&p->peer, peer);
    parked_t *parked = mine < ARTEL_MAX_PARKED ? malloc(sizeof *parked) : NULL;
    if (!parked)
        return false;
    *parked = (parked_t) { self->parked, *peer, xid,
                           artel_sinks_find(self->sinks, name.at, name.len), until };
    self->parked = parked;
    return true;
}

void
artel_xids_release(artel_xids_t *self, artel_id_t xid, artel_xids_answer_fn *fn, void *arg)
{
    for (parked_t **at = &self->parked; *at; ) {
        parked_t *p = *at;
        artel_msg_artifact_poll_response_t response = { 0 };
        if (artel_id_equal(p->xid, xid))
            response = s_response(self, p->xid, p->sink);
        if (response.state != ARTEL_POLL_READY) {
            at = &p->next;
            continue;
        }
        fn(arg, &p->peer, &response);
        *at = p->next;
        free(p);
    }
}

int64_t
artel_xids_expire(artel_xids_t *self, int64_t now, artel_xids_answer_fn *fn, void *arg)
{
    int64_t next = -1;
    for (parked_t **at = &self->parked; *at; ) {
        parked_t *p = *at;
        if (p->until > now) {
            next = next < 0 || p->until < next ? p->until : next;
            at = &p->next;
            continue;
        }
        artel_msg_artifact_poll_response_t response = s_response(self, p->xid, p->sink);
        fn(arg, &p->peer, &response);
        *at = p->next;
        free(p);
    }
    return next;
}
