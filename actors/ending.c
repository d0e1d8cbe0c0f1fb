//  ending.c - packing lost{} and exit{crashed}, and finding the exit.

#include "ending.h"

#include "actor.h"
#include "batch.h"
#include "errors.h"
#include "reader.h"

static void
s_pack(artel_ending_t *self, artel_msg_t msg)
{
    if (self->rc == 0)
        self->rc = artel_msg_pack(&msg, &self->out);
}

void
artel_ending_begin(artel_ending_t *self, const char *run, artel_id_t writer, uint64_t counter,
                   int64_t next_step)
{
    *self = (artel_ending_t) { .rc = 0 };
    msgpack_sbuffer_init(&self->out);
    s_pack(self, (artel_msg_t) { .id = ARTEL_MSG_BATCH, .batch = {
        .run = artel_str(run), .writer = writer, .counter = counter, .ends = true,
        .next_step = next_step } });
}

void
artel_ending_lost(void *arg, uint64_t from, uint64_t to)
{
    artel_ending_t *self = arg;
    self->lost += to - from + 1;
    s_pack(self, (artel_msg_t) { .id = ARTEL_MSG_LOST, .lost = {
        from, to, artel_str("not to be read in the journal") } });
}

int
artel_ending_exit(artel_ending_t *self)
{
    s_pack(self, (artel_msg_t) { .id = ARTEL_MSG_EXIT, .exit = {
        .code = -1, .crashed = true, .at_ms = artel_wall_ms() } });
    return self->rc;
}

void
artel_ending_done(artel_ending_t *self)
{
    msgpack_sbuffer_destroy(&self->out);
}

//  The exit at the end of a batch whose head says that there is one.
static artel_end_kind_t
s_kind_of(artel_batch_reader_t *reader)
{
    artel_msg_t record = { 0 };
    if (!reader->head.ends)
        return ARTEL_END_NONE;
    while (artel_batch_next(reader, &record) > 0)
        continue;
    return record.id == ARTEL_MSG_EXIT && record.exit.crashed ? ARTEL_END_CRASHED : ARTEL_END_EXIT;
}

static int
s_read_end(const void *data, size_t len, artel_end_t *ret)
{
    msgpack_zone zone;
    artel_batch_reader_t reader;
    if (!msgpack_zone_init(&zone, 8192))
        return ARTEL_ENOMEM;
    int rc = artel_batch_read(data, len, &zone, &reader);
    *ret = (artel_end_t) { .kind = ARTEL_END_NONE };
    if (rc == 0)
        *ret = (artel_end_t) { .kind = s_kind_of(&reader), .next_step = reader.head.next_step };
    msgpack_zone_destroy(&zone);
    return rc == ARTEL_EPROTO ? 0 : rc;         //  what is no batch ends nothing
}

int
artel_ending_find(const char *state, const char *run, artel_id_t writer, uint64_t last, artel_end_t *ret)
{
    artel_journal_reader_t *reader;
    artel_end_t end = { .kind = ARTEL_END_NONE };
    uint64_t counter;
    const void *data;
    size_t len;
    int rc = artel_journal_reader_open(state, run, writer, &reader);
    if (rc != 0)
        return rc;
    artel_journal_reader_salvage(reader);
    artel_journal_reader_seek(reader, last - 1);
    while ((rc = artel_journal_reader_next(reader, &counter, &data, &len)) > 0) {
        rc = s_read_end(data, len, &end);
        if (rc != 0)
            break;
    }
    artel_journal_reader_close(&reader);
    if (rc == 0)
        *ret = end;
    return rc;
}
