//  outbox.c - open batches and sealed batches.

#include "outbox.h"

#include "actor.h"
#include "bounds.h"
#include "history.h"
#include "wait.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD_BYTES = 256 };      //  more than a batch's head without its keys and xids

int
artel_outbox_init(artel_outbox_t *self, const char *run, artel_id_t writer)
{
    memset(self, 0, sizeof *self);
    artel_cond_init(&self->room);
    artel_brief_lock_init(&self->lock);
    strncpy(self->run, run, sizeof self->run - 1);
    self->writer = writer;
    self->counter = 1;
    msgpack_sbuffer_init(&self->open);
    msgpack_sbuffer_init(&self->xids);
    return artel_keys_init(&self->keys);
}

void
artel_sealed_free(artel_sealed_t *first)
{
    for (artel_sealed_t *sealed = first, *next; sealed; sealed = next) {
        next = sealed->next;
        zmq_msg_close(&sealed->frame);
        free(sealed);
    }
}

void
artel_outbox_done(artel_outbox_t *self)
{
    artel_sealed_free(self->first);
    artel_keys_done(&self->keys);
    free(self->cells);
    msgpack_sbuffer_destroy(&self->open);
    msgpack_sbuffer_destroy(&self->xids);
    pthread_cond_destroy(&self->room);
    pthread_mutex_destroy(&self->lock);
}

//  Bytes the open batch would have if it were sealed now.
static size_t
s_open_size(const artel_outbox_t *self)
{
    return HEAD_BYTES + self->open.size + self->xids.size + self->keys.open_bytes;
}

static bool
s_has_room(const artel_outbox_t *self)
{
    return self->queued_bytes + s_open_size(self) < ARTEL_CREDIT;
}

static int
s_drop(artel_outbox_t *self, int code)
{
    self->dropped++;
    return code;
}

int
artel_outbox_wait(artel_outbox_t *self, int wait_ms)
{
    if (s_has_room(self) && !self->closed && !self->dead)
        return 0;
    artel_deadline_t deadline = artel_deadline(self->stalled ? 0 : wait_ms);
    while (!self->closed && !self->dead && !s_has_room(self))
        if (!artel_wait(&self->room, &self->lock, deadline)) {
            self->stalled = true;
            return s_drop(self, self->refused ? self->refused : ARTEL_EFULL);
        }
    if (self->closed)
        return ARTEL_ECLOSED;
    return self->dead ? s_drop(self, self->dead) : 0;
}

static int
s_grow_cells(artel_outbox_t *self, size_t n)
{
    artel_cell_t *cells = n <= ARTEL_MAX_KEYS ? realloc(self->cells, n * sizeof *cells) : NULL;
    if (!cells)
        return n <= ARTEL_MAX_KEYS ? ARTEL_ENOMEM : ARTEL_ELIMIT;
    self->cells = cells;
    self->cap_cells = n;
    return 0;
}

//  The cell of a value; *bytes grows by what it takes at most.
static artel_cell_t
s_cell(const artel_value_t *value, size_t *bytes)
{
    *bytes += 14;
    switch (value->type) {
    case ARTEL_TYPE_INT: return (artel_cell_t) { .kind = ARTEL_I64, .i64 = value->i64 };
    case ARTEL_TYPE_BOOL: return (artel_cell_t) { .kind = ARTEL_BOOL, .flag = value->boolean };
    case ARTEL_TYPE_STRING:
        *bytes += strlen(value->string);
        return (artel_cell_t) { .kind = ARTEL_STR, .str = artel_str(value->string) };
    default: return (artel_cell_t) { .kind = ARTEL_F64, .f64 = value->f64 };
    }
}

//  Fill in the cells. ARTEL_ELIMIT: the batch, with them, would be too large.
static int
s_fill_cells(artel_outbox_t *self, const artel_value_t *values, size_t n)
{
    size_t bytes = 0;
    int rc = n <= self->cap_cells ? 0 : s_grow_cells(self, n);
    artel_keys_begin_row(&self->keys);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        self->cells[i] = s_cell(&values[i], &bytes);
        rc = artel_keys_index(&self->keys, values[i].key, &self->cells[i].key);
    }
    if (rc == 0 && (bytes > ARTEL_MAX_RECORD || s_open_size(self) + bytes > ARTEL_MAX_BATCH))
        rc = ARTEL_ELIMIT;
    return rc;
}

