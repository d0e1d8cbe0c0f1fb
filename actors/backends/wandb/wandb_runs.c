//  wandb_runs.c - a run on its way: its batches held, put into posts, and answered.
//
//  A turn puts the batches of one writer into words. If the server does not know the run, or other parameters of it,
//  it is told these first, and the turn begins anew behind what it answers. Before a post goes out both states are on
//  disk, the one before and the one after it: whatever happens then, the number of lines that the server has tells
//  which of them holds.

#include "wandb_self.h"

#include "errors.h"
#include "state.h"

#include <stdlib.h>
#include <string.h>

enum {
    POST_MS = 15000,            //  between two posts of a run, if nothing hurries
    FIRST_MS = 100,             //  what a program says at its start goes in one post
    BEAT_MS = 25000,            //  a run of which the server hears nothing for longer may count as crashed
    POST_BYTES = 4 << 20,       //  of batches: with so many the next post is due
    POST_TEXT = 8 << 20,        //  bytes of lines, beyond which no batch is added to a post: W&B takes 10 MiB
    HELD_BYTES = 32 << 20,      //  of all runs: beyond, batches stay in the sender's window
    POST_TIMEOUT_MS = 180000,
    CALL_TIMEOUT_MS = 30000,
    TRIES = 3,                  //  before the sender is told, which then waits
    REPLY = 4 << 20,            //  bytes of an answer
    BATCH_COST = 512,
};

run_t *
artel_wandb_run(self_t *self, artel_str_t id)
{
    run_t *run;
    TAILQ_FOREACH(run, &self->runs, link)
        if (strlen(run->id) == id.len && memcmp(run->id, id.at, id.len) == 0)
            return run;
    if (!artel_is_run_id(id.at, id.len) || !(run = calloc(1, sizeof *run)))
        return NULL;
    memcpy(run->id, id.at, id.len);
    run->bucket.lock = -1;
    run->posted_ms = artel_now_ms() - POST_MS;
    run->asker.owner = run;
    TAILQ_INIT(&run->held);
    TAILQ_INIT(&run->asks);
    TAILQ_INSERT_TAIL(&self->runs, run, link);
    return run;
}

static void
s_let_go(self_t *self, run_t *run, held_t *held)
{
    size_t cost = zmq_msg_size(&held->frame) + BATCH_COST;
    run->bytes -= cost;
    self->bytes -= cost;
    TAILQ_REMOVE(&run->held, held, link);
    zmq_msg_close(&held->frame);
    free(held);
}

//  What a post or a call had of its own.
static void
s_clear_request(run_t *run)
{
    artel_http_done(&run->http);
    free(run->body);
    run->body = NULL;
}

static void
s_close_bucket(run_t *run)
{
    if (run->is_open)
        artel_bucket_close(&run->bucket);
    run->is_open = false;
}

void
artel_wandb_run_free(self_t *self, run_t *run)
{
    TAILQ_REMOVE(&self->runs, run, link);
    while (!TAILQ_EMPTY(&run->held))
        s_let_go(self, run, TAILQ_FIRST(&run->held));
    for (artel_wandb_ask_t *ask; (ask = TAILQ_FIRST(&run->asks)); free(ask))
        TAILQ_REMOVE(&run->asks, ask, link);
    artel_post_done(&run->post);
    s_clear_request(run);
    s_close_bucket(run);
    free(run->told);
    free(run->entity);
    free(run->project);
    free(run->stream);
    free(run);
}

//  The run to itself; why not is told.
static int
s_need_bucket(self_t *self, run_t *run)
{
    if (run->is_open)
        return 0;
    int rc = artel_bucket_open(self->state, self->sink, self->place, artel_str(run->id), true, &run->bucket);
    run->is_open = rc == 0;
    if (rc == 0 && run->bucket.next)
        run->is_met = false;                    //  the server must say which state holds
    if (rc == ARTEL_ELOCKED)
        snprintf(self->why, sizeof self->why, "another program delivers run %s to %s now", run->id, self->sink);
    else if (rc != 0)
        snprintf(self->why, sizeof self->why, "what %s has of run %s: %s", self->sink, run->id,
                 artel_error_code_text(rc));
    return rc == ARTEL_ELOCKED ? ARTEL_EAGAIN : rc;
}

