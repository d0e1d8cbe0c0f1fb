//  Journals whose system calls fail, do half, or are the last thing their program does.
//
//  The calls below take the place of the C library's in this program. Counted
//  while armed, one of them is made to fail or to kill the process.

#include "unit/test_journal.h"

#include "pending.h"
#include "retire.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

//  A thousand state directories: in memory, if there is a place.
static void
s_setup(void)
{
    s_base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NULL;
    s_make_state();
}

TestSuite(journal_faults, .init = s_setup, .fini = s_remove_state, .timeout = 110);

typedef enum { NOTHING, FAIL, KILL_BEFORE, KILL_AFTER, KILL_HALFWAY } action_t;
typedef enum { OPEN, MKDIR, RENAME, UNLINK, WRITE, DATASYNC, SYNC, ALLOCATE, TRUNCATE, CALLS } call_t;

static struct {
    action_t action;
    unsigned at;                //  which call, from 1 on; 0: each
    unsigned until;             //  and all up to this one
    int error;                  //  of FAIL
    unsigned only;              //  bits of the calls meant; 0: all
    unsigned seen;
    unsigned short_by;          //  a write does at most so many bytes
    char order[4096];           //  a letter for each call: see s_letters
    bool wrote[1024];           //  descriptors that were written through
} s_fault;

static const char s_letters[] = "omrUwdSat";

//  What is to be done with this call.
static action_t
s_meet(call_t call)
{
    size_t n = strlen(s_fault.order);
    if (n + 1 < sizeof s_fault.order)
        s_fault.order[n] = s_letters[call];
    if (s_fault.action == NOTHING || (s_fault.only && !(s_fault.only >> call & 1)))
        return NOTHING;
    s_fault.seen++;
    bool hit = s_fault.at == 0 || s_fault.seen == s_fault.at
        || (s_fault.seen > s_fault.at && s_fault.seen <= s_fault.until);
    if (hit && s_fault.action == KILL_BEFORE)
        kill(getpid(), SIGKILL);
    if (hit && s_fault.action == FAIL)
        errno = s_fault.error;
    return hit ? s_fault.action : NOTHING;
}

//  The call is done.
static int
s_met(action_t action, long rc)
{
    int err = errno;
    if (action == KILL_AFTER)
        kill(getpid(), SIGKILL);
    errno = err;
    return (int) rc;
}

int
open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    int mode = flags & O_CREAT ? va_arg(args, int) : 0;
    va_end(args);
    action_t action = s_meet(OPEN);
    if (action == FAIL)
        return -1;
    int fd = s_met(action, syscall(SYS_openat, AT_FDCWD, path, flags, mode));
    if (fd >= 0 && fd < 1024)
        s_fault.wrote[fd] = false;
    return fd;
}

int
mkdir(const char *path, mode_t mode)
{
    action_t action = s_meet(MKDIR);
    return action == FAIL ? -1 : s_met(action, syscall(SYS_mkdirat, AT_FDCWD, path, mode));
}

