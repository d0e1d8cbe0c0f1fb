//  test_journal.h - what the tests of journals share: a state directory, and batches whose
//  bytes follow from their counter.

#ifndef ARTEL_TEST_JOURNAL_H
#define ARTEL_TEST_JOURNAL_H

#include <criterion/criterion.h>

#include "artel.h"
#include "bounds.h"
#include "errors.h"
#include "frame.h"
#include "journal.h"
#include "layout.h"
#include "reader.h"
#include "state.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char s_state[64];                        //  the state directory
static const char *s_base;                      //  where it is made, if not in TMPDIR
static const artel_id_t s_writer = { "the first writer" };
static const artel_id_t s_other = { "another writer 2" };

static inline void
s_make_state(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(s_state, sizeof s_state, "%.40s/artel-test-XXXXXX", s_base ? s_base : tmp ? tmp : "/tmp");
    cr_assert(mkdtemp(s_state));
    cr_assert_eq(artel_state_make(s_state), 0);
}

static inline void
s_remove_state(void)
{
    artel_remove_tree(s_state);
}

static inline artel_journal_birth_t
s_birth(const char *run, artel_id_t writer, artel_resumes_t resumes)
{
    return (artel_journal_birth_t) { .run = run, .writer = writer, .sinks = "store,copy=store:/x",
                                     .resumes = resumes };
}

static inline artel_journal_t *
s_create(void)
{
    artel_journal_t *journal = NULL;
    artel_journal_birth_t birth = s_birth("r", s_writer, ARTEL_RESUMES_NEVER);
    cr_assert_eq(artel_journal_create(s_state, &birth, &journal), 0);
    return journal;
}

//  The bytes of a batch; its length is size, or a few hundred bytes.
static inline size_t
s_fill(uint64_t counter, size_t size, uint8_t *ret)
{
    size_t len = size ? size : (size_t) (counter * 37 % 300);
    for (size_t i = 0; i < len; i++)
        ret[i] = (uint8_t) (counter * 131 + i * 7 + i / 251);
    return len;
}

//  Append n batches with one call, from the next counter on.
static inline int
s_try_append(artel_journal_t *journal, size_t n, size_t size)
{
    artel_journal_frame_t *frames = calloc(n, sizeof *frames);
    uint8_t *bytes = malloc(n * (size ? size : 300));
    uint64_t counter = artel_journal_accepted(journal);
    for (size_t i = 0; i < n; i++) {
        uint8_t *at = bytes + i * (size ? size : 300);
        counter++;
        frames[i] = (artel_journal_frame_t) { counter, at, s_fill(counter, size, at) };
    }
    int rc = artel_journal_append(journal, frames, n);
    free(frames);
    free(bytes);
    return rc;
}

static inline void
s_append(artel_journal_t *journal, size_t n, size_t size)
{
    cr_assert_eq(s_try_append(journal, n, size), 0);
}

static inline artel_journal_reader_t *
s_open_reader(void)
{
    artel_journal_reader_t *reader = NULL;
    cr_assert_eq(artel_journal_reader_open(s_state, "r", s_writer, &reader), 0);
    return reader;
}

//  Read one batch and check its bytes: the counter, 0, or a code.
static inline int64_t
s_next(artel_journal_reader_t *reader, size_t size)
{
    uint8_t want[ARTEL_MAX_MESSAGE];
    uint64_t counter;
    const void *data;
    size_t len;
    int rc = artel_journal_reader_next(reader, &counter, &data, &len);
    if (rc <= 0)
        return rc;
    cr_assert_eq(len, s_fill(counter, size, want), "batch %lu has another length", (long) counter);
    cr_assert_eq(memcmp(data, want, len), 0, "batch %lu has other bytes", (long) counter);
    return (int64_t) counter;
}

//  Read on to the end: the last counter, every one of them there.
static inline void
s_read_to(artel_journal_reader_t *reader, uint64_t from, uint64_t to, size_t size)
{
    for (uint64_t counter = from; counter <= to; counter++)
        cr_assert_eq(s_next(reader, size), (int64_t) counter);
    cr_assert_eq(s_next(reader, size), 0);
}

static inline void
s_check_all(uint64_t last, size_t size)
{
    artel_journal_reader_t *reader = s_open_reader();
    s_read_to(reader, 1, last, size);
    artel_journal_reader_close(&reader);
}

static inline artel_journal_report_t
s_examine(void)
{
    artel_journal_report_t report = { .last = 0 };
    cr_assert_eq(artel_journal_examine(s_state, "r", s_writer, &report), 0);
    return report;
}

//  The path of a file in the journal's folder; lives until the next call but three.
static inline const char *
s_file(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char id[ARTEL_ID_TEXT], *path = paths[next++ % 4];
    artel_hex(s_writer.at, sizeof s_writer.at, id);
    snprintf(path, sizeof paths[0], "%s/runs/r/%s/%s", s_state, id, name);
    return path;
}

static inline const char *
s_segment(unsigned number)
{
    char name[32];
    snprintf(name, sizeof name, "%08u.seg", number);
    return s_file(name);
}

//  The file's bytes, which the caller frees.
static inline uint8_t *
s_load(const char *path, size_t *ret_len)
{
    FILE *file = fopen(path, "r");
    cr_assert(file, "%s", path);
    fseek(file, 0, SEEK_END);
    size_t len = (size_t) ftell(file);
    uint8_t *bytes = malloc(len + 1);
    rewind(file);
    cr_assert_eq(fread(bytes, 1, len, file), len);
    fclose(file);
    *ret_len = len;
    return bytes;
}

static inline void
s_save(const char *path, const uint8_t *bytes, size_t len)
{
    FILE *file = fopen(path, "w");
    cr_assert(file, "%s", path);
    cr_assert_eq(fwrite(bytes, 1, len, file), len);
    cr_assert_eq(fclose(file), 0);
}

//  Where the n-th frame (0: the head) of a segment begins.
static inline size_t
s_frame_at(const uint8_t *bytes, unsigned segment, unsigned n)
{
    size_t offset = ARTEL_SEGMENT_MARK;
    artel_frame_t frame;
    for (unsigned i = 0; i < n; i++) {
        cr_assert(artel_frame_decode(bytes + offset, artel_frame_seed(s_writer, segment), &frame));
        offset += artel_frame_size(frame.len);
    }
    return offset;
}

//  Damage a byte of the payload of the n-th frame of a segment.
static inline void
s_damage(unsigned segment, unsigned n)
{
    size_t len;
    uint8_t *bytes = s_load(s_segment(segment), &len);
    bytes[s_frame_at(bytes, segment, n) + ARTEL_FRAME_HEADER + 1] ^= 0x10;
    s_save(s_segment(segment), bytes, len);
    free(bytes);
}

#endif
