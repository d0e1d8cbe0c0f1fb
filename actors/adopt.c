//  adopt.c - the journals of dead writers: ended, and handed to the sender.

#include "adopt.h"

#include "batch.h"
#include "ending.h"
#include "errors.h"
#include "journal.h"
#include "pending.h"
#include "presence.h"
#include "reader.h"

#include <msgpack.h>

typedef struct {
    const char *state;
    int (*fn)(void *arg, const artel_adopted_t *adopted);
    void *arg;
    int rc;                     //  the first error
    char *why;                  //  and its sentence
    size_t size;
} self_t;

//  What the head of a writer's last batch says: whether an exit is its last record,
//  and where the steps go on.
typedef struct {
    bool ended;
    int64_t next_step;
} end_t;

static int
s_read_head(const void *data, size_t len, end_t *ret)
{
    msgpack_zone zone;
    artel_batch_reader_t reader;
    if (!msgpack_zone_init(&zone, 8192))
        return ARTEL_ENOMEM;
    int rc = artel_batch_read(data, len, &zone, &reader);
    if (rc == 0)
        *ret = (end_t) { reader.head.ends, reader.head.next_step };
    msgpack_zone_destroy(&zone);
    return rc == ARTEL_EPROTO ? 0 : rc;         //  what is no batch ends nothing
}

//  Of its last batch, `last`.
static int
s_read_end(const char *state, const artel_adopted_t *of, end_t *ret)
{
    artel_journal_reader_t *reader;
    uint64_t counter;
    const void *data;
    size_t len;
    end_t end = { .ended = false };
    int rc = artel_journal_reader_open(state, of->run, of->writer, &reader);
    if (rc != 0)
        return rc;
    artel_journal_reader_salvage(reader);
    artel_journal_reader_seek(reader, of->last - 1);
    while ((rc = artel_journal_reader_next(reader, &counter, &data, &len)) > 0) {
        rc = s_read_head(data, len, &end);
        if (rc != 0)
            break;
    }
    artel_journal_reader_close(&reader);
    if (rc == 0)
        *ret = end;
    return rc;
}

//  Append what is lost, and that the writer crashed.
static int
s_end(artel_journal_t *journal, artel_adopted_t *of, artel_ending_t *ending)
{
    int rc = artel_ending_exit(ending);
    artel_journal_frame_t frame = { of->last + 1, ending->out.data, ending->out.size };
    if (rc == 0)
        rc = artel_journal_append(journal, &frame, 1);
    return rc == 0 ? artel_journal_sync(journal, &of->last) : rc;
}

//  Count what is lost, and if the journal has no end yet, end it.
static int
s_settle(const char *state, artel_journal_t *journal, artel_adopted_t *of, end_t end)
{
    artel_ending_t ending;
    artel_ending_begin(&ending, of->run, of->writer, of->last + 1, end.next_step);
    int rc = artel_journal_lost(state, of->run, of->writer, artel_ending_lost, &ending);
    if (rc == 0 && !end.ended)
        rc = s_end(journal, of, &ending);
    if (rc == 0)
        of->lost = ending.lost;
    artel_ending_done(&ending);
    return rc;
}

//  Take the journal over, end it if it has no end, and close it. One without a
//  single batch has nothing to end.
static int
s_take_over(const char *state, artel_adopted_t *of)
{
    end_t end = { .ended = true };
    artel_journal_t *journal;
    int rc = artel_journal_adopt(state, of->run, of->writer, &journal);
    if (rc != 0)
        return rc;
    of->last = artel_journal_accepted(journal);
    if (of->last)
        rc = s_read_end(state, of, &end);
    if (rc == 0 && of->last)
        rc = s_settle(state, journal, of, end);
    artel_journal_close(&journal);
    return rc;
}

//  0; ARTEL_ELOCKED if the writer lives. What was closed after its end is left as it is.
//  A program that logs through a service comes back for its journal.
static int
s_adopt(const char *state, artel_adopted_t *of)
{
    end_t end = { .ended = false };
    int alive = artel_presence_check(state, of->run, of->writer);
    if (alive != 0)
        return alive < 0 ? alive : ARTEL_ELOCKED;
    int rc = artel_pending_sealed(state, of->run, of->writer, &of->last);
    if (rc == 0 && of->last)
        rc = s_read_end(state, of, &end);
    if (rc == ARTEL_ELOCKED || (rc == 0 && of->last == 0))
        return rc;
    return rc == 0 && end.ended ? s_settle(state, NULL, of, end) : s_take_over(state, of);
}

static int
s_each(void *arg, const char *run, artel_id_t writer)
{
    self_t *self = arg;
    artel_adopted_t adopted = { .writer = writer };
    snprintf(adopted.run, sizeof adopted.run, "%s", run);
    int rc = s_adopt(self->state, &adopted);
    if (rc == 0)
        return self->fn(self->arg, &adopted);
    //  An appender that lives, or a mark that somebody removed meanwhile.
    if (rc == ARTEL_ELOCKED || rc == ARTEL_ENOENT || self->rc != 0)
        return 0;
    self->rc = rc;
    snprintf(self->why, self->size, "the journal of run %s: %s", run, artel_error_code_text(rc));
    return 0;
}

int
artel_adopt_all(const char *state, int (*fn)(void *arg, const artel_adopted_t *adopted), void *arg,
                char *why, size_t size)
{
    self_t self = { .state = state, .fn = fn, .arg = arg, .why = why, .size = size };
    int rc = artel_pending_each(state, s_each, &self);
    if (rc >= 0)
        return self.rc;
    snprintf(why, size, "%s/pending: %s", state, artel_error_code_text(rc));
    return rc;
}
