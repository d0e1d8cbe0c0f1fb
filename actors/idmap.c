//  idmap.c - ids as keys of a zhashx.

#include "idmap.h"

//  Ids are random, so any eight of their bytes are a hash.
static size_t
s_hash(const void *key)
{
    size_t hash;
    memcpy(&hash, key, sizeof hash);
    return hash;
}

static int
s_compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(artel_id_t));
}

static void *
s_copy(const void *key)
{
    artel_id_t *copy = malloc(sizeof *copy);
    if (copy)
        memcpy(copy, key, sizeof *copy);
    return copy;
}

static void
s_free(void **key_p)
{
    free(*key_p);
    *key_p = NULL;
}

zhashx_t *
artel_idmap_new(void (*free_value)(void **value_p))
{
    zhashx_t *map = zhashx_new();
    zhashx_set_key_hasher(map, s_hash);
    zhashx_set_key_comparator(map, s_compare);
    zhashx_set_key_duplicator(map, s_copy);
    zhashx_set_key_destructor(map, s_free);
    if (free_value)
        zhashx_set_destructor(map, free_value);
    return map;
}
