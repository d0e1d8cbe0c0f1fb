//  cmd_log.c - artel log: rows of JSON from standard input into a run.

#include "bar.h"
#include "command.h"
#include "human.h"
#include "interrupt.h"
#include "jsonrow.h"
#include "lines.h"
#include "reach.h"
#include "term.h"
#include "wait.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SLICE_MS = 200,             //  how often a wait looks whether a signal came
    ACCEPT_MS = 10000,          //  how long a block may take before the next is read all the same
    DELIVER_MS = 300000,        //  --timeout
    CLOSE_MS = 10000,           //  most for the run's end, once everything else is delivered
    GIVE_UP_MS = 2000,          //  least for it, and for whatever there is no use in waiting for
    MAX_COMPLAINTS = 20,
};

typedef struct {
    const artel_args_t *args;
    artel_session_t session;
    artel_run_t *run;
    artel_lines_t lines;
    artel_jsonrow_t row;
    int64_t rank, world;            //  -1: it is none of several ranks
    uint64_t before;                //  records of the run before its first row
    uint64_t logged;                //  rows
    uint64_t accepted;              //  of them
    uint64_t told;                  //  rows said to be accepted
    uint64_t refused;               //  lines
    int trouble;                    //  why the last block is not accepted
    char id[64];
    int rc;                         //  an exit code: why no more rows are taken
} log_t;

static void
s_refuse(log_t *self, const char *why)
{
    if (self->refused++ < MAX_COMPLAINTS)
        artel_complain("line %zu: %s", self->lines.number, why);
    if (self->refused == MAX_COMPLAINTS)
        artel_complain("further refused lines are only counted");
}

static bool
s_is_blank(const char *line, size_t len)
{
    size_t i = 0;
    while (i < len && (line[i] == ' ' || line[i] == '\t' || line[i] == '\r'))
        i++;
    return i == len;
}

static void
s_take_line(log_t *self, const char *line, size_t len)
{
    char why[512];
    if (s_is_blank(line, len))
        return;
    if (self->lines.too_long) {
        s_refuse(self, "it is over 1 MiB long");
        return;
    }
    if (artel_jsonrow_read(&self->row, line, len, why, sizeof why) != 0) {
        s_refuse(self, why);
        return;
    }
    int rc = artel_run_log_row(self->run, self->row.step, self->row.values, self->row.n);
    if (rc == 0) {
        self->logged++;
        return;
    }
    artel_session_why(&self->session, rc, why, sizeof why);
    s_refuse(self, why);
    if (rc == ARTEL_ECLOSED)
        self->rc = ARTEL_EXIT_FAILED;
}

//  Print one line of JSON. Who reads it may have gone; the rows go on.
static void
s_tell(log_t *self, const char *key, const char *value)
{
    if (!artel_args_has(self->args, "json"))
        return;
    printf("{\"%s\":%s}\n", key, value);
    fflush(stdout);
}

//  Note how many rows are accepted, and say so if they are more than before.
static void
s_tell_accepted(log_t *self)
{
    uint64_t logged, accepted;
    artel_run_progress(self->run, &logged, &accepted);
    self->accepted = accepted > self->before ? accepted - self->before : 0;
    if (self->accepted == self->told)
        return;
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, self->accepted);
    s_tell(self, "accepted", text);
    self->told = self->accepted;
}

//  Wait until everything logged has reached level, at most ms; a signal shortens it.
static int
s_wait(log_t *self, int level, int ms)
{
    int rc, waited = 0;
    do {
        int most = artel_interrupted() && ms > GIVE_UP_MS ? GIVE_UP_MS : ms;
        int slice = most - waited < SLICE_MS ? most - waited : SLICE_MS;
        if (slice < 0)
            return ARTEL_ETIMEOUT;
        rc = artel_run_flush(self->run, level, slice);
        waited += slice;
    } while (rc == ARTEL_ETIMEOUT && waited < ms);
    return rc;
}

//  The journal takes nothing, and rows are in memory that would be lost: wait until the
//  disk has room again. The library tries; a flush says at once how that went.
static void
s_wait_for_room(log_t *self, int ms)
{
    artel_say(self->args, "waiting until the disk has room; Ctrl-C gives up");
    for (int waited = 0; self->trouble && waited < ms && !artel_interrupted(); waited += SLICE_MS) {
        poll(NULL, 0, SLICE_MS);
        self->trouble = s_wait(self, ARTEL_ACCEPTED, SLICE_MS);
    }
    s_tell_accepted(self);
}

