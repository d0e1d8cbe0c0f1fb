//  The writer between a handler and a sender that the test plays, over real
//  journals on a disk that fails when the test says so.

#include "actors.h"
#include "fds.h"
#include "pending.h"
#include "presence.h"
#include "reader.h"
#include "writer.h"

#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static zactor_t *s_writer;
static zsock_t *s_handler, *s_sender;

//  The journal's system calls come here. A disk that is full takes nothing.
static atomic_bool s_full, s_broken;
static pthread_mutex_t s_disk = PTHREAD_MUTEX_INITIALIZER;     //  whoever has it keeps the disk from writing
static atomic_int s_slow_ms;
static int s_rest_ms = 60000;
static atomic_int_fast64_t s_stop_by;

ssize_t
pwritev(int fd, const struct iovec *parts, int n, off_t offset)
{
    pthread_mutex_lock(&s_disk);
    pthread_mutex_unlock(&s_disk);
    if (!atomic_load(&s_full))
        return syscall(SYS_pwritev, fd, parts, n, offset, 0);
    errno = ENOSPC;
    return -1;
}

int
fdatasync(int fd)
{
    usleep((unsigned) atomic_load(&s_slow_ms) * 1000);
    if (!atomic_load(&s_broken))
        return (int) syscall(SYS_fdatasync, fd);
    errno = EIO;
    return -1;
}

static void
s_start(void)
{
    zsock_t *handler, *sender;
    cr_assert_eq(artel_sock_pair(&s_handler, &handler), 0);
    cr_assert_eq(artel_sock_pair(&s_sender, &sender), 0);
    artel_writer_args_t args = { .start.name = "artel/writer", .state = s_state, .sinks = "store=store",
                                 .rest_ms = s_rest_ms,
                                 .handler = handler, .sender = sender, .stop_by = &s_stop_by };
    cr_assert_eq(artel_actor_start(&s_writer, artel_writer, &args.start), 0);
}

static void
s_end_writer(void)
{
    atomic_store(&s_stop_by, artel_now_ms() + 10000);
    cr_assert_eq(artel_actor_stop(&s_writer, 11000), 0);
}

static void
s_stop(void)
{
    s_end_writer();
    zsock_destroy(&s_handler);
    zsock_destroy(&s_sender);
}

static void
s_setup(void)
{
    s_begin();
    s_start();
}

static void
s_teardown(void)
{
    atomic_store(&s_full, false);
    atomic_store(&s_broken, false);
    s_stop();
    s_end();
}

TestSuite(writer, .init = s_setup, .fini = s_teardown, .timeout = 60);

static artel_msg_t
s_open(const char *run, artel_id_t writer, artel_resumes_t resumes)
{
    s_send(s_handler, (artel_msg_t) { .id = ARTEL_MSG_RUN_OPEN, .run_open = { artel_str(run), writer, resumes } });
    return s_await(s_handler, ARTEL_MSG_RUN_OPENED);
}

static void
s_batch(uint64_t counter, bool ends)
{
    s_send_batch(s_handler, (batch_t) { .writer = s_id, .counter = counter, .ends = ends });
}

static void
s_await_accepted(uint64_t counter)
{
    while (s_await(s_handler, ARTEL_MSG_ACCEPTED).accepted.accepted < counter)
        continue;
}

static void
s_flush(uint64_t counter)
{
    s_send(s_handler, (artel_msg_t) { .id = ARTEL_MSG_FLUSH, .flush = { s_id, counter, ARTEL_TO_DURABLE } });
}

//  Every batch of the journal is there once and in order, up to last.
static void
s_expect_journal(uint64_t last)
{
    artel_journal_reader_t *reader;
    uint64_t counter, expected = 0;
    const void *data;
    size_t len;
    cr_assert_eq(artel_journal_reader_open(s_state, "r", s_id, &reader), 0);
    while (artel_journal_reader_next(reader, &counter, &data, &len) > 0)
        cr_assert_eq(counter, ++expected);
    cr_assert_eq(expected, last);
    artel_journal_reader_close(&reader);
}

Test(writer, says_accepted_when_it_is_written_and_lets_it_be_delivered_when_it_is_durable)
{
    cr_assert_eq(s_open("r", s_id, ARTEL_RESUMES_NEVER).run_opened.code, 0);
    s_batch(1, false);
    artel_msg_t msg = s_recv(s_handler);
    cr_assert_eq(msg.id, ARTEL_MSG_ACCEPTED);
    cr_assert_eq(msg.accepted.accepted, 1);
    cr_assert_eq(msg.accepted.durable, 0);
    s_expect_silence(s_sender);
    s_flush(1);
    cr_assert_eq(s_recv(s_handler).durable.counter, 1);
    msg = s_recv(s_sender);
    cr_assert_eq(msg.id, ARTEL_MSG_COMMITTED);
    cr_assert_eq(msg.committed.counter, 1);
}