//  ---- batches and questions

//  Whether the batch ends its writer: then nobody waits for the next post's time.
static bool
s_ends(self_t *self, const artel_msg_deliver_t *deliver)
{
    artel_batch_reader_t batch;
    return artel_batch_read(deliver->batch.at, deliver->batch.len, &self->wire.zone, &batch) == 0 && batch.head.ends;
}

static void
s_take(self_t *self, const held_t *held)
{
    artel_wandb_tell(self, &(artel_msg_t) { .id = ARTEL_MSG_TAKEN, .taken = {
        held->deliver.writer, held->deliver.counter } });
}

static int
s_read_deliver(self_t *self, held_t *held)
{
    artel_msg_t msg;
    int rc = artel_msg_unpack_all(zmq_msg_data(&held->frame), zmq_msg_size(&held->frame), &self->wire.zone, &msg);
    if (rc == 0)
        held->deliver = msg.deliver;
    return rc;
}

int
artel_wandb_run_hold(self_t *self, run_t *run, zmq_msg_t *frame)
{
    int rc = s_need_bucket(self, run);
    held_t *held = rc == 0 ? calloc(1, sizeof *held) : NULL;
    if (!held)
        return rc != 0 ? rc : ARTEL_ENOMEM;
    zmq_msg_init(&held->frame);
    zmq_msg_move(&held->frame, frame);
    rc = s_read_deliver(self, held);
    if (rc != 0) {
        zmq_msg_close(&held->frame);
        free(held);
        return rc;
    }
    run->bytes += zmq_msg_size(&held->frame) + BATCH_COST;
    self->bytes += zmq_msg_size(&held->frame) + BATCH_COST;
    if (TAILQ_EMPTY(&run->held))
        run->held_ms = artel_now_ms();
    TAILQ_INSERT_TAIL(&run->held, held, link);
    run->is_live = true;
    run->hurries |= s_ends(self, &held->deliver);
    if (self->bytes <= HELD_BYTES)
        s_take(self, held);
    return 0;
}

static void
s_answer(self_t *self, run_t *run, artel_id_t writer)
{
    artel_bucket_t seen = { .lock = -1 };
    int rc = run->is_open ? 0
             : artel_bucket_open(self->state, self->sink, self->place, artel_str(run->id), false, &seen);
    uint64_t counter = rc == 0 ? artel_bucket_position(run->is_open ? run->bucket.now : seen.now, writer) : 0;
    artel_wandb_tell(self, &(artel_msg_t) { .id = ARTEL_MSG_POSITION, .position = { writer, counter, rc,
        artel_str(rc ? artel_error_code_text(rc) : "") } });
    artel_bucket_close(&seen);
}

//  Whoever asks starts anew from the answer: what it sent before is void.
static void
s_forget(self_t *self, run_t *run, artel_id_t writer)
{
    held_t *held, *next;
    for (held = TAILQ_FIRST(&run->held); held; held = next) {
        next = TAILQ_NEXT(held, link);
        if (artel_id_equal(held->deliver.writer, writer))
            s_let_go(self, run, held);
    }
}

void
artel_wandb_run_ask(self_t *self, run_t *run, artel_id_t writer)
{
    artel_wandb_ask_t *ask = run->is_busy ? calloc(1, sizeof *ask) : NULL;
    if (!ask) {
        s_forget(self, run, writer);
        s_answer(self, run, writer);
        return;
    }
    ask->writer = writer;
    TAILQ_INSERT_TAIL(&run->asks, ask, link);
}

static void
s_answer_asks(self_t *self, run_t *run)
{
    for (artel_wandb_ask_t *ask; (ask = TAILQ_FIRST(&run->asks)); free(ask)) {
        TAILQ_REMOVE(&run->asks, ask, link);
        s_forget(self, run, ask->writer);
        s_answer(self, run, ask->writer);
    }
}

