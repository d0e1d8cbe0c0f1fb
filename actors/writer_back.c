//  writer_back.c - what comes back to the writer from syncer, adopter and sender.

#include "writer_self.h"

#include "ending.h"
#include "errors.h"
#include "handover.h"

enum { MAX_NOTICES = 256 };

typedef artel_writer_self_t self_t;
typedef artel_writer_entry_t entry_t;

//  Notices to the sender: one a journal, which says how far it may deliver, and
//  no more on the way than the sender has made room for.

void
artel_writer_tell_sender(artel_writer_self_t *self, const artel_msg_t *msg)
{
    self->notices += msg->id == ARTEL_MSG_COMMITTED;
    artel_wire_send(&self->wire, self->sender, "sender", msg);
}

static void
s_tell_committed(self_t *self, const char *run, artel_id_t writer, uint64_t counter)
{
    artel_writer_tell_sender(self, &(artel_msg_t) { .id = ARTEL_MSG_COMMITTED,
        .committed = { artel_str(run), writer, counter } });
}

static void
s_tell_closed(self_t *self, const char *run, artel_id_t writer, bool ended)
{
    artel_writer_tell_sender(self, &(artel_msg_t) { .id = ARTEL_MSG_CLOSED,
        .closed = { artel_str(run), writer, ended } });
}

//  Say what is new of an entry; the last that is said of it ends it.
static void
s_tell(self_t *self, entry_t *entry)
{
    if (entry->ready > entry->told)
        s_tell_committed(self, entry->run, entry->writer, entry->ready);
    entry->told = entry->ready;
    if (!entry->closed)
        return;
    s_tell_closed(self, entry->run, entry->writer, entry->ended);
    artel_writer_tell_handler(self, &(artel_msg_t) { .id = ARTEL_MSG_CLOSED,
        .closed = { artel_str(entry->run), entry->writer, entry->ended } });
    artel_id_t writer = entry->writer;
    if (entry->dirty_since)
        TAILQ_REMOVE(&self->dirty, entry, dirty);
    zhashx_delete(self->entries, writer.at);
}

//  The same as soon as there is room for it.
static void
s_notice(self_t *self, entry_t *entry)
{
    if (self->notices < MAX_NOTICES && !entry->waits) {
        s_tell(self, entry);
    } else if (!entry->waits) {
        entry->waits = true;
        TAILQ_INSERT_TAIL(&self->unnoticed, entry, unnoticed);
    }
}

static void
s_on_noted(void *arg, const artel_msg_t *msg, zmq_msg_t *frame)
{
    (void) frame;
    self_t *self = arg;
    if (msg->id != ARTEL_MSG_NOTED || msg->noted.notices > self->notices)
        return;
    self->notices -= (unsigned) msg->noted.notices;
    entry_t *entry;
    while (self->notices < MAX_NOTICES && (entry = TAILQ_FIRST(&self->unnoticed))) {
        TAILQ_REMOVE(&self->unnoticed, entry, unnoticed);
        entry->waits = false;
        s_tell(self, entry);
    }
}

int
artel_writer_read_sender(void *arg)
{
    self_t *self = arg;
    artel_wire_drain(&self->wire, self->sender, UINT32_MAX, s_on_noted, self);
    return 0;
}

//  The jobs of the syncer, one function each.

static const char *
s_why_not_open(const artel_sync_job_t *job, char *ret, size_t size)
{
    if (job->rc == ARTEL_EINVAL && job->world)
        snprintf(ret, size, "it has %llu ranks", (unsigned long long) job->world);
    else if (job->rc == ARTEL_ELOST)
        snprintf(ret, size, "its program was taken for dead, and it was ended");
    else
        snprintf(ret, size, "%s", artel_error_code_text(job->rc));
    return ret;
}

static void
s_on_open(self_t *self, entry_t *entry, const artel_sync_job_t *job)
{
    char why[128];
    if (job->rc != 0) {
        artel_writer_refuse_open(self, entry, job->rc, s_why_not_open(job, why, sizeof why),
                                 job->rc == ARTEL_ELOST ? job->counter : 0);
        zhashx_delete(self->entries, job->writer.at);
        return;
    }
    entry->journal = job->journal;
    entry->next_step = job->next_step;
    artel_writer_grown(self, entry);
    artel_writer_answer_open(self, entry);
    if (job->counter) {                         //  it was there: the sender goes on with it
        entry->ready = job->counter;
        s_notice(self, entry);
    }
}

