//  One journal, five threads: an appender, a syncer, a reader, a reader in
//  salvage, and one who examines. For ThreadSanitizer, so without Criterion.

#include "bounds.h"
#include "errors.h"
#include "journal.h"
#include "layout.h"
#include "reader.h"
#include "state.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { APPENDS = 800, AT_ONCE = 3, SIZE = 5000 };

static const artel_id_t s_writer = { "the first writer" };
static char s_state[] = "/tmp/artel-test-XXXXXX";
static artel_journal_t *s_journal;
static atomic_bool s_done;

static void
s_fill(uint64_t counter, uint8_t ret[SIZE])
{
    for (size_t i = 0; i < SIZE; i++)
        ret[i] = (uint8_t) (counter * 131 + i * 7);
}

static void *
s_append(void *arg)
{
    const char **why = arg;
    static uint8_t bytes[AT_ONCE][SIZE];
    for (uint64_t counter = 0; counter < APPENDS * AT_ONCE && !*why; counter += AT_ONCE) {
        artel_journal_frame_t frames[AT_ONCE];
        for (uint64_t i = 0; i < AT_ONCE; i++) {
            s_fill(counter + i + 1, bytes[i]);
            frames[i] = (artel_journal_frame_t) { counter + i + 1, bytes[i], SIZE };
        }
        if (artel_journal_append(s_journal, frames, AT_ONCE) != 0)
            *why = "an append failed";
    }
    atomic_store(&s_done, true);
    return NULL;
}

static void *
s_sync(void *arg)
{
    const char **why = arg;
    uint64_t before = 0, durable;
    while (!atomic_load(&s_done) && !*why) {
        uint64_t accepted = artel_journal_accepted(s_journal);
        if (artel_journal_sync(s_journal, &durable) != 0)
            *why = "a sync failed";
        else if (durable < before || durable < accepted || artel_journal_durable(s_journal) != durable)
            *why = "what is durable went back";
        before = durable;
    }
    return NULL;
}

static const char *
s_read_on(artel_journal_reader_t *reader)
{
    for (uint64_t expected = 1; expected <= APPENDS * AT_ONCE; ) {
        uint8_t want[SIZE];
        uint64_t counter;
        const void *data;
        size_t len;
        int rc = artel_journal_reader_next(reader, &counter, &data, &len);
        if (rc < 0)
            return artel_error_code_name(rc);
        if (rc == 0)
            continue;
        s_fill(expected, want);
        if (counter != expected++ || len != SIZE || memcmp(data, want, SIZE) != 0)
            return "a batch is missing or wrong";
    }
    return NULL;
}

static void
s_read(const char **why, bool salvage)
{
    artel_journal_reader_t *reader;
    if (artel_journal_reader_open(s_state, "r", s_writer, &reader) != 0) {
        *why = "no reader";
        return;
    }
    if (salvage)
        artel_journal_reader_salvage(reader);
    *why = s_read_on(reader);
    artel_journal_reader_close(&reader);
}

static void *
s_read_live(void *arg)
{
    s_read(arg, false);
    return NULL;
}

static void *
s_read_salvage(void *arg)
{
    s_read(arg, true);
    return NULL;
}

static void *
s_examine(void *arg)
{
    const char **why = arg;
    artel_journal_report_t report;
    while (!atomic_load(&s_done) && !*why)
        if (artel_journal_examine(s_state, "r", s_writer, &report) != 0)
            *why = "no report";
        else if (report.class > ARTEL_JOURNAL_TORN_TAIL || report.lost_from)
            *why = "it calls what is being written damaged";
    return NULL;
}

int
main(void)
{
    static const struct { const char *name; void *(*fn)(void *); } roles[] = {
        { "appends_while_others_sync_and_read", s_append },
        { "syncs_while_segments_change", s_sync },
        { "reads_all_there_is_in_order", s_read_live },
        { "salvages_nothing_where_nothing_is_lost", s_read_salvage },
        { "finds_no_damage_in_what_is_being_written", s_examine },
    };
    enum { N = sizeof roles / sizeof *roles };
    pthread_t threads[N];
    const char *why[N] = { NULL };
    artel_journal_birth_t birth = { .run = "r", .writer = s_writer, .sinks = "store" };
    if (!mkdtemp(s_state) || artel_state_make(s_state) != 0
        || artel_journal_create(s_state, &birth, &s_journal) != 0) {
        puts("FAIL journal_threads: no journal");
        return 1;
    }
    for (int i = 0; i < N; i++)
        pthread_create(&threads[i], NULL, roles[i].fn, &why[i]);
    int failed = 0;
    for (int i = 0; i < N; i++) {
        pthread_join(threads[i], NULL);
        failed += why[i] != NULL;
        printf("%s %s%s%s\n", why[i] ? "FAIL" : "PASS", roles[i].name, why[i] ? ": " : "",
               why[i] ? why[i] : "");
    }
    artel_journal_close(&s_journal);
    artel_remove_tree(s_state);
    return failed ? 1 : 0;
}
