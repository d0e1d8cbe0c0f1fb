//  wandb.c - the actor that delivers to a W&B server.
//
//  It takes batches, which then count in no window of the sender's, and keeps them until the server has
//  them: a run's rows go in few posts, as W&B limits how many there may be. It waits for nothing: requests are the
//  transfer actor's, files are read by the hasher. What fails is told to the sender, which
//  delivers it again: waiting longer each time is its business.

#include "wandb_self.h"

#include "errors.h"
#include "handover.h"
#include "hasher.h"

#include <limits.h>
#include <locale.h>

enum { CANCEL_MS = 100 };

void
artel_wandb_tell(self_t *self, const artel_msg_t *msg)
{
    artel_wire_send(&self->wire, self->sender, "sender", msg);
}

void
artel_wandb_tell_delivered(self_t *self, const run_t *run, artel_id_t writer, int code, const char *text)
{
    artel_wandb_tell(self, &(artel_msg_t) { .id = ARTEL_MSG_DELIVERED, .delivered = { .writer = writer,
        .counter = code == 0 ? artel_bucket_position(run->bucket.now, writer) : 0, .code = code,
        .text = artel_str(text) } });
}

void
artel_wandb_send(self_t *self, artel_http_t *http, artel_wandb_asker_t *asker)
{
    http->arg = asker;
    if (self->is_closing)
        atomic_store(&http->cancel, true);
    artel_hand_over(http);
    self->out += artel_wire_put(self->transfer, &http, sizeof http) == 0;
}

int
artel_wandb_need_key(self_t *self)
{
    const char *mode = getenv("WANDB_MODE");
    if (mode && (strcmp(mode, "offline") == 0 || strcmp(mode, "dryrun") == 0 || strcmp(mode, "disabled") == 0)) {
        snprintf(self->why, sizeof self->why, "WANDB_MODE is %s: `artel sync` delivers what is logged meanwhile", mode);
        return ARTEL_EPENDING;
    }
    self->has_key &= !self->is_key_stale || self->out || !TAILQ_EMPTY(&self->jobs);
    if (self->has_key)
        return 0;
    self->is_key_stale = false;
    artel_credentials_done(&self->server);
    int rc = artel_credentials_find(self->place, &self->server, self->why, sizeof self->why);
    if (rc == 0 && !self->server.header) {
        snprintf(self->why, sizeof self->why, "there is no key for %s: set WANDB_API_KEY, or say "
                 "`artel login wandb`", self->place);
        return ARTEL_EPENDING;
    }
    self->has_key = rc == 0;
    return rc;
}

//  The messages of the sender, one function each.

static void
s_on_deliver(self_t *self, const artel_msg_t *msg, zmq_msg_t *frame)
{
    artel_id_t writer = msg->deliver.writer;
    run_t *run = artel_wandb_run(self, msg->deliver.run);
    self->why[0] = 0;
    int rc = run ? artel_wandb_need_key(self) : ARTEL_ENOMEM;
    if (rc == 0)
        rc = artel_wandb_run_hold(self, run, frame);
    if (rc != 0)
        artel_wandb_tell_delivered(self, run, writer, rc, *self->why ? self->why : artel_error_code_text(rc));
}

static void
s_on_position_get(self_t *self, const artel_msg_t *msg, zmq_msg_t *frame)
{
    (void) frame;
    artel_id_t writer = msg->position_get.writer;
    run_t *run = artel_wandb_run(self, msg->position_get.run);
    if (run)
        artel_wandb_run_ask(self, run, writer);
    else
        artel_wandb_tell(self, &(artel_msg_t) { .id = ARTEL_MSG_POSITION, .position = { writer, 0, ARTEL_ENOMEM,
            artel_str(artel_error_code_text(ARTEL_ENOMEM)) } });
}

static void
s_on_resolve(self_t *self, const artel_msg_t *msg, zmq_msg_t *frame)
{
    (void) frame;
    artel_wandb_tell(self, &(artel_msg_t) { .id = ARTEL_MSG_RESOLVED, .resolved = {
        .token = msg->resolve.token, .code = ARTEL_EUNAVAIL, .name = msg->resolve.name, .version = -1,
        .text = artel_str("artifacts are not fetched from a W&B server yet") } });
}

//  What it knew is in the outcomes: of the rest it knows nothing before it is sent again.
static void
s_on_recall(self_t *self, const artel_msg_t *msg, zmq_msg_t *frame)
{
    (void) frame;
    artel_wandb_tell(self, &(artel_msg_t) { .id = ARTEL_MSG_RECALLED, .recalled = {
        .token = msg->recall.token, .xid = msg->recall.xid, .version = -1 } });
}

static void
s_on_hurry(self_t *self, const artel_msg_t *msg, zmq_msg_t *frame)
{
    (void) msg, (void) frame;
    self->hurries = true;
}

