//  steps.c - the last batch of each journal of a run, and the step its head has.

#include "steps.h"

#include "batch.h"
#include "errors.h"
#include "head.h"
#include "layout.h"
#include "retire.h"
#include "segment.h"

#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

//  The step in the head of a batch: 1, or 0 if that is no batch.
static int
s_of_batch(const void *data, size_t len, int64_t *ret)
{
    msgpack_zone zone;
    artel_batch_reader_t reader;
    if (!msgpack_zone_init(&zone, 8192))
        return ARTEL_ENOMEM;
    int rc = artel_batch_read(data, len, &zone, &reader);
    if (rc == 0)
        *ret = reader.head.next_step;
    msgpack_zone_destroy(&zone);
    return rc == 0 ? 1 : rc == ARTEL_EPROTO ? 0 : rc;
}

//  The step in the head of a retired journal: 1, or 0 if there is none.
static int
s_of_head(const void *data, size_t len, int64_t *ret)
{
    const char *text = artel_head_get(data, len, "next_step");
    if (text)
        *ret = strtoll(text, NULL, 10);
    return text != NULL;
}

static bool
s_has_step(const artel_frame_t *frame)
{
    return frame->kind == ARTEL_FRAME_BATCH
           || (frame->kind == ARTEL_FRAME_HEAD && frame->flags & ARTEL_FRAME_START);
}

//  The last frame of a segment that has a step: 1 and where it is, 0, or a code.
static int
s_find_last(artel_segment_t *segment, uint64_t *ret)
{
    uint64_t offset = ARTEL_SEGMENT_MARK;
    int rc, found = 0;
    do {
        artel_frame_t frame;
        const void *data;
        rc = artel_segment_frame(segment, offset, &frame, &data);
        if (rc > 0 && s_has_step(&frame)) {
            *ret = offset;
            found = 1;
        }
        if (rc > 0)
            offset += artel_frame_size(frame.len);
        else if (rc == 0)
            rc = artel_segment_find(segment, offset, &offset);
    } while (rc > 0);
    return rc < 0 ? rc : found;
}

static int
s_of_segment(artel_segment_t *segment, int64_t *ret)
{
    artel_frame_t frame;
    const void *data;
    uint64_t offset;
    int rc = s_find_last(segment, &offset);
    if (rc > 0)
        rc = artel_segment_frame(segment, offset, &frame, &data);
    if (rc <= 0)
        return rc;
    return (frame.kind == ARTEL_FRAME_BATCH ? s_of_batch : s_of_head)(data, frame.len, ret);
}

int
artel_journal_next_step(const char *folder, artel_id_t writer, int64_t *ret)
{
    artel_segment_t segment = ARTEL_SEGMENT_NONE;
    uint32_t number = UINT32_MAX;
    int rc, found = 0;
    while (found == 0 && (rc = artel_segment_before(folder, number, &number)) > 0) {
        rc = artel_segment_open(&segment, folder, writer, number);
        found = rc == 0 ? s_of_segment(&segment, ret) : rc;
    }
    artel_segment_done(&segment);
    return found == 0 ? rc : found;
}

//  The rank that wrote it, from the newest head that verifies: -1 if it is none, or that
//  cannot be told.
static int64_t
s_rank(const char *folder, artel_id_t writer)
{
    artel_segment_t segment = ARTEL_SEGMENT_NONE;
    uint32_t number = UINT32_MAX;
    const char *text = NULL;
    artel_frame_t head;
    const void *data;
    int found = 0;
    while (found == 0 && artel_segment_before(folder, number, &number) > 0)
        if (artel_segment_open(&segment, folder, writer, number) == 0)
            found = artel_segment_head(&segment, &head, &data);
    if (found > 0)
        text = artel_head_get(data, head.len, "rank");
    int64_t rank = text ? strtoll(text, NULL, 10) : -1;
    artel_segment_done(&segment);
    return rank;
}

typedef struct {
    const char *state;
    int64_t rank;               //  -1: any
    bool any;
    int64_t step;
} highest_t;

static int
s_on_journal(void *arg, const char *run, artel_id_t writer)
{
    highest_t *self = arg;
    char *folder;
    int64_t step;
    int rc = artel_journal_folder(self->state, run, writer, &folder);
    if (rc != 0)
        return rc;
    if (self->rank < 0 || s_rank(folder, writer) == self->rank)
        rc = artel_journal_next_step(folder, writer, &step);
    free(folder);
    if (rc > 0 && (!self->any || step > self->step)) {
        self->any = true;
        self->step = step;
    }
    bool passed = rc >= 0 || rc == ARTEL_ENOENT || rc == ARTEL_ECORRUPT || rc == ARTEL_EVERSION;
    return passed ? 0 : rc;
}

int
artel_run_next_step(const char *state, const char *run, int64_t rank, int64_t *ret)
{
    highest_t highest = { .state = state, .rank = rank };
    if (!artel_is_run_id(run, strlen(run)))
        return ARTEL_EINVAL;
    int rc = artel_journal_each_of(state, run, s_on_journal, &highest);
    if (rc == 0 || rc == ARTEL_ENOENT)
        *ret = highest.step;
    return rc == ARTEL_ENOENT ? 0 : rc;
}
