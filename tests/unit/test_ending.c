//  The batch that ends a journal in its dead writer's stead, read back.

#include "actors.h"
#include "batch.h"
#include "ending.h"

TestSuite(ending, .init = s_begin, .fini = s_end, .timeout = 30);

//  The head is left in *ret; the records as artel_msg_print shows them are the caller's.
static char *
s_read(const artel_ending_t *ending, artel_msg_batch_t *ret)
{
    artel_batch_reader_t reader;
    artel_msg_t msg;
    char *text;
    size_t size;
    int rc;
    FILE *out = open_memstream(&text, &size);
    cr_assert_eq(artel_batch_check(ending->out.data, ending->out.size), 0);
    cr_assert_eq(artel_batch_read(ending->out.data, ending->out.size, &s_wire.zone, &reader), 0);
    *ret = reader.head;
    while ((rc = artel_batch_next(&reader, &msg)) > 0) {
        if (msg.id == ARTEL_MSG_EXIT)
            msg.exit.at_ms = msg.exit.at_ms > 0;
        artel_msg_print(&msg, out);
        fputc(';', out);
    }
    cr_assert_eq(rc, 0);
    fclose(out);
    return text;
}

Test(ending, is_a_batch_of_the_writer_that_says_it_crashed)
{
    artel_ending_t ending;
    artel_msg_batch_t head;
    artel_ending_begin(&ending, "r", s_id, 7, 11);
    cr_assert_eq(artel_ending_exit(&ending), 0);
    char *text = s_read(&ending, &head);
    cr_assert_str_eq(text, "exit code=-1 crashed=true at_ms=1;");
    cr_assert_eq(head.counter, 7);
    cr_assert_eq(head.next_step, 11);
    cr_assert(head.ends && artel_id_equal(head.writer, s_id));
    cr_assert(head.run.len == 1 && head.run.at[0] == 'r');
    cr_assert_eq(ending.lost, 0);
    free(text);
    artel_ending_done(&ending);
}

Test(ending, names_each_range_that_is_lost_and_counts_its_batches)
{
    artel_ending_t ending;
    artel_msg_batch_t head;
    artel_ending_begin(&ending, "r", s_id, 20, 0);
    artel_ending_lost(&ending, 3, 5);
    artel_ending_lost(&ending, 9, 9);
    cr_assert_eq(artel_ending_exit(&ending), 0);
    char *text = s_read(&ending, &head);
    cr_assert_str_eq(text, "lost from=3 to=5 reason='not to be read in the journal';"
                           "lost from=9 to=9 reason='not to be read in the journal';"
                           "exit code=-1 crashed=true at_ms=1;");
    cr_assert_eq(ending.lost, 4);
    free(text);
    artel_ending_done(&ending);
}
