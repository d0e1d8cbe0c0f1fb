//  undelivered.c - looking for artifacts in pending journals.

#include "undelivered.h"

#include "batch.h"
#include "errors.h"
#include "idmap.h"
#include "outcomes.h"
#include "pending.h"
#include "reader.h"
#include "scan.h"
#include "sinks.h"

#include <msgpack.h>

typedef struct {
    const char *state;
    int (*fn)(void *arg, const artel_undelivered_t *artifact);
    void *arg;
    const char *run;
    artel_id_t writer;
    size_t wanted;              //  sinks that the journal wants; 0: not known
    size_t sink;                //  the one whose outcomes are read
    zhashx_t *done;             //  xid -> a bit for each sink that has an outcome
    msgpack_zone zone;
} self_t;

static void
s_on_outcome(void *arg, const artel_outcome_t *outcome)
{
    self_t *self = arg;
    uintptr_t bits = (uintptr_t) zhashx_lookup(self->done, outcome->xid.at);
    zhashx_update(self->done, outcome->xid.at, (void *) (bits | (uintptr_t) 1 << self->sink));
}

static int
s_read_outcomes(self_t *self, const char *list)
{
    artel_sinks_t sinks;
    char why[256];
    self->wanted = 0;
    zhashx_purge(self->done);
    if (!*list || artel_sinks_parse(list, &sinks, why, sizeof why) != 0)
        return 0;
    int rc = 0;
    for (self->sink = 0; rc == 0 && self->sink < sinks.n; self->sink++)
        rc = artel_outcomes_each(self->state, self->run, self->writer,
                                 sinks.at[self->sink].name, s_on_outcome, self);
    self->wanted = sinks.n;
    artel_sinks_done(&sinks);
    return rc;
}

static bool
s_is_everywhere(self_t *self, const artel_id_t *xid)
{
    uintptr_t bits = (uintptr_t) zhashx_lookup(self->done, xid->at);
    return self->wanted && bits == ((uintptr_t) 1 << self->wanted) - 1;
}

static int
s_on_artifact(self_t *self, const char *at, size_t len)
{
    artel_msg_t msg;
    msgpack_zone_clear(&self->zone);
    if (artel_msg_unpack_all(at, len, &self->zone, &msg) != 0)
        return 0;                               //  no sink will read it either
    artel_msg_artifact_send_t send = msg.artifact_send;
    if (msg.id == ARTEL_MSG_ARTIFACT)
        send = (artel_msg_artifact_send_t) { .xid = msg.artifact.xid, .name = msg.artifact.name,
            .type = msg.artifact.type, .manifest = msg.artifact.manifest, .pack = msg.artifact.pack };
    if (s_is_everywhere(self, &send.xid))
        return 0;
    return self->fn(self->arg, &(artel_undelivered_t) { self->run, self->writer, &send });
}

//  Most records are rows: only the structure of those is looked at.
static int
s_on_batch(self_t *self, const void *data, size_t len)
{
    const char *at = data;
    size_t used;
    int rc = 0;
    for (; rc == 0 && len > 0 && artel_scan(at, len, &used) == 0; at += used, len -= used) {
        int id = artel_msg_peek(at, used);
        if (id == ARTEL_MSG_ARTIFACT_SEND || id == ARTEL_MSG_ARTIFACT)
            rc = s_on_artifact(self, at, used);
    }
    return rc;
}

//  Outcomes first: one that is read is of a sink that has the artifact by now.
static int
s_read(self_t *self, artel_journal_reader_t *reader)
{
    uint64_t counter;
    const void *data;
    size_t len;
    int rc = s_read_outcomes(self, artel_journal_reader_sinks(reader));
    artel_journal_reader_salvage(reader);
    while (rc == 0 && (rc = artel_journal_reader_next(reader, &counter, &data, &len)) > 0)
        rc = s_on_batch(self, data, len);
    return rc;
}

static int
s_on_journal(void *arg, const char *run, artel_id_t writer)
{
    self_t *self = arg;
    artel_journal_reader_t *reader;
    int rc = artel_journal_reader_open(self->state, run, writer, &reader);
    if (rc == ARTEL_ENOENT || rc == ARTEL_ECORRUPT)
        return 0;                               //  retired meanwhile, or nothing can be read for ever
    if (rc != 0)
        return rc;
    self->run = run;
    self->writer = writer;
    rc = s_read(self, reader);
    artel_journal_reader_close(&reader);
    return rc == ARTEL_ENOENT ? 0 : rc;
}

int
artel_undelivered_each(const char *state,
                       int (*fn)(void *arg, const artel_undelivered_t *artifact), void *arg)
{
    self_t self = { .state = state, .fn = fn, .arg = arg, .done = artel_idmap_new(NULL) };
    if (!msgpack_zone_init(&self.zone, 8192)) {
        zhashx_destroy(&self.done);
        return ARTEL_ENOMEM;
    }
    int rc = artel_pending_each(state, s_on_journal, &self);
    msgpack_zone_destroy(&self.zone);
    zhashx_destroy(&self.done);
    return rc;
}
