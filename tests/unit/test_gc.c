//  What gc removes, and what it must not.

#include "unit/stored.h"

#include "actor.h"
#include "gc.h"
#include "layout.h"
#include "verify.h"

#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <utime.h>

TestSuite(gc, .init = stored_make, .fini = s_scratch_remove, .timeout = 100);

//  SIGKILL at the kill_at-th of the calls that change names.
static unsigned s_kill_at, s_calls;

static void
s_step(void)
{
    if (s_kill_at && ++s_calls == s_kill_at)
        kill(getpid(), SIGKILL);
}

int
unlinkat(int dir, const char *path, int flags)
{
    s_step();
    int rc = (int) syscall(SYS_unlinkat, dir, path, flags);
    s_step();
    return rc;
}

int
unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

//  What happens just before the pending journals are listed.
static void (*s_before_pending)(void);

DIR *
opendir(const char *path)
{
    DIR *(*next)(const char *) = (DIR *(*)(const char *)) (uintptr_t) dlsym(RTLD_NEXT, "opendir");
    void (*hook)(void) = s_before_pending;
    size_t len = strlen(path);
    if (hook && len > 8 && strcmp(path + len - 8, "/pending") == 0) {
        s_before_pending = NULL;
        hook();
    }
    return next(path);
}

static artel_gc_report_t
s_gc(const artel_gc_options_t *options)
{
    artel_gc_report_t report;
    int rc = artel_gc(s_scratch, options, &report);
    cr_assert_eq(rc, 0, "%d: %s", rc, report.text);
    return report;
}

static const artel_gc_options_t s_all = { .journal_age_ms = 0, .wait_ms = 20000 };

static void
s_print(void *arg, const char *sentence)
{
    (void) arg;
    fprintf(stderr, "%s\n", sentence);
}

static void
s_check_sound(void)
{
    artel_verify_report_t report;
    cr_assert_eq(artel_verify(s_scratch, &(artel_verify_options_t) { .damaged = s_print }, &report), 0);
}

Test(gc, removes_what_nothing_refers_to)
{
    stored_ingest("m", "text", 1);
    artel_gc_report_t report = s_gc(&s_all);
    cr_assert_eq(report.packs, 1);
    cr_assert_eq(report.loose, 1);
    cr_assert_gt(report.bytes, LARGE);
    cr_assert_eq(stored_packs() + stored_loose(), 0);
    cr_assert_eq(s_gc(&s_all).bytes, 0);
}

Test(gc, keeps_what_a_version_names_until_it_is_removed)
{
    artel_msg_artifact_send_t first = stored_ingest("m", "text", 1), second = stored_ingest("m", "other", 2);
    stored_commit(&first);
    stored_commit(&second);
    cr_assert_eq(s_gc(&s_all).bytes, 0);
    s_check_sound();
    stored_uncommit("m", 0);
    artel_gc_report_t report = s_gc(&s_all);
    cr_assert_eq(report.packs, 1);
    cr_assert_eq(report.loose, 1);
    cr_assert_eq(stored_packs(), 1);
    cr_assert_eq(stored_loose(), 1);
    s_check_sound();
    artel_catalogue_t *catalogue;
    cr_assert_eq(artel_catalogue_open(s_scratch, false, &catalogue), 0);
    cr_assert_str_eq(query(catalogue, "SELECT count(*) FROM packs"), "1");
    cr_assert_str_eq(query(catalogue, "SELECT count(*) FROM manifests"), "1");
    cr_assert_str_eq(query(catalogue, "SELECT count(*) FROM blobs"), "2");
    artel_catalogue_close(&catalogue);
}

//  Ingest that knows what the catalogue has.
static bool
s_known(void *arg, const artel_digest_t *digest, uint64_t size)
{
    return artel_catalogue_knows_blob(arg, digest, size);
}