//  How much of the disk the journal's first segment has.
static off_t
s_segment_size(void)
{
    char path[200], id[ARTEL_ID_TEXT];
    struct stat st;
    artel_hex(s_id.at, sizeof s_id.at, id);
    snprintf(path, sizeof path, "%s/runs/r/%s/00000001.seg", s_state, id);
    cr_assert_eq(stat(path, &st), 0, "%s", path);
    return st.st_size;
}

static void
s_await_rest(off_t reserved)
{
    int64_t deadline = artel_now_ms() + 10000;
    while (s_segment_size() == reserved && artel_now_ms() < deadline)
        usleep(1000);
    cr_assert_lt(s_segment_size(), reserved, "it does not rest");
}

Test(writer, lets_a_journal_rest_to_which_nothing_comes_and_goes_on_with_it)
{
    s_stop();
    s_rest_ms = 50;
    s_start();
    s_open("r", s_id, ARTEL_RESUMES_NEVER);
    off_t reserved = s_segment_size();
    s_await_rest(reserved);                     //  nothing ever came
    for (uint64_t counter = 1; counter <= 3; counter++) {
        s_batch(counter, false);
        s_await_accepted(counter);
        cr_assert_eq(s_segment_size(), reserved);
        s_flush(counter);
        s_await_rest(reserved);
    }
    s_expect_journal(3);
}

Test(writer, makes_durable_within_a_second_what_nobody_waits_for)
{
    s_open("r", s_id, ARTEL_RESUMES_NEVER);
    int64_t before = artel_now_ms();
    s_batch(1, false);
    cr_assert_eq(s_await(s_handler, ARTEL_MSG_DURABLE).durable.counter, 1);
    cr_assert_leq(artel_now_ms() - before, ARTEL_SYNC_MS + 500);
    cr_assert_geq(artel_now_ms() - before, ARTEL_SYNC_MS - 50);
}

Test(writer, makes_durable_at_once_what_has_grown_large)
{
    s_open("r", s_id, ARTEL_RESUMES_NEVER);
    int64_t before = artel_now_ms();
    for (uint64_t i = 1; i <= 40; i++)
        s_send_batch(s_handler, (batch_t) { .writer = s_id, .counter = i, .padding = 250 * 1024 });
    s_await(s_handler, ARTEL_MSG_DURABLE);
    cr_assert_lt(artel_now_ms() - before, ARTEL_SYNC_MS);
}

Test(writer, tells_both_neighbours_when_a_run_is_closed_and_all_of_it_is_durable)
{
    s_open("r", s_id, ARTEL_RESUMES_NEVER);
    atomic_store(&s_slow_ms, 20);
    s_batch(1, false);
    s_flush(1);                                 //  its fdatasync is under way
    s_batch(2, true);
    s_send(s_handler, (artel_msg_t) { .id = ARTEL_MSG_RUN_CLOSE, .run_close = { s_id } });
    cr_assert_eq(s_await(s_handler, ARTEL_MSG_CLOSED).closed.ended, true);
    uint64_t committed = 0;
    artel_msg_t msg;
    while ((msg = s_recv(s_sender)).id == ARTEL_MSG_COMMITTED)
        committed = msg.committed.counter;
    cr_assert_eq(msg.id, ARTEL_MSG_CLOSED);
    cr_assert(msg.closed.ended);
    cr_assert_eq(committed, 2);
    artel_journal_t *journal;
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_id, &journal), 0, "it is locked no more");
    artel_journal_close(&journal);
}

Test(writer, says_of_a_run_that_is_closed_without_its_exit_that_it_has_none)
{
    s_open("r", s_id, ARTEL_RESUMES_NEVER);
    s_batch(1, false);
    s_send(s_handler, (artel_msg_t) { .id = ARTEL_MSG_RUN_CLOSE, .run_close = { s_id } });
    cr_assert_not(s_await(s_handler, ARTEL_MSG_CLOSED).closed.ended);
}

