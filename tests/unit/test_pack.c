//  Packs: written once, read by their index, and never misread.

#include <criterion/criterion.h>

#include "errors.h"
#include "folders.h"
#include "hash.h"
#include "pack.h"
#include "scratch.h"
#include "stream.h"

static const char s_id[] = "00112233445566778899aabbccddeeff";
static int s_folder;
static artel_hash_t *s_hash;

static void
s_setup(void)
{
    s_scratch_make();
    cr_assert_eq(artel_blobs_make(s_scratch), 0);
    cr_assert_eq(artel_blobs_folder(s_scratch, &s_folder), 0);
    cr_assert_eq(artel_hash_new(&s_hash), 0);
}

static void
s_teardown(void)
{
    close(s_folder);
    artel_hash_destroy(&s_hash);
    s_scratch_remove();
}

TestSuite(pack, .init = s_setup, .fini = s_teardown, .timeout = 60);

static const char *
s_path(void)
{
    return s_in("blobs/packs/%s.pack", s_id);
}

static artel_digest_t
s_add(artel_packer_t *packer, const void *data, size_t len)
{
    void *room;
    artel_digest_t digest;
    cr_assert_eq(artel_packer_room(packer, len, &room), 0);
    memcpy(room, data, len);
    artel_hash_bytes(s_hash, data, len, &digest);
    cr_assert_eq(artel_packer_add(packer, &digest, len), 0);
    return digest;
}

//  A sealed pack of n blobs of noise, in place; ret_digests has room for n.
static void
s_make(size_t n, size_t len, artel_digest_t *ret_digests)
{
    artel_packer_t *packer;
    char name[ARTEL_PACK_TEXT];
    artel_pack_name(s_id, name);
    cr_assert_eq(artel_packer_new(s_folder, name, &packer), 0);
    for (size_t i = 0; i < n; i++) {
        char *noise = s_noise(len, i + 1);
        ret_digests[i] = s_add(packer, noise, len);
        free(noise);
    }
    cr_assert_eq(artel_packer_seal(packer), 0);
    artel_packer_destroy(&packer);
}

Test(pack, finds_every_blob_it_has_and_no_other)
{
    enum { N = 300 };
    artel_digest_t digests[N], other = { { 0xff } };
    artel_pack_t pack;
    artel_place_t place;
    s_make(N, 100, digests);
    cr_assert_eq(artel_pack_open(s_scratch, s_id, &pack), 0);
    cr_expect_eq(pack.count, N);
    for (uint64_t i = 0; i < N; i++) {
        cr_assert_eq(artel_pack_find(&pack, &digests[i], &place), 0);
        cr_expect_eq(place.offset, 16 + 100 * i);
        cr_expect_eq(place.size, 100);
    }
    cr_expect_eq(artel_pack_find(&pack, &other, &place), ARTEL_ENOENT);
    artel_pack_close(&pack);
}

Test(pack, gives_its_whole_index_sorted)
{
    enum { N = 1000 };
    static artel_digest_t digests[N];
    artel_pack_t pack;
    artel_place_t *places;
    s_make(N, 10, digests);
    cr_assert_eq(artel_pack_open(s_scratch, s_id, &pack), 0);
    cr_assert_eq(artel_pack_load(&pack, &places), 0);
    for (size_t i = 1; i < N; i++)
        cr_assert_lt(memcmp(&places[i - 1].digest, &places[i].digest, 32), 0);
    free(places);
    artel_pack_close(&pack);
}

//  docs/store.md, section 3, read by hand.
Test(pack, of_version_1_has_this_layout)
{
    artel_digest_t digest;
    size_t len;
    s_make(1, 5, &digest);
    unsigned char *at = (unsigned char *) s_read_whole(s_path(), &len);
    char *noise = s_noise(5, 1);
    cr_assert_eq(len, 16 + 5 + 56 + 24);
    cr_expect_eq(memcmp(at, "artel-pack-1\r\n\x1a\n", 16), 0);
    cr_expect_eq(memcmp(at + 16, noise, 5), 0);
    cr_expect_eq(memcmp(at + 21, digest.at, 32), 0);
    cr_expect_eq(memcmp(at + 53, "\x10\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0", 16), 0, "offset, size");
    cr_expect_eq(memcmp(at + 77, "\x15\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0", 16), 0, "index, count");
    free(noise);
    free(at);
}

