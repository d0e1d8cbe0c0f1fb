//  A journal of anyone's bytes, of frames in any order, or of a writer's frames, damaged
//  since: what is read back is what was written, in order; the examination
//  tells the same as the reading; whoever takes it over goes on behind the last frame.
//
//  The first byte says which: the rest is the first segment (0), or four bytes a
//  step say which frames to write (s_any_step, s_writer_step).

#include "errors.h"
#include "fds.h"
#include "frame.h"
#include "fuzz.h"
#include "head.h"
#include "journal.h"
#include "layout.h"
#include "reader.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_PAYLOAD = 256, MAX_SEGMENT = 65536 };

static const artel_id_t s_writer = { "a writer id 16b" };
static char *s_folder;

typedef enum { RAW, ANY_FRAMES, A_WRITERS } origin_t;
static origin_t s_origin;

//  What a batch with this counter holds, if this program wrote it.
static size_t
s_payload(uint64_t counter, uint8_t ret[MAX_PAYLOAD])
{
    size_t len = 1 + counter * 37 % MAX_PAYLOAD;
    memset(ret, (int) (counter * 11 + 1), len);
    return len;
}

static void
s_put_segment(uint32_t number, const void *data, size_t size)
{
    int fd = artel_segment_fd(s_folder, number, O_WRONLY | O_CREAT | O_TRUNC);
    REQUIRE(fd >= 0 && write(fd, data, size) == (ssize_t) size);
    artel_fd_close(fd);
}

//  A segment being composed.
typedef struct {
    uint8_t at[MAX_SEGMENT];
    size_t len;
    uint32_t number;
    uint64_t last;              //  counter of the last batch of the writer
} segment_t;

static void
s_put(segment_t *segment, const void *data, size_t len)
{
    if (len > MAX_SEGMENT - segment->len)
        return;
    memcpy(segment->at + segment->len, data, len);
    segment->len += len;
}

static void
s_put_frame(segment_t *segment, artel_frame_t frame, const void *payload)
{
    static const uint8_t zeros[8];
    uint8_t header[ARTEL_FRAME_HEADER];
    uint64_t seed = artel_frame_seed(s_writer, segment->number);
    frame.sum = artel_frame_sum(payload, frame.len, seed);
    artel_frame_encode(&frame, seed, header);
    s_put(segment, header, sizeof header);
    s_put(segment, payload, frame.len);
    s_put(segment, zeros, artel_frame_pad(frame.len));
}

static void
s_put_head(segment_t *segment, artel_frame_t frame)
{
    char *head;
    size_t len;
    REQUIRE(artel_head_pack(&(artel_head_t) { .run = "run", .writer = s_writer, .sinks = "store" }, &head, &len) == 0);
    frame.kind = ARTEL_FRAME_HEAD;
    frame.len = (uint32_t) len;
    s_put_frame(segment, frame, head);
    free(head);
}

static void
s_put_batch(segment_t *segment, artel_frame_t frame)
{
    uint8_t payload[MAX_PAYLOAD];
    frame.kind = ARTEL_FRAME_BATCH;
    frame.len = (uint32_t) s_payload(frame.counter, payload);
    s_put_frame(segment, frame, payload);
}

static void
s_begin(segment_t *segment)
{
    segment->len = 0;
    s_put(segment, ARTEL_SEGMENT_TEXT, ARTEL_SEGMENT_MARK);
}

static void
s_end(segment_t *segment)
{
    s_put_segment(segment->number++, segment->at, segment->len);
    s_begin(segment);
}

static void
s_flip(segment_t *segment, const uint8_t *step)
{
    segment->at[(step[2] * 256u + step[3]) % segment->len] ^= step[1];
}

static void
s_any_step(segment_t *segment, const uint8_t *step)
{
    artel_frame_t frame = { .flags = step[1] % 2, .counter = step[2], .durable = step[3] };
    switch (step[0] % 8) {
    case 0: s_put_head(segment, frame); break;
    case 1: frame.kind = ARTEL_FRAME_SEAL; s_put_frame(segment, frame, ""); break;
    case 2: frame.kind = step[1]; s_put_frame(segment, frame, ""); break;
    case 3: s_put(segment, step, 4); break;
    case 4: s_end(segment); break;
    case 5: s_flip(segment, step); break;
    default: s_put_batch(segment, frame); break;
    }
}

//  A batch that the disk never got.
static void
s_lose(segment_t *segment)
{
    static const uint8_t zeros[ARTEL_FRAME_HEADER + MAX_PAYLOAD + 8];
    uint8_t payload[MAX_PAYLOAD];
    s_put(segment, zeros, artel_frame_size(s_payload(++segment->last, payload)));
}