Test(writer, opens_a_closed_journal_again_where_it_was)
{
    s_open("r", s_id, ARTEL_RESUMES_NEVER);
    s_batch(1, false);
    s_send(s_handler, (artel_msg_t) { .id = ARTEL_MSG_RUN_CLOSE, .run_close = { s_id } });
    s_await(s_handler, ARTEL_MSG_CLOSED);
    s_await(s_sender, ARTEL_MSG_CLOSED);
    artel_msg_t msg = s_open("r", s_id, ARTEL_RESUMES_NEVER);
    cr_assert_eq(msg.run_opened.code, 0);
    cr_assert_eq(msg.run_opened.accepted, 1);
    cr_assert_eq(s_await(s_sender, ARTEL_MSG_COMMITTED).committed.counter, 1, "the sender goes on with it");
}

Test(writer, says_why_a_journal_cannot_be_opened_and_tries_again)
{
    static const artel_id_t other = { "another writer 1" };
    s_open("r", s_id, ARTEL_RESUMES_NEVER);
    cr_assert_eq(s_open("r", other, ARTEL_RESUMES_NEVER).run_opened.code, ARTEL_EEXIST);
    cr_assert_eq(s_open("q", other, ARTEL_RESUMES_MUST).run_opened.code, ARTEL_ENOENT);
    cr_assert_eq(s_open("r", other, ARTEL_RESUMES_ALLOW).run_opened.code, 0);
}

Test(writer, tells_who_joins_a_run_with_which_step_to_go_on)
{
    static const artel_id_t other = { "another writer 1" };
    cr_assert_eq(s_open("r", s_id, ARTEL_RESUMES_NEVER).run_opened.next_step, 0);
    s_send_batch(s_handler, (batch_t) { .writer = s_id, .counter = 1, .next_step = 77 });
    s_await_accepted(1);
    cr_assert_eq(s_open("r", other, ARTEL_RESUMES_ALLOW).run_opened.next_step, 77);
    cr_assert_eq(s_open("r", s_id, ARTEL_RESUMES_NEVER).run_opened.next_step, 77, "its own, asked again");
}

Test(writer, an_end_written_for_a_dead_program_keeps_its_step)
{
    static const artel_id_t other = { "another writer 1" };
    int alive;
    cr_assert_eq(artel_presence_begin(s_state, "r", s_id, &alive), 0);
    s_open("r", s_id, ARTEL_RESUMES_NEVER);
    s_send_batch(s_handler, (batch_t) { .writer = s_id, .counter = 1, .next_step = 5 });
    s_await_accepted(1);
    artel_fd_close(alive);                      //  as a kill does
    s_send(s_handler, (artel_msg_t) { .id = ARTEL_MSG_ADOPT, .adopt = { 1, 1000 } });
    s_await(s_handler, ARTEL_MSG_CLOSED);
    s_expect_journal(2);
    cr_assert_eq(s_open("r", other, ARTEL_RESUMES_ALLOW).run_opened.next_step, 5);
}

//  Of six batches the disk takes three; the others are on their way. After the
//  reset the client's resending brings all that is missing, once and in order.
Test(writer, refuses_what_follows_a_failure_until_it_is_reset)
{
    s_open("r", s_id, ARTEL_RESUMES_NEVER);
    for (uint64_t i = 1; i <= 3; i++)
        s_batch(i, false);
    s_await_accepted(3);
    atomic_store(&s_full, true);
    s_batch(4, false);
    artel_msg_t msg = s_await(s_handler, ARTEL_MSG_REFUSED);
    cr_assert_eq(msg.refused.counter, 4);
    cr_assert_eq(msg.refused.code, ARTEL_ENOSPC);
    cr_assert_not_null(strstr(msg.refused.text.at, "the journal of run r: "));
    atomic_store(&s_full, false);
    s_batch(5, false);                          //  they were on their way
    s_batch(6, false);
    s_expect_silence(s_handler);
    s_send(s_handler, (artel_msg_t) { .id = ARTEL_MSG_RESET, .reset = { s_id } });
    for (uint64_t i = 4; i <= 6; i++)
        s_batch(i, false);
    s_await_accepted(6);
    s_expect_journal(6);
}

//  The disk fills and empties while batches, refusals and resets cross.
Test(writer, keeps_order_while_the_disk_fills_and_empties)
{
    enum { N = 2000 };
    uint64_t sent = 0, accepted = 0;
    unsigned refusals = 0, random = 1;
    s_open("r", s_id, ARTEL_RESUMES_NEVER);
    while (accepted < N) {
        random = random * 1103515245 + 12345;
        atomic_store(&s_full, random >> 16 & 1);
        for (unsigned i = 0; i < 1 + (random >> 17 & 7) && sent < N; i++)
            s_batch(++sent, false);
        artel_msg_t msg;
        while (s_try_recv(s_handler, 1, &msg)) {
            if (msg.id == ARTEL_MSG_ACCEPTED)
                accepted = msg.accepted.accepted;
            if (msg.id != ARTEL_MSG_REFUSED)
                continue;
            cr_assert_eq(msg.refused.counter, accepted + 1);
            refusals++;
            sent = accepted;
            s_send(s_handler, (artel_msg_t) { .id = ARTEL_MSG_RESET, .reset = { s_id } });
            break;
        }
    }
    cr_assert_gt(refusals, 10);
    s_expect_journal(N);
}