//  Wait for the rows of a block. A journal that takes nothing (the library says so)
//  is no reason to stop: that would end the program that writes to us, and the
//  disk may have room again.
static void
s_flush(log_t *self)
{
    int rc = s_wait(self, ARTEL_ACCEPTED, ACCEPT_MS);
    self->trouble = rc == ARTEL_EFULL ? 0 : rc;         //  it is reached; what was dropped was named
    s_tell_accepted(self);
}

//  Every line of standard input, block by block.
static void
s_read_all(log_t *self)
{
    const char *line;
    size_t len;
    while (self->rc == 0 && !self->lines.ended) {
        artel_interrupt_wait(self->lines.fd);
        if (artel_interrupted())
            return;
        if (artel_lines_fill(&self->lines) < 0) {
            artel_complain("standard input cannot be read: %s", strerror(errno));
            self->rc = ARTEL_EXIT_FAILED;
        }
        while (self->rc == 0 && artel_lines_next(&self->lines, &line, &len))
            s_take_line(self, line, len);
        s_flush(self);
    }
}

//  The exit code of the run.
static int
s_run_code(const log_t *self)
{
    return artel_interrupted() ? ARTEL_EXIT_SIGNAL + artel_interrupted() : self->rc;
}

static void
s_sum_up(const log_t *self, int closed)
{
    const char *rows = artel_human_things(self->accepted, "row", ARTEL_HUMAN_BUFFER);
    if (!artel_args_has(self->args, "json") && !artel_args_has(self->args, "quiet"))
        printf("run %s: %s %s\n", self->id, rows, closed == 0 ? "delivered" : "accepted");
    if (artel_interrupted())
        artel_complain("stopped by a signal; %s of run %s are kept, and it ends as failed", rows,
                       self->id);
    if (closed != 0)
        artel_complain("%s", artel_open_error());
    if (self->refused)
        artel_complain("%s refused", artel_human_things(self->refused, "line", ARTEL_HUMAN_BUFFER));
}

static int
s_exit_code(const log_t *self, int closed)
{
    if (artel_interrupted())
        return ARTEL_EXIT_SIGNAL + artel_interrupted();
    if (self->rc != 0 || self->accepted < self->logged)
        return ARTEL_EXIT_FAILED;
    return closed != 0 ? artel_reach_exit(closed) : self->refused ? ARTEL_EXIT_PART : 0;
}

//  Whether rows that are not accepted may be yet.
static bool
s_may_pass(int trouble)
{
    return trouble == ARTEL_ENOSPC || trouble == ARTEL_ETIMEOUT || trouble == ARTEL_EMFILE || trouble == ARTEL_ENOMEM;
}

//  Deliver what was accepted, end the run, and say what became of it.
static int
s_finish(log_t *self, int timeout_ms)
{
    artel_deadline_t deadline = artel_deadline(timeout_ms);
    if (s_may_pass(self->trouble))
        s_wait_for_room(self, timeout_ms);
    artel_bar_t *bar = artel_bar_new(self->args, "delivering", 0);
    int rc = s_wait(self, ARTEL_DELIVERED, self->trouble ? GIVE_UP_MS : artel_deadline_left(deadline));
    s_tell_accepted(self);
    artel_run_finish(&self->run, s_run_code(self));
    int closed = artel_session_close(&self->session, artel_deadline_within(deadline, GIVE_UP_MS, rc == 0 ? CLOSE_MS
                                                                           : GIVE_UP_MS), true);
    artel_bar_end(&bar);
    s_sum_up(self, closed);
    return s_exit_code(self, closed);
}

//  As a run, or as one rank of it.
static int
s_start_run(log_t *self)
{
    const artel_args_t *args = self->args;
    const char *id = artel_args_text(args, "run");
    artel_run_options_t options = { .size = sizeof options, .id = id,
        .project = artel_args_text(args, "project"), .name = artel_args_text(args, "name"),
        .resume = id ? ARTEL_RESUME_ALLOW : ARTEL_RESUME_NEVER };
    if (self->world < 0)
        return artel_run_start(self->session.client, &options, &self->run);
    return artel_run_join(self->session.client, &options, (uint32_t) self->rank, (uint32_t) self->world,
                          &self->run);
}

