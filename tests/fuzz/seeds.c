//  seeds.c - writes the seeds of the fuzz targets with the real encoders.
//
//  Usage: fuzz_seeds FOLDER. It fills FOLDER/<target>/seed-<name>, the same
//  bytes every time where the encoder allows it.

#include "batch.h"
#include "blobs.h"
#include "frame.h"
#include "fuzz.h"
#include "ingest.h"
#include "journal.h"
#include "outcomes.h"

#include <limits.h>
#include <msgpack.h>
#include <string.h>
#include <sys/stat.h>

static const char *s_folder;

static void
s_write(const char *target, const char *name, const void *data, size_t size)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", s_folder, target);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/seed-%s", s_folder, target, name);
    FILE *file = fopen(path, "wb");
    REQUIRE(file && fwrite(data, 1, size, file) == size && fclose(file) == 0);
}

//  A value for each field type.
static const artel_str_t s_texts[] = { { "loss", 4 }, { "gr\xc3\xb6\xc3\x9f" "e", 7 }, { "", 0 } };
static const artel_cell_t s_cells[] = {
    { .key = 0, .kind = ARTEL_F64, .f64 = 0.25 },
    { .key = 1, .kind = ARTEL_I64, .i64 = INT64_MIN },
    { .key = 2, .kind = ARTEL_BOOL, .flag = true },
    { .key = 0, .kind = ARTEL_STR, .str = { "text", 4 } },
};
static artel_str_t s_some_str(void) { return (artel_str_t) { "some-text", 9 }; }
static artel_bin_t s_some_bin(void) { return (artel_bin_t) { "0123456789abcdef0123456789abcdef", 32 }; }
static artel_strs_t s_some_strs(void) { return (artel_strs_t) { s_texts, 3 }; }
static artel_row_t s_some_row(void) { return (artel_row_t) { s_cells, 4 }; }
static uint64_t s_some_u64(void) { return 1; }
static int64_t s_some_i64(void) { return -2; }
static bool s_some_flag(void) { return true; }
static artel_id_t s_some_id(void) { return (artel_id_t) { "an id of 16 byte" }; }
static artel_digest_t s_some_digest(void) { return (artel_digest_t) { "a digest of exactly 32 bytes ..." }; }

#define FIELD(type, name) .name = s_some_##type(),
#define M(id_, NAME, name_) { .id = ARTEL_MSG_##NAME, .name_ = { ARTEL_##NAME##_FIELDS(FIELD) } },

static void
s_seed_msgs(void)
{
    const artel_msg_t msgs[] = { ARTEL_MSGS(M) };
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    for (size_t i = 0; i < sizeof msgs / sizeof *msgs; i++) {
        msgpack_sbuffer_clear(&out);
        REQUIRE(artel_msg_pack(&msgs[i], &out) == 0);
        s_write("msgs", artel_msg_name(msgs[i].id), out.data, out.size);
    }
    msgpack_sbuffer_destroy(&out);
}

static void
s_seed_batch(void)
{
    const artel_msg_t records[] = { ARTEL_RECORDS(M) };
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    REQUIRE(artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_BATCH, .batch = {
        ARTEL_BATCH_FIELDS(FIELD) } }, &out) == 0);
    s_write("batch", "head", out.data, out.size);
    for (size_t i = 0; i < sizeof records / sizeof *records; i++)
        REQUIRE(artel_msg_pack(&records[i], &out) == 0);
    s_write("batch", "all-records", out.data, out.size);
    s_write("batch", "cut", out.data, out.size - 1);
    msgpack_sbuffer_destroy(&out);
}

static void
s_seed_sinks(void)
{
    static const char *const lists[] = { "", "store", "store,copy=store:/mnt/copy",
        "a=store:/a,b=store:/b,store", "store:", "=store", "store,store" };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        char name[16];
        snprintf(name, sizeof name, "%zu", i);
        s_write("sinks", name, lists[i], strlen(lists[i]));
    }
}