int
rename(const char *from, const char *to)
{
    action_t action = s_meet(RENAME);
    return action == FAIL ? -1 : s_met(action, syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int
unlink(const char *path)
{
    action_t action = s_meet(UNLINK);
    return action == FAIL ? -1 : s_met(action, syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

//  Write the first `bytes` of the parts.
static ssize_t
s_write_some(int fd, const struct iovec *parts, int n, off_t offset, size_t bytes)
{
    ssize_t done = 0;
    for (int i = 0; i < n && bytes; i++) {
        size_t len = parts[i].iov_len < bytes ? parts[i].iov_len : bytes;
        ssize_t some = len ? pwrite(fd, parts[i].iov_base, len, offset + done) : 0;
        if (some < 0)
            return -1;
        done += some;
        bytes -= len;
    }
    return done;
}

ssize_t
pwritev(int fd, const struct iovec *parts, int n, off_t offset)
{
    size_t bytes = 0;
    for (int i = 0; i < n; i++)
        bytes += parts[i].iov_len;
    action_t action = s_meet(WRITE);
    if (fd < 1024)
        s_fault.wrote[fd] = true;
    if (action == FAIL)
        return -1;
    if (s_fault.short_by && bytes > s_fault.short_by)
        bytes = s_fault.short_by;
    ssize_t done = s_write_some(fd, parts, n, offset, action == KILL_HALFWAY ? bytes / 2 : bytes);
    return s_met(action == KILL_HALFWAY ? KILL_AFTER : action, done);
}

int
fdatasync(int fd)
{
    action_t action = s_meet(DATASYNC);
    return action == FAIL ? -1 : s_met(action, syscall(SYS_fdatasync, fd));
}

int
fsync(int fd)
{
    action_t action = s_meet(SYNC);
    return action == FAIL ? -1 : s_met(action, syscall(SYS_fsync, fd));
}

int
posix_fallocate(int fd, off_t offset, off_t len)
{
    action_t action = s_meet(ALLOCATE);
    if (action == FAIL)
        return s_fault.error;
    return s_met(action, syscall(SYS_fallocate, fd, 0, offset, len)) < 0 ? errno : 0;
}

int
ftruncate(int fd, off_t len)
{
    action_t action = s_meet(TRUNCATE);
    return action == FAIL ? -1 : s_met(action, syscall(SYS_ftruncate, fd, len));
}

static void
s_disarm(void)
{
    memset(&s_fault, 0, sizeof s_fault);
}

//  One kind of call fails, always.
static void
s_fail(call_t call, int error)
{
    s_disarm();
    s_fault.action = FAIL;
    s_fault.only = 1u << call;
    s_fault.error = error;
}

//  Single failures.

Test(journal_faults, a_write_that_is_interrupted_or_short_goes_on_where_it_stopped)
{
    artel_journal_t *journal = s_create();
    s_fault.short_by = 7;
    s_append(journal, 3, 0);
    s_disarm();
    s_fault = (typeof(s_fault)) { .action = FAIL, .error = EINTR, .at = 1, .only = 1u << WRITE };
    s_append(journal, 3, 0);
    s_disarm();
    s_check_all(6, 0);
    artel_journal_close(&journal);
}

Test(journal_faults, a_full_disk_is_met_when_a_segment_is_opened_and_changes_nothing)
{
    artel_journal_t *journal = s_create();
    s_append(journal, 3, 70000);
    s_fail(ALLOCATE, ENOSPC);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(s_try_append(journal, 1, 70000), ARTEL_ENOSPC);
    cr_assert_eq(artel_journal_accepted(journal), 3);
    cr_assert_neq(access(s_segment(2), F_OK), 0);
    s_disarm();
    s_append(journal, 1, 70000);
    s_check_all(4, 70000);
    artel_journal_close(&journal);
}

Test(journal_faults, a_full_disk_at_birth_leaves_nothing)
{
    artel_journal_t *journal = NULL;
    artel_journal_birth_t birth = s_birth("r", s_writer, ARTEL_RESUMES_NEVER);
    s_fail(ALLOCATE, ENOSPC);
    cr_assert_eq(artel_journal_create(s_state, &birth, &journal), ARTEL_ENOSPC);
    s_disarm();
    cr_assert_neq(access(s_file("../../r"), F_OK), 0);
    journal = s_create();
    artel_journal_close(&journal);
}

Test(journal_faults, a_file_system_without_fallocate_does_as_well)
{
    s_fail(ALLOCATE, EOPNOTSUPP);
    artel_journal_t *journal = s_create();
    for (int i = 0; i < 50; i++)
        s_append(journal, 2, 20000);
    artel_journal_close(&journal);
    s_disarm();
    s_check_all(100, 20000);
    cr_assert_eq(s_examine().class, ARTEL_JOURNAL_CLEAN);
}

//  Three frames, of which the disk takes two and a half.
static int
s_append_half(artel_journal_t *journal)
{
    s_fault = (typeof(s_fault)) { .action = FAIL, .error = ENOSPC, .at = 2, .until = 2,
                                  .only = 1u << WRITE, .short_by = 2500 };
    return s_try_append(journal, 3, 1000);
}

Test(journal_faults, of_an_append_that_failed_no_frame_is_there_not_even_a_whole_one)
{
    artel_journal_t *journal = s_create();
    s_append(journal, 2, 1000);
    cr_assert_eq(s_append_half(journal), ARTEL_ENOSPC);
    s_disarm();
    s_check_all(2, 1000);
    cr_assert_eq(s_examine().class, ARTEL_JOURNAL_CLEAN);
    //  A first frame of the same length must not bring the second one back.
    uint8_t other[1000] = "other bytes";
    cr_assert_eq(artel_journal_append(journal, &(artel_journal_frame_t) { 3, other, 1000 }, 1), 0);
    cr_assert_eq(s_examine().last, 3);
    artel_journal_close(&journal);
}

Test(journal_faults, where_even_the_cut_fails_nothing_follows_and_no_frame_is_read)
{
    artel_journal_t *journal = s_create();
    uint64_t durable;
    s_append(journal, 2, 1000);
    //  The first write is short, the second and the cut fail, the zeros are written.
    s_fault = (typeof(s_fault)) { .action = FAIL, .error = EIO, .at = 2, .until = 3,
                                  .short_by = 2500, .only = 1u << WRITE | 1u << TRUNCATE };
    cr_assert_eq(s_try_append(journal, 3, 1000), ARTEL_EIO);
    cr_assert_eq(s_fault.seen, 4);
    s_disarm();
    cr_assert_eq(s_try_append(journal, 1, 1000), ARTEL_EIO);
    cr_assert_eq(artel_journal_sync(journal, &durable), ARTEL_EIO);
    s_check_all(2, 1000);
    artel_journal_close(&journal);
}

Test(journal_faults, after_a_failed_fdatasync_nothing_is_ever_durable_again)
{
    artel_journal_t *journal = s_create();
    uint64_t durable = 0;
    s_append(journal, 3, 0);
    cr_assert_eq(artel_journal_sync(journal, &durable), 0);
    s_append(journal, 3, 0);
    s_fail(DATASYNC, EIO);
    cr_assert_eq(artel_journal_sync(journal, &durable), ARTEL_EIO);
    s_disarm();
    cr_assert_eq(artel_journal_sync(journal, &durable), ARTEL_EIO);
    cr_assert_eq(artel_journal_durable(journal), 3);
    cr_assert_eq(s_try_append(journal, 1, 0), ARTEL_EIO);
    s_check_all(6, 0);
    artel_journal_close(&journal);
    s_check_all(6, 0);
    cr_assert_eq(artel_pending_finish(s_state, "r", s_writer, 6), ARTEL_EAGAIN);
}

Test(journal_faults, a_folder_that_cannot_be_synced_makes_a_new_segment_not_durable)
{
    artel_journal_t *journal = s_create();
    uint64_t durable;
    s_append(journal, 6, 70000);
    s_fail(SYNC, EIO);
    cr_assert_eq(artel_journal_sync(journal, &durable), ARTEL_EIO);
    s_disarm();
    cr_assert_eq(artel_journal_durable(journal), 0);
    artel_journal_close(&journal);
    s_check_all(6, 70000);
}

Test(journal_faults, each_segment_is_synced_through_the_descriptor_that_wrote_it)
{
    artel_journal_t *journal = s_create();
    uint64_t durable;
    for (int i = 0; i < 15; i++)
        s_append(journal, 1, 70000);
    bool wrote[1024];
    memcpy(wrote, s_fault.wrote, sizeof wrote);
    unsigned open_for_write = 0;
    for (int fd = 0; fd < 1024; fd++) {
        int flags = wrote[fd] ? fcntl(fd, F_GETFL) : -1;
        open_for_write += flags >= 0 && (flags & O_ACCMODE) == O_WRONLY;
    }
    cr_assert_eq(open_for_write, 3, "the old segments stay open until they are synced");
    cr_assert_eq(artel_journal_sync(journal, &durable), 0);
    for (int fd = 0; fd < 1024; fd++)
        open_for_write -= wrote[fd] && fcntl(fd, F_GETFL) < 0;
    cr_assert_eq(open_for_write, 1);
    artel_journal_close(&journal);
}

//  Whether the calls of a script hold these letters in this order.
static bool
s_in_order(const char *letters)
{
    const char *at = s_fault.order;
    for (; *letters; letters++, at++)
        if (!(at = strchr(at, *letters)))
            return false;
    return true;
}

Test(journal_faults, a_birth_syncs_bytes_then_names_then_the_mark_before_it_is_seen)
{
    s_disarm();
    artel_journal_t *journal = s_create();
    //  open (the mark), write, fdatasync, fsync of three folders; rename; fsync of
    //  the two folders above.
    cr_assert(s_in_order("owdSSSrSS"), "%s", s_fault.order);
    cr_assert_null(strchr(strchr(s_fault.order, 'r'), 'w'));
    artel_journal_close(&journal);
}

Test(journal_faults, a_clean_end_is_sealed_only_behind_what_is_durable)
{
    artel_journal_t *journal = s_create();
    s_append(journal, 1, 0);
    s_disarm();
    artel_journal_close(&journal);
    cr_assert_str_eq(s_fault.order, "dwtd");
}

//  Every call of a life fails once, or from there on.

typedef struct {
    uint64_t acked, durable;
} progress_t;

//  A life of a journal: birth, appends, segments, syncs, end, adoption, end.
static int
s_live(progress_t *progress)
{
    static const struct { size_t n, size; } appends[] = { { 1, 1000 }, { 3, 1000 }, { 300, 1000 }, { 70, 1000 } };
    artel_journal_t *journal = NULL;
    artel_journal_birth_t birth = s_birth("r", s_writer, ARTEL_RESUMES_NEVER);
    birth.world = 2;
    int rc = artel_journal_create(s_state, &birth, &journal);
    for (size_t i = 0; rc == 0 && i < 4; i++) {
        rc = s_try_append(journal, appends[i].n, appends[i].size);
        if (rc == 0)
            progress->acked += appends[i].n;
        if (rc == 0 && i % 2)
            rc = artel_journal_sync(journal, &progress->durable);
    }
    artel_journal_close(&journal);
    if (rc == 0)
        rc = artel_journal_adopt(s_state, "r", s_writer, &journal);
    if (rc == 0)
        rc = s_try_append(journal, 2, 1000);
    if (rc == 0)
        progress->acked += 2;
    artel_journal_close(&journal);
    return rc;
}

static unsigned
s_count_fds(void)
{
    unsigned n = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static int
s_note(void *arg, const char *run, artel_id_t writer)
{
    ++*(unsigned *) arg;
    cr_assert_str_eq(run, "r");
    cr_assert(artel_id_equal(writer, s_writer));
    return 0;
}

//  Take over what is there, and go on. Returns 0 if there is no journal.
static uint64_t
s_recover(void)
{
    unsigned marks = 0;
    artel_journal_t *journal = NULL;
    cr_assert_eq(artel_pending_each(s_state, s_note, &marks), 0);
    bool visible = access(s_file("append.lock"), F_OK) == 0;
    cr_assert_eq(visible, marks == 1, "a journal and its mark, or neither");
    if (!visible)
        return 0;
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &journal), 0);
    s_append(journal, 1, 1000);
    uint64_t last = artel_journal_accepted(journal);
    artel_journal_close(&journal);
    s_check_all(last, 1000);
    cr_assert_eq(artel_pending_finish(s_state, "r", s_writer, last), 0);
    return last;
}

//  Whatever came before: what was acked is there, what is left can be born again.
static void
s_check_recovery(const progress_t *progress, const char *what, unsigned at)
{
    uint64_t last = s_recover();
    cr_assert(progress->acked <= last, "%s %u: acked %lu, found %lu", what, at,
              (long) progress->acked, (long) last);
    artel_journal_birth_t birth = s_birth("r2", s_other, ARTEL_RESUMES_NEVER);
    artel_journal_t *journal;
    cr_assert_eq(artel_journal_create(s_state, &birth, &journal), 0);
    artel_journal_close(&journal);
    char path[128];
    snprintf(path, sizeof path, "%s/tmp", s_state);
    DIR *dir = opendir(path);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL; )
        cr_assert_neq(strncmp(entry->d_name, "journal.", 8), 0, "%s %u", what, at);
    closedir(dir);
}

static void
s_sweep_errors(int error, bool sticky)
{
    unsigned at = 0, seen;
    do {
        s_remove_state();
        s_make_state();
        progress_t progress = { 0 };
        unsigned fds = s_count_fds();
        s_disarm();
        s_fault = (typeof(s_fault)) { .action = FAIL, .error = error, .at = ++at,
                                      .until = sticky ? UINT32_MAX : 0 };
        s_live(&progress);
        seen = s_fault.seen;
        s_disarm();
        cr_assert_eq(s_count_fds(), fds, "call %u leaks a descriptor", at);
        s_check_recovery(&progress, "call", at);
    } while (seen >= at);
    cr_assert_gt(at, 40);
}

Test(journal_faults, any_one_call_may_fail)
{
    s_sweep_errors(EIO, false);
}

Test(journal_faults, the_disk_may_be_full_from_any_call_on)
{
    s_sweep_errors(ENOSPC, true);
}

Test(journal_faults, descriptors_may_run_out_at_any_point)
{
    s_sweep_errors(EMFILE, true);
}

//  SIGKILL at every call.

//  Run fn in a child that is killed at its at-th call. False if it lived to the end.
static bool
s_kill_at(action_t action, unsigned at, int (*fn)(progress_t *), progress_t *shared)
{
    pid_t child = fork();
    if (child == 0) {
        s_disarm();
        s_fault.action = action;
        s_fault.only = action == KILL_HALFWAY ? 1u << WRITE : 0;
        s_fault.at = at;
        _exit(fn(shared) == 0 ? 0 : 1);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
}

static void
s_step_through(action_t action, const char *what)
{
    progress_t *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unsigned at = 0;
    bool killed;
    do {
        s_remove_state();
        s_make_state();
        *shared = (progress_t) { 0 };
        killed = s_kill_at(action, ++at, s_live, shared);
        s_check_recovery(shared, what, at);
    } while (killed);
    munmap(shared, sizeof *shared);
    cr_assert_gt(at, 5);
}

Test(journal_faults, a_kill_before_any_call_loses_nothing_that_was_acked)
{
    s_step_through(KILL_BEFORE, "before");
}

Test(journal_faults, a_kill_after_any_call_loses_nothing_that_was_acked)
{
    s_step_through(KILL_AFTER, "after");
}

Test(journal_faults, a_kill_in_the_middle_of_any_write_loses_nothing_that_was_acked)
{
    s_step_through(KILL_HALFWAY, "halfway");
}

static int
s_recover_in_child(progress_t *progress)
{
    return s_recover() > progress->acked ? 0 : 1;
}

Test(journal_faults, a_kill_at_any_call_of_an_adoption_loses_nothing_either)
{
    progress_t *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unsigned at = 0;
    bool killed;
    do {
        s_remove_state();
        s_make_state();
        *shared = (progress_t) { 0 };
        cr_assert(s_kill_at(KILL_HALFWAY, 4, s_live, shared));
        killed = s_kill_at(KILL_BEFORE, ++at, s_recover_in_child, shared);
        if (killed)
            s_check_recovery(shared, "adoption", at);
    } while (killed);
    munmap(shared, sizeof *shared);
    cr_assert_gt(at, 10);
}

//  Whatever it was killed at, the journal is whole or retired, and a second try ends it.
static int
s_retire_in_child(progress_t *progress)
{
    uint64_t bytes;
    (void) progress;
    return artel_journal_retire(s_state, "r", s_writer, &(artel_retire_t) { .age_ms = 0 }, &bytes) == 1 ? 0 : 1;
}

Test(journal_faults, a_kill_at_any_call_of_a_retirement_leaves_no_hole)
{
    progress_t progress = { 0 };
    unsigned at = 0;
    bool killed;
    do {
        s_remove_state();
        s_make_state();
        progress.acked = 0;
        cr_assert_eq(s_live(&progress), 0);
        cr_assert_eq(artel_pending_finish(s_state, "r", s_writer, progress.acked), 0);
        killed = s_kill_at(KILL_BEFORE, ++at, s_retire_in_child, &progress);
        artel_journal_report_t report = s_examine();
        cr_assert_eq(report.class, ARTEL_JOURNAL_CLEAN, "call %u", at);
        cr_assert_eq(report.last, progress.acked);
        cr_assert(report.frames == progress.acked || report.frames == 0);
        s_retire_in_child(&progress);
        cr_assert_eq(s_examine().frames, 0);
        cr_assert_eq(s_examine().last, progress.acked);
    } while (killed);
    cr_assert_gt(at, 10);
}