//  What is too large for the open batch may fit in one of its own.
static int
s_place_cells(artel_outbox_t *self, const artel_value_t *values, size_t n)
{
    size_t before = self->keys.n_open;
    int rc = s_fill_cells(self, values, n);
    if (rc != 0)
        artel_keys_undo(&self->keys, before);
    if (rc != ARTEL_ELIMIT || self->open.size == 0)
        return rc;
    rc = artel_outbox_seal(self);
    if (rc == 0)
        rc = s_fill_cells(self, values, n);
    if (rc != 0)
        artel_keys_undo(&self->keys, 0);
    return rc;
}

//  A record has been appended. If the batch is large it goes; if it can't be
//  sealed now it stays open, and the next record finds no place.
static void
s_appended(artel_outbox_t *self)
{
    self->logged++;
    if (s_open_size(self) >= ARTEL_BATCH_TARGET)
        (void) artel_outbox_seal(self);
}

//  A row could not be packed: the keys it brought go.
static int
s_unplace(artel_outbox_t *self, size_t before, int rc)
{
    artel_keys_undo(&self->keys, self->open.size ? before : 0);
    return rc;
}

int
artel_outbox_history(artel_outbox_t *self, int64_t step, const artel_value_t *values, size_t n)
{
    size_t before = self->keys.n_open;
    int rc = s_place_cells(self, values, n);
    if (rc != 0)
        return rc;
    if (step == ARTEL_AUTO_STEP)
        step = self->next_step;
    artel_msg_history_t history = { step, artel_wall_coarse_ms(), { self->cells, n } };
    rc = artel_pack_history(&history, &self->open);
    if (rc != 0)
        return s_unplace(self, before, rc);
    self->next_step = step < INT64_MAX ? step + 1 : step;
    s_appended(self);
    return 0;
}

int
artel_outbox_set(artel_outbox_t *self, artel_msg_id_t id, const artel_value_t *values, size_t n)
{
    size_t before = self->keys.n_open;
    int rc = s_place_cells(self, values, n);
    if (rc != 0)
        return rc;
    artel_msg_t msg = { .id = id };
    *(id == ARTEL_MSG_CONFIG ? &msg.config.row : &msg.summary.row) = (artel_row_t) { self->cells, n };
    rc = artel_msg_pack(&msg, &self->open);
    if (rc != 0)
        return s_unplace(self, before, rc);
    s_appended(self);
    return 0;
}

//  Append to the open batch, or to the next if that one has no place for it.
static int
s_append(artel_outbox_t *self, const char *record, size_t size, const artel_id_t *xid)
{
    if (size > ARTEL_MAX_RECORD)
        return ARTEL_ELIMIT;
    if (s_open_size(self) + sizeof *xid + size > ARTEL_MAX_BATCH && artel_outbox_seal(self) != 0)
        return ARTEL_ENOMEM;
    if (msgpack_sbuffer_write(&self->open, record, size) != 0)
        return ARTEL_ENOMEM;
    if (!xid || msgpack_sbuffer_write(&self->xids, (const char *) xid->at, sizeof xid->at) == 0)
        return 0;
    self->open.size -= size;
    return ARTEL_ENOMEM;
}

int
artel_outbox_add_packed(artel_outbox_t *self, const char *record, size_t size, const artel_id_t *xid,
                        uint64_t *ret_counter)
{
    int rc = s_append(self, record, size, xid);
    if (rc != 0)
        return rc;
    *ret_counter = self->counter;
    self->ends = artel_msg_peek(record, size) == ARTEL_MSG_EXIT;
    s_appended(self);
    return 0;
}