Test(gc, keeps_a_pack_for_one_blob_that_another_artifact_shares)
{
    artel_msg_artifact_send_t first = stored_ingest("m", "shared", 0);
    stored_commit(&first);
    artel_catalogue_t *catalogue;
    artel_ingest_t *ingest;
    artel_ingest_result_t result;
    cr_assert_eq(artel_catalogue_open(s_scratch, false, &catalogue), 0);
    artel_ingest_options_t options = { .store = s_scratch, .known = s_known, .arg = catalogue };
    cr_assert_eq(artel_ingest_begin(&options, &ingest), 0);
    cr_assert_eq(artel_ingest_bytes(ingest, "again.txt", "shared", 6), 0);
    cr_assert_eq(artel_ingest_finish(ingest, &result), 0);
    artel_ingest_destroy(&ingest);
    artel_catalogue_close(&catalogue);
    artel_msg_artifact_send_t second = { .xid = artel_id_new(), .name = artel_str("n"),
        .type = artel_str("model"), .manifest = result.manifest, .pack = artel_str(result.pack),
        .files = result.files, .bytes = result.bytes, .history_step = -1 };
    stored_journal("r", "store", &second, true);
    stored_uncommit("m", 0);
    cr_assert_eq(s_gc(&s_all).packs, 0);
    cr_assert_eq(stored_packs(), 2);
    s_check_sound();
}

Test(gc, keeps_an_artifact_until_every_wanted_sink_has_an_outcome)
{
    artel_msg_artifact_send_t send = stored_ingest("m", "text", 1);
    artel_id_t writer = stored_journal("r", "copy=store:/x,other=store:/y", &send, true);
    cr_assert_eq(s_gc(&s_all).bytes, 0);
    stored_outcome("r", writer, "copy", send.xid);
    stored_outcome("r", writer, "copy", send.xid);
    cr_assert_eq(s_gc(&s_all).bytes, 0);
    stored_outcome("r", writer, "other", artel_id_new());
    cr_assert_eq(s_gc(&s_all).bytes, 0);
    stored_outcome("r", writer, "other", send.xid);
    cr_assert_eq(s_gc(&s_all).packs, 1);
    cr_assert_eq(stored_packs() + stored_loose(), 0);
}

Test(gc, keeps_an_artifact_that_nobody_waits_for)
{
    artel_msg_artifact_send_t send = stored_ingest("m", "text", 1);
    stored_journal("r", "store", &send, false);
    cr_assert_eq(s_gc(&s_all).bytes, 0);
    s_check_sound();
}

Test(gc, removes_what_was_sent_once_its_journal_is_finished)
{
    artel_msg_artifact_send_t send = stored_ingest("m", "text", 0);
    artel_id_t writer = stored_journal("r", "copy=store:/x", &send, true);
    cr_assert_eq(artel_pending_finish(s_scratch, "r", writer, 1), 0);
    artel_gc_report_t report = s_gc(&s_all);
    cr_assert_eq(report.packs, 1);
    cr_assert_eq(report.journals, 1);
    cr_assert_eq(s_gc(&s_all).journals, 0);
}

Test(gc, retires_no_journal_that_is_too_young_or_if_not_asked_to)
{
    artel_msg_artifact_send_t send = stored_ingest("m", "text", 0);
    artel_id_t writer = stored_journal("r", "store", &send, true);
    cr_assert_eq(artel_pending_finish(s_scratch, "r", writer, 1), 0);
    cr_assert_eq(s_gc(&(artel_gc_options_t) { .journal_age_ms = 60000 }).journals, 0);
    cr_assert_eq(s_gc(&(artel_gc_options_t) { .journal_age_ms = -1 }).journals, 0);
}

