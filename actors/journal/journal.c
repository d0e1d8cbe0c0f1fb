//  journal.c - appending frames, and making them durable.
//
//  The appender's thread writes, opens segments and publishes `newest`, then
//  `accepted`. The syncing thread reads `accepted`, then `newest`: every frame
//  up to that counter is in the segments from `oldest` to that one. Each is
//  closed when it is synced and there is a next.

#include "appender.h"

#include "bounds.h"
#include "errors.h"
#include "fds.h"
#include "frame.h"
#include "layout.h"
#include "state.h"
#include "tail.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    AT_ONCE = 64,               //  frames in one pwritev: three parts each, below IOV_MAX
    DOUBLINGS = 8,              //  from the smallest segment to the largest
};

_Static_assert(ARTEL_SEGMENT_MIN << DOUBLINGS == ARTEL_SEGMENT_MAX, "segments double up to the largest");

struct artel_journal {
    artel_appender_t of;
    unsigned generation;        //  of forks, when it was opened
    unsigned opened;            //  segments so far
    artel_tail_t *oldest;          //  not synced whole; the syncing thread's
    uint32_t named;             //  newest segment whose name is durable; the syncing thread's
    artel_tail_t *_Atomic newest;
    atomic_uint_fast64_t accepted, durable;     //  counters
    atomic_uint_fast64_t written, synced;       //  bytes
    atomic_int failed;          //  why nothing will ever be durable again, or 0
    atomic_uint failed_at;      //  the segment that was, or 0: the folder; set before it
};

static int
s_fail(artel_journal_t *self, int code, uint32_t segment)
{
    atomic_store(&self->failed_at, segment);
    atomic_store(&self->failed, code);
    return code;
}

static uint64_t
s_get(const atomic_uint_fast64_t *at)
{
    return atomic_load_explicit(at, memory_order_acquire);
}

static void
s_set(atomic_uint_fast64_t *at, uint64_t value)
{
    atomic_store_explicit(at, value, memory_order_release);
}

//  The mark and the head.
static int
s_write_head(artel_journal_t *self, artel_tail_t *segment, bool opening)
{
    const artel_appender_t *of = &self->of;
    artel_frame_t head = {
        .kind = ARTEL_FRAME_HEAD, .flags = !opening ? 0 : ARTEL_FRAME_OPENING | (of->start ? ARTEL_FRAME_START : 0),
        .len = (uint32_t) of->head_len, .counter = s_get(&self->accepted),
        .durable = opening ? of->sound : s_get(&self->durable),
        .sum = artel_frame_sum(of->head, of->head_len, segment->seed) };
    uint8_t header[ARTEL_FRAME_HEADER];
    artel_frame_encode(&head, segment->seed, header);
    struct iovec parts[] = {
        { (void *) (uintptr_t) ARTEL_SEGMENT_TEXT, ARTEL_SEGMENT_MARK },
        { header, sizeof header },
        { of->head, of->head_len },
    };
    segment->end = ARTEL_SEGMENT_MARK + artel_frame_size(of->head_len);
    return artel_tail_write(segment, parts, 3, 0);
}

//  Make a segment with room for the frames to come, at least `bytes`. Once its
//  head is there it is the newest, whatever becomes of them: a reader that saw
//  it takes the one before for finished.
static int
s_segment_new(artel_journal_t *self, uint32_t number, uint64_t bytes, artel_tail_t **ret)
{
    artel_tail_t *segment;
    unsigned doublings = self->opened < DOUBLINGS ? self->opened : DOUBLINGS;
    uint64_t need = ARTEL_SEGMENT_MARK + artel_frame_size(self->of.head_len) + bytes;
    uint64_t room = (uint64_t) ARTEL_SEGMENT_MIN << doublings;
    int rc = artel_tail_new(self->of.folder, self->of.writer, number, room > need ? room : need, &segment);
    if (rc != 0)
        return rc;
    rc = s_write_head(self, segment, self->opened == 0);
    if (rc != 0) {
        artel_segment_unlink(self->of.folder, segment->number);
        artel_tail_destroy(&segment);
        return rc;
    }
    self->opened++;
    *ret = segment;
    return 0;
}

//  In a forked child the descriptors are closed already, and their numbers perhaps another's.
static void
s_free(artel_journal_t *self)
{
    bool ours = self->generation == artel_fork_generation();
    for (artel_tail_t *segment = self->oldest; segment; ) {
        artel_tail_t *next = segment->next;
        if (!ours)
            segment->fd = -1;
        artel_tail_destroy(&segment);
        segment = next;
    }
    free(self);
}

