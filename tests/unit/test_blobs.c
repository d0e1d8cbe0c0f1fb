//  Blobs in a store: hashing, finding, reading, the lock, and what gc may do.

#include <criterion/criterion.h>

#include "at_once.h"
#include "blobs.h"
#include "errors.h"
#include "fds.h"
#include "hash.h"
#include "ingest.h"
#include "scratch.h"
#include "stream.h"

#include <sys/wait.h>

TestSuite(blobs, .init = s_scratch_make, .fini = s_scratch_remove, .timeout = 60);
TestSuite(hash, .init = s_scratch_make, .fini = s_scratch_remove, .timeout = 60);

static artel_digest_t
s_digest(const void *data, size_t len)
{
    artel_hash_t *hash;
    artel_digest_t digest;
    cr_assert_eq(artel_hash_new(&hash), 0);
    artel_hash_bytes(hash, data, len, &digest);
    artel_hash_destroy(&hash);
    return digest;
}

//  Put blobs into the store; the pack they are in.
static const char *
s_put(const char *const *texts, size_t n, const char *large, size_t large_len)
{
    static char pack[ARTEL_ID_TEXT];
    artel_ingest_t *ingest;
    artel_ingest_result_t result;
    cr_assert_eq(artel_ingest_begin(&(artel_ingest_options_t) { .store = s_scratch }, &ingest), 0);
    for (size_t i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, "%zu", i);
        cr_assert_eq(artel_ingest_bytes(ingest, name, texts[i], strlen(texts[i])), 0);
    }
    if (large)
        cr_assert_eq(artel_ingest_bytes(ingest, "large", large, large_len), 0);
    cr_assert_eq(artel_ingest_finish(ingest, &result), 0);
    artel_ingest_destroy(&ingest);
    strcpy(pack, result.pack);
    return pack;
}

static void
s_expect_text(const char *text, const char *hint)
{
    void *data;
    size_t len;
    artel_digest_t digest = s_digest(text, strlen(text));
    cr_assert_eq(artel_blob_read(s_scratch, &digest, hint, 1 << 20, &data, &len), 0);
    cr_expect(len == strlen(text) && memcmp(data, text, len) == 0);
    free(data);
}

