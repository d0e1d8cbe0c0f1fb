//  keys.c - the keys of a run.

#include "keys.h"

#include "bounds.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { KEY_HEAD = 3 };          //  most bytes of a packed key's length

int
artel_keys_init(artel_keys_t *self)
{
    *self = (artel_keys_t) { .size = 64, .batch = 1 };
    self->table = calloc(self->size, sizeof *self->table);
    return self->table ? 0 : ARTEL_ENOMEM;
}

void
artel_keys_done(artel_keys_t *self)
{
    for (size_t i = 0; self->table && i < self->size; i++)
        free(self->table[i]);
    free(self->table);
    free(self->open);
    *self = (artel_keys_t) { 0 };
}

//  The slot of a key, or the free one where it goes.
static artel_key_t **
s_slot(artel_key_t **table, size_t size, artel_str_t text, uint64_t hash)
{
    for (size_t i = hash & (size - 1); ; i = (i + 1) & (size - 1)) {
        const artel_key_t *key = table[i];
        if (!key || (key->hash == hash && key->len == text.len
                     && memcmp(key->text, text.at, text.len) == 0))
            return &table[i];
    }
}

static int
s_grow(artel_keys_t *self)
{
    size_t size = self->size * 2;
    artel_key_t **table = calloc(size, sizeof *table);
    if (!table)
        return ARTEL_ENOMEM;
    for (size_t i = 0; i < self->size; i++) {
        artel_key_t *key = self->table[i];
        if (key)
            *s_slot(table, size, (artel_str_t) { key->text, key->len }, key->hash) = key;
    }
    free(self->table);
    self->table = table;
    self->size = size;
    return 0;
}

//  A key the run has not had before.
static int
s_new_key(artel_keys_t *self, artel_str_t text, uint64_t hash, artel_key_t **ret)
{
    if (text.len == 0 || text.len > ARTEL_MAX_KEY || !artel_is_utf8(text.at, text.len))
        return ARTEL_EINVAL;
    if (self->used == ARTEL_MAX_KEYS)
        return ARTEL_ELIMIT;
    if (self->used * 2 >= self->size && s_grow(self) != 0)
        return ARTEL_ENOMEM;
    artel_key_t *key = calloc(1, sizeof *key + text.len + 1);
    if (!key)
        return ARTEL_ENOMEM;
    key->hash = hash;
    key->len = (uint32_t) text.len;
    memcpy(key->text, text.at, text.len);
    *s_slot(self->table, self->size, text, hash) = key;
    self->used++;
    *ret = key;
    return 0;
}

static int
s_find(artel_keys_t *self, const char *text, artel_key_t **ret)
{
    artel_str_t str = artel_str(text);
    uint64_t hash = XXH3_64bits(str.at, str.len);
    artel_key_t *key = *s_slot(self->table, self->size, str, hash);
    int rc = key ? 0 : s_new_key(self, str, hash, &key);
    if (rc == 0)
        *ret = key;
    return rc;
}

//  The key at this address last time, if it has the same text still.
static int
s_find_recent(artel_keys_t *self, const char *text, artel_key_t **ret)
{
    size_t i = ((uintptr_t) text * 0x9E3779B97F4A7C15u) >> 59;
    if (self->recent[i].text == text && strcmp(self->recent[i].key->text, text) == 0) {
        *ret = self->recent[i].key;
        return 0;
    }
    int rc = s_find(self, text, ret);
    if (rc == 0) {
        self->recent[i].text = text;
        self->recent[i].key = *ret;
    }
    return rc;
}

//  Give a key its index in the open batch.
static int
s_open_key(artel_keys_t *self, artel_key_t *key)
{
    if (self->n_open == self->cap_open) {
        size_t cap = self->cap_open ? self->cap_open * 2 : 16;
        artel_str_t *open = realloc(self->open, cap * sizeof *open);
        if (!open)
            return ARTEL_ENOMEM;
        self->open = open;
        self->cap_open = cap;
    }
    self->open[self->n_open] = (artel_str_t) { key->text, key->len };
    self->open_bytes += key->len + KEY_HEAD;
    key->index = (uint32_t) self->n_open++;
    key->batch = self->batch;
    return 0;
}

int
artel_keys_index(artel_keys_t *self, const char *text, uint32_t *ret_index)
{
    artel_key_t *key;
    int rc = text ? s_find_recent(self, text, &key) : ARTEL_EINVAL;
    if (rc == 0 && key->row == self->row)
        rc = ARTEL_EINVAL;                      //  twice in one row
    if (rc == 0 && key->batch != self->batch)
        rc = s_open_key(self, key);
    if (rc != 0)
        return rc;
    key->row = self->row;
    *ret_index = key->index;
    return 0;
}

void
artel_keys_begin_row(artel_keys_t *self)
{
    self->row++;
}

void
artel_keys_undo(artel_keys_t *self, size_t n)
{
    while (self->n_open > n) {
        artel_str_t text = self->open[--self->n_open];
        self->open_bytes -= text.len + KEY_HEAD;
        (*s_slot(self->table, self->size, text, XXH3_64bits(text.at, text.len)))->batch = 0;
    }
}

void
artel_keys_begin_batch(artel_keys_t *self, uint64_t counter)
{
    self->batch = counter;
    self->n_open = 0;
    self->open_bytes = 0;
}