//  ---- a turn

void
artel_wandb_run_send(self_t *self, run_t *run, const char *url, char *body,
                     void (*back)(self_t *self, void *owner, artel_http_t *http))
{
    static const char *const headers[] = { "Content-Type: application/json", NULL };
    bool is_post = url == run->stream;
    s_clear_request(run);
    run->body = body;
    run->asker.back = back;
    run->http = (artel_http_t) { .method = "POST", .url = url, .headers = headers, .key = &self->server.key,
        .body = { .data = body, .size = strlen(body) }, .rule = is_post ? ARTEL_HTTP_CALL : ARTEL_HTTP_UPSERT,
        .tries = TRIES, .timeout_ms = is_post ? POST_TIMEOUT_MS : CALL_TIMEOUT_MS, .most = REPLY };
    run->is_busy = true;
    artel_wandb_send(self, &run->http, &run->asker);
}

//  The batches of the first writer that has any, in their order.
static int
s_compose(self_t *self, run_t *run)
{
    artel_post_done(&run->post);
    int rc = artel_post_begin(run->bucket.now, &run->post);
    const held_t *first = TAILQ_FIRST(&run->held);
    held_t *held;
    TAILQ_FOREACH(held, &run->held, link) {
        held->is_told = rc == 0 && ftello(run->post.lines) < POST_TEXT
                        && artel_id_equal(held->deliver.writer, first->deliver.writer);
        if (!held->is_told)
            continue;
        msgpack_zone_clear(&self->wire.zone);
        rc = artel_post_add(&run->post, &held->deliver, &self->wire.zone);
    }
    return rc;
}

//  Whether the server knows what there is to know of the run but its rows. If not, it is told.
static int
s_introduce(self_t *self, run_t *run, bool *ret_is_known)
{
    json_t *variables = artel_post_parameters(run->post.state, run->id);
    char *body = variables ? artel_graphql_body(ARTEL_UPSERT_BUCKET, variables) : NULL;
    json_decref(variables);
    if (!body)
        return ARTEL_ENOMEM;
    bool is_closed = json_is_true(json_object_get(run->bucket.now, "complete"))
                     && (run->post.n || run->post.has_summary);     //  it is to be opened again
    *ret_is_known = run->is_met && !is_closed && run->told && strcmp(run->told, body) == 0;
    if (*ret_is_known)
        free(body);
    else
        artel_wandb_run_send(self, run, self->server.graphql, body, artel_wandb_upserted);
    return 0;
}

static int
s_post(self_t *self, run_t *run)
{
    char *body;
    int rc = artel_post_end(&run->post, &body);
    if (rc != 0)
        return rc;
    run->bucket.next = json_incref(run->post.state);
    if (!body) {
        artel_wandb_run_done(self, run);
        return 0;
    }
    rc = artel_bucket_save(&run->bucket, self->place, true);
    if (rc == 0)
        artel_wandb_run_send(self, run, run->stream, body, artel_wandb_posted);
    else
        free(body);
    return rc;
}

static void
s_turn(self_t *self, run_t *run)
{
    bool is_known = false;
    int rc = artel_wandb_need_key(self);
    if (rc == 0)
        rc = s_need_bucket(self, run);
    if (rc != 0) {
        artel_wandb_run_fail(self, run, rc, self->why);
        return;
    }
    rc = s_compose(self, run);
    if (rc == 0)
        rc = s_introduce(self, run, &is_known);
    if (rc == 0 && is_known)
        rc = s_post(self, run);
    if (rc != 0)
        artel_wandb_run_fail(self, run, rc, artel_error_code_text(rc));
}

//  ---- what became of it

//  Each writer once.
static void
s_tell_all(self_t *self, run_t *run, bool told_only, int code, const char *text)
{
    held_t *held, *other;
    TAILQ_FOREACH(held, &run->held, link) {
        if (told_only && !held->is_told)
            continue;
        bool again = false;
        for (other = TAILQ_FIRST(&run->held); other != held && !again; other = TAILQ_NEXT(other, link))
            again = artel_id_equal(other->deliver.writer, held->deliver.writer) && (!told_only || other->is_told);
        if (!again)
            artel_wandb_tell_delivered(self, run, held->deliver.writer, code, text);
    }
}

