//  The events of ARTEL_TRACE.

#include <criterion/criterion.h>

#include "errors.h"
#include "guest.h"
#include "trace.h"
#include "wire.h"

#include <fcntl.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char s_path[] = "/tmp/artel-trace.XXXXXX";
static char s_lines[16][512];
static const artel_id_t s_xid = { "some xid of 16b" };
#define XID_TEXT "736f6d6520786964206f662031366200"

static void
s_setup(void)
{
    close(mkstemp(s_path));
    setenv("ARTEL_TRACE", s_path, 1);
}

static void
s_teardown(void)
{
    unlink(s_path);
}

TestSuite(trace, .init = s_setup, .fini = s_teardown, .timeout = 20);

static size_t
s_read(void)
{
    FILE *in = fopen(s_path, "r");
    size_t n = 0;
    while (n < 16 && fgets(s_lines[n], sizeof s_lines[n], in))
        n++;
    fclose(in);
    return n;
}

static void
s_expect_end(size_t line, const char *end)
{
    const char *from = strstr(s_lines[line], ",\"from\"");
    cr_assert_not_null(from);
    cr_assert_eq(strncmp(s_lines[line], "{\"time\":1", 9), 0);
    cr_assert_str_eq(from + 1, end);
}

Test(trace, is_off_unless_asked_for)
{
    unsetenv("ARTEL_TRACE");
    cr_assert_eq(artel_trace_open(), 0);
    cr_assert_not(artel_trace_on());
    artel_trace_message("a", "b", &(artel_msg_t) { .id = ARTEL_MSG_FLUSH }, artel_str("r"), 1);
    cr_assert_eq(s_read(), 0);
}

Test(trace, an_event_says_who_sent_what_to_whom)
{
    cr_assert_eq(artel_trace_open(), 0);
    artel_trace_message("client", "handler", &(artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_POLL,
        .artifact_poll = { .xid = s_xid } }, artel_str("r1"), 42);
    cr_assert_eq(s_read(), 1);
    s_expect_end(0, "\"from\":\"client\",\"to\":\"handler\",\"name\":\"artifact_poll\","
                 "\"xid\":\"" XID_TEXT "\",\"run\":\"r1\",\"bytes\":42}\n");
}

Test(trace, a_batch_is_its_records_under_their_own_names)
{
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    artel_trace_open();
    artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_BATCH, .batch = { .run = artel_str("r1") } }, &out);
    size_t head = out.size;
    artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_HISTORY }, &out);
    size_t first = out.size;
    artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_SEND, .artifact_send = { .xid = s_xid } }, &out);
    artel_trace_batch("handler", "writer", out.data, out.size);
    cr_assert_eq(s_read(), 2);
    char end[256];
    snprintf(end, sizeof end, "\"from\":\"handler\",\"to\":\"writer\",\"name\":\"history\","
             "\"xid\":\"\",\"run\":\"r1\",\"bytes\":%zu}\n", first - head);
    s_expect_end(0, end);
    cr_assert_not_null(strstr(s_lines[1], "\"name\":\"artifact_send\",\"xid\":\"" XID_TEXT "\""));
    msgpack_sbuffer_destroy(&out);
}

Test(trace, a_peers_run_that_is_no_run_id_cannot_break_a_line)
{
    artel_trace_open();
    artel_trace_message("client", "handler", &(artel_msg_t) { .id = ARTEL_MSG_RUN_OPEN },
                        artel_str("x\"}\n{"), 1);
    cr_assert_eq(s_read(), 1);
    cr_assert_not_null(strstr(s_lines[0], "\"run\":\"\""));
}

Test(trace, a_message_is_noted_before_it_can_be_received)
{
    artel_wire_t wire;
    zsock_t *a, *b;
    cr_assert_eq(artel_guest_enter(), 0);
    artel_trace_open();
    cr_assert_eq(artel_wire_init(&wire, "sender"), 0);
    cr_assert_eq(artel_sock_pair(&a, &b), 0);
    artel_wire_send(&wire, a, "store", &(artel_msg_t) { .id = ARTEL_MSG_POSITION_GET,
        .position_get = { .run = artel_str("r1") } });
    cr_assert_eq(s_read(), 1);
    cr_assert_not_null(strstr(s_lines[0], "\"from\":\"sender\",\"to\":\"store\",\"name\":\"position_get\""));
    zsock_destroy(&a);
    zsock_destroy(&b);
    artel_wire_done(&wire);
}

Test(trace, a_file_that_cannot_be_opened_is_told_each_time_and_nothing_else)
{
    setenv("ARTEL_TRACE", "/nowhere/trace", 1);
    cr_assert_eq(artel_trace_open(), ARTEL_ENOENT);
    cr_assert_eq(artel_trace_open(), ARTEL_ENOENT);
    cr_assert_not(artel_trace_on());
}

Test(trace, that_it_cannot_be_opened_is_to_be_told_once)
{
    char text[300];
    setenv("ARTEL_TRACE", "/nowhere/trace", 1);
    artel_trace_open();
    cr_assert(artel_trace_trouble(text, sizeof text));
    cr_assert_str_eq(text, "the trace /nowhere/trace (ARTEL_TRACE) can't be written: no such thing; events are "
                     "missing from it");
    cr_assert_not(artel_trace_trouble(text, sizeof text));
}

Test(trace, a_pipe_that_nobody_reads_does_not_block)
{
    unlink(s_path);
    cr_assert_eq(mkfifo(s_path, 0600), 0);
    cr_assert_neq(artel_trace_open(), 0);
    cr_assert_not(artel_trace_on());
}

Test(trace, a_full_disk_is_to_be_told_once)
{
    char text[300];
    setenv("ARTEL_TRACE", "/dev/full", 1);
    cr_assert_eq(artel_trace_open(), 0);
    cr_assert_not(artel_trace_trouble(text, sizeof text), "nothing was to be written");
    for (int i = 0; i < 2; i++)
        artel_trace_message("a", "b", &(artel_msg_t) { .id = ARTEL_MSG_FLUSH }, artel_str("r"), 1);
    cr_assert(artel_trace_trouble(text, sizeof text));
    cr_assert_not_null(strstr(text, "/dev/full (ARTEL_TRACE) can't be written: no space left"));
    cr_assert_not(artel_trace_trouble(text, sizeof text));
}

Test(trace, so_is_a_pipe_that_is_full)
{
    char text[300];
    unlink(s_path);
    cr_assert_eq(mkfifo(s_path, 0600), 0);
    int reader = open(s_path, O_RDONLY | O_NONBLOCK);
    cr_assert_eq(artel_trace_open(), 0);
    for (int i = 0; i < 2000; i++)              //  a pipe holds 64 KiB
        artel_trace_message("a", "b", &(artel_msg_t) { .id = ARTEL_MSG_FLUSH }, artel_str("r"), 1);
    cr_assert(artel_trace_trouble(text, sizeof text));
    close(reader);
}