Test(gc, counts_the_same_in_a_dry_run_and_removes_nothing)
{
    artel_msg_artifact_send_t kept = stored_ingest("m", "kept", 1), done = stored_ingest("n", "done", 0);
    stored_commit(&kept);
    stored_ingest("m", "gone", 2);
    artel_id_t writer = stored_journal("r", "store", &done, true);
    cr_assert_eq(artel_pending_finish(s_scratch, "r", writer, 1), 0);
    s_write_text(s_in("blobs/tmp/dead.pack"), "unfinished");
    mkdir(s_in("tmp/journal.dead"), 0700);
    artel_gc_report_t dry = s_gc(&(artel_gc_options_t) { .dry_run = true });
    cr_assert_eq(stored_packs(), 3);
    cr_assert_eq(stored_loose(), 2);
    cr_assert_eq(access(s_in("blobs/tmp/dead.pack"), F_OK), 0);
    artel_gc_report_t wet = s_gc(&s_all);
    cr_assert_eq(memcmp(&dry, &wet, sizeof dry), 0);
    cr_assert_eq(wet.packs, 2);
    cr_assert_eq(wet.leftovers, 2);
    cr_assert_neq(access(s_in("blobs/tmp/dead.pack"), F_OK), 0);
    cr_assert_neq(access(s_in("tmp/journal.dead"), F_OK), 0);
    s_check_sound();
}

Test(gc, removes_only_old_files_that_a_program_left_in_tmp)
{
    struct utimbuf then = { time(NULL) - 3700, time(NULL) - 3700 };
    s_write_text(s_in("tmp/1.old"), "x");
    s_write_text(s_in("tmp/2.new"), "x");
    cr_assert_eq(utime(s_in("tmp/1.old"), &then), 0);
    cr_assert_eq(s_gc(&s_all).leftovers, 1);
    cr_assert_eq(access(s_in("tmp/2.new"), F_OK), 0);
}

Test(gc, removes_no_blob_if_a_journal_cannot_be_understood)
{
    artel_gc_report_t report;
    artel_msg_artifact_send_t send = stored_ingest("m", "text", 0);
    artel_id_t writer = stored_journal("r", "store", &send, true);
    char id[ARTEL_ID_TEXT];
    artel_hex(writer.at, sizeof writer.at, id);
    s_write_text(s_in("runs/r/%s/00000001.seg", id), "artel journal 2\nof the future");
    cr_assert_eq(artel_gc(s_scratch, &s_all, &report), ARTEL_EVERSION);
    cr_assert(strstr(report.text, "pending journals"), "%s", report.text);
    cr_assert_eq(stored_packs(), 1);
}

Test(gc, removes_no_blob_if_the_catalogue_cannot_be_read)
{
    artel_gc_report_t report;
    stored_ingest("m", "text", 0);
    s_write_text(s_in("catalogue.db"), "this is no database, but text that is long enough");
    cr_assert_lt(artel_gc(s_scratch, &s_all, &report), 0);
    cr_assert(strstr(report.text, "the catalogue"), "%s", report.text);
    cr_assert_eq(stored_packs(), 1);
}

Test(gc, does_nothing_in_a_directory_of_another_machine)
{
    artel_gc_report_t report;
    stored_ingest("m", "text", 0);
    s_write_text(s_in("host"), "elsewhere 0123\n");
    cr_assert_eq(artel_gc(s_scratch, &s_all, &report), ARTEL_EACCES);
    cr_assert_eq(stored_packs(), 1);
}

//  The store commits an artifact while gc is at work: it is in the one place or the other.

static artel_msg_artifact_send_t s_send;
static artel_id_t s_writer;

static void
s_deliver_now(void)
{
    stored_commit(&s_send);
    stored_outcome("r", s_writer, "store", s_send.xid);
}

Test(gc, keeps_what_is_committed_while_it_looks)
{
    s_send = stored_ingest("m", "text", 1);
    s_writer = stored_journal("r", "store", &s_send, true);
    s_before_pending = s_deliver_now;
    cr_assert_eq(s_gc(&s_all).bytes, 0);
    s_check_sound();
}

//  An ingest under way holds gc off.

static atomic_int s_done;