static void
s_seed_rows(void)
{
    static const char *const rows[] = { "", "{\"loss\": 0.25, \"epoch\": 1}\n{\"_step\":7,\"ok\":true}\n",
        "{\"a\":{\"b\":{\"c\":-0.0}},\"a.d\":null,\"t\":\"x\\u00e9\\n\\\"\"}", "{\"x\":NaN,\"y\":[-Infinity]}",
        "{\"x\":NaN,\"y\":-Infinity,\"z\":\"Infinity\"}", "not json\n\n[1]\n{\"a\":1,\"a\":2}\n{\"a\":1e400}",
        "{\"a\":9223372036854775807,\"b\":-9223372036854775808,\"c\":5e-324,\"d\":1.7976931348623157e308}" };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[16];
        snprintf(name, sizeof name, "%zu", i);
        s_write("rows", name, rows[i], strlen(rows[i]));
    }
}

//  As actors/trace.c writes it.
static void
s_seed_trace(void)
{
    static const char exchange[] =
        "{\"time\":1764042947000000000,\"from\":\"client\",\"to\":\"handler\",\"name\":\"artifact_send\","
        "\"xid\":\"3f2a91c000112233445566778899aabb\",\"run\":\"r\",\"bytes\":231}\n"
        "{\"time\":1764042947000112000,\"from\":\"handler\",\"to\":\"writer\",\"name\":\"batch\",\"xid\":\"\","
        "\"run\":\"r\",\"bytes\":1000}\n"
        "{\"time\":1764042947000112000,\"from\":\"handler\",\"to\":\"writer\",\"name\":\"batch\",\"xid\":\"\","
        "\"run\":\"r\",\"bytes\":1000}\n"
        "{\"time\":1764042947900112000,\"from\":\"copy\",\"to\":\"sender\",\"name\":\"delivered\",\"xid\":\"\","
        "\"run\":\"r\",\"bytes\":0}\n{\"time\":1,\"from\":\"cl";
    static const char odd[] =
        "{\"time\":0,\"from\":\"a\",\"to\":\"a\",\"name\":\"\\u001b[2J\",\"xid\":\"\",\"run\":\"\",\"bytes\":1}\n"
        "\n[]\n{\"time\":9223372036854775807,\"from\":\"z\",\"to\":\"a\",\"name\":\"n\",\"xid\":\"\",\"run\":\"\","
        "\"bytes\":9223372036854775807}\n"
        "{\"time\":-9223372036854775808,\"from\":\"z\",\"to\":\"b\",\"name\":\"n\",\"xid\":\"\",\"run\":\"\",\"bytes\":1}\n";
    s_write("trace", "exchange", exchange, sizeof exchange - 1);
    s_write("trace", "odd", odd, sizeof odd - 1);
}

//  The file at path (below the state directory) as a seed, behind a byte that says it is raw.
static void
s_write_file(const char *target, const char *name, const char *path)
{
    char whole[2 * PATH_MAX], bytes[65536] = { 0 };
    snprintf(whole, sizeof whole, "%s/%s", fuzz_state(), path);
    FILE *file = fopen(whole, "rb");
    REQUIRE(file);
    size_t size = fread(bytes + 1, 1, sizeof bytes - 1, file);
    fclose(file);
    s_write(target, name, bytes, size + 1);
}

//  A frame of the writer of fuzz_journal.c, behind what out holds.
static void
s_put_frame(msgpack_sbuffer *out, artel_frame_t frame, const char *payload)
{
    uint8_t header[ARTEL_FRAME_HEADER];
    uint64_t seed = artel_frame_seed((artel_id_t) { "a writer id 16b" }, 1);
    frame.sum = artel_frame_sum(payload, frame.len, seed);
    artel_frame_encode(&frame, seed, header);
    REQUIRE(msgpack_sbuffer_write(out, (char *) header, sizeof header) == 0);
    REQUIRE(msgpack_sbuffer_write(out, payload, frame.len) == 0);
    REQUIRE(msgpack_sbuffer_write(out, "\0\0\0\0\0\0\0", artel_frame_pad(frame.len)) == 0);
}

