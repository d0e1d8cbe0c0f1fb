//  reader.c - reading a journal's batches in order, also while it grows.
//
//  A frame that does not verify is the end so far, until a later segment has a
//  frame: its appender had finished this one before. Then, read once more, it
//  is final, and the counter in the head of the later one tells what is missing.

#include "reader.h"

#include "also.h"
#include "errors.h"
#include "head.h"
#include "layout.h"
#include "segment.h"
#include "state.h"

#include <stdlib.h>
#include <string.h>

struct artel_journal_reader {
    char *folder;
    char *sinks;
    artel_id_t writer;
    artel_segment_t segment;
    uint64_t offset;            //  of the next frame
    uint64_t last;              //  counter of the last frame passed
    uint64_t skip;              //  what the caller does not want, nor misses
    bool salvage;
};

static int
s_find_next(const artel_journal_reader_t *self, artel_segment_start_t *ret)
{
    return artel_segment_find_next(self->folder, self->writer, self->segment.number, self->salvage, ret);
}

//  Go to the beginning of a segment.
static int
s_enter(artel_journal_reader_t *self, uint32_t number)
{
    int rc = artel_segment_open(&self->segment, self->folder, self->writer, number);
    if (rc == 0)
        self->offset = ARTEL_SEGMENT_MARK;
    return rc;
}

//  Keep the wanted sinks of the first head that verifies: 1, 0 if none does, or a code.
static int
s_read_sinks(artel_journal_reader_t *self)
{
    artel_segment_t segment = ARTEL_SEGMENT_NONE;
    artel_frame_t head;
    const void *data;
    uint32_t number = 0;
    int rc;
    while ((rc = artel_segment_after(self->folder, number, &number)) > 0) {
        rc = artel_segment_open(&segment, self->folder, self->writer, number);
        if (rc == 0)
            rc = artel_segment_head(&segment, &head, &data);
        if (rc != 0)
            break;
    }
    const char *sinks = rc > 0 ? artel_head_get(data, head.len, "sinks") : NULL;
    if (rc >= 0 && !(self->sinks = strdup(sinks ? sinks : "")))
        rc = ARTEL_ENOMEM;
    artel_segment_done(&segment);
    return rc;
}

//  And those it was told later; a list that is empty means all there are.
static int
s_read_also(artel_journal_reader_t *self)
{
    char *also;
    int rc = *self->sinks ? artel_also_read(self->folder, &also) : 0;
    if (rc != 0 || !*self->sinks)
        return rc;
    char *all = *also ? artel_format("%s,%s", self->sinks, also) : strdup(self->sinks);
    free(also);
    free(self->sinks);
    self->sinks = all;
    return all ? 0 : ARTEL_ENOMEM;
}

static int
s_open(artel_journal_reader_t *self)
{
    uint32_t number;
    artel_segment_start_t any;
    int rc = artel_segment_after(self->folder, 0, &number);
    if (rc <= 0)
        return rc < 0 ? rc : ARTEL_ENOENT;
    rc = s_read_sinks(self);
    if (rc == 0)                                //  no head verifies; any frame?
        rc = artel_segment_find_next(self->folder, self->writer, 0, true, &any);
    if (rc == 0)
        return ARTEL_ECORRUPT;
    if (rc > 0 && (rc = s_read_also(self)) == 0)
        return s_enter(self, number);
    return rc;
}

int
artel_journal_reader_open(const char *state, const char *run, artel_id_t writer,
                          artel_journal_reader_t **ret)
{
    artel_journal_reader_t *self = calloc(1, sizeof *self);
    if (!self)
        return ARTEL_ENOMEM;
    self->writer = writer;
    self->segment = (artel_segment_t) ARTEL_SEGMENT_NONE;
    int rc = artel_journal_folder(state, run, writer, &self->folder);
    if (rc == 0)
        rc = s_open(self);
    if (rc == 0)
        *ret = self;
    else
        artel_journal_reader_close(&self);
    return rc;
}