static void *
s_gc_in_thread(void *arg)
{
    *(artel_gc_report_t *) arg = s_gc(&s_all);
    atomic_store(&s_done, 1);
    return NULL;
}

Test(gc, waits_for_an_ingest_under_way)
{
    artel_ingest_t *ingest;
    artel_ingest_result_t result;
    artel_gc_report_t report;
    pthread_t thread;
    cr_assert_eq(artel_ingest_begin(&(artel_ingest_options_t) { .store = s_scratch }, &ingest), 0);
    cr_assert_eq(artel_ingest_bytes(ingest, "a", "bytes", 5), 0);
    cr_assert_eq(artel_ingest_finish(ingest, &result), 0);
    cr_assert_eq(pthread_create(&thread, NULL, s_gc_in_thread, &report), 0);
    artel_msg_artifact_send_t send = { .xid = artel_id_new(), .name = artel_str("m"),
        .type = artel_str("t"), .manifest = result.manifest, .pack = artel_str(result.pack) };
    stored_journal("r", "store", &send, true);
    cr_assert_eq(atomic_load(&s_done), 0);
    artel_ingest_destroy(&ingest);
    pthread_join(thread, NULL);
    cr_assert_eq(report.packs, 0);
    cr_assert_eq(stored_packs(), 1);
}

Test(gc, does_not_wait_for_ever_says_who_has_the_store_and_removes_nothing)
{
    artel_ingest_t *ingest;
    artel_gc_report_t report;
    char pid[32];
    cr_assert_eq(artel_ingest_begin(&(artel_ingest_options_t) { .store = s_scratch }, &ingest), 0);
    s_write_text(s_in("blobs/tmp/dead.pack"), "unfinished");
    int64_t begin = artel_now_ms();
    cr_assert_eq(artel_gc(s_scratch, &(artel_gc_options_t) { .wait_ms = 200 }, &report), ARTEL_ELOCKED);
    int64_t took = artel_now_ms() - begin;
    cr_assert(took >= 200 && took < 2000, "%d ms", (int) took);
    snprintf(pid, sizeof pid, "(pid %d)", (int) getpid());
    cr_assert_not_null(strstr(report.text, pid), "%s", report.text);
    cr_assert_eq(access(s_in("blobs/tmp/dead.pack"), F_OK), 0);
    artel_ingest_destroy(&ingest);
    cr_assert_eq(s_gc(&s_all).leftovers, 1);
}

//  A store with something of every kind.
static void
s_fill_store(void)
{
    artel_msg_artifact_send_t kept = stored_ingest("m", "kept", 1), gone = stored_ingest("m", "gone", 2);
    artel_msg_artifact_send_t waiting = stored_ingest("n", "waiting", 3), done = stored_ingest("o", "done", 0);
    s_counters = 0;
    stored_commit(&kept);
    stored_commit(&gone);
    stored_uncommit("m", 1);
    stored_journal("r", "store", &waiting, true);
    artel_id_t writer = stored_journal("done", "store", &done, true);
    cr_assert_eq(artel_pending_finish(s_scratch, "done", writer, 1), 0);
    s_write_text(s_in("blobs/tmp/dead.pack"), "unfinished");
}

Test(gc, may_be_killed_at_any_removal_and_run_again)
{
    unsigned at = 0;
    bool killed;
    do {
        s_scratch_remove();
        stored_make();
        s_fill_store();
        pid_t child = fork();
        if (child == 0) {
            s_kill_at = at + 1;
            s_gc(&s_all);
            _exit(0);
        }
        int status;
        cr_assert_eq(waitpid(child, &status, 0), child);
        killed = WIFSIGNALED(status);
        s_check_sound();
        s_gc(&s_all);
        s_check_sound();
        cr_assert_eq(stored_packs(), 2, "after call %u", at);
        cr_assert_eq(stored_loose(), 2);
        at++;
    } while (killed);
    cr_assert_gt(at, 8);
}
