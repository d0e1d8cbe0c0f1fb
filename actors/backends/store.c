//  store.c - the actor that delivers into a local store.
//
//  It holds what is delivered until it has been committed or has failed: every
//  deliver is answered once, in the order of its writer. All that waits is
//  applied in one transaction, as far as the time for holding the catalogue
//  goes. A catalogue that cannot be had fails deliveries, never the node.

#include "store.h"

#include "errors.h"
#include "importer.h"
#include "intake.h"
#include "state.h"
#include "wire.h"

#include <limits.h>

enum { RESEND_MS = 100 };       //  until an answer for which there was no memory is sent again

typedef struct {
    zsock_t *pipe;              //  $TERM
    zsock_t *sender;            //  PAIR: batches and questions in, answers out
    const char *state, *place;
    artel_wire_t wire;
    artel_catalogue_t *catalogue;   //  NULL until it is needed, and after a failure
    char why[512];              //  it cannot be had
    bool is_changed;            //  the open transaction has something to commit
    artel_intake_t intake;
    zactor_t *importer;         //  only if place is not state
    atomic_bool cancel;         //  ends the import in hand
} self_t;

static bool
s_is_copy(const self_t *self)
{
    return strcmp(self->state, self->place) != 0;
}

static int
s_tell(self_t *self, const artel_msg_t *msg)
{
    return artel_wire_send(&self->wire, self->sender, "sender", msg);
}

//  The catalogue: opened when it is needed first, and again after it failed.

static int
s_open_catalogue(self_t *self)
{
    int rc = s_is_copy(self) ? artel_state_make(self->place) : 0;
    int ours = rc == 0 ? artel_state_is_ours(self->place) : rc;
    if (ours == 0) {
        snprintf(self->why, sizeof self->why,
                 "the store %s is another machine's: `artel sync` there delivers", self->place);
        return ARTEL_EACCES;
    }
    rc = ours < 0 ? ours : artel_catalogue_open(self->place, true, &self->catalogue);
    if (rc != 0)
        snprintf(self->why, sizeof self->why, "the catalogue of %s: %s", self->place,
                 artel_error_code_text(rc));
    return rc;
}

static int
s_need_catalogue(self_t *self)
{
    return self->catalogue ? 0 : s_open_catalogue(self);
}

//  Keep what it says; after anything but a busy lock start afresh next time.
static void
s_catalogue_failed(self_t *self, int code)
{
    snprintf(self->why, sizeof self->why, "%s", artel_catalogue_error(self->catalogue));
    if (code != ARTEL_EAGAIN)
        artel_catalogue_close(&self->catalogue);
}

//  Answers.

static int
s_tell_verdict(self_t *self, const artel_held_t *held, const artel_verdict_t *verdict)
{
    return s_tell(self, &(artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_DONE, .artifact_done = {
        .xid = verdict->xid, .status = verdict->code, .version = verdict->version,
        .fresh = verdict->fresh, .text = artel_str(verdict->text), .writer = held->deliver.writer,
        .counter = held->deliver.counter } });
}

static int
s_answer(self_t *self, artel_held_t *held)
{
    int rc = 0;
    for (size_t i = 0; rc != ARTEL_ENOMEM && held->code == 0 && i < held->verdicts.n; i++)
        rc = s_tell_verdict(self, held, &held->verdicts.at[i]);
    if (rc != ARTEL_ENOMEM)
        rc = s_tell(self, &(artel_msg_t) { .id = ARTEL_MSG_DELIVERED, .delivered = {
            .writer = held->deliver.writer, .counter = held->deliver.counter, .code = held->code,
            .text = artel_str(held->text) } });
    return rc;
}

//  Those that are done are answered and let go; without memory they stay.
static void
s_answer_done(self_t *self)
{
    for (artel_held_t *held = self->intake.first, *next; held; held = next) {
        next = held->next;
        if (held->is_done && s_answer(self, held) != ARTEL_ENOMEM)
            artel_intake_remove(&self->intake, held);
    }
}

//  One round: what is ready goes into one transaction. What is to be filed has the
//  next, so that neither keeps the other waiting.

//  Find out what each needs.
static void
s_prepare(self_t *self)
{
    for (artel_held_t *held = self->intake.first; held; held = held->next) {
        if (held->is_done || artel_intake_is_behind(&self->intake, held))
            continue;
        int rc = artel_intake_prepare(&self->intake, self->catalogue, held);
        if (rc < 0)
            artel_held_end(held, rc, artel_error_code_text(rc));
    }
}

