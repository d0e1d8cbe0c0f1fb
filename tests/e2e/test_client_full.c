//  A journal that takes nothing: what callers are told, and that all goes on in order after it.

#include "stage.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/uio.h>

TestSuite(full, .init = stage_up, .fini = stage_down, .timeout = 100);

//  This program's pwritev, with which journals are written: fails as it is told.
static atomic_int s_errno;

ssize_t
pwritev(int fd, const struct iovec *iov, int n, off_t offset)
{
    if (s_errno) {
        errno = s_errno;
        return -1;
    }
    ssize_t sum = 0;
    for (int i = 0; i < n; i++) {
        ssize_t rc = pwrite(fd, iov[i].iov_base, iov[i].iov_len, offset + sum);
        if (rc < 0)
            return sum ? sum : rc;
        sum += rc;
        if (rc < (ssize_t) iov[i].iov_len)
            break;
    }
    return sum;
}

static int s_told;
static char s_text[512];

static void
s_note(void *arg, int level, const char *text)
{
    (void) arg;
    cr_assert_eq(level, ARTEL_LOG_WARNING);
    s_told++;
    snprintf(s_text, sizeof s_text, "%s", text);
}

static artel_run_t *
s_run(int queue_ms)
{
    stage_close();
    OK(artel_open(&(artel_options_t) { .size = sizeof(artel_options_t), .dir = stage_dir, .queue_ms = queue_ms,
                                       .log = s_note }, &stage_artel));
    artel_run_t *run = stage_run("r");
    OK(artel_run_log(run, "k", ARTEL_AUTO_STEP, 0));
    OK(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS));
    return run;
}

Test(full, flush_says_why_and_the_records_arrive_when_there_is_space_again)
{
    static const struct { int err, rc; const char *word; } faults[] = {
        { ENOSPC, ARTEL_ENOSPC, "no space" }, { EIO, ARTEL_EIO, "error" } };
    artel_run_t *run = s_run(-1);
    for (size_t i = 0; i < 2; i++) {
        s_errno = faults[i].err;
        for (int k = 0; k < 100; k++)
            OK(artel_run_log(run, "k", ARTEL_AUTO_STEP, k));
        int64_t begin = stage_now_ms();
        RC(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), faults[i].rc);
        cr_assert(stage_now_ms() - begin < 5000, "flush took %d ms", (int) (stage_now_ms() - begin));
        cr_assert(strstr(stage_error(), "run r") && strstr(stage_error(), faults[i].word)
                  && strstr(stage_error(), stage_dir), "%s", stage_error());
        RC(artel_run_flush(run, ARTEL_DELIVERED, WAIT_MS), faults[i].rc);
        s_errno = 0;
        OK(artel_run_flush(run, ARTEL_DELIVERED, WAIT_MS));
    }
    cr_assert(s_told >= 2 && s_told < 8, "it was told %d times: %s", s_told, s_text);
    stage_close();
    SQL_IS("201|201|200", "SELECT count(*), count(DISTINCT step), max(step) FROM history");
}

//  Log until a record is refused; how many went in.
static int
s_fill(artel_run_t *run, int *ret_rc)
{
    int n = 0;
    while ((*ret_rc = artel_run_log(run, "k", ARTEL_AUTO_STEP, n)) == 0)
        n++;
    return n;
}

Test(full, a_full_queue_refuses_with_the_reason_counts_and_goes_on_in_order)
{
    artel_run_t *run = s_run(200);
    s_errno = ENOSPC;
    int rc;
    OK(artel_run_log(run, "k", ARTEL_AUTO_STEP, 0));
    RC(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), ARTEL_ENOSPC);    //  so that the reason is known
    int64_t begin = stage_now_ms();
    int n = s_fill(run, &rc);
    cr_assert_eq(rc, ARTEL_ENOSPC, "%s", artel_error_name(rc));
    cr_assert(stage_now_ms() - begin < 20000);
    cr_assert(strstr(stage_error(), "dropped") && strstr(stage_error(), "no space"), "%s", stage_error());
    begin = stage_now_ms();
    for (int i = 0; i < 100; i++)
        RC(artel_run_log(run, "k", ARTEL_AUTO_STEP, 0), ARTEL_ENOSPC);
    cr_assert(stage_now_ms() - begin < 2000, "each call waited again");
    s_errno = 0;
    RC(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), ARTEL_EFULL);     //  told once
    cr_assert(strstr(stage_error(), "101 records"), "%s", stage_error());
    OK(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS));
    OK(artel_run_log(run, "k", ARTEL_AUTO_STEP, 0));
    uint64_t logged, accepted;
    OK(artel_run_flush(run, ARTEL_DELIVERED, WAIT_MS));
    artel_run_progress(run, &logged, &accepted);
    cr_assert(logged == (uint64_t) n + 3 && accepted == logged);
    stage_close();
    SQL_IS("1", "SELECT count(*) = max(step) + 1 FROM history_rows");   //  a dropped row takes no step
}

Test(full, close_says_what_is_lost_and_ends_in_time)
{
    artel_run_t *run = s_run(-1);
    s_errno = ENOSPC;
    for (int k = 0; k < 100; k++)
        OK(artel_run_log(run, "k", ARTEL_AUTO_STEP, k));
    int64_t begin = stage_now_ms();
    RC(artel_close(&stage_artel, 300), ARTEL_ELOST);
    cr_assert(stage_now_ms() - begin < 1300, "close took %d ms", (int) (stage_now_ms() - begin));
    cr_assert(strstr(artel_open_error(), "run r") && strstr(artel_open_error(), "no space"), "%s", artel_open_error());
    s_errno = 0;
}

Test(full, close_delivers_if_space_comes_in_time)
{
    artel_run_t *run = s_run(-1);
    s_errno = ENOSPC;
    for (int k = 0; k < 100; k++)
        OK(artel_run_log(run, "k", ARTEL_AUTO_STEP, k));
    RC(artel_run_flush(run, ARTEL_ACCEPTED, WAIT_MS), ARTEL_ENOSPC);
    s_errno = 0;
    stage_close();
    SQL_IS("101", "SELECT count(*) FROM history");
}

Test(full, records_dropped_and_never_asked_for_are_told_by_close)
{
    artel_run_t *run = s_run(-1);
    s_errno = EIO;
    int rc;
    s_fill(run, &rc);
    cr_assert_eq(rc, ARTEL_EIO);
    s_errno = 0;
    RC(artel_close(&stage_artel, WAIT_MS), ARTEL_EFULL);
    cr_assert(strstr(artel_open_error(), "1 record"), "%s", artel_open_error());
}

Test(full, a_run_can_not_start_on_a_full_disk_and_says_so)
{
    artel_run_t *run = NULL;
    stage_run("first");
    s_errno = ENOSPC;
    RC(artel_run_start(stage_artel, NULL, &run), ARTEL_ENOSPC);
    cr_assert_null(run);
    cr_assert(strstr(stage_error(), "not started") && strstr(stage_error(), "no space"), "%s", stage_error());
    s_errno = 0;
    OK(artel_run_start(stage_artel, NULL, &run));
}