int
artel_outbox_add(artel_outbox_t *self, const artel_msg_t *record, uint64_t *ret_counter)
{
    msgpack_sbuffer packed;
    msgpack_sbuffer_init(&packed);
    int rc = artel_msg_pack(record, &packed);
    if (rc == 0)
        rc = artel_outbox_add_packed(self, packed.data, packed.size, NULL, ret_counter);
    msgpack_sbuffer_destroy(&packed);
    return rc;
}

//  The frame of a batch: its head, then its records.
static int
s_make_frame(artel_outbox_t *self, zmq_msg_t *ret)
{
    msgpack_sbuffer head;
    msgpack_sbuffer_init(&head);
    int rc = artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_BATCH, .batch = {
        .run = artel_str(self->run), .writer = self->writer, .counter = self->counter,
        .keys = { self->keys.open, self->keys.n_open },
        .xids = { self->xids.data, self->xids.size }, .ends = self->ends,
        .next_step = self->next_step } }, &head);
    if (rc == 0 && zmq_msg_init_size(ret, head.size + self->open.size) != 0)
        rc = ARTEL_ENOMEM;
    if (rc == 0) {
        memcpy(zmq_msg_data(ret), head.data, head.size);
        memcpy((char *) zmq_msg_data(ret) + head.size, self->open.data, self->open.size);
    }
    msgpack_sbuffer_destroy(&head);
    return rc;
}

int
artel_outbox_seal(artel_outbox_t *self)
{
    if (self->open.size == 0)
        return 0;
    artel_sealed_t *sealed = malloc(sizeof *sealed);
    if (!sealed || s_make_frame(self, &sealed->frame) != 0) {
        free(sealed);
        return ARTEL_ENOMEM;
    }
    sealed->next = NULL;
    sealed->counter = self->counter++;
    sealed->records = self->logged;
    sealed->size = zmq_msg_size(&sealed->frame) + ARTEL_BATCH_COST;
    self->queued_bytes += sealed->size;
    *(self->last ? &self->last->next : &self->first) = sealed;
    self->last = sealed;
    if (!self->unsent)
        self->unsent = sealed;
    msgpack_sbuffer_clear(&self->open);
    msgpack_sbuffer_clear(&self->xids);
    artel_keys_begin_batch(&self->keys, self->counter);
    return 0;
}

uint64_t
artel_outbox_last(const artel_outbox_t *self)
{
    return self->open.size ? self->counter : self->counter - 1;
}

bool
artel_outbox_next(artel_outbox_t *self, size_t credit, zmq_msg_t *ret)
{
    artel_sealed_t *sealed = self->unsent;
    if (!sealed || (self->sent_bytes && self->sent_bytes + sealed->size > credit))
        return false;
    zmq_msg_init(ret);
    zmq_msg_copy(ret, &sealed->frame);
    self->sent_bytes += sealed->size;
    self->unsent = sealed->next;
    return true;
}

//  The oldest batch leaves the queue.
static void
s_leave(artel_outbox_t *self, artel_sealed_t *sealed)
{
    self->first = sealed->next;
    if (self->unsent == sealed)                 //  accepted in an earlier life
        self->unsent = sealed->next;
    else
        self->sent_bytes -= sealed->size;
    self->queued_bytes -= sealed->size;
    self->accepted_records = sealed->records;
}

artel_sealed_t *
artel_outbox_accept(artel_outbox_t *self, uint64_t counter)
{
    artel_sealed_t *left = self->first, *last = NULL;
    if (counter > self->accepted)
        self->accepted = counter;
    while (self->first && self->first->counter <= counter)
        s_leave(self, last = self->first);
    if (!last)
        return NULL;
    last->next = NULL;
    if (!self->first)
        self->last = NULL;
    self->stalled = false;
    self->refused = 0;
    pthread_cond_broadcast(&self->room);
    return left;
}

void
artel_outbox_end(artel_outbox_t *self, int code)
{
    self->dead = code;
    pthread_cond_broadcast(&self->room);
}

void
artel_outbox_rewind(artel_outbox_t *self)
{
    self->unsent = self->first;
    self->sent_bytes = 0;
}