static void
s_writer_step(segment_t *segment, const uint8_t *step)
{
    artel_frame_t frame = { .counter = segment->last,
                            .durable = segment->last ? step[3] % (segment->last + 1) : 0 };
    bool fits = segment->len + 2 * (ARTEL_FRAME_HEADER + 1024) < MAX_SEGMENT;
    switch (fits ? step[0] % 8 : 1) {
    case 1:
        frame.kind = ARTEL_FRAME_SEAL;
        s_put_frame(segment, frame, "");
        //  fall through
    case 0:
        s_end(segment);
        frame.flags = step[1] % 2;
        s_put_head(segment, frame);
        break;
    case 2: frame.kind = ARTEL_FRAME_OPTIONAL | step[1]; s_put_frame(segment, frame, ""); break;
    case 3: s_lose(segment); break;
    case 5: s_flip(segment, step); break;
    default: frame.counter = ++segment->last; s_put_batch(segment, frame); break;
    }
}

static void
s_compose(const uint8_t *data, size_t size)
{
    static segment_t segment;
    segment.number = 1;
    segment.last = 0;
    s_begin(&segment);
    if (s_origin == A_WRITERS)
        s_put_head(&segment, (artel_frame_t) { .flags = ARTEL_FRAME_OPENING });
    for (; size >= 4; data += 4, size -= 4)
        (s_origin == A_WRITERS ? s_writer_step : s_any_step)(&segment, data);
    s_put_segment(segment.number, segment.at, segment.len);
}

static void
s_check_payload(uint64_t counter, const void *data, size_t len)
{
    uint8_t expected[MAX_PAYLOAD];
    REQUIRE(counter > 0 && len <= ARTEL_MAX_MESSAGE);
    if (s_origin == A_WRITERS)
        REQUIRE(len == s_payload(counter, expected) && memcmp(data, expected, len) == 0);
}

//  Read to the end; the last counter, and how many there were.
static uint64_t
s_read(bool salvage, uint64_t *ret_frames)
{
    artel_journal_reader_t *reader;
    uint64_t last = 0, counter;
    const void *data;
    size_t len;
    *ret_frames = 0;
    if (artel_journal_reader_open(fuzz_state(), "run", s_writer, &reader) != 0)
        return 0;
    if (salvage)
        artel_journal_reader_salvage(reader);
    REQUIRE(memchr(artel_journal_reader_sinks(reader), 0, 4096));
    while (artel_journal_reader_next(reader, &counter, &data, &len) > 0) {
        REQUIRE(salvage ? counter > last : counter == last + 1);
        s_check_payload(counter, data, len);
        last = counter;
        ++*ret_frames;
    }
    artel_journal_reader_close(&reader);
    return last;
}

static void
s_take_over(uint64_t last)
{
    artel_journal_t *journal;
    uint8_t payload[MAX_PAYLOAD];
    uint64_t frames, durable;
    if (artel_journal_adopt(fuzz_state(), "run", s_writer, &journal) != 0)
        return;
    REQUIRE(artel_journal_accepted(journal) == last);
    if (last > UINT32_MAX) {                    //  no writer comes so far
        artel_journal_close(&journal);
        return;
    }
    artel_journal_frame_t frame = { last + 1, payload, s_payload(last + 1, payload) };
    REQUIRE(artel_journal_append(journal, &frame, 1) == 0);
    REQUIRE(artel_journal_sync(journal, &durable) == 0 && durable == last + 1);
    REQUIRE(s_read(true, &frames) == last + 1);
    artel_journal_close(&journal);
    REQUIRE(s_read(true, &frames) == last + 1);
}

static void
s_clear(void)
{
    artel_remove_tree(s_folder);
    REQUIRE(mkdir(s_folder, 0700) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!s_folder) {
        char run[4096];
        snprintf(run, sizeof run, "%s/runs/run", fuzz_state());
        REQUIRE(mkdir(run, 0700) == 0);
        REQUIRE(artel_journal_folder(fuzz_state(), "run", s_writer, &s_folder) == 0);
    }
    if (size == 0)
        return 0;
    s_clear();
    s_origin = data[0] % 3;
    if (s_origin == RAW)
        s_put_segment(1, data + 1, size - 1);
    else
        s_compose(data + 1, size - 1);

    artel_journal_report_t report;
    uint64_t frames;
    s_read(false, &frames);
    uint64_t last = s_read(true, &frames);
    if (artel_journal_examine(fuzz_state(), "run", s_writer, &report) == 0) {
        if (s_origin == A_WRITERS)
            REQUIRE(report.frames == frames && (frames == 0 || report.last >= last));
        if (data[0] / 3 % 4 == 0)               //  it costs ten times the rest
            s_take_over(report.last);
    }
    return 0;
}
