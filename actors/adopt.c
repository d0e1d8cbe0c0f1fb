//  adopt.c - the journals of dead writers: ended, and handed to the sender.

#include "adopt.h"

#include "ending.h"
#include "errors.h"
#include "journal.h"
#include "pending.h"
#include "presence.h"
#include "reader.h"

typedef struct {
    const char *state;
    int (*fn)(void *arg, const artel_adopted_t *adopted);
    void *arg;
    int rc;                     //  the first error
    char *why;                  //  and its sentence
    size_t size;
} self_t;

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
s_settle(const char *state, artel_journal_t *journal, artel_adopted_t *of, artel_end_t end)
{
    artel_ending_t ending;
    artel_ending_begin(&ending, of->run, of->writer, of->last + 1, end.next_step);
    int rc = artel_journal_lost(state, of->run, of->writer, artel_ending_lost, &ending);
    if (rc == 0 && !end.kind)
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
    artel_end_t end = { .kind = ARTEL_END_NONE };
    artel_journal_t *journal;
    int rc = artel_journal_adopt(state, of->run, of->writer, &journal);
    if (rc != 0)
        return rc;
    of->last = artel_journal_accepted(journal);
    if (of->last)
        rc = artel_ending_find(state, of->run, of->writer, of->last, &end);
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
    artel_end_t end = { .kind = ARTEL_END_NONE };
    int alive = artel_presence_check(state, of->run, of->writer);
    if (alive != 0 && alive != ARTEL_ENOENT)
        return alive < 0 ? alive : ARTEL_ELOCKED;
    int rc = artel_pending_sealed(state, of->run, of->writer, &of->last);
    if (rc == 0 && of->last)
        rc = artel_ending_find(state, of->run, of->writer, of->last, &end);
    if (rc == ARTEL_ELOCKED || (rc == 0 && of->last == 0))
        return rc;
    return rc == 0 && end.kind ? s_settle(state, NULL, of, end) : s_take_over(state, of);
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