Test(hash, is_sha_256)
{
    char hex[ARTEL_DIGEST_TEXT];
    artel_digest_t empty = s_digest("", 0), abc = s_digest("abc", 3);
    artel_hex(empty.at, 32, hex);
    cr_expect_str_eq(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    artel_hex(abc.at, 32, hex);
    cr_expect_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

Test(hash, of_a_stream_is_that_of_its_bytes_whatever_its_length)
{
    enum { B = ARTEL_HASH_BUFFER };
    static const size_t lengths[] = { 0, 1, B - 1, B, B + 1, 4 * B, 9 * B + 17 };
    artel_hash_t *hash;
    cr_assert_eq(artel_hash_new(&hash), 0);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char *noise = s_noise(lengths[i], i);
        artel_digest_t expected = s_digest(noise, lengths[i]), found;
        s_write_bytes(s_in("in"), noise, lengths[i]);
        int in = open(s_in("in"), O_RDONLY);
        int out = open(s_in("out"), O_RDWR | O_CREAT | O_TRUNC, 0600);
        artel_stream_t stream = { .in = in, .limit = UINT64_MAX, .out = out };
        cr_assert_eq(artel_stream(hash, &stream, &found), 0);
        cr_expect(artel_digest_equal(&found, &expected), "length %zu", lengths[i]);
        cr_expect_eq(stream.bytes, lengths[i]);
        size_t len;
        char *copy = s_read_whole(s_in("out"), &len);
        cr_expect(len == lengths[i] && memcmp(copy, noise, len) == 0);
        free(copy);
        free(noise);
        close(in);
        close(out);
    }
    artel_hash_destroy(&hash);
}

static int
s_cancel(void *arg, uint64_t bytes)
{
    (void) bytes;
    return --*(int *) arg == 0;
}

Test(hash, of_a_stream_that_was_given_up_does_not_spoil_the_next)
{
    char *noise = s_noise(9 << 20, 1);
    artel_digest_t expected = s_digest(noise, 9 << 20), found;
    artel_hash_t *hash;
    int left = 2;
    cr_assert_eq(artel_hash_new(&hash), 0);
    artel_stream_t stream = { .data = noise, .limit = 9 << 20, .out = -1, .tick = s_cancel,
        .arg = &left };
    cr_expect_eq(artel_stream(hash, &stream, &found), ARTEL_ECANCELED);
    cr_expect_eq(artel_stream(hash, &stream, &found), 0);
    cr_expect(artel_digest_equal(&found, &expected));
    artel_hash_destroy(&hash);
    free(noise);
}

Test(hash, stream_leaves_holes_where_there_are_only_zeros)
{
    enum { LEN = 64 << 20 };
    char *zeros = calloc(1, LEN);
    zeros[5 << 20] = 1;
    artel_digest_t expected = s_digest(zeros, LEN), found;
    artel_hash_t *hash;
    struct stat st;
    cr_assert_eq(artel_hash_new(&hash), 0);
    int out = open(s_in("out"), O_RDWR | O_CREAT, 0600);
    artel_stream_t stream = { .data = zeros, .limit = LEN, .out = out, .sparse = true };
    cr_assert_eq(artel_stream(hash, &stream, &found), 0);
    cr_expect(artel_digest_equal(&found, &expected));
    cr_assert_eq(fstat(out, &st), 0);
    cr_expect_eq(st.st_size, LEN);
    cr_expect_leq(st.st_blocks * 512, 2 << 20);
    size_t len;
    char *copy = s_read_whole(s_in("out"), &len);
    cr_expect_eq(memcmp(copy, zeros, LEN), 0);
    close(out);
    free(copy);
    free(zeros);
    artel_hash_destroy(&hash);
}

Test(blobs, are_found_with_a_right_hint_a_wrong_one_or_none)
{
    char first[ARTEL_ID_TEXT];
    strcpy(first, s_put((const char *const[]) { "one" }, 1, NULL, 0));
    const char *second = s_put((const char *const[]) { "two", "" }, 2, NULL, 0);
    s_expect_text("one", first);
    s_expect_text("one", second);
    s_expect_text("one", NULL);
    s_expect_text("one", "");
    s_expect_text("one", "no such pack");
    s_expect_text("one", "ffffffffffffffffffffffffffffffff");
    s_expect_text("", second);
    artel_digest_t other = s_digest("three", 5);
    artel_blob_place_t place;
    cr_expect_eq(artel_blob_find(s_scratch, &other, first, &place), ARTEL_ENOENT);
    cr_expect_eq(artel_blob_find(s_in("nowhere"), &other, NULL, &place), ARTEL_ENOENT);
}

Test(blobs, over_1_mib_are_files_of_their_own)
{
    enum { LEN = (1 << 20) + 1 };
    char *noise = s_noise(LEN, 1);
    artel_blob_place_t place;
    artel_digest_t digest = s_digest(noise, LEN), just = s_digest(noise, LEN - 1);
    s_put(NULL, 0, noise, LEN);
    cr_assert_eq(artel_blob_find(s_scratch, &digest, NULL, &place), 0);
    cr_expect_str_eq(place.pack, "");
    cr_expect_eq(place.size, LEN);
    char hex[ARTEL_DIGEST_TEXT];
    artel_hex(digest.at, 32, hex);
    cr_expect_eq(access(s_in("blobs/%.2s/%s", hex, hex), R_OK), 0);
    s_put(NULL, 0, noise, LEN - 1);
    cr_assert_eq(artel_blob_find(s_scratch, &just, NULL, &place), 0);
    cr_expect_str_neq(place.pack, "");
    free(noise);
}

Test(blobs, are_read_only_up_to_the_limit)
{
    void *data;
    size_t len;
    artel_digest_t digest = s_digest("12345", 5);
    s_put((const char *const[]) { "12345" }, 1, NULL, 0);
    cr_expect_eq(artel_blob_read(s_scratch, &digest, NULL, 4, &data, &len), ARTEL_ELIMIT);
    cr_assert_eq(artel_blob_read(s_scratch, &digest, NULL, 5, &data, &len), 0);
    free(data);
}

Test(blobs, whose_bytes_changed_are_corrupt)
{
    enum { LEN = 3 << 20 };
    void *data;
    size_t len;
    char *noise = s_noise(LEN, 1), hex[ARTEL_DIGEST_TEXT];
    artel_blob_place_t place;
    artel_digest_t small = s_digest("12345", 5), large = s_digest(noise, LEN);
    const char *pack = s_put((const char *const[]) { "12345" }, 1, noise, LEN);
    s_flip(s_in("blobs/packs/%s.pack", pack), 18);
    cr_expect_eq(artel_blob_read(s_scratch, &small, pack, 5, &data, &len), ARTEL_ECORRUPT);
    artel_hex(large.at, 32, hex);
    cr_assert_eq(artel_blob_find(s_scratch, &large, NULL, &place), 0);
    cr_expect_eq(artel_blob_copy(s_scratch, &large, &place, -1), 0);
    s_flip(s_in("blobs/%.2s/%s", hex, hex), LEN - 1);
    cr_expect_eq(artel_blob_copy(s_scratch, &large, &place, -1), ARTEL_ECORRUPT);
    cr_assert_eq(truncate(s_in("blobs/%.2s/%s", hex, hex), LEN - 1), 0);
    cr_expect_eq(artel_blob_copy(s_scratch, &large, &place, -1), ARTEL_ECORRUPT);
    free(noise);
}

Test(blobs, are_found_elsewhere_though_a_pack_is_damaged)
{
    char first[ARTEL_ID_TEXT];
    artel_blob_place_t place;
    artel_digest_t one = s_digest("one", 3), two = s_digest("two", 3);
    strcpy(first, s_put((const char *const[]) { "one" }, 1, NULL, 0));
    s_put((const char *const[]) { "two" }, 1, NULL, 0);
    s_flip(s_in("blobs/packs/%s.pack", first), 3);
    cr_expect_eq(artel_blob_find(s_scratch, &one, first, &place), ARTEL_ECORRUPT);
    cr_expect_eq(artel_blob_find(s_scratch, &two, first, &place), 0);
}

Test(blobs, are_copied_to_a_pipe)
{
    int ends[2];
    char got[8] = "";
    artel_blob_place_t place;
    artel_digest_t digest = s_digest("12345", 5);
    s_put((const char *const[]) { "0", "12345" }, 2, NULL, 0);
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(artel_blob_find(s_scratch, &digest, NULL, &place), 0);
    cr_expect_eq(artel_blob_copy(s_scratch, &digest, &place, ends[1]), 0);
    cr_expect_eq(read(ends[0], got, sizeof got), 5);
    cr_expect_str_eq(got, "12345");
}

static int
s_count_entry(void *arg, const artel_digest_t *digest, uint64_t offset, uint64_t size)
{
    (void) digest, (void) offset;
    *(uint64_t *) arg += size;
    return 0;
}

static int
s_remove_pack(void *arg, const char *pack, uint64_t size)
{
    ++*(int *) arg;
    (void) size;
    return artel_pack_remove(s_scratch, pack);
}

static int
s_remove_loose(void *arg, const artel_digest_t *digest, uint64_t size)
{
    ++*(int *) arg;
    (void) size;
    return artel_loose_remove(s_scratch, digest);
}

Test(blobs, of_a_store_are_all_named_and_can_be_removed)
{
    char *noise = s_noise(2 << 20, 1);
    uint64_t bytes = 0;
    int packs = 0, loose = 0;
    const char *pack = s_put((const char *const[]) { "one", "seven" }, 2, noise, 2 << 20);
    s_put((const char *const[]) { "three" }, 1, NULL, 0);
    s_write_text(s_in("blobs/packs/note.txt"), "not a pack");
    cr_expect_eq(artel_pack_each(s_scratch, pack, s_count_entry, &bytes), 0);
    cr_expect_gt(bytes, 8, "two texts and the manifest");
    cr_expect_eq(artel_packs_each(s_scratch, s_remove_pack, &packs), 0);
    cr_expect_eq(artel_loose_each(s_scratch, s_remove_loose, &loose), 0);
    cr_expect_eq(packs, 2);
    cr_expect_eq(loose, 1);
    cr_expect_eq(artel_packs_each(s_scratch, s_remove_pack, &packs), 0);
    cr_expect_eq(artel_loose_each(s_scratch, s_remove_loose, &loose), 0);
    cr_expect_eq(packs + loose, 3, "all are gone");
    cr_expect_eq(artel_packs_each(s_in("nowhere"), s_remove_pack, &packs), 0);
    free(noise);
}

Test(blobs, that_were_never_finished_are_cleaned_away)
{
    uint64_t bytes = 0;
    s_put((const char *const[]) { "kept" }, 1, NULL, 0);
    s_write_text(s_in("blobs/tmp/0123-1"), "12345");
    s_write_text(s_in("blobs/tmp/0123.pack"), "123");
    cr_assert_eq(artel_blobs_clean(s_scratch, &bytes), 0);
    cr_expect_eq(bytes, 8);
    cr_assert_eq(artel_blobs_clean(s_scratch, &bytes), 0);
    cr_expect_eq(bytes, 0);
    s_expect_text("kept", NULL);
}

//  Whether blobs/LOCK could be had at once.
static int
s_try_lock(bool exclusive)
{
    int fd = artel_fd_open(s_in("blobs/LOCK"), O_RDWR);
    int rc = artel_fd_lock(fd, exclusive, false);
    artel_fd_close(fd);
    return rc;
}

Test(blobs, lock_is_shared_by_ingests_and_had_alone_by_gc)
{
    int one, two;
    cr_assert_eq(artel_blobs_lock(s_scratch, false, &s_at_once, &one), 0);
    cr_assert_eq(artel_blobs_lock(s_scratch, false, &s_at_once, &two), 0);
    cr_expect_eq(s_try_lock(true), ARTEL_ELOCKED);
    artel_blobs_unlock(one);
    cr_expect_eq(s_try_lock(true), ARTEL_ELOCKED);
    artel_blobs_unlock(two);
    cr_expect_eq(s_try_lock(true), 0);
    cr_assert_eq(artel_blobs_lock(s_scratch, true, &s_at_once, &one), 0);
    cr_expect_eq(s_try_lock(false), ARTEL_ELOCKED);
    artel_blobs_unlock(one);
}

Test(blobs, lock_is_not_kept_by_a_forked_child)
{
    int fd, ends[2];
    char byte;
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(artel_blobs_lock(s_scratch, false, &s_at_once, &fd), 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) != 0);
    }
    close(ends[0]);
    artel_blobs_unlock(fd);
    int rc = s_try_lock(true);
    close(ends[1]);
    waitpid(child, NULL, 0);
    cr_expect_eq(rc, 0);
}