static int
s_start(log_t *self)
{
    int rc = artel_session_open(self->args, NULL, &self->session);
    if (rc != 0)
        return rc;
    rc = s_start_run(self);
    if (rc == 0) {
        char quoted[72];
        uint64_t accepted;
        artel_run_progress(self->run, &self->before, &accepted);
        snprintf(self->id, sizeof self->id, "%s", artel_run_id(self->run));
        snprintf(quoted, sizeof quoted, "\"%s\"", self->id);
        s_tell(self, "run", quoted);
        return 0;
    }
    char why[512];
    artel_session_why(&self->session, rc, why, sizeof why);
    artel_complain("%s", why);
    artel_session_close(&self->session, 0, true);
    return rc == ARTEL_EINVAL ? ARTEL_EXIT_USAGE : ARTEL_EXIT_FAILED;
}

static int
s_take_rank(log_t *self)
{
    int rc = artel_args_number(self->args, "rank", UINT32_MAX, &self->rank);
    if (rc == 0)
        rc = artel_args_number(self->args, "world", UINT32_MAX, &self->world);
    if (rc == 0 && (self->rank < 0) != (self->world < 0)) {
        artel_complain("--rank and --world go together: --rank 0 --world 8");
        rc = ARTEL_EXIT_USAGE;
    }
    return rc;
}

static int
s_run(const artel_args_t *args)
{
    log_t self = { .args = args, .lines.fd = STDIN_FILENO };
    int timeout_ms, rc = artel_args_ms(args, "timeout", DELIVER_MS, &timeout_ms);
    if (rc == 0)
        rc = s_take_rank(&self);
    if (rc != 0)
        return rc;
    signal(SIGPIPE, SIG_IGN);
    artel_interrupt_start();
    rc = s_start(&self);
    if (rc == 0) {
        s_read_all(&self);
        rc = s_finish(&self, timeout_ms);
    }
    artel_lines_done(&self.lines);
    artel_jsonrow_done(&self.row);
    return rc;
}

static const artel_option_t s_options[] = {
    { "run", 'r', "ID", "the run's id; one that is there already goes on" },
    { "name", 'n', "TEXT", "the run's name, for people" },
    { "rank", 0, "N", "log as this rank (from 0) of the run, beside the others" },
    { "world", 0, "N", "how many ranks the run has" },
    { "timeout", 't', "SECONDS", "how long to wait for delivery at the end (300)" },
    { 0 },
};

const artel_command_t artel_cmd_log = {
    .name = "log", .operands = "", .min = 0, .max = 0,
    .brief = "log rows of JSON from standard input into a run",
    .about =
        "Each line is one JSON object, and one row of the run's history. Integers are kept as\n"
        "64-bit integers, other numbers as doubles, true and false as booleans, texts as texts.\n"
        "Objects are flattened ({\"a\":{\"b\":1}} is a.b), null is left out, lists are refused.\n"
        "NaN, Infinity and -Infinity, bare or as texts, are doubles. The key _step, an integer, is\n"
        "the row's step, otherwise it is the last one plus one. _timestamp is kept as a value, in\n"
        "seconds. A line that is no row is refused with its number; the others are logged.\n\n"
        "Rows are accepted (safe from any crash of a program) a block at a time, as they come. With\n"
        "--json the first line printed is {\"run\":ID}, then {\"accepted\":N} whenever N rows are\n"
        "accepted. At the end of the input the run is finished and delivered. After Ctrl-C it ends\n"
        "as failed, and what was accepted is kept.\n\n"
        "With --rank and --world several of these (or programs that call artel_run_join) log into one\n"
        "run, whose --run all must name. It is over when all ranks are; its exit code is the first\n"
        "that is not 0.",
    .options = s_options,
    .examples = "echo '{\"loss\": 0.25, \"epoch\": 1}' | artel log\n"
                "python3 train.py | artel log --project mnist --run first --json\n"
                "artel history first --json | artel log --run copy\n"
                "python3 worker.py | artel log --run eight --rank 3 --world 8",
    .run = s_run,
};
