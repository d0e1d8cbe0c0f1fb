//  adopt.c - the journals of dead writers: ended, and handed to the sender.

#include "adopt.h"

#include "actor.h"
#include "batch.h"
#include "errors.h"
#include "journal.h"
#include "pending.h"
#include "reader.h"

#include <msgpack.h>

typedef struct {
    const char *state;
    void (*fn)(void *arg, const char *run, artel_id_t writer, uint64_t last);
    void *arg;
    int rc;                     //  the first error
} self_t;

//  Whether a batch holds an exit that its program wrote or an adopter before us.
static bool
s_has_exit(const void *data, size_t len)
{
    msgpack_zone zone;
    if (!msgpack_zone_init(&zone, 8192))
        return false;
    artel_batch_reader_t reader;
    artel_msg_t msg;
    bool found = false;
    if (artel_batch_read(data, len, &zone, &reader) == 0)
        while (artel_batch_next(&reader, &msg) > 0)
            found = msg.id == ARTEL_MSG_EXIT;
    msgpack_zone_destroy(&zone);
    return found;
}

//  Whether the last record of the journal is an exit.
static int
s_is_ended(const char *state, const char *run, artel_id_t writer, bool *ret)
{
    artel_journal_reader_t *reader;
    int rc = artel_journal_reader_open(state, run, writer, &reader);
    if (rc != 0)
        return rc;
    artel_journal_reader_salvage(reader);
    uint64_t counter;
    const void *data;
    size_t len;
    bool ended = false;
    while ((rc = artel_journal_reader_next(reader, &counter, &data, &len)) > 0)
        ended = s_has_exit(data, len);
    artel_journal_reader_close(&reader);
    if (rc == 0)
        *ret = ended;
    return rc;
}

//  Append the last batch of a dead writer: what is lost, and that it crashed.
static int
s_end(artel_journal_t *journal, const char *run, artel_id_t writer,
      const artel_journal_report_t *report)
{
    uint64_t counter = artel_journal_accepted(journal) + 1;
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    int rc = artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_BATCH, .batch = {
        .run = artel_str(run), .writer = writer, .counter = counter } }, &out);
    if (rc == 0 && report->lost_from)
        rc = artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_LOST, .lost = {
            report->lost_from, report->lost_to, artel_str("damaged in the journal") } }, &out);
    if (rc == 0)
        rc = artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_EXIT, .exit = {
            .code = -1, .crashed = true, .at_ms = artel_wall_ms() } }, &out);
    artel_journal_frame_t frame = { counter, out.data, out.size };
    if (rc == 0)
        rc = artel_journal_append(journal, &frame, 1);
    if (rc == 0)
        rc = artel_journal_sync(journal, &counter);
    msgpack_sbuffer_destroy(&out);
    return rc;
}

//  0 and the last counter; ARTEL_ELOCKED if the writer lives.
static int
s_adopt(const char *state, const char *run, artel_id_t writer, uint64_t *ret_last)
{
    bool ended = false;
    artel_journal_report_t report;
    artel_journal_t *journal;
    int rc = artel_journal_adopt(state, run, writer, &journal);
    if (rc != 0)
        return rc;
    rc = artel_journal_examine(state, run, writer, &report);
    if (rc == 0)
        rc = s_is_ended(state, run, writer, &ended);
    if (rc == 0 && !ended)
        rc = s_end(journal, run, writer, &report);
    if (rc == 0)
        *ret_last = artel_journal_accepted(journal);
    artel_journal_close(&journal);
    return rc;
}

static int
s_each(void *arg, const char *run, artel_id_t writer)
{
    self_t *self = arg;
    uint64_t last;
    int rc = s_adopt(self->state, run, writer, &last);
    if (rc == 0)
        self->fn(self->arg, run, writer, last);
    else if (rc != ARTEL_ELOCKED && self->rc == 0)
        self->rc = rc;
    return 0;
}

int
artel_adopt_all(const char *state,
                void (*fn)(void *arg, const char *run, artel_id_t writer, uint64_t last), void *arg)
{
    self_t self = { .state = state, .fn = fn, .arg = arg };
    int rc = artel_pending_each(state, s_each, &self);
    return rc != 0 ? rc : self.rc;
}
