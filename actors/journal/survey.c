//  survey.c - all valid frames of a journal, and what is missing between them.
//
//  Whether a hole was durable once is told by frames behind it. Between two
//  openings (a birth, an adoption) each frame says how far its appender knew the
//  journal to be durable; that speaks only for what this appender wrote. The
//  head of an opening speaks for what was there before and was found sound.

#include "survey.h"

#include "errors.h"
#include "layout.h"
#include "segment.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    artel_survey_t found;
    artel_segment_t segment;
    uint64_t base;              //  last counter before this opening
    uint64_t durable;           //  as far as its frames say
    bool any;                   //  a frame was seen
    bool damaged;               //  bytes were passed over since the last frame
    int rc;
} self_t;

static int
s_add_hole(self_t *self, uint64_t from, uint64_t to)
{
    artel_survey_t *found = &self->found;
    artel_hole_t *holes = realloc(found->holes, (found->n_holes + 1) * sizeof *holes);
    if (!holes)
        return ARTEL_ENOMEM;
    found->holes = holes;
    found->holes[found->n_holes++] = (artel_hole_t) { .from = from, .to = to };
    found->sound = to;
    return 0;
}

//  Counters above `above`, up to `to`, were durable.
static void
s_was_durable(self_t *self, uint64_t above, uint64_t to)
{
    for (size_t i = 0; i < self->found.n_holes; i++) {
        artel_hole_t *hole = &self->found.holes[i];
        uint64_t end = hole->to > hole->from ? hole->to : hole->from;
        if (hole->from <= to && end > above)
            hole->durable = true;
    }
}

//  The frame about to be looked at follows on what was before `counter`.
static int
s_continue(self_t *self, uint64_t before)
{
    int rc = 0;
    if (before > self->found.last)
        rc = s_add_hole(self, self->found.last + 1, before);
    else if (self->damaged)
        rc = s_add_hole(self, self->found.last + 1, self->found.last);
    self->damaged = false;
    if (before > self->found.last)
        self->found.last = before;
    return rc;
}

static int
s_keep_head(artel_survey_t *found, const artel_frame_t *frame, const void *data)
{
    char *head = malloc(frame->len + 1);
    if (!head)
        return ARTEL_ENOMEM;
    memcpy(head, data, frame->len);
    free(found->head);
    found->head = head;
    found->head_len = frame->len;
    return 0;
}

//  What was before is not missed, whole or not.
static void
s_start_over(self_t *self, uint64_t counter)
{
    artel_survey_t *found = &self->found;
    found->last = found->sound = counter;
    found->frames = found->n_holes = 0;
    found->torn = self->damaged = false;
}

static int
s_on_head(self_t *self, const artel_frame_t *frame, const void *data)
{
    int rc = s_keep_head(&self->found, frame, data);
    if (rc != 0)
        return rc;
    if (frame->flags & ARTEL_FRAME_OPENING) {
        s_was_durable(self, self->base, self->durable);
        s_was_durable(self, frame->durable, frame->counter);
        self->base = self->durable = frame->counter;
    } else if (self->durable < frame->durable) {
        self->durable = frame->durable;
    }
    return 0;
}

static int
s_on_frame(self_t *self, const artel_frame_t *frame, const void *data)
{
    bool batch = frame->kind == ARTEL_FRAME_BATCH;
    if (frame->kind > ARTEL_FRAME_SEAL)
        return frame->kind < ARTEL_FRAME_OPTIONAL ? ARTEL_EVERSION : 0;
    self->any = true;
    bool start = frame->kind == ARTEL_FRAME_HEAD && frame->flags & ARTEL_FRAME_START;
    self->found.ended = start || frame->kind == ARTEL_FRAME_SEAL;
    if (start)
        s_start_over(self, frame->counter);
    int rc = s_continue(self, frame->counter - batch);
    if (rc == 0 && frame->kind == ARTEL_FRAME_HEAD)
        rc = s_on_head(self, frame, data);
    else if (self->durable < frame->durable)
        self->durable = frame->durable;
    if (batch && frame->counter > self->found.last) {
        self->found.last = frame->counter;
        self->found.frames++;
    }
    return rc;
}