//  What cannot be made durable is delivered as long as it can be read.
void
artel_writer_note_failure(artel_writer_self_t *self, artel_writer_entry_t *entry)
{
    char path[400], text[512];
    int rc = entry->journal ? artel_journal_failed(entry->journal, path, sizeof path) : 0;
    if (rc == 0 || entry->undurable)
        return;
    entry->undurable = true;
    snprintf(text, sizeof text, "%s could not be made durable: %s", path, artel_error_code_text(rc));
    artel_writer_tell_handler(self, &(artel_msg_t) { .id = ARTEL_MSG_DURABLE, .durable = {
        entry->writer, artel_journal_durable(entry->journal), rc, artel_str(text) } });
    entry->ready = artel_journal_accepted(entry->journal);
    s_notice(self, entry);
}

static void
s_note_durable(self_t *self, entry_t *entry, uint64_t counter)
{
    artel_writer_tell_handler(self, &(artel_msg_t) { .id = ARTEL_MSG_DURABLE, .durable = {
        .writer = entry->writer, .counter = counter } });
    entry->ready = counter;
    s_notice(self, entry);
}

static void
s_on_sync(self_t *self, entry_t *entry, const artel_sync_job_t *job)
{
    entry->syncing--;
    entry->urgent &= !job->urgent;
    if (job->rc == 0)
        s_note_durable(self, entry, job->counter);
    else
        artel_writer_note_failure(self, entry);
    bool wanted = entry->again || entry->closing;
    bool more = artel_journal_accepted(entry->journal) > entry->ready;
    if (more && (wanted || artel_journal_dirty_bytes(entry->journal) > ARTEL_SYNC_BYTES))
        artel_writer_sync(self, entry, wanted);
    else if (entry->closing && !entry->syncing)
        artel_writer_close(self, entry);
}

static void
s_on_close(self_t *self, entry_t *entry, const artel_sync_job_t *job)
{
    (void) job;
    entry->closed = true;
    s_notice(self, entry);
}

static void (*const s_jobs[])(self_t *, entry_t *, const artel_sync_job_t *) = {
    [ARTEL_SYNC_OPEN] = s_on_open,
    [ARTEL_SYNC_SYNC] = s_on_sync,
    [ARTEL_SYNC_CLOSE] = s_on_close,
};

int
artel_writer_read_syncer(void *arg)
{
    self_t *self = arg;
    artel_sync_job_t job;
    while (artel_wire_get(self->syncer_sock, &job, sizeof job)) {
        artel_take_over(job.journal);
        s_jobs[job.op](self, artel_writer_entry(self, job.writer), &job);
    }
    return 0;
}

//  The adopter's results: a dead journal is the sender's from here on.

static void
s_on_found(self_t *self, const artel_adopter_result_t *result)
{
    const artel_adopted_t *found = &result->of;
    bool wanted = result->token == self->token;
    self->adopted += wanted;
    self->lost += wanted ? found->lost : 0;
    s_tell_committed(self, found->run, found->writer, found->last);
    s_tell_closed(self, found->run, found->writer, true);
}

//  Append the end that a dead program could not; if that fails the next search tries again.
static int
s_end(entry_t *entry)
{
    artel_ending_t ending;
    uint64_t counter = artel_journal_accepted(entry->journal) + 1;
    artel_ending_begin(&ending, entry->run, entry->writer, counter, entry->next_step);
    int rc = artel_ending_exit(&ending);
    artel_journal_frame_t frame = { counter, ending.out.data, ending.out.size };
    if (rc == 0)
        rc = artel_journal_append(entry->journal, &frame, 1);
    artel_ending_done(&ending);
    entry->ended |= rc == 0;
    return rc;
}

//  The program behind a journal that is open here has died.
static void
s_on_gone(self_t *self, const artel_adopter_result_t *result)
{
    entry_t *entry = artel_writer_entry(self, result->of.writer);
    if (entry && entry->journal && !entry->closing && (entry->ended || s_end(entry) == 0))
        artel_writer_finish(self, entry);
}

static void
s_on_over(self_t *self, const artel_adopter_result_t *result)
{
    if (result->token == 0)
        self->searching = false;
    else
        artel_writer_tell_sender(self, &(artel_msg_t) { .id = ARTEL_MSG_ADOPTED, .adopted = {
            .token = self->token, .journals = self->adopted, .lost = self->lost, .code = result->rc,
            .text = artel_str(result->text) } });
}

int
artel_writer_read_adopter(void *arg)
{
    static void (*const table[])(self_t *, const artel_adopter_result_t *) = {
        [ARTEL_ADOPTER_FOUND] = s_on_found,
        [ARTEL_ADOPTER_GONE] = s_on_gone,
        [ARTEL_ADOPTER_OVER] = s_on_over,
    };
    self_t *self = arg;
    artel_adopter_result_t result;
    while (artel_wire_get(self->adopter_sock, &result, sizeof result))
        table[result.event](self, &result);
    return 0;
}