int
artel_journal_start(const artel_appender_t *with, artel_journal_t **ret)
{
    artel_journal_t *self = calloc(1, sizeof *self);
    if (!self)
        return ARTEL_ENOMEM;
    self->of = *with;
    self->generation = artel_fork_generation();
    atomic_init(&self->accepted, with->counter);
    atomic_init(&self->durable, with->counter);
    int rc = s_segment_new(self, with->number, 0, &self->oldest);
    if (rc == 0) {
        atomic_init(&self->newest, self->oldest);
        self->named = self->oldest->number;
        rc = artel_tail_sync(self->oldest);
        if (rc == 0)
            rc = artel_sync_dir(with->folder);
        if (rc != 0)
            artel_segment_unlink(with->folder, self->named);
    }
    if (rc == 0)
        *ret = self;
    else
        s_free(self);
    return rc;
}

void
artel_journal_moved(artel_journal_t *self, char *folder)
{
    free(self->of.folder);
    self->of.folder = folder;
}

//  Whether these frames may be appended, and how many bytes they take.
static int
s_check(const artel_journal_t *self, const artel_journal_frame_t *frames, size_t n, uint64_t *ret)
{
    if (self->generation != artel_fork_generation())
        return ARTEL_EFORKED;
    int failed = atomic_load(&self->failed);
    if (failed)
        return failed;
    uint64_t counter = s_get(&self->accepted), bytes = 0;
    for (size_t i = 0; i < n; i++) {
        if (frames[i].counter != ++counter || frames[i].len > ARTEL_MAX_MESSAGE)
            return ARTEL_EINVAL;
        bytes += artel_frame_size(frames[i].len);
    }
    *ret = bytes;
    return 0;
}

//  Write up to AT_ONCE frames at offset.
static int
s_write_frames(artel_journal_t *self, const artel_tail_t *segment,
               const artel_journal_frame_t *frames, size_t n, uint64_t offset)
{
    static const uint8_t zeros[8];
    uint8_t headers[AT_ONCE][ARTEL_FRAME_HEADER];
    struct iovec parts[3 * AT_ONCE], *part = parts;
    for (size_t i = 0; i < n; i++) {
        const artel_journal_frame_t *from = &frames[i];
        artel_frame_t frame = {
            .kind = ARTEL_FRAME_BATCH, .len = (uint32_t) from->len, .counter = from->counter,
            .durable = s_get(&self->durable),
            .sum = artel_frame_sum(from->data, from->len, segment->seed) };
        artel_frame_encode(&frame, segment->seed, headers[i]);
        *part++ = (struct iovec) { headers[i], ARTEL_FRAME_HEADER };
        *part++ = (struct iovec) { (void *) (uintptr_t) from->data, from->len };
        *part++ = (struct iovec) { (void *) (uintptr_t) zeros, artel_frame_pad(from->len) };
    }
    return artel_tail_write(segment, parts, (int) (part - parts), offset);
}

//  Take back what a failed write left behind the last frame: whole frames among
//  it would be read. Cutting gives the reserved room away, so the next append
//  opens a new segment. If even that fails, nothing may follow.
static void
s_cut(artel_journal_t *self, artel_tail_t *segment)
{
    static const uint8_t zeros[ARTEL_FRAME_HEADER];
    segment->room = segment->end;
    if (ftruncate(segment->fd, (off_t) segment->end) == 0)
        return;
    struct iovec first = { (void *) (uintptr_t) zeros, sizeof zeros };
    artel_tail_write(segment, &first, 1, segment->end);
    s_fail(self, ARTEL_EIO, segment->number);
}

//  All frames behind each other, or none.
static int
s_write_all(artel_journal_t *self, artel_tail_t *segment, const artel_journal_frame_t *frames, size_t n)
{
    uint64_t offset = segment->end;
    for (size_t i = 0; i < n; ) {
        size_t some = n - i < AT_ONCE ? n - i : AT_ONCE;
        int rc = s_write_frames(self, segment, frames + i, some, offset);
        if (rc != 0) {
            s_cut(self, segment);
            return rc;
        }
        for (size_t last = i + some; i < last; i++)
            offset += artel_frame_size(frames[i].len);
    }
    segment->end = offset;
    return 0;
}

//  The segment that takes so many bytes more: the newest, or a new one.
static int
s_segment_for(artel_journal_t *self, uint64_t bytes, artel_tail_t **ret)
{
    artel_tail_t *segment = atomic_load_explicit(&self->newest, memory_order_relaxed);
    *ret = segment;
    if (segment->end + bytes <= segment->room)
        return artel_tail_wake(segment, self->of.folder);
    int rc = artel_tail_reopen(segment, self->of.folder);           //  syncing goes through it
    if (rc == 0)
        rc = s_segment_new(self, segment->number + 1, bytes, ret);
    if (rc != 0)
        return rc;
    segment->next = *ret;
    atomic_store_explicit(&self->newest, *ret, memory_order_release);
    return 0;
}