Test(writer, tells_once_what_cannot_be_made_durable_and_lets_it_be_delivered)
{
    s_open("r", s_id, ARTEL_RESUMES_NEVER);
    atomic_store(&s_broken, true);
    s_batch(1, false);
    s_flush(1);
    artel_msg_t msg = s_await(s_handler, ARTEL_MSG_DURABLE);
    cr_assert_eq(msg.durable.code, ARTEL_EIO);
    cr_assert_eq(s_await(s_sender, ARTEL_MSG_COMMITTED).committed.counter, 1);
    atomic_store(&s_broken, false);             //  it is not asked again
    s_batch(2, false);
    cr_assert_eq(s_await(s_handler, ARTEL_MSG_REFUSED).refused.code, ARTEL_EIO);
    s_send(s_handler, (artel_msg_t) { .id = ARTEL_MSG_RUN_CLOSE, .run_close = { s_id } });
    s_await(s_handler, ARTEL_MSG_CLOSED);
    cr_assert(s_is_pending("r", s_id));
}

Test(writer, a_flush_is_not_kept_waiting_by_what_nobody_waits_for)
{
    enum { N = 40 };
    for (unsigned i = 0; i < N; i++) {
        artel_id_t writer = { { 1, (uint8_t) i } };
        char run[16];
        snprintf(run, sizeof run, "run-%u", i);
        cr_assert_eq(s_open(run, writer, ARTEL_RESUMES_NEVER).run_opened.code, 0);
        s_send_batch(s_handler, (batch_t) { .run = run, .writer = writer, .counter = 1 });
    }
    s_open("r", s_id, ARTEL_RESUMES_NEVER);
    usleep(ARTEL_SYNC_MS * 1000 - 100000);      //  all of them are about to be synced
    atomic_store(&s_slow_ms, 20);
    usleep(200000);
    s_batch(1, false);
    s_flush(1);
    int64_t before = artel_now_ms();
    while (!artel_id_equal(s_await(s_handler, ARTEL_MSG_DURABLE).durable.writer, s_id))
        continue;
    cr_assert_lt(artel_now_ms() - before, 200, "it waited for all the others");
    atomic_store(&s_slow_ms, 0);
}

Test(writer, a_journal_with_one_batch_does_not_wait_for_all_that_another_has)
{
    enum { MANY = 200 };
    artel_id_t other = { "another writer 1" };
    s_open("r", s_id, ARTEL_RESUMES_NEVER);
    s_open("q", other, ARTEL_RESUMES_NEVER);
    pthread_mutex_lock(&s_disk);
    for (uint64_t i = 1; i <= MANY; i++)
        s_batch(i, false);
    s_send_batch(s_handler, (batch_t) { .run = "q", .writer = other, .counter = 1 });
    pthread_mutex_unlock(&s_disk);
    uint64_t before = 0;
    for (artel_msg_t msg; msg = s_await(s_handler, ARTEL_MSG_ACCEPTED), artel_id_equal(msg.accepted.writer, s_id); )
        before = msg.accepted.accepted;
    cr_assert(before > 0 && before < MANY, "%d of %d batches were written before it", (int) before, MANY);
    s_await_accepted(MANY);
    s_expect_journal(MANY);
}

Test(writer, has_no_more_notices_on_their_way_than_the_sender_has_room_for)
{
    enum { N = 300 };
    for (unsigned i = 0; i < N; i++) {
        artel_id_t writer = { { 1, (uint8_t) i, (uint8_t) (i >> 8) } };
        char run[16];
        snprintf(run, sizeof run, "run-%u", i);
        s_open(run, writer, ARTEL_RESUMES_NEVER);
        s_send_batch(s_handler, (batch_t) { .run = run, .writer = writer, .counter = 1, .ends = true });
        s_send(s_handler, (artel_msg_t) { .id = ARTEL_MSG_RUN_CLOSE, .run_close = { writer } });
    }
    unsigned committed = 0, closed = 0;
    artel_msg_t msg;
    while (s_try_recv(s_sender, 500, &msg)) {
        committed += msg.id == ARTEL_MSG_COMMITTED;
        closed += msg.id == ARTEL_MSG_CLOSED;
    }
    cr_assert_eq(committed, 256);
    cr_assert_leq(closed, 256);
    s_send(s_sender, (artel_msg_t) { .id = ARTEL_MSG_NOTED, .noted = { 256 } });
    while (closed < N) {
        msg = s_recv(s_sender);
        committed += msg.id == ARTEL_MSG_COMMITTED;
        closed += msg.id == ARTEL_MSG_CLOSED;
    }
    cr_assert_eq(committed, N);
}