Test(pack, may_be_larger_than_what_is_gathered_at_a_time)
{
    enum { N = 9, LEN = 1024 * 1024 };
    artel_digest_t digests[N], found;
    artel_pack_t pack;
    artel_place_t place;
    s_make(N, LEN, digests);
    char *data = malloc(LEN);
    cr_assert_eq(artel_pack_open(s_scratch, s_id, &pack), 0);
    for (size_t i = 0; i < N; i++) {
        cr_assert_eq(artel_pack_find(&pack, &digests[i], &place), 0);
        cr_assert_eq(artel_read_at(pack.fd, data, LEN, place.offset), LEN);
        artel_hash_bytes(s_hash, data, LEN, &found);
        cr_expect(artel_digest_equal(&found, &digests[i]));
    }
    artel_pack_close(&pack);
    free(data);
}

//  Open it and read all of its index: 0 if nothing was noticed.
static int
s_load(void)
{
    artel_pack_t pack;
    artel_place_t *places;
    int rc = artel_pack_open(s_scratch, s_id, &pack);
    if (rc != 0)
        return rc;
    rc = artel_pack_load(&pack, &places);
    artel_pack_close(&pack);
    if (rc == 0)
        free(places);
    return rc;
}

Test(pack, with_any_byte_of_header_index_or_footer_changed_is_damaged)
{
    artel_digest_t digests[3];
    size_t len;
    s_make(3, 7, digests);
    free(s_read_whole(s_path(), &len));
    for (size_t i = 0; i < len; i++) {
        bool content = i >= 16 && i < 16 + 3 * 7;
        s_flip(s_path(), (off_t) i);
        cr_expect(content ? s_load() == 0 : s_load() == ARTEL_ECORRUPT || i == 11, "byte %zu", i);
        s_flip(s_path(), (off_t) i);
    }
    cr_expect_eq(s_load(), 0);
}

Test(pack, cut_short_anywhere_is_damaged)
{
    artel_digest_t digests[3];
    size_t len;
    s_make(3, 7, digests);
    free(s_read_whole(s_path(), &len));
    while (len-- > 0) {
        cr_assert_eq(truncate(s_path(), (off_t) len), 0);
        cr_expect_eq(s_load(), ARTEL_ECORRUPT, "cut to %zu", len);
    }
}

Test(pack, search_never_believes_a_damaged_entry)
{
    enum { N = 64, INDEX = 16 + N * 8 };
    artel_digest_t digests[N];
    s_make(N, 8, digests);
    for (size_t i = 0; i < N; i++) {
        artel_pack_t pack;
        artel_place_t place;
        s_flip(s_path(), (off_t) (INDEX + 56 * i + 36));
        cr_assert_eq(artel_pack_open(s_scratch, s_id, &pack), 0);
        for (size_t k = 0; k < N; k++) {
            int rc = artel_pack_find(&pack, &digests[k], &place);
            cr_expect(rc == ARTEL_ECORRUPT || (rc == 0 && place.offset == 16 + 8 * k));
        }
        artel_pack_close(&pack);
        s_flip(s_path(), (off_t) (INDEX + 56 * i + 36));
    }
}

Test(pack, of_a_newer_artel_is_said_to_be_newer)
{
    artel_digest_t digest;
    artel_pack_t pack;
    s_make(1, 5, &digest);
    int fd = open(s_path(), O_WRONLY);
    cr_assert_eq(pwrite(fd, "2", 1, 11), 1);
    close(fd);
    cr_expect_eq(artel_pack_open(s_scratch, s_id, &pack), ARTEL_EVERSION);
}

Test(pack, is_only_looked_for_under_a_name_that_can_be_one)
{
    artel_pack_t pack;
    cr_expect_eq(artel_pack_open(s_scratch, "../../etc/passwd", &pack), ARTEL_ENOENT);
    cr_expect_eq(artel_pack_open(s_scratch, "", &pack), ARTEL_ENOENT);
    cr_expect_eq(artel_pack_open(s_scratch, s_id, &pack), ARTEL_ENOENT);
}

Test(pack, that_is_not_sealed_leaves_nothing)
{
    artel_packer_t *packer;
    cr_assert_eq(artel_packer_new(s_folder, "tmp/x", &packer), 0);
    cr_expect_eq(access(s_in("blobs/tmp/x"), F_OK), -1, "nothing is made before it is needed");
    char *noise = s_noise(1024 * 1024, 1);
    for (int i = 0; i < 3; i++) {
        noise[0] = (char) i;
        s_add(packer, noise, 1024 * 1024);
    }
    cr_expect_eq(access(s_in("blobs/tmp/x"), F_OK), 0);
    artel_packer_destroy(&packer);
    cr_expect_eq(access(s_in("blobs/tmp/x"), F_OK), -1);
    free(noise);
}