//  Take the frame at *offset, or go to the next one behind it: 1, or 0 if there is none.
static int
s_step(self_t *self, uint64_t *offset)
{
    artel_frame_t frame;
    const void *data;
    uint64_t next;
    int rc = artel_segment_frame(&self->segment, *offset, &frame, &data);
    if (rc > 0) {
        *offset += artel_frame_size(frame.len);
        rc = s_on_frame(self, &frame, data);
        return rc == 0 ? 1 : rc;
    }
    if (rc == 0)
        rc = artel_segment_find(&self->segment, *offset, &next);
    if (rc > 0) {
        self->damaged = self->damaged || next > *offset;
        *offset = next;
    }
    return rc;
}

//  Every frame that verifies, from *offset on.
static int
s_read_on(self_t *self, uint64_t *offset)
{
    int rc;
    while ((rc = s_step(self, offset)) > 0)
        continue;
    return rc;
}

//  A segment, and whether there are other bytes behind its last frame; then *next, the
//  one behind it: 1, or 0 if there is none.
static int
s_read_segment(self_t *self, const char *folder, artel_id_t writer, artel_segment_start_t *next)
{
    uint64_t offset = ARTEL_SEGMENT_MARK;
    int rc = s_read_on(self, &offset);
    int more = rc < 0 ? rc : artel_segment_find_next(folder, writer, next->number, true, next);
    if (more > 0) {                             //  only now is this one final
        artel_segment_forget(&self->segment);
        rc = s_read_on(self, &offset);
    }
    if (rc == 0)
        rc = artel_segment_is_blank(&self->segment, offset);
    self->found.torn = self->found.torn || rc == 0;
    return rc < 0 ? rc : more;
}

//  The latest segment whose head verifies, or 0.
static int
s_find_start(self_t *self, const char *folder, artel_id_t writer, uint32_t *ret)
{
    uint32_t number = UINT32_MAX;
    int rc;
    while ((rc = artel_segment_before(folder, number, &number)) > 0) {
        artel_frame_t head;
        const void *data;
        rc = artel_segment_open(&self->segment, folder, writer, number);
        if (rc == 0)
            rc = artel_segment_head(&self->segment, &head, &data);
        if (rc > 0) {
            self->found.last = self->found.sound = head.counter;
            *ret = number;
        }
        if (rc != 0)
            return rc < 0 ? rc : 0;
    }
    *ret = 0;
    return rc;
}

static int
s_read_all(self_t *self, const char *folder, artel_id_t writer, uint32_t number)
{
    artel_segment_start_t next = { .number = number };
    int rc;
    do {
        artel_frame_t head;
        const void *data;
        rc = artel_segment_open(&self->segment, folder, writer, next.number);
        if (rc == 0)
            rc = artel_segment_head(&self->segment, &head, &data);
        if (rc >= 0)
            rc = s_read_segment(self, folder, writer, &next);
    } while (rc > 0);
    return rc;
}

int
artel_survey(const char *folder, artel_id_t writer, bool whole, artel_survey_t *ret)
{
    self_t self = { .segment = ARTEL_SEGMENT_NONE };
    uint32_t number = 0;
    int rc = whole ? 0 : s_find_start(&self, folder, writer, &number);
    if (rc == 0 && number == 0) {
        rc = artel_segment_after(folder, 0, &number);
        rc = rc == 0 ? ARTEL_ENOENT : rc > 0 ? 0 : rc;
    }
    if (rc == 0)
        rc = s_read_all(&self, folder, writer, number);
    if (rc == 0 && !self.any)
        rc = ARTEL_ECORRUPT;
    s_was_durable(&self, self.base, self.durable);
    artel_segment_done(&self.segment);
    if (rc == 0)
        *ret = self.found;
    else
        artel_survey_done(&self.found);
    return rc;
}

void
artel_survey_done(artel_survey_t *self)
{
    free(self->holes);
    free(self->head);
    *self = (artel_survey_t) { .last = 0 };
}

artel_journal_class_t
artel_survey_class(const artel_survey_t *self)
{
    artel_journal_class_t class = self->torn ? ARTEL_JOURNAL_TORN_TAIL : ARTEL_JOURNAL_CLEAN;
    for (size_t i = 0; i < self->n_holes; i++)
        if (self->holes[i].durable)
            return ARTEL_JOURNAL_CORRUPT;
        else
            class = ARTEL_JOURNAL_UNSYNCED_HOLE;
    return class;
}