Test(writer, finds_what_dead_programs_left_while_it_goes_on)
{
    static const artel_id_t dead = { "another writer 1" };
    s_make_journal("dead", dead, "store=store", 2, false);
    s_open("r", s_id, ARTEL_RESUMES_NEVER);
    s_send(s_handler, (artel_msg_t) { .id = ARTEL_MSG_ADOPT, .adopt = { .token = 5, .wait_ms = 77 } });
    artel_msg_t msg = s_recv(s_sender);
    cr_assert_eq(msg.id, ARTEL_MSG_ADOPT);
    cr_assert_eq(msg.adopt.wait_ms, 77);
    msg = s_recv(s_sender);
    cr_assert_eq(msg.id, ARTEL_MSG_COMMITTED);
    cr_assert_eq(msg.committed.counter, 3, "with its exit");
    cr_assert(artel_id_equal(msg.committed.writer, dead));
    msg = s_recv(s_sender);
    cr_assert_eq(msg.id, ARTEL_MSG_CLOSED);
    cr_assert(msg.closed.ended);
    msg = s_recv(s_sender);
    cr_assert_eq(msg.id, ARTEL_MSG_ADOPTED);
    cr_assert_eq(msg.adopted.token, 5);
    cr_assert_eq(msg.adopted.journals, 1, "ours is alive");
}

Test(writer, appends_what_the_handler_passed_on_before_it_ends)
{
    enum { N = 5000 };
    s_open("r", s_id, ARTEL_RESUMES_NEVER);
    for (uint64_t i = 1; i <= N; i++)
        s_batch(i, i == N);
    s_stop();
    s_expect_journal(N);
    s_start();
}

Test(writer, lets_what_nobody_waits_for_be_delivered_before_it_ends)
{
    s_open("r", s_id, ARTEL_RESUMES_NEVER);
    s_batch(1, false);
    s_batch(2, false);
    s_await_accepted(2);
    s_end_writer();
    artel_msg_t msg = s_await(s_sender, ARTEL_MSG_COMMITTED);
    cr_assert_eq(msg.committed.counter, 2);
    zsock_destroy(&s_handler);
    zsock_destroy(&s_sender);
    s_start();
}

Test(writer, stops_with_an_opening_an_fdatasync_and_a_closing_under_way)
{
    static const artel_id_t other = { "another writer 1" };
    s_open("r", s_id, ARTEL_RESUMES_NEVER);
    atomic_store(&s_slow_ms, 30);
    s_batch(1, true);
    s_flush(1);
    s_send(s_handler, (artel_msg_t) { .id = ARTEL_MSG_RUN_CLOSE, .run_close = { s_id } });
    s_send(s_handler, (artel_msg_t) { .id = ARTEL_MSG_RUN_OPEN, .run_open = { artel_str("q"), other, 0 } });
    s_stop();
    atomic_store(&s_slow_ms, 0);
    uint64_t last;
    artel_journal_t *journal;
    s_expect_journal(1);
    cr_assert_eq(artel_journal_adopt(s_state, "q", other, &journal), 0, "nothing is locked any more");
    artel_journal_close(&journal);
    cr_assert_eq(artel_pending_sealed(s_state, "r", s_id, &last), 0);
    cr_assert_eq(last, 1);
    s_start();
}

Test(writer, looks_at_no_message_that_is_none_of_its)
{
    zstr_send(s_handler, "hello");
    s_send(s_handler, (artel_msg_t) { .id = ARTEL_MSG_DELIVER });
    s_send(s_sender, (artel_msg_t) { .id = ARTEL_MSG_NOTED, .noted = { UINT64_MAX } });
    s_send_batch(s_handler, (batch_t) { .writer = s_id, .counter = 1 });
    s_flush(1);
    s_send(s_handler, (artel_msg_t) { .id = ARTEL_MSG_RUN_CLOSE, .run_close = { s_id } });
    cr_assert_eq(s_open("r", s_id, ARTEL_RESUMES_NEVER).run_opened.code, 0);
}
