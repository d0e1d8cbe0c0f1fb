//  intake.c - held batches: one need of theirs after the other.

#include "intake.h"

#include "batch.h"
#include "blobs.h"
#include "errors.h"
#include "wire.h"

#include <msgpack.h>

static void
s_free(artel_held_t *held)
{
    artel_filing_close(&held->filing);
    artel_verdicts_done(&held->verdicts);
    artel_verdicts_done(&held->seen);
    if (held->lock >= 0)
        artel_blobs_unlock(held->lock);
    zmq_msg_close(&held->frame);
    free(held);
}

//  A batch without xids has no artifacts, as far as its head tells.
static bool
s_may_send(const artel_msg_deliver_t *deliver)
{
    msgpack_zone zone;
    artel_batch_reader_t reader;
    if (!msgpack_zone_init(&zone, 8192))
        return true;
    bool may = artel_batch_read(deliver->batch.at, deliver->batch.len, &zone, &reader) == 0
               && reader.head.xids.len > 0;
    msgpack_zone_destroy(&zone);
    return may;
}

int
artel_intake_add(artel_intake_t *self, zmq_msg_t *frame, msgpack_zone *zone)
{
    artel_held_t *held = calloc(1, sizeof *held);
    if (!held)
        return ARTEL_ENOMEM;
    artel_msg_t msg;
    held->lock = -1;
    zmq_msg_init(&held->frame);
    zmq_msg_move(&held->frame, frame);
    int rc = artel_msg_unpack_all(zmq_msg_data(&held->frame), zmq_msg_size(&held->frame), zone,
                                  &msg);
    if (rc != 0 || msg.id != ARTEL_MSG_DELIVER) {
        s_free(held);
        return rc != 0 ? rc : ARTEL_EPROTO;
    }
    held->deliver = msg.deliver;
    held->is_suspect = s_may_send(&held->deliver);
    *(self->last ? &self->last->next : &self->first) = held;
    self->last = held;
    return 0;
}

void
artel_intake_remove(artel_intake_t *self, artel_held_t *held)
{
    artel_held_t *before = NULL;
    for (artel_held_t *h = self->first; h != held; h = h->next)
        before = h;
    *(before ? &before->next : &self->first) = held->next;
    if (self->last == held)
        self->last = before;
    s_free(held);
}

bool
artel_intake_is_behind(const artel_intake_t *self, const artel_held_t *held)
{
    for (const artel_held_t *h = self->first; h != held; h = h->next)
        if (!h->is_done && artel_id_equal(h->deliver.writer, held->deliver.writer))
            return true;
    return false;
}

artel_held_t *
artel_intake_next_ready(artel_intake_t *self)
{
    for (artel_held_t *held = self->first; held; held = held->next)
        if (!held->is_done && !held->is_suspect && !artel_intake_is_behind(self, held))
            return held;
    return NULL;
}

artel_held_t *
artel_intake_next_filing(artel_intake_t *self)
{
    artel_held_t *next = NULL;
    for (artel_held_t *held = self->first; held; held = held->next)
        if (!held->is_done && held->filing && (!next || held->turns < next->turns))
            next = held;
    return next;
}

void
artel_held_end(artel_held_t *held, int code, const char *text)
{
    held->is_done = true;
    held->code = code;
    snprintf(held->text, sizeof held->text, "%s", code ? text : "");
}

void
artel_intake_fail(artel_intake_t *self, int code, const char *text)
{
    for (artel_held_t *held = self->first; held; held = held->next)
        if (!held->is_done || held->code == 0)
            artel_held_end(held, code, text);
}

//  An artifact that will never be had. The batch goes on without it.
static int
s_give_up(artel_held_t *held, int code, const char *text)
{
    artel_verdict_t verdict = { .xid = held->xid, .code = code, .version = -1 };
    snprintf(verdict.text, sizeof verdict.text, "%s", text);
    return artel_verdicts_add(&held->seen, &verdict);
}

int
artel_held_filed(artel_held_t *held)
{
    artel_filing_close(&held->filing);
    return artel_verdicts_add(&held->seen, &(artel_verdict_t) { .xid = held->xid });
}

void
artel_held_suspect(artel_held_t *held)
{
    held->is_suspect = true;
    held->is_imported = false;
    held->seen.n = 0;
}

