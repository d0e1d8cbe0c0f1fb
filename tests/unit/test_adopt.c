//  What dead programs left, and what is done with it.

#include "actors.h"
#include "adopt.h"
#include "batch.h"
#include "reader.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

static artel_adopted_t s_found[8];
static size_t s_n;
static char s_why[256];

static int
s_note(void *arg, const artel_adopted_t *adopted)
{
    (void) arg;
    s_found[s_n++] = *adopted;
    return 0;
}

static int
s_adopt_all(void)
{
    s_n = 0;
    return artel_adopt_all(s_state, s_note, NULL, s_why, sizeof s_why);
}

TestSuite(adopt, .init = s_begin, .fini = s_end, .timeout = 30);

//  A program that appends n batches and is killed.
static void
s_kill_writer(artel_id_t writer, uint64_t n, bool ends)
{
    pid_t pid = fork();
    if (pid == 0) {
        artel_journal_t *journal = s_create("r", writer, "store");
        for (uint64_t i = 1; i <= n; i++)
            s_append(journal, (batch_t) { .writer = writer, .counter = i, .ends = ends && i == n,
                                          .padding = 1000 });
        raise(SIGKILL);
    }
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFSIGNALED(status));
}

//  The records of a batch of the journal, as artel_msg_print shows them.
static void
s_expect_batch(artel_id_t writer, uint64_t counter, const char *expected)
{
    artel_journal_reader_t *reader;
    uint64_t got = 0;
    const void *data;
    size_t len, size;
    char *text;
    FILE *out = open_memstream(&text, &size);
    artel_batch_reader_t batch;
    artel_msg_t msg;
    cr_assert_eq(artel_journal_reader_open(s_state, "r", writer, &reader), 0);
    artel_journal_reader_salvage(reader);
    while (got < counter)
        cr_assert_eq(artel_journal_reader_next(reader, &got, &data, &len), 1);
    cr_assert_eq(artel_batch_read(data, len, &s_wire.zone, &batch), 0);
    while (artel_batch_next(&batch, &msg) > 0) {
        if (msg.id == ARTEL_MSG_EXIT)
            msg.exit.at_ms = 0;
        artel_msg_print(&msg, out);
        fputc(';', out);
    }
    fclose(out);
    cr_assert_str_eq(text, expected);
    free(text);
    artel_journal_reader_close(&reader);
}

Test(adopt, a_killed_writers_journal_is_ended_as_crashed_once)
{
    s_kill_writer(s_id, 3, false);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(s_adopt_all(), 0);
        cr_assert_eq(s_n, 1);
        cr_assert_str_eq(s_found[0].run, "r");
        cr_assert_eq(s_found[0].last, 4, "it is still to be delivered, and not ended again");
        cr_assert_eq(s_found[0].lost, 0);
    }
    s_expect_batch(s_id, 4, "exit code=-1 crashed=true at_ms=0;");
    cr_assert(s_is_pending("r", s_id));
}

Test(adopt, a_writer_that_was_killed_behind_its_exit_did_not_crash)
{
    s_kill_writer(s_id, 3, true);
    cr_assert_eq(s_adopt_all(), 0);
    cr_assert_eq(s_n, 1);
    cr_assert_eq(s_found[0].last, 3);
    cr_assert_eq(s_adopt_all(), 0);
    cr_assert_eq(s_found[0].last, 3);
}

Test(adopt, a_writer_that_never_wrote_has_nothing_to_end)
{
    s_kill_writer(s_id, 0, false);
    cr_assert_eq(s_adopt_all(), 0);
    cr_assert_eq(s_n, 1);
    cr_assert_eq(s_found[0].last, 0);
}

Test(adopt, a_journal_that_was_closed_with_its_exit_is_left_as_it_is)
{
    char id[ARTEL_ID_TEXT];
    s_make_journal("r", s_id, "store", 2, true);
    cr_assert_eq(s_adopt_all(), 0);
    cr_assert_eq(s_found[0].last, 2);
    artel_hex(s_id.at, sizeof s_id.at, id);
    char *second = artel_format("%s/runs/r/%s/00000002.seg", s_state, id);
    cr_assert_neq(access(second, F_OK), 0, "no segment was made for nothing");
    free(second);
}

Test(adopt, a_journal_that_was_closed_without_exit_is_a_crashed_one)
{
    s_make_journal("r", s_id, "store", 2, false);
    cr_assert_eq(s_adopt_all(), 0);
    cr_assert_eq(s_found[0].last, 3);
}

