//  outbox.c - open batches, sealed batches, and the keys of a run.

#include "artel.h"
#include "outbox.h"

#include "bounds.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

int
artel_outbox_init(artel_outbox_t *self, const char *run, artel_id_t writer)
{
    memset(self, 0, sizeof *self);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&self->room, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&self->lock, NULL);
    strncpy(self->run, run, sizeof self->run - 1);
    self->writer = writer;
    self->counter = 1;
    msgpack_sbuffer_init(&self->open);
    msgpack_sbuffer_init(&self->xids);
    self->table_size = 64;
    self->table = calloc(self->table_size, sizeof *self->table);
    return self->table ? 0 : ARTEL_ENOMEM;
}

static void
s_free_sealed(artel_sealed_t *sealed)
{
    zmq_msg_close(&sealed->frame);
    free(sealed);
}

void
artel_outbox_done(artel_outbox_t *self)
{
    for (artel_sealed_t *s = self->first, *next; s; s = next) {
        next = s->next;
        s_free_sealed(s);
    }
    for (size_t i = 0; i < self->table_size; i++)
        free(self->table[i].text);
    free(self->table);
    free(self->keys);
    msgpack_sbuffer_destroy(&self->open);
    msgpack_sbuffer_destroy(&self->xids);
    pthread_cond_destroy(&self->room);
    pthread_mutex_destroy(&self->lock);
}

//  The slot of a key, or the free one where it goes.
static artel_key_t *
s_slot(artel_key_t *table, size_t size, const char *text, size_t len, uint64_t hash)
{
    for (size_t i = hash & (size - 1); ; i = (i + 1) & (size - 1)) {
        artel_key_t *slot = &table[i];
        if (!slot->text || (slot->hash == hash && slot->len == len
                            && memcmp(slot->text, text, len) == 0))
            return slot;
    }
}

static int
s_grow_table(artel_outbox_t *self)
{
    size_t size = self->table_size * 2;
    artel_key_t *table = calloc(size, sizeof *table);
    if (!table)
        return ARTEL_ENOMEM;
    for (size_t i = 0; i < self->table_size; i++) {
        artel_key_t *old = &self->table[i];
        if (old->text)
            *s_slot(table, size, old->text, old->len, old->hash) = *old;
    }
    free(self->table);
    self->table = table;
    self->table_size = size;
    return 0;
}

//  A key the run has not had before.
static int
s_new_key(artel_outbox_t *self, const char *text, size_t len, uint64_t hash, artel_key_t **ret)
{
    if (len == 0 || len > ARTEL_MAX_KEY || !artel_is_utf8(text, len))
        return ARTEL_EINVAL;
    if (self->table_used == ARTEL_MAX_KEYS)
        return ARTEL_ELIMIT;
    if (self->table_used * 2 >= self->table_size && s_grow_table(self) != 0)
        return ARTEL_ENOMEM;
    char *copy = strndup(text, len);
    if (!copy)
        return ARTEL_ENOMEM;
    artel_key_t *slot = s_slot(self->table, self->table_size, text, len, hash);
    *slot = (artel_key_t) { .text = copy, .len = (uint32_t) len, .hash = hash };
    self->table_used++;
    *ret = slot;
    return 0;
}

//  Give a key its index in the open batch.
static int
s_index_key(artel_outbox_t *self, artel_key_t *key)
{
    if (self->n_keys == self->cap_keys) {
        size_t cap = self->cap_keys ? self->cap_keys * 2 : 16;
        artel_str_t *keys = realloc(self->keys, cap * sizeof *keys);
        if (!keys)
            return ARTEL_ENOMEM;
        self->keys = keys;
        self->cap_keys = cap;
    }
    self->keys[self->n_keys] = (artel_str_t) { key->text, key->len };
    key->index = (uint32_t) self->n_keys++;
    key->batch = self->counter;
    return 0;
}