//  A whole segment, made here: a real one has this machine's name in it. Then
//  steps of fuzz_journal.c that compose some more.
static void
s_seed_journal(void)
{
    static const char head[] = "format=1.0\0run=run\0sinks=store";
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    REQUIRE(msgpack_sbuffer_write(&out, "\0" ARTEL_SEGMENT_TEXT, 1 + ARTEL_SEGMENT_MARK) == 0);
    s_put_frame(&out, (artel_frame_t) { .kind = ARTEL_FRAME_HEAD, .flags = ARTEL_FRAME_OPENING,
                                        .len = sizeof head }, head);
    for (uint32_t i = 1; i <= 3; i++)
        s_put_frame(&out, (artel_frame_t) { .kind = ARTEL_FRAME_BATCH, .counter = i, .len = 5 * i },
                    "some bytes of a batch");
    s_put_frame(&out, (artel_frame_t) { .kind = ARTEL_FRAME_SEAL, .counter = 3, .durable = 3 }, "");
    s_write("journal", "closed", out.data, out.size);
    msgpack_sbuffer_destroy(&out);

    static const uint8_t any[] = { 1, 0, 1, 0, 0, 6, 0, 1, 0, 6, 0, 2, 1, 6, 0, 3, 1, 1, 0, 3, 3 };
    static const uint8_t hole[] = { 2, 6, 0, 0, 0, 3, 0, 0, 0, 6, 0, 0, 0 };
    static const uint8_t lost[] = { 2, 6, 0, 0, 0, 3, 0, 0, 0, 6, 0, 0, 2 };
    static const uint8_t again[] = { 2, 6, 0, 0, 0, 1, 1, 0, 0, 6, 0, 0, 0, 5, 1, 0, 40, 2, 1, 0, 0 };
    s_write("journal", "any", any, sizeof any);
    s_write("journal", "hole", hole, sizeof hole);
    s_write("journal", "lost", lost, sizeof lost);
    s_write("journal", "again", again, sizeof again);
}

static void
s_seed_outcomes(void)
{
    artel_journal_t *journal;
    artel_outcomes_t *outcomes;
    const artel_id_t writer = { "a writer id 16b" };
    artel_journal_birth_t birth = { .run = "run", .writer = writer, .sinks = "store" };
    REQUIRE(artel_journal_create(fuzz_state(), &birth, &journal) == 0);
    artel_journal_close(&journal);
    REQUIRE(artel_outcomes_open(fuzz_state(), "run", writer, "store", &outcomes) == 0);
    artel_outcome_t done = { 1, { "an xid of 16 byt" }, 0, 3, true, "" };
    artel_outcome_t refused = { 2, { "an xid of 16 byt" }, -18, -1, false, "two\nlines \\ and more" };
    REQUIRE(artel_outcomes_add(outcomes, &done) == 0 && artel_outcomes_add(outcomes, &refused) == 0);
    artel_outcomes_close(&outcomes);
    s_write_file("outcomes", "two", "runs/run/61207772697465722069642031366200/store.outcomes");
    static const char lines[] = "\0011 00112233445566778899aabbccddeeff 0 3 1 \n2 00 -1 -1 0 x\\";
    s_write("outcomes", "lines", lines, sizeof lines - 1);
}

//  A small artifact: its pack, and the manifest in it.
static void
s_seed_blobs(void)
{
    artel_ingest_t *ingest;
    artel_ingest_result_t result;
    artel_ingest_options_t options = { .store = fuzz_state() };
    REQUIRE(artel_ingest_begin(&options, &ingest) == 0);
    REQUIRE(artel_ingest_bytes(ingest, "a/file", "some bytes", 10) == 0);
    REQUIRE(artel_ingest_bytes(ingest, "a/other", "others", 6) == 0);
    REQUIRE(artel_ingest_bytes(ingest, "empty", "", 0) == 0);
    REQUIRE(artel_ingest_reference(ingest, "far", "s3://bucket/key", "etag", 12) == 0);
    REQUIRE(artel_ingest_finish(ingest, &result) == 0);
    artel_ingest_destroy(&ingest);

    char path[PATH_MAX];
    void *manifest;
    size_t len;
    snprintf(path, sizeof path, "blobs/packs/%s.pack", result.pack);
    s_write_file("pack", "four", path);
    REQUIRE(artel_blob_read(fuzz_state(), &result.manifest, result.pack, 65536, &manifest, &len) == 0);
    s_write("manifest", "four", manifest, len);
    free(manifest);
    static const char empty[] = "artel-manifest-1\n";
    s_write("manifest", "empty", empty, sizeof empty - 1);
}

int
main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: fuzz_seeds FOLDER\n");
        return 2;
    }
    s_folder = argv[1];
    s_seed_msgs();
    s_seed_batch();
    s_seed_sinks();
    s_seed_rows();
    s_seed_trace();
    s_seed_journal();
    s_seed_outcomes();
    s_seed_blobs();
    return 0;
}