void
artel_journal_reader_close(artel_journal_reader_t **self_p)
{
    artel_journal_reader_t *self = *self_p;
    if (!self)
        return;
    artel_segment_done(&self->segment);
    free(self->folder);
    free(self->sinks);
    free(self);
    *self_p = NULL;
}

const char *
artel_journal_reader_sinks(const artel_journal_reader_t *self)
{
    return self->sinks;
}

void
artel_journal_reader_salvage(artel_journal_reader_t *self)
{
    self->salvage = true;
}

//  Nothing between what was passed or is not wanted and a frame behind `before`.
static bool
s_follows(const artel_journal_reader_t *self, uint64_t before)
{
    return before <= self->last || before <= self->skip;
}

//  Pass over one frame that verifies: 1 if it is a batch to return.
static int
s_pass(artel_journal_reader_t *self, const artel_frame_t *frame)
{
    bool batch = frame->kind == ARTEL_FRAME_BATCH, head = frame->kind == ARTEL_FRAME_HEAD;
    if (frame->kind > ARTEL_FRAME_SEAL && frame->kind < ARTEL_FRAME_OPTIONAL)
        return ARTEL_EVERSION;
    if (head && frame->flags & ARTEL_FRAME_START && self->last < frame->counter)
        self->last = frame->counter;
    if (frame->kind <= ARTEL_FRAME_SEAL && !self->salvage && !s_follows(self, frame->counter - batch))
        return ARTEL_ECORRUPT;
    self->offset += artel_frame_size(frame->len);
    if (!batch || frame->counter <= self->last)
        return 0;
    self->last = frame->counter;
    return frame->counter > self->skip;
}

//  Read the file anew: 1 if there is a frame now, or, in salvage, one behind.
static int
s_look_again(artel_journal_reader_t *self)
{
    artel_frame_t frame;
    const void *data;
    artel_segment_forget(&self->segment);
    if (self->salvage)
        return artel_segment_find(&self->segment, self->offset, &self->offset);
    return artel_segment_frame(&self->segment, self->offset, &frame, &data);
}

//  Behind the last frame that verifies: 1 if there is more to read after all,
//  here or in the next segment; 0 if this is the end so far.
static int
s_go_on(artel_journal_reader_t *self)
{
    artel_segment_start_t next;
    int rc = s_look_again(self);
    if (rc != 0)
        return rc;
    rc = s_find_next(self, &next);
    if (rc <= 0)
        return rc;
    rc = s_look_again(self);                    //  now it is final
    if (rc != 0)
        return rc;
    if (!self->salvage && !next.is_first && !s_follows(self, next.before))
        return ARTEL_ECORRUPT;
    rc = s_enter(self, next.number);
    return rc == 0 ? 1 : rc;
}

int
artel_journal_reader_next(artel_journal_reader_t *self, uint64_t *ret_counter,
                          const void **ret_data, size_t *ret_len)
{
    for (;;) {
        artel_frame_t frame;
        const void *data;
        int rc = artel_segment_frame(&self->segment, self->offset, &frame, &data);
        if (rc == 0) {
            rc = s_go_on(self);
            if (rc <= 0)
                return rc;
            continue;
        }
        if (rc > 0)
            rc = s_pass(self, &frame);
        if (rc < 0)
            return rc;
        if (rc > 0) {
            *ret_counter = frame.counter;
            *ret_data = data;
            *ret_len = frame.len;
            return 1;
        }
    }
}

//  Whole segments are skipped by their heads.
void
artel_journal_reader_seek(artel_journal_reader_t *self, uint64_t counter)
{
    artel_segment_start_t next;
    if (self->skip < counter)
        self->skip = counter;
    while (s_find_next(self, &next) > 0 && next.before <= counter && next.before >= self->last) {
        if (s_enter(self, next.number) != 0)
            return;
        self->last = next.before;
    }
}