int
artel_outbox_key(artel_outbox_t *self, const char *text, uint32_t *ret_index)
{
    if (!text)
        return ARTEL_EINVAL;
    size_t len = strlen(text);
    uint64_t hash = XXH3_64bits(text, len);
    artel_key_t *key = s_slot(self->table, self->table_size, text, len, hash);
    int rc = key->text ? 0 : s_new_key(self, text, len, hash, &key);
    if (rc == 0 && key->batch != self->counter)
        rc = s_index_key(self, key);
    if (rc == 0)
        *ret_index = key->index;
    return rc;
}

//  Room for what one more record can need, so that a batch stays within bounds.
static bool
s_is_large(const artel_outbox_t *self)
{
    return self->open.size >= ARTEL_BATCH_TARGET;
}

int
artel_outbox_add(artel_outbox_t *self, const artel_msg_t *record, uint64_t *ret_counter)
{
    size_t before = self->open.size;
    int rc = artel_msg_pack(record, &self->open);
    if (rc == 0 && self->open.size - before > ARTEL_MAX_RECORD) {
        self->open.size = before;
        rc = ARTEL_ELIMIT;
    }
    if (rc == 0 && record->id == ARTEL_MSG_ARTIFACT_SEND)
        rc = msgpack_sbuffer_write(&self->xids, (const char *) record->artifact_send.xid.at,
                                   sizeof(artel_id_t)) == 0 ? 0 : ARTEL_ENOMEM;
    if (rc != 0)
        return rc;
    self->logged++;
    *ret_counter = self->counter;
    return s_is_large(self) ? artel_outbox_seal(self) : 0;
}

//  The frame of a batch: its head, then its records.
static int
s_make_frame(artel_outbox_t *self, zmq_msg_t *ret)
{
    msgpack_sbuffer head;
    msgpack_sbuffer_init(&head);
    int rc = artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_BATCH, .batch = {
        .run = artel_str(self->run), .writer = self->writer, .counter = self->counter,
        .keys = { self->keys, self->n_keys },
        .xids = { self->xids.data, self->xids.size } } }, &head);
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
    self->queued_bytes += zmq_msg_size(&sealed->frame);
    *(self->last ? &self->last->next : &self->first) = sealed;
    self->last = sealed;
    if (!self->unsent)
        self->unsent = sealed;
    msgpack_sbuffer_clear(&self->open);
    msgpack_sbuffer_clear(&self->xids);
    self->n_keys = 0;
    return 0;
}

bool
artel_outbox_next(artel_outbox_t *self, size_t credit, zmq_msg_t *ret)
{
    artel_sealed_t *sealed = self->unsent;
    if (!sealed || (self->sent_bytes && self->sent_bytes + zmq_msg_size(&sealed->frame) > credit))
        return false;
    zmq_msg_init(ret);
    zmq_msg_copy(ret, &sealed->frame);
    self->sent_bytes += zmq_msg_size(&sealed->frame);
    self->unsent = sealed->next;
    return true;
}

void
artel_outbox_accept(artel_outbox_t *self, uint64_t counter)
{
    bool freed = false;
    while (self->first && self->first->counter <= counter) {
        artel_sealed_t *sealed = self->first;
        size_t size = zmq_msg_size(&sealed->frame);
        self->first = sealed->next;
        if (self->unsent == sealed)             //  accepted in an earlier life
            self->unsent = sealed->next;
        else
            self->sent_bytes -= size;
        self->queued_bytes -= size;
        self->accepted_records = sealed->records;
        s_free_sealed(sealed);
        freed = true;
    }
    if (!self->first)
        self->last = NULL;
    if (counter > self->accepted)
        self->accepted = counter;
    if (freed)
        pthread_cond_broadcast(&self->room);
}

void
artel_outbox_rewind(artel_outbox_t *self)
{
    self->unsent = self->first;
    self->sent_bytes = 0;
}