Test(adopt, a_writer_that_lives_is_left_alone_also_in_this_process)
{
    artel_journal_t *journal = s_create("r", s_id, "store");
    s_append(journal, (batch_t) { .writer = s_id, .counter = 1 });
    cr_assert_eq(s_adopt_all(), 0);
    cr_assert_eq(s_n, 0);
    s_append(journal, (batch_t) { .writer = s_id, .counter = 2, .ends = true });
    cr_assert_eq(s_adopt_all(), 0);
    cr_assert_eq(s_n, 0, "its exit is written, but it is not closed");
    artel_journal_close(&journal);
    cr_assert_eq(s_adopt_all(), 0);
    cr_assert_eq(s_n, 1);
}

static void
s_flip_first_segment(long from_start)
{
    char id[ARTEL_ID_TEXT];
    artel_hex(s_id.at, sizeof s_id.at, id);
    char *path = artel_format("%s/runs/r/%s/00000001.seg", s_state, id);
    FILE *file = fopen(path, "r+");
    cr_assert_not_null(file);
    fseek(file, from_start, SEEK_SET);
    int byte = fgetc(file);
    fseek(file, from_start, SEEK_SET);
    fputc(byte ^ 1, file);
    fclose(file);
    free(path);
}

Test(adopt, what_cannot_be_read_is_noted_in_the_journal_once_and_counted_as_long_as_it_is_pending)
{
    s_kill_writer(s_id, 4, false);
    s_flip_first_segment(2000);                 //  somewhere in the second batch
    cr_assert_eq(s_adopt_all(), 0);
    cr_assert_eq(s_n, 1);
    cr_assert_eq(s_found[0].last, 5);
    cr_assert_eq(s_found[0].lost, 1);
    s_expect_batch(s_id, 5, "lost from=2 to=2 reason='not to be read in the journal';"
                   "exit code=-1 crashed=true at_ms=0;");
    cr_assert_eq(s_adopt_all(), 0);
    cr_assert_eq(s_found[0].last, 5);
    cr_assert_eq(s_found[0].lost, 1);
}

Test(adopt, what_cannot_be_read_of_a_journal_that_was_closed_is_counted_too)
{
    artel_journal_t *journal = s_create("r", s_id, "store");
    for (uint64_t i = 1; i <= 4; i++)
        s_append(journal, (batch_t) { .writer = s_id, .counter = i, .ends = i == 4, .padding = 1000 });
    artel_journal_close(&journal);
    s_flip_first_segment(2000);
    cr_assert_eq(s_adopt_all(), 0);
    cr_assert_eq(s_found[0].last, 4, "it has its end");
    cr_assert_eq(s_found[0].lost, 1);
}

Test(adopt, a_journal_that_cannot_be_read_at_all_is_named_and_the_others_are_adopted)
{
    static const artel_id_t other = { "another writer 1" };
    s_kill_writer(s_id, 1, false);
    s_kill_writer(other, 1, false);
    char id[ARTEL_ID_TEXT];
    artel_hex(s_id.at, sizeof s_id.at, id);
    char *path = artel_format("%s/runs/r/%s/00000001.seg", s_state, id);
    cr_assert_eq(truncate(path, 10), 0);
    free(path);
    cr_assert_eq(s_adopt_all(), ARTEL_ECORRUPT);
    cr_assert_not_null(strstr(s_why, "the journal of run r: "));
    cr_assert_eq(s_n, 1);
    cr_assert(artel_id_equal(s_found[0].writer, other));
}

static int
s_stop(void *arg, const artel_adopted_t *adopted)
{
    (void) arg;
    (void) adopted;
    s_n++;
    return 1;
}

Test(adopt, the_search_ends_when_it_is_told_to)
{
    static const artel_id_t other = { "another writer 1" };
    s_make_journal("r", s_id, "store", 1, true);
    s_make_journal("r", other, "store", 1, true);
    cr_assert_eq(artel_adopt_all(s_state, s_stop, NULL, s_why, sizeof s_why), 0);
    cr_assert_eq(s_n, 1);
}

Test(adopt, of_several_adopters_at_once_one_ends_the_journal)
{
    enum { N = 4 };
    pid_t pids[N];
    int status, failed = 0;
    s_kill_writer(s_id, 3, false);
    for (int i = 0; i < N; i++)
        if ((pids[i] = fork()) == 0)
            _exit(s_adopt_all() == 0 && (s_n == 0 || s_found[0].last == 4) ? 0 : 1);
    for (int i = 0; i < N; i++) {
        waitpid(pids[i], &status, 0);
        failed += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }
    cr_assert_eq(failed, 0);
    cr_assert_eq(s_adopt_all(), 0);
    cr_assert_eq(s_found[0].last, 4);
}