int
artel_journal_append(artel_journal_t *self, const artel_journal_frame_t *frames, size_t n)
{
    uint64_t bytes;
    artel_tail_t *segment;
    int rc = s_check(self, frames, n, &bytes);
    if (rc != 0 || n == 0)
        return rc;
    rc = s_segment_for(self, bytes, &segment);
    if (rc == 0)
        rc = s_write_all(self, segment, frames, n);
    if (rc != 0)
        return rc;
    s_set(&self->written, s_get(&self->written) + bytes);
    s_set(&self->accepted, frames[n - 1].counter);
    return 0;
}

static int
s_sync_segment(artel_journal_t *self, const artel_tail_t *segment)
{
    int rc = artel_tail_sync(segment);
    return rc == 0 ? 0 : s_fail(self, rc, segment->number);
}

static int
s_sync_folder(artel_journal_t *self, uint32_t newest)
{
    if (self->named == newest)
        return 0;
    int rc = artel_sync_dir(self->of.folder);
    if (rc != 0)
        return s_fail(self, rc, 0);
    self->named = newest;
    return 0;
}

//  Make the segments up to `last` durable, close those behind which there is another.
static int
s_sync_segments(artel_journal_t *self, const artel_tail_t *last)
{
    int rc = 0;
    while (rc == 0 && self->oldest != last) {
        artel_tail_t *segment = self->oldest;
        artel_tail_trim(segment, segment->end);
        rc = s_sync_segment(self, segment);
        if (rc == 0) {
            self->oldest = segment->next;
            artel_tail_destroy(&segment);
        }
    }
    if (rc == 0)
        rc = s_sync_segment(self, last);
    return rc == 0 ? s_sync_folder(self, last->number) : rc;
}

int
artel_journal_sync(artel_journal_t *self, uint64_t *ret_counter)
{
    if (self->generation != artel_fork_generation())
        return ARTEL_EFORKED;
    int rc = atomic_load(&self->failed);
    if (rc != 0)
        return rc;
    uint64_t written = s_get(&self->written), accepted = s_get(&self->accepted);
    if (accepted != s_get(&self->durable)) {
        rc = s_sync_segments(self, atomic_load_explicit(&self->newest, memory_order_acquire));
        if (rc != 0)
            return rc;
        s_set(&self->synced, written);
        s_set(&self->durable, accepted);
    }
    *ret_counter = accepted;
    return 0;
}

void
artel_journal_rest(artel_journal_t *self)
{
    artel_tail_t *segment = atomic_load_explicit(&self->newest, memory_order_relaxed);
    if (segment->fd >= 0 && s_get(&self->accepted) == s_get(&self->durable) && !atomic_load(&self->failed))
        artel_tail_rest(segment);
}

//  Say that this is the end, behind data that is durable, and give back the rest of the room.
static void
s_seal(artel_journal_t *self)
{
    uint64_t counter;
    if (artel_journal_sync(self, &counter) != 0)
        return;
    artel_tail_t *segment = self->newest;
    if (artel_tail_reopen(segment, self->of.folder) != 0)
        return;
    artel_frame_t seal = { .kind = ARTEL_FRAME_SEAL, .counter = counter, .durable = counter,
                           .sum = artel_frame_sum("", 0, segment->seed) };
    uint8_t header[ARTEL_FRAME_HEADER];
    artel_frame_encode(&seal, segment->seed, header);
    struct iovec part = { header, sizeof header };
    if (artel_tail_write(segment, &part, 1, segment->end) != 0)
        return;
    artel_tail_trim(segment, segment->end + sizeof header);
    artel_tail_sync(segment);
}

void
artel_journal_close(artel_journal_t **self_p)
{
    artel_journal_t *self = *self_p;
    if (!self)
        return;
    bool ours = self->generation == artel_fork_generation();
    int lock = self->of.lock;
    if (ours)
        s_seal(self);
    free(self->of.folder);
    free(self->of.head);
    s_free(self);
    if (ours)
        artel_fd_close(lock);                   //  last: who gets it finds a finished journal
    *self_p = NULL;
}

int
artel_journal_failed(const artel_journal_t *self, char *ret_path, size_t size)
{
    int code = atomic_load(&self->failed);
    unsigned segment = code != 0 ? atomic_load(&self->failed_at) : 0;
    if (segment)
        snprintf(ret_path, size, "%s/%08u.seg", self->of.folder, segment);
    else if (code != 0)
        snprintf(ret_path, size, "%s", self->of.folder);
    return code;
}

uint64_t
artel_journal_accepted(const artel_journal_t *self)
{
    return s_get(&self->accepted);
}

uint64_t
artel_journal_durable(const artel_journal_t *self)
{
    return s_get(&self->durable);
}

uint64_t
artel_journal_dirty_bytes(const artel_journal_t *self)
{
    return s_get(&self->written) - s_get(&self->synced);
}