//  The next artifact_send of the batch whose manifest is not filed: 1 and what
//  is needed of it, 0 if there is none, or a code.
static int
s_next_need(artel_intake_t *self, artel_catalogue_t *catalogue, artel_held_t *held,
            artel_msg_artifact_send_t *ret, msgpack_zone *zone)
{
    artel_batch_reader_t reader;
    artel_msg_t msg;
    if (artel_batch_read(held->deliver.batch.at, held->deliver.batch.len, zone, &reader) != 0)
        return 0;                               //  it will be refused as a whole
    while (artel_batch_next(&reader, &msg) > 0) {
        if (msg.id == ARTEL_MSG_ARTIFACT)
            msg.artifact_send = (artel_msg_artifact_send_t) { .xid = msg.artifact.xid,
                .manifest = msg.artifact.manifest, .pack = msg.artifact.pack };
        else if (msg.id != ARTEL_MSG_ARTIFACT_SEND)
            continue;
        if (artel_verdicts_find(&held->seen, &msg.artifact_send.xid))
            continue;
        //  A pack of the state directory is none of another store's.
        artel_str_t pack = self->importer ? (artel_str_t) { 0 } : msg.artifact_send.pack;
        int rc = artel_filing_is_done(catalogue, &msg.artifact_send.manifest, pack);
        if (rc <= 0) {
            *ret = msg.artifact_send;
            return rc < 0 ? rc : 1;
        }
    }
    return 0;
}

static void
s_copy_pack(char ret[ARTEL_ID_TEXT], artel_str_t pack)
{
    snprintf(ret, ARTEL_ID_TEXT, "%.*s", (int) pack.len, pack.at ? pack.at : "");
}

//  Have an artifact imported: 1, 0 if it is, or needs not be, or ARTEL_ENOMEM.
static int
s_import(artel_intake_t *self, artel_held_t *held, const artel_msg_artifact_send_t *send)
{
    if (!self->importer || (held->is_imported && artel_id_equal(held->xid, send->xid)))
        return 0;
    artel_import_job_t job = { .number = ++self->jobs, .manifest = send->manifest, .lock = -1 };
    s_copy_pack(job.pack, send->pack);
    if (artel_wire_put(self->importer, &job, sizeof job) != 0)
        return ARTEL_ENOMEM;
    held->importing = job.number;
    held->is_imported = false;
    return 1;
}

static int
s_start(artel_intake_t *self, artel_catalogue_t *catalogue, artel_held_t *held,
        const artel_msg_artifact_send_t *send)
{
    char text[512];
    int rc = s_import(self, held, send);
    held->xid = send->xid;
    if (rc != 0)
        return rc < 0 ? rc : ARTEL_HELD_IMPORTING;
    if (!self->importer)
        s_copy_pack(held->pack, send->pack);
    rc = artel_filing_open(catalogue, &send->manifest, held->pack, &held->filing, text,
                               sizeof text);
    if (rc != 0 && artel_filing_is_hopeless(rc))
        rc = s_give_up(held, rc, text);
    return rc;
}

int
artel_intake_prepare(artel_intake_t *self, artel_catalogue_t *catalogue, artel_held_t *held)
{
    msgpack_zone zone;
    uint64_t position = 0;
    int rc = 0;
    if (held->is_suspect && !held->filing && !held->importing)
        rc = artel_catalogue_position(catalogue, held->deliver.writer, &position);
    if (held->deliver.counter <= position)
        held->is_suspect = false;
    while (rc == 0 && held->is_suspect && !held->filing && !held->importing) {
        artel_msg_artifact_send_t send;
        if (!msgpack_zone_init(&zone, 8192))
            return ARTEL_ENOMEM;
        rc = s_next_need(self, catalogue, held, &send, &zone);
        if (rc == 0)
            held->is_suspect = false;
        else if (rc > 0)
            rc = s_start(self, catalogue, held, &send);
        msgpack_zone_destroy(&zone);
    }
    if (rc < 0)
        return rc;
    return held->importing ? ARTEL_HELD_IMPORTING
           : held->filing  ? ARTEL_HELD_FILING
                           : ARTEL_HELD_READY;
}

void
artel_intake_imported(artel_intake_t *self, const artel_import_job_t *job)
{
    artel_held_t *held = self->first;
    while (held && held->importing != job->number)
        held = held->next;
    if (job->lock >= 0 && (!held || held->lock >= 0))
        artel_blobs_unlock(job->lock);          //  one lock is as good as two
    else if (held)
        held->lock = job->lock;
    if (!held)
        return;
    held->importing = 0;
    held->is_imported = job->rc == 0;
    memcpy(held->pack, job->pack, sizeof held->pack);
    int rc = job->rc;
    if (rc != 0 && artel_filing_is_hopeless(rc))
        rc = s_give_up(held, rc, job->text);
    if (rc != 0)
        artel_held_end(held, rc, job->text);
}
