//  Maps whose keys are ids.

#include <criterion/criterion.h>

#include "idmap.h"

TestSuite(idmap, .timeout = 20);

static unsigned s_freed;

static void
s_free(void **value_p)
{
    free(*value_p);
    *value_p = NULL;
    s_freed++;
}

Test(idmap, finds_what_was_put_under_the_same_16_bytes)
{
    zhashx_t *map = artel_idmap_new(NULL);
    artel_id_t key = { { 1, 2, 3 } }, other = { { 1, 2, 3, [15] = 1 } };
    int a, b;
    zhashx_insert(map, key.at, &a);
    zhashx_insert(map, other.at, &b);
    artel_id_t again = key;
    memset(key.at, 0, sizeof key.at);           //  the key was copied
    cr_assert_eq(zhashx_lookup(map, again.at), &a);
    cr_assert_eq(zhashx_lookup(map, other.at), &b, "only the last byte differs");
    cr_assert_null(zhashx_lookup(map, key.at));
    zhashx_destroy(&map);
}

Test(idmap, frees_its_values_when_they_go)
{
    zhashx_t *map = artel_idmap_new(s_free);
    artel_id_t a = artel_id_new(), b = artel_id_new();
    zhashx_insert(map, a.at, malloc(1));
    zhashx_insert(map, b.at, malloc(1));
    zhashx_delete(map, a.at);
    cr_assert_eq(s_freed, 1);
    zhashx_destroy(&map);
    cr_assert_eq(s_freed, 2);
}

Test(idmap, keeps_many_apart)
{
    enum { N = 20000 };
    static artel_id_t ids[N];
    zhashx_t *map = artel_idmap_new(NULL);
    for (int i = 0; i < N; i++) {
        ids[i] = artel_id_new();
        cr_assert_eq(zhashx_insert(map, ids[i].at, &ids[i]), 0);
    }
    for (int i = 0; i < N; i++)
        cr_assert_eq(zhashx_lookup(map, ids[i].at), &ids[i]);
    zhashx_destroy(&map);
}