static int
s_apply(self_t *self, artel_held_t *held)
{
    int rc = artel_delivery_apply(self->catalogue, &held->deliver, &held->seen, &held->verdicts);
    if (rc == ARTEL_EPENDING)
        artel_held_suspect(held);
    if (rc == 0) {
        self->is_changed = true;
        artel_held_end(held, 0, "");
    }
    return rc == ARTEL_EPENDING ? 0 : rc;
}

//  File some; if that was all, the batch follows at once.
static int
s_file(self_t *self, artel_held_t *held)
{
    held->turns++;
    self->is_changed = true;
    int rc = artel_filing_step(self->catalogue, held->filing);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = artel_held_filed(held);
    if (rc == 0)
        rc = artel_intake_prepare(&self->intake, self->catalogue, held);
    if (rc != ARTEL_HELD_READY)
        return rc < 0 ? rc : 0;
    return s_apply(self, held);
}

//  Who comes next, and what is done with it.
typedef artel_held_t *next_fn(artel_intake_t *intake);
typedef int work_fn(self_t *self, artel_held_t *held);

//  Go on with one after the other, until it is late or there are no more. A
//  code: the transaction is over.
static int
s_work(self_t *self, next_fn *next, work_fn *fn)
{
    artel_held_t *held;
    while ((held = next(&self->intake)) && !artel_catalogue_is_late(self->catalogue)) {
        int rc = fn(self, held);
        if (rc != 0)
            artel_held_end(held, rc, artel_catalogue_error(self->catalogue));
        if (!artel_catalogue_in_transaction(self->catalogue))
            return rc != 0 ? rc : ARTEL_EIO;
    }
    return 0;
}

static int
s_transact(self_t *self, next_fn *next, work_fn *fn)
{
    if (!next(&self->intake))
        return 0;
    int rc = artel_catalogue_begin(self->catalogue);
    if (rc != 0)
        return rc;
    self->is_changed = false;
    rc = s_work(self, next, fn);
    if (rc == 0 && self->is_changed)
        return artel_catalogue_commit(self->catalogue);
    artel_catalogue_rollback(self->catalogue);
    return rc;
}

static void
s_round(self_t *self)
{
    int rc = s_need_catalogue(self);
    if (rc != 0) {
        artel_intake_fail(&self->intake, rc, self->why);
        return;
    }
    s_prepare(self);
    rc = s_transact(self, artel_intake_next_ready, s_apply);
    if (rc == 0)
        s_answer_done(self);
    if (rc == 0)
        rc = s_transact(self, artel_intake_next_filing, s_file);
    if (rc != 0) {
        s_catalogue_failed(self, rc);
        artel_intake_fail(&self->intake, rc, self->why);
    }
}

//  How long to wait for more: not at all if one can go on.
static int
s_tick(void *arg)
{
    self_t *self = arg;
    if (self->intake.first)
        s_round(self);
    s_answer_done(self);
    if (self->catalogue)
        artel_catalogue_tidy(self->catalogue);
    int wait = -1;
    for (artel_held_t *held = self->intake.first; held; held = held->next) {
        if (held->is_done)
            wait = RESEND_MS;
        else if (!held->importing && !artel_intake_is_behind(&self->intake, held))
            return 0;
    }
    return wait;
}

//  The messages of the sender, one function each.

static void
s_on_deliver(self_t *self, const artel_msg_t *msg, zmq_msg_t *frame)
{
    artel_msg_t failed = { .id = ARTEL_MSG_DELIVERED, .delivered = { .writer = msg->deliver.writer,
        .counter = msg->deliver.counter, .code = ARTEL_ENOMEM,
        .text = artel_str(artel_error_code_text(ARTEL_ENOMEM)) } };
    if (artel_intake_add(&self->intake, frame, &self->wire.zone) != 0)
        s_tell(self, &failed);
}

//  Whoever asks starts anew from the answer: what it sent before is void.
static void
s_on_position_get(self_t *self, const artel_msg_t *msg, zmq_msg_t *frame)
{
    (void) frame;
    artel_id_t writer = msg->position_get.writer;
    for (artel_held_t *held = self->intake.first; held; held = held->next)
        if (!held->is_done && artel_id_equal(held->deliver.writer, writer))
            artel_held_end(held, ARTEL_EAGAIN, "asked for the position before it was applied");
    s_answer_done(self);
    uint64_t counter = 0;
    int rc = s_need_catalogue(self);
    if (rc == 0 && (rc = artel_catalogue_position(self->catalogue, writer, &counter)) != 0)
        s_catalogue_failed(self, rc);
    s_tell(self, &(artel_msg_t) { .id = ARTEL_MSG_POSITION, .position = { writer, counter, rc,
        artel_str(rc ? self->why : "") } });
}

//  A text with its final NUL, the caller's.
static char *
s_text(artel_str_t text)
{
    return artel_format("%.*s", (int) text.len, text.at ? text.at : "");
}

