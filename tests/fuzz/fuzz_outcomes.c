//  The outcomes of a sink, of anyone's bytes: what is read can be written and reads the
//  same again. An odd first byte: every line gets the checksum that is right.

#include "errors.h"
#include "frame.h"
#include "fuzz.h"
#include "layout.h"
#include "outcomes.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const artel_id_t s_writer = { "a writer id 16b" };
static char *s_folder;

//  The lines of data, each behind its checksum.
static size_t
s_sum_lines(const uint8_t *data, size_t size, uint8_t *ret)
{
    size_t used = 0;
    while (size) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t len = end ? (size_t) (end - data) : size;
        used += (size_t) sprintf((char *) ret + used, "%016" PRIx64 " ",
                                 artel_frame_sum(data, len, artel_frame_seed(s_writer, 0)));
        memcpy(ret + used, data, len);
        used += len;
        ret[used++] = '\n';
        data += len + (end != NULL);
        size -= len + (end != NULL);
    }
    return used;
}

static void
s_put(const char *sink, const void *data, size_t size)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s.outcomes", s_folder + strlen(fuzz_state()) + 1, sink);
    fuzz_put_file(path, data, size);
}

static void
s_compare(void *arg, const artel_outcome_t *read)
{
    const artel_outcome_t *written = arg;
    REQUIRE(read->counter == written->counter && artel_id_equal(read->xid, written->xid));
    REQUIRE(read->status == written->status && read->version == written->version);
    REQUIRE(read->fresh == written->fresh && strcmp(read->text, written->text) == 0);
}

static void
s_write_again(void *arg, const artel_outcome_t *outcome)
{
    unsigned *n = arg;
    artel_outcomes_t *file;
    REQUIRE(memchr(outcome->text, 0, sizeof outcome->text));
    if (++*n > 4)
        return;
    s_put("again", "", 0);
    REQUIRE(artel_outcomes_open(fuzz_state(), "run", s_writer, "again", &file) == 0);
    REQUIRE(artel_outcomes_add(file, outcome) == 0);
    artel_outcomes_close(&file);
    REQUIRE(artel_outcomes_each(fuzz_state(), "run", s_writer, "again", s_compare,
                                (void *) outcome) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned n = 0;
    if (!s_folder) {
        char run[PATH_MAX];
        snprintf(run, sizeof run, "%s/runs/run", fuzz_state());
        REQUIRE(artel_journal_folder(fuzz_state(), "run", s_writer, &s_folder) == 0);
        REQUIRE(mkdir(run, 0700) == 0 && mkdir(s_folder, 0700) == 0);
    }
    if (size == 0)
        return 0;
    uint8_t *lines = malloc(size * 19 + 19);
    REQUIRE(lines);
    if (data[0] % 2)
        s_put("store", lines, s_sum_lines(data + 1, size - 1, lines));
    else
        s_put("store", data + 1, size - 1);
    free(lines);
    REQUIRE(artel_outcomes_each(fuzz_state(), "run", s_writer, "store", s_write_again, &n) == 0);
    return 0;
}
