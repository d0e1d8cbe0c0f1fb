//  A pack of anyone's bytes: its index gives places inside it, in the order of their
//  digests, and a blob that is read has the digest it was asked by. An odd first
//  byte: the index and the footer get the checksums that are right (docs/store.md, section 3).

#include "blobs.h"
#include "errors.h"
#include "fuzz.h"

#include <endian.h>
#include <openssl/evp.h>
#include <string.h>
#include <xxhash.h>

enum { ENTRY = 56, FOOTER = 24, MAGIC = 16 };

#define PACK "00112233445566778899aabbccddeeff"

typedef struct {
    size_t size;                //  of the file
    artel_digest_t digests[64];
    unsigned n;
} seen_t;

static void
s_sum(uint8_t *at, size_t len)
{
    uint64_t sum = htole64(XXH3_64bits(at, len));
    memcpy(at + len, &sum, sizeof sum);
}

//  Make the checksums right, for as many entries as the footer claims.
static void
s_mend(uint8_t *data, size_t size)
{
    if (size < MAGIC + FOOTER)
        return;
    memcpy(data, "artel-pack-1\r\n\x1a\n", MAGIC);
    uint8_t *foot = data + size - FOOTER;
    size_t room = size - FOOTER - MAGIC;
    uint64_t count = foot[8] % (room / ENTRY + 1);
    uint64_t index = htole64(MAGIC + room - count * ENTRY), little = htole64(count);
    memcpy(foot, &index, sizeof index);
    memcpy(foot + 8, &little, sizeof little);
    s_sum(foot, 16);
    for (uint8_t *at = foot - count * ENTRY; at < foot; at += ENTRY)
        s_sum(at, ENTRY - 8);
}

static int
s_note(void *arg, const artel_digest_t *digest, uint64_t offset, uint64_t size)
{
    seen_t *seen = arg;
    REQUIRE(offset <= seen->size && size <= seen->size - offset);
    if (seen->n)
        REQUIRE(seen->n > 64 || memcmp(seen->digests[seen->n - 1].at, digest->at, sizeof digest->at) < 0);
    if (seen->n < 64)
        seen->digests[seen->n++] = *digest;
    return 0;
}

static void
s_read(const artel_digest_t *digest)
{
    void *data;
    size_t len;
    uint8_t sum[32];
    if (artel_blob_read(fuzz_state(), digest, PACK, 1 << 20, &data, &len) != 0)
        return;
    REQUIRE(EVP_Digest(data, len, sum, NULL, EVP_sha256(), NULL) == 1);
    REQUIRE(memcmp(sum, digest->at, sizeof sum) == 0);
    free(data);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    seen_t seen = { .size = size };
    if (size == 0)
        return 0;
    uint8_t *copy = malloc(size);
    REQUIRE(copy);
    memcpy(copy, data + 1, size - 1);
    if (data[0] % 2)
        s_mend(copy, size - 1);
    fuzz_put_file("blobs/packs/" PACK ".pack", copy, size - 1);
    free(copy);
    int rc = artel_pack_each(fuzz_state(), PACK, s_note, &seen);
    REQUIRE(rc == 0 || rc == ARTEL_ECORRUPT || rc == ARTEL_EVERSION);
    for (unsigned i = 0; i < seen.n; i++)
        s_read(&seen.digests[i]);
    return 0;
}