void
artel_wandb_run_fail(self_t *self, run_t *run, int code, const char *text)
{
    run->is_busy = run->is_met = run->hurries = false;
    artel_post_done(&run->post);
    s_tell_all(self, run, false, code, text);
    while (!TAILQ_EMPTY(&run->held))
        s_let_go(self, run, TAILQ_FIRST(&run->held));
    s_answer_asks(self, run);
    run->posted_ms = artel_now_ms() - POST_MS;
}

//  Those that were too many to be taken before are now.
static void
s_take_rest(self_t *self, run_t *run)
{
    held_t *held;
    TAILQ_FOREACH(held, &run->held, link)
        if (self->bytes <= HELD_BYTES)
            s_take(self, held);
}

void
artel_wandb_run_done(self_t *self, run_t *run)
{
    held_t *held, *next;
    int rc = 0;
    artel_bucket_settle(&run->bucket, true);
    artel_post_done(&run->post);
    run->is_busy = run->hurries = false;
    (void) artel_bucket_save(&run->bucket, self->place, false);     //  the server knows it anyway
    TAILQ_FOREACH(held, &run->held, link)
        if (held->is_told && rc == 0)
            rc = artel_wandb_begin(self, run, held);
    s_tell_all(self, run, true, rc, artel_error_code_text(rc));
    for (held = TAILQ_FIRST(&run->held); held; held = next) {
        next = TAILQ_NEXT(held, link);
        if (held->is_told)
            s_let_go(self, run, held);
        else
            run->hurries |= s_ends(self, &held->deliver);
    }
    run->is_live &= !json_is_true(json_object_get(run->bucket.now, "complete"));
    s_take_rest(self, run);
    s_answer_asks(self, run);
}

//  ---- time

//  The end of the run is to be told, and nothing else keeps it.
static bool
s_wants_end(const run_t *run)
{
    int code;
    return run->is_open && run->is_live && !run->jobs && TAILQ_EMPTY(&run->held)
           && !json_is_true(json_object_get(run->bucket.now, "complete"))
           && artel_bucket_is_over(run->bucket.now, &code);
}

//  When the next post is due, or -1: there is nothing to tell.
static int64_t
s_due(const self_t *self, const run_t *run)
{
    if (run->hurries || (self->hurries && !TAILQ_EMPTY(&run->held)) || run->bytes >= POST_BYTES || s_wants_end(run))
        return 0;
    int64_t next = run->posted_ms + POST_MS, first = run->held_ms + FIRST_MS;
    if (!TAILQ_EMPTY(&run->held))
        return next > first ? next : first;
    return run->is_live && run->is_met && run->stream ? run->posted_ms + BEAT_MS : -1;
}

bool
artel_wandb_run_is_needed(const run_t *run)
{
    return run->is_busy || run->is_live || run->jobs || !TAILQ_EMPTY(&run->held) || !TAILQ_EMPTY(&run->asks);
}

static void
s_beat(self_t *self, run_t *run)
{
    char *body = strdup("{}");
    run->posted_ms = artel_now_ms();
    if (body)
        artel_wandb_run_send(self, run, run->stream, body, artel_wandb_posted);
}

int64_t
artel_wandb_run_tick(self_t *self, run_t *run, int64_t now)
{
    int64_t due = run->is_busy ? -1 : s_due(self, run);
    if (due < 0 || due > now) {
        if (!run->is_busy && !run->jobs && TAILQ_EMPTY(&run->held))
            s_close_bucket(run);                //  other processes may deliver the run now
        return due < 0 ? -1 : due - now;
    }
    if (TAILQ_EMPTY(&run->held) && !s_wants_end(run)) {
        s_beat(self, run);
        return BEAT_MS;
    }
    run->posted_ms = now;
    s_turn(self, run);
    return run->is_busy ? -1 : 0;
}