static int
s_resolve(self_t *self, const artel_msg_resolve_t *ask, artel_version_t *ret)
{
    char *name = s_text(ask->name), *version = s_text(ask->version);
    int rc = name && version ? s_need_catalogue(self) : ARTEL_ENOMEM;
    if (rc == 0 && (rc = artel_catalogue_resolve(self->catalogue, name, version, ret)) != 0)
        snprintf(self->why, sizeof self->why, "%s", artel_catalogue_error(self->catalogue));
    free(name);
    free(version);
    return rc;
}

static void
s_on_resolve(self_t *self, const artel_msg_t *msg, zmq_msg_t *frame)
{
    (void) frame;
    artel_version_t found = { .version = -1 };
    int rc = s_resolve(self, &msg->resolve, &found);
    s_tell(self, &(artel_msg_t) { .id = ARTEL_MSG_RESOLVED, .resolved = {
        .token = msg->resolve.token, .code = rc, .name = msg->resolve.name,
        .type = artel_str(found.type), .version = found.version, .manifest = found.manifest,
        .text = artel_str(rc ? self->why : ""), .pack = artel_str(found.pack),
        .files = found.files, .bytes = found.bytes } });
}

static void
s_on_recall(self_t *self, const artel_msg_t *msg, zmq_msg_t *frame)
{
    (void) frame;
    artel_verdict_t verdict = { .version = -1 };
    int rc = s_need_catalogue(self);
    if (rc == 0)
        rc = artel_delivery_recall(self->catalogue, &msg->recall.xid, &verdict);
    s_tell(self, &(artel_msg_t) { .id = ARTEL_MSG_RECALLED, .recalled = {
        .token = msg->recall.token, .xid = msg->recall.xid, .known = rc > 0, .status = verdict.code,
        .version = verdict.version, .fresh = verdict.fresh, .text = artel_str(verdict.text) } });
}

static void (*const s_handlers[])(self_t *, const artel_msg_t *, zmq_msg_t *) = {
    [ARTEL_MSG_DELIVER] = s_on_deliver,
    [ARTEL_MSG_POSITION_GET] = s_on_position_get,
    [ARTEL_MSG_RESOLVE] = s_on_resolve,
    [ARTEL_MSG_RECALL] = s_on_recall,
};

static void
s_take(void *arg, const artel_msg_t *msg, zmq_msg_t *frame)
{
    if (msg->id < sizeof s_handlers / sizeof *s_handlers && s_handlers[msg->id])
        s_handlers[msg->id](arg, msg, frame);
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
s_read_importer(void *arg)
{
    self_t *self = arg;
    artel_import_job_t job;
    while (artel_wire_get(self->intake.importer, &job, sizeof job))
        artel_intake_imported(&self->intake, &job);
    return 0;
}

static int
s_open(self_t *self, const artel_store_args_t *args)
{
    int rc = artel_wire_init(&self->wire, "store");
    self->sender = args->sender;
    self->state = args->state;
    self->place = args->place;
    zsock_t *end;
    if (rc != 0 || !s_is_copy(self))
        return rc;
    rc = artel_sock_pair(&self->intake.importer, &end);
    if (rc != 0)
        return rc;
    artel_importer_args_t importer = { .start.name = "artel/import", .from = self->state,
        .to = self->place, .cancel = &self->cancel, .asker = end };
    return artel_actor_start(&self->importer, artel_importer, &importer.start);
}

static void
s_close(self_t *self)
{
    atomic_store(&self->cancel, true);
    artel_actor_stop(&self->importer, INT_MAX);         //  it looks at what is ours
    if (self->intake.importer)
        s_read_importer(self);                  //  an import that was finished has a lock
    while (self->intake.first)
        artel_intake_remove(&self->intake, self->intake.first);
    artel_catalogue_close(&self->catalogue);
    zsock_destroy(&self->intake.importer);
    zsock_destroy(&self->sender);
    artel_wire_done(&self->wire);
}

void
artel_store(zsock_t *pipe, void *arg)
{
    artel_store_args_t *args = arg;
    artel_actor_enter(&args->start);
    artel_actor_step_back();
    self_t self = { .pipe = pipe };
    int rc = s_open(&self, args);
    args->start.rc = rc;
    zsock_signal(pipe, 0);                      //  args is the parent's again
    artel_reader_t readers[] = {
        { .sock = self.pipe, .fn = s_read_pipe },
        { .sock = self.sender, .fn = s_read_sender },
        { .sock = self.intake.importer, .fn = s_read_importer },
    };
    if (rc == 0)
        artel_actor_loop(readers, self.intake.importer ? 3 : 2, s_tick, &self);
    s_close(&self);
}