static void
s_take(void *arg, const artel_msg_t *msg, zmq_msg_t *frame)
{
    static void (*const table[])(self_t *, const artel_msg_t *, zmq_msg_t *) = {
        [ARTEL_MSG_DELIVER] = s_on_deliver,
        [ARTEL_MSG_POSITION_GET] = s_on_position_get,
        [ARTEL_MSG_RESOLVE] = s_on_resolve,
        [ARTEL_MSG_RECALL] = s_on_recall,
        [ARTEL_MSG_HURRY] = s_on_hurry,
    };
    if (msg->id < sizeof table / sizeof *table && table[msg->id])
        table[msg->id](arg, msg, frame);
}

static int
s_read_pipe(void *arg)
{
    return artel_actor_read_pipe(((self_t *) arg)->pipe);
}

static int
s_read_sender(void *arg)
{
    self_t *self = arg;
    artel_wire_drain(&self->wire, self->sender, UINT32_MAX, s_take, self);
    return 0;
}

static int
s_read_transfer(void *arg)
{
    self_t *self = arg;
    artel_http_t *http;
    while (artel_wire_get(self->transfer, &http, sizeof http)) {
        artel_take_over(http);
        artel_wandb_asker_t *asker = http->arg;
        self->out--;
        asker->back(self, asker->owner, http);
    }
    return 0;
}

static int
s_read_hashing(void *arg)
{
    self_t *self = arg;
    artel_saving_t *saving;
    while (artel_wire_get(self->hashing, &saving, sizeof saving)) {
        artel_take_over(saving);
        self->out--;
        artel_wandb_hashed(self, saving);
    }
    return 0;
}

static int
s_tick(void *arg)
{
    self_t *self = arg;
    int64_t now = artel_now_ms(), next = -1;
    artel_wandb_jobs_tick(self);
    for (run_t *run = TAILQ_FIRST(&self->runs), *after; run; run = after) {
        after = TAILQ_NEXT(run, link);
        int64_t wait = artel_wandb_run_tick(self, run, now);
        if (wait >= 0 && (next < 0 || wait < next))
            next = wait;
        if (!artel_wandb_run_is_needed(run))
            artel_wandb_run_free(self, run);
    }
    return next > INT_MAX ? INT_MAX : (int) next;
}

//  At the end nothing is begun any more: all that is out comes back.
static int
s_tick_closing(void *arg)
{
    self_t *self = arg;
    artel_wandb_jobs_cancel(self);
    return self->out ? CANCEL_MS : ARTEL_TICK_OVER;
}

static int
s_open(self_t *self, const artel_wandb_args_t *args)
{
    int rc = artel_wire_init(&self->wire, "wandb");
    self->sender = args->sender;
    self->transfer = args->transfer;
    self->state = args->state;
    self->sink = args->sink;
    self->place = args->place;
    TAILQ_INIT(&self->runs);
    TAILQ_INIT(&self->jobs);
    zsock_t *end;
    if (rc == 0)
        rc = artel_sock_pair(&self->hashing, &end);
    if (rc != 0)
        return rc;
    artel_hasher_args_t hasher = { .start.name = "artel/hasher", .asker = end };
    return artel_actor_start(&self->hasher, artel_hasher, &hasher.start);
}

static void
s_close(self_t *self)
{
    self->is_closing = true;
    for (run_t *run = TAILQ_FIRST(&self->runs); run; run = TAILQ_NEXT(run, link))
        atomic_store(&run->http.cancel, true);
    artel_reader_t readers[] = {
        { .sock = self->transfer, .fn = s_read_transfer },
        { .sock = self->hashing, .fn = s_read_hashing },
    };
    if (self->hasher)
        artel_actor_loop(readers, 2, s_tick_closing, self);
    artel_actor_stop(&self->hasher, INT_MAX);
    while (!TAILQ_EMPTY(&self->jobs))
        artel_wandb_job_free(self, TAILQ_FIRST(&self->jobs));
    while (!TAILQ_EMPTY(&self->runs))
        artel_wandb_run_free(self, TAILQ_FIRST(&self->runs));
    artel_credentials_done(&self->server);
    zsock_destroy(&self->hashing);
    zsock_destroy(&self->transfer);
    zsock_destroy(&self->sender);
    artel_wire_done(&self->wire);
}

//  Numbers are written with a point, whatever the program's language is.
static locale_t
s_speak_plainly(void)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t) 0);
    if (plain)
        uselocale(plain);
    return plain;
}

void
artel_wandb(zsock_t *pipe, void *arg)
{
    artel_wandb_args_t *args = arg;
    artel_actor_enter(&args->start);
    artel_actor_step_back();
    locale_t plain = s_speak_plainly();
    self_t self = { .pipe = pipe };
    int rc = plain ? s_open(&self, args) : ARTEL_ENOMEM;
    args->start.rc = rc;
    zsock_signal(pipe, 0);                      //  args is the parent's again
    artel_reader_t readers[] = {
        { .sock = self.pipe, .fn = s_read_pipe },
        { .sock = self.sender, .fn = s_read_sender },
        { .sock = self.transfer, .fn = s_read_transfer },
        { .sock = self.hashing, .fn = s_read_hashing },
    };
    if (rc == 0)
        artel_actor_loop(readers, sizeof readers / sizeof *readers, s_tick, &self);
    s_close(&self);
    uselocale(LC_GLOBAL_LOCALE);
    if (plain)
        freelocale(plain);
}
