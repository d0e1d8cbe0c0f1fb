//  Journals: birth, append, sync, the next segment, adoption.

#include "unit/test_journal.h"

#include "actor.h"
#include "pending.h"
#include "world.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/wait.h>

TestSuite(journal, .init = s_make_state, .fini = s_remove_state, .timeout = 60);

static off_t
s_size(const char *path)
{
    struct stat st;
    cr_assert_eq(stat(path, &st), 0, "%s", path);
    return st.st_size;
}

//  Names in a folder of the state directory, other than LOCK.
static unsigned
s_count(const char *folder)
{
    char path[128];
    unsigned n = 0;
    snprintf(path, sizeof path, "%s/%s", s_state, folder);
    DIR *dir = opendir(path);
    cr_assert(dir, "%s", path);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL; )
        n += entry->d_name[0] != '.' && strcmp(entry->d_name, "LOCK") != 0;
    closedir(dir);
    return n;
}

Test(journal, gives_back_what_was_appended_in_order)
{
    artel_journal_t *journal = s_create();
    for (int i = 0; i < 500; i++)
        s_append(journal, 1 + (size_t) i % 5, 0);
    cr_assert_eq(artel_journal_accepted(journal), 1500);
    s_check_all(1500, 0);
    artel_journal_close(&journal);
    s_check_all(1500, 0);
}

Test(journal, keeps_a_batch_of_the_largest_size_and_one_of_none)
{
    artel_journal_t *journal = s_create();
    s_append(journal, 3, ARTEL_MAX_MESSAGE);
    s_check_all(3, ARTEL_MAX_MESSAGE);
    cr_assert_eq(artel_journal_append(journal, &(artel_journal_frame_t) { 4, NULL, 0 }, 1), 0);
    cr_assert_eq(s_examine().last, 4);
    artel_journal_close(&journal);
}

Test(journal, appends_more_frames_than_one_write_takes)
{
    artel_journal_t *journal = s_create();
    s_append(journal, 3000, 0);
    s_append(journal, 1, 0);
    s_check_all(3001, 0);
    artel_journal_close(&journal);
}

//  How many segments this process has open.
static unsigned
s_open_segments(void)
{
    unsigned n = 0;
    char target[300];
    DIR *dir = opendir("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(dir)) != NULL; ) {
        ssize_t len = readlinkat(dirfd(dir), entry->d_name, target, sizeof target);
        n += len > 4 && memcmp(target + len - 4, ".seg", 4) == 0;
    }
    closedir(dir);
    return n;
}

Test(journal, that_rests_has_no_file_open_nor_room_reserved_and_goes_on_in_its_segment)
{
    uint64_t durable;
    artel_journal_t *journal = s_create(), *second;
    off_t reserved = s_size(s_segment(1));
    s_append(journal, 3, 0);
    artel_journal_rest(journal);                //  not durable yet
    cr_assert_eq(s_open_segments(), 1);
    cr_assert_eq(artel_journal_sync(journal, &durable), 0);
    artel_journal_rest(journal);
    artel_journal_rest(journal);
    cr_assert_eq(s_open_segments(), 0);
    cr_assert_lt(s_size(s_segment(1)), reserved);
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &second), ARTEL_ELOCKED);
    s_check_all(3, 0);
    s_append(journal, 3, 0);
    cr_assert_eq(s_size(s_segment(1)), reserved);
    cr_assert_eq(artel_journal_sync(journal, &durable), 0);
    cr_assert_eq(durable, 6);
    s_check_all(6, 0);
    artel_journal_close(&journal);
    cr_assert_eq(access(s_segment(2), F_OK), -1);
}

Test(journal, that_rests_takes_a_batch_too_large_for_its_segment_into_the_next)
{
    uint64_t durable;
    artel_journal_t *journal = s_create();
    s_append(journal, 1, 200 * 1024);
    cr_assert_eq(artel_journal_sync(journal, &durable), 0);
    artel_journal_rest(journal);
    s_append(journal, 1, 200 * 1024);
    cr_assert_eq(access(s_segment(2), F_OK), 0);
    cr_assert_eq(artel_journal_sync(journal, &durable), 0);
    s_check_all(2, 200 * 1024);
    artel_journal_rest(journal);
    artel_journal_close(&journal);              //  sealed all the same
    cr_assert_eq(s_open_segments(), 0);
    s_check_all(2, 200 * 1024);
    cr_assert_eq(s_examine().class, ARTEL_JOURNAL_CLEAN);
}

Test(journal, that_rests_and_cannot_be_opened_accepts_nothing_until_it_can)
{
    uint64_t durable;
    char aside[128];
    artel_journal_t *journal = s_create();
    s_append(journal, 1, 0);
    cr_assert_eq(artel_journal_sync(journal, &durable), 0);
    artel_journal_rest(journal);
    snprintf(aside, sizeof aside, "%s/aside", s_state);
    cr_assert_eq(rename(s_segment(1), aside), 0);
    cr_assert_eq(s_try_append(journal, 1, 0), ARTEL_ENOENT);
    cr_assert_eq(rename(aside, s_segment(1)), 0);
    s_append(journal, 1, 0);
    artel_journal_close(&journal);
    s_check_all(2, 0);
}

Test(journal, is_born_whole_locked_and_marked)
{
    artel_journal_t *journal = s_create(), *second;
    struct stat st;
    cr_assert_eq(stat(s_segment(1), &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0600);
    cr_assert_eq(stat(s_file("."), &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0700);
    cr_assert_eq(s_count("pending"), 1);
    cr_assert_eq(s_count("tmp"), 0);
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &second), ARTEL_ELOCKED);
    artel_journal_close(&journal);
}

Test(journal, of_a_run_that_is_there_is_born_only_if_it_may_resume)
{
    artel_journal_t *journal = NULL, *first;
    artel_journal_birth_t must = s_birth("r", s_other, ARTEL_RESUMES_MUST);
    cr_assert_eq(artel_journal_create(s_state, &must, &journal), ARTEL_ENOENT);
    first = s_create();
    artel_journal_birth_t never = s_birth("r", s_other, ARTEL_RESUMES_NEVER);
    cr_assert_eq(artel_journal_create(s_state, &never, &journal), ARTEL_EEXIST);
    artel_journal_birth_t same = s_birth("r", s_writer, ARTEL_RESUMES_ALLOW);
    cr_assert_eq(artel_journal_create(s_state, &same, &journal), ARTEL_EEXIST);
    cr_assert_eq(s_count("pending"), 1);
    cr_assert_eq(artel_journal_create(s_state, &must, &journal), 0);
    cr_assert_eq(s_count("runs/r"), 2);
    cr_assert_eq(s_count("tmp"), 0);
    artel_journal_close(&journal);
    artel_journal_close(&first);
}

static void *
s_create_one(void *arg)
{
    artel_journal_t *journal = NULL;
    artel_resumes_t *resumes = arg;
    artel_journal_birth_t birth = s_birth("same", artel_id_new(), *resumes);
    int rc = artel_journal_create(s_state, &birth, &journal);
    artel_journal_close(&journal);
    return (void *) (intptr_t) rc;
}

//  How many of eight births of one run at once succeed.
static unsigned
s_race(artel_resumes_t resumes)
{
    enum { N = 8 };
    pthread_t threads[N];
    unsigned born = 0;
    for (int i = 0; i < N; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, s_create_one, &resumes), 0);
    for (int i = 0; i < N; i++) {
        void *rc;
        pthread_join(threads[i], &rc);
        cr_assert((intptr_t) rc == 0 || (intptr_t) rc == ARTEL_EEXIST, "%d", (int) (intptr_t) rc);
        born += rc == NULL;
    }
    return born;
}

Test(journal, is_the_only_one_of_many_births_at_once_that_may_not_resume)
{
    cr_assert_eq(s_race(ARTEL_RESUMES_NEVER), 1);
    cr_assert_eq(s_count("runs/same"), 1);
    cr_assert_eq(s_count("pending"), 1);
}

Test(journal, joins_its_run_in_many_births_at_once)
{
    cr_assert_eq(s_race(ARTEL_RESUMES_ALLOW), 8);
    cr_assert_eq(s_count("runs/same"), 8);
    cr_assert_eq(s_count("tmp"), 0);
}

//  A birth as one of so many ranks, closed at once: its code.
static int
s_bear_rank(artel_resumes_t resumes, uint64_t world)
{
    artel_journal_t *journal = NULL;
    artel_journal_birth_t birth = s_birth("r", artel_id_new(), resumes);
    birth.world = world;
    int rc = artel_journal_create(s_state, &birth, &journal);
    artel_journal_close(&journal);
    return rc;
}

Test(journal, of_a_rank_is_born_only_if_all_say_the_same_of_how_many_they_are)
{
    cr_assert_eq(s_bear_rank(ARTEL_RESUMES_ALLOW, 4), 0);
    cr_assert_eq(artel_world_of(s_state, "r"), 4);
    cr_assert_eq(s_bear_rank(ARTEL_RESUMES_ALLOW, 8), ARTEL_EINVAL);
    cr_assert_eq(s_bear_rank(ARTEL_RESUMES_MUST, 3), ARTEL_EINVAL);
    cr_assert_eq(s_count("pending"), 1);
    cr_assert_eq(s_count("tmp"), 0);
    cr_assert_eq(s_bear_rank(ARTEL_RESUMES_ALLOW, 4), 0);
    cr_assert_eq(s_bear_rank(ARTEL_RESUMES_ALLOW, 0), 0, "who is no rank says nothing of it");
}

Test(journal, of_the_first_rank_says_how_many_there_are_also_in_a_run_that_was_there)
{
    artel_journal_t *journal = s_create();
    artel_journal_close(&journal);
    cr_assert_eq(artel_world_of(s_state, "r"), 0);
    cr_assert_eq(s_bear_rank(ARTEL_RESUMES_MUST, 2), 0);
    cr_assert_eq(s_bear_rank(ARTEL_RESUMES_MUST, 4), ARTEL_EINVAL);
    cr_assert_eq(artel_world_of(s_state, "r"), 2);
}

//  A power loss may leave the file without its end; it is then said anew.
Test(journal, of_a_rank_takes_half_a_number_for_none)
{
    char path[128];
    cr_assert_eq(s_bear_rank(ARTEL_RESUMES_ALLOW, 128), 0);
    snprintf(path, sizeof path, "%s/runs/r/world", s_state);
    cr_assert_eq(truncate(path, 2), 0);
    cr_assert_eq(artel_world_of(s_state, "r"), 0);
    cr_assert_eq(s_bear_rank(ARTEL_RESUMES_ALLOW, 7), 0);
    cr_assert_eq(artel_world_of(s_state, "r"), 7);
}

static void *
s_bear_one(void *arg)
{
    return (void *) (intptr_t) s_bear_rank(ARTEL_RESUMES_ALLOW, (uint64_t) (uintptr_t) arg);
}

Test(journal, of_ranks_of_two_worlds_at_once_lets_one_world_in)
{
    enum { N = 8 };
    pthread_t threads[N];
    for (uintptr_t i = 0; i < N; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, s_bear_one, (void *) (4 + i % 2)), 0);
    unsigned in[2] = { 0 };
    for (int i = 0; i < N; i++) {
        void *rc;
        pthread_join(threads[i], &rc);
        cr_assert((intptr_t) rc == 0 || (intptr_t) rc == ARTEL_EINVAL, "%d", (int) (intptr_t) rc);
        in[i % 2] += rc == NULL;
    }
    cr_assert_eq(in[artel_world_of(s_state, "r") - 4], N / 2);
    cr_assert_eq(in[0] + in[1], N / 2);
    cr_assert_eq(s_count("tmp"), 0);
}

Test(journal, refuses_a_run_id_that_is_no_name)
{
    static const char *const bad[] = { "", "..", "a/b", "a.b", "a b", "\xc3\xa4",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
    artel_journal_t *journal;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        artel_journal_birth_t birth = s_birth(bad[i], s_writer, ARTEL_RESUMES_ALLOW);
        cr_assert_eq(artel_journal_create(s_state, &birth, &journal), ARTEL_EINVAL);
        cr_assert_eq(artel_journal_adopt(s_state, bad[i], s_writer, &journal), ARTEL_EINVAL);
    }
    cr_assert_eq(s_count("runs"), 0);
}

Test(journal, refuses_a_counter_that_is_not_the_next_and_keeps_its_state)
{
    artel_journal_t *journal = s_create();
    s_append(journal, 2, 0);
    artel_journal_frame_t frames[] = { { 3, "c", 1 }, { 5, "e", 1 } };
    cr_assert_eq(artel_journal_append(journal, frames, 2), ARTEL_EINVAL);
    frames[0].counter = 2;
    cr_assert_eq(artel_journal_append(journal, frames, 1), ARTEL_EINVAL);
    artel_journal_frame_t large = { 3, "", ARTEL_MAX_MESSAGE + 1 };
    cr_assert_eq(artel_journal_append(journal, &large, 1), ARTEL_EINVAL);
    cr_assert_eq(artel_journal_accepted(journal), 2);
    s_append(journal, 1, 0);
    s_check_all(3, 0);
    artel_journal_close(&journal);
}

Test(journal, goes_on_in_larger_segments_and_gives_back_the_room_it_did_not_use)
{
    artel_journal_t *journal = s_create();
    uint64_t durable;
    cr_assert_eq(s_size(s_segment(1)), ARTEL_SEGMENT_MIN);
    for (int i = 0; i < 50; i++)
        s_append(journal, 1, 30000);
    cr_assert_eq(s_size(s_segment(3)), 4 * ARTEL_SEGMENT_MIN);
    cr_assert_eq(artel_journal_sync(journal, &durable), 0);
    cr_assert_eq(durable, 50);
    cr_assert_lt(s_size(s_segment(1)), ARTEL_SEGMENT_MIN);
    cr_assert_eq(s_size(s_segment(3)), 4 * ARTEL_SEGMENT_MIN);
    artel_journal_close(&journal);
    cr_assert_lt(s_size(s_segment(3)), 4 * ARTEL_SEGMENT_MIN);
    s_check_all(50, 30000);
    cr_assert_eq(s_examine().class, ARTEL_JOURNAL_CLEAN);
}

Test(journal, takes_little_disk_for_a_small_run_once_it_is_closed)
{
    artel_journal_t *journal = s_create();
    s_append(journal, 3, 100);
    artel_journal_close(&journal);
    cr_assert_lt(s_size(s_segment(1)), 1024);
}

Test(journal, makes_a_segment_large_enough_for_one_append)
{
    artel_journal_t *journal = s_create();
    s_append(journal, 40, 200000);
    s_append(journal, 40, 200000);
    s_check_all(80, 200000);
    artel_journal_close(&journal);
}

Test(journal, counts_what_is_accepted_and_what_is_durable)
{
    artel_journal_t *journal = s_create();
    uint64_t durable = 7;
    cr_assert_eq(artel_journal_sync(journal, &durable), 0);
    cr_assert_eq(durable, 0);
    s_append(journal, 5, 100);
    cr_assert_eq(artel_journal_durable(journal), 0);
    cr_assert_geq(artel_journal_dirty_bytes(journal), 500);
    cr_assert_eq(artel_journal_sync(journal, &durable), 0);
    cr_assert_eq(durable, 5);
    cr_assert_eq(artel_journal_durable(journal), 5);
    cr_assert_eq(artel_journal_dirty_bytes(journal), 0);
    artel_journal_close(&journal);
}

typedef struct {
    artel_journal_t *journal;
    atomic_bool done;
} pair_t;

static void *
s_sync_on(void *arg)
{
    pair_t *pair = arg;
    uint64_t before = 0, durable;
    while (!atomic_load(&pair->done)) {
        cr_assert_eq(artel_journal_sync(pair->journal, &durable), 0);
        cr_assert_geq(durable, before);
        before = durable;
    }
    return NULL;
}

Test(journal, is_synced_on_one_thread_while_another_appends_and_opens_segments)
{
    pair_t pair = { .journal = s_create() };
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, s_sync_on, &pair), 0);
    for (int i = 0; i < 1500; i++)
        s_append(pair.journal, 3, 5000);
    atomic_store(&pair.done, true);
    pthread_join(thread, NULL);
    artel_journal_close(&pair.journal);
    s_check_all(4500, 5000);
    cr_assert_eq(s_examine().class, ARTEL_JOURNAL_CLEAN);
}

Test(journal, is_adopted_in_a_new_segment_with_the_next_counter)
{
    artel_journal_t *journal = s_create();
    s_append(journal, 4, 0);
    artel_journal_close(&journal);
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &journal), 0);
    cr_assert_eq(artel_journal_accepted(journal), 4);
    cr_assert_eq(artel_journal_durable(journal), 4);
    s_append(journal, 2, 0);
    artel_journal_close(&journal);
    cr_assert_eq(access(s_segment(2), F_OK), 0);
    s_check_all(6, 0);
}

//  A child that appends and dies with the journal open.
static void
s_die_after(size_t n)
{
    pid_t child = fork();
    if (child == 0) {
        artel_journal_t *journal = s_create();
        s_append(journal, n, 0);
        kill(getpid(), SIGKILL);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status));
}

Test(journal, of_a_killed_program_is_whole_free_and_pending)
{
    s_die_after(100);
    artel_journal_t *journal;
    cr_assert_eq(s_examine().class, ARTEL_JOURNAL_CLEAN);
    cr_assert_eq(s_count("pending"), 1);
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &journal), 0);
    cr_assert_eq(artel_journal_accepted(journal), 100);
    s_append(journal, 1, 0);
    artel_journal_close(&journal);
    s_check_all(101, 0);
}

Test(journal, that_is_not_there_is_not_adopted)
{
    artel_journal_t *journal;
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &journal), ARTEL_ENOENT);
}

Test(journal, of_which_gc_left_a_tombstone_is_not_adopted_and_its_run_stays_taken)
{
    artel_journal_t *journal = s_create();
    artel_journal_close(&journal);
    unlink(s_segment(1));
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &journal), ARTEL_ENOENT);
    artel_journal_birth_t birth = s_birth("r", s_other, ARTEL_RESUMES_NEVER);
    cr_assert_eq(artel_journal_create(s_state, &birth, &journal), ARTEL_EEXIST);
}

Test(journal, that_is_adopted_is_pending_again)
{
    artel_journal_t *journal = s_create();
    artel_journal_close(&journal);
    cr_assert_eq(artel_pending_finish(s_state, "r", s_writer, 0), 0);
    cr_assert_eq(s_count("pending"), 0);
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &journal), 0);
    cr_assert_eq(s_count("pending"), 1);
    artel_journal_close(&journal);
}

Test(journal, passes_over_a_segment_whose_birth_failed)
{
    artel_journal_t *journal = s_create();
    s_append(journal, 1, 200000);
    s_save(s_segment(2), (const uint8_t *) "", 0);
    s_append(journal, 1, 200000);
    cr_assert_eq(access(s_segment(3), F_OK), 0);
    s_check_all(2, 200000);
    artel_journal_close(&journal);
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &journal), 0);
    cr_assert_eq(artel_journal_accepted(journal), 2);
    artel_journal_close(&journal);
    cr_assert_eq(s_examine().class, ARTEL_JOURNAL_CLEAN);
}

Test(journal, keeps_its_lock_when_a_reader_of_the_same_process_closes)
{
    artel_journal_t *journal = s_create(), *second;
    artel_journal_reader_t *reader = s_open_reader();
    artel_journal_reader_close(&reader);
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &second), ARTEL_ELOCKED);
    artel_journal_close(&journal);
}

//  What a forked child gets for each call, as an exit status.
static int
s_use_in_child(artel_journal_t *journal)
{
    uint64_t durable;
    int rc = s_try_append(journal, 1, 0);
    if (rc == ARTEL_EFORKED)
        rc = artel_journal_sync(journal, &durable);
    artel_journal_close(&journal);
    return rc == ARTEL_EFORKED ? 0 : 1;
}

Test(journal, is_closed_to_a_forked_child_whose_end_changes_nothing)
{
    artel_journal_t *journal = s_create(), *second;
    s_append(journal, 2, 0);
    pid_t child = fork();
    if (child == 0)
        _exit(s_use_in_child(journal));
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &second), ARTEL_ELOCKED);
    s_append(journal, 1, 0);
    artel_journal_close(&journal);
    s_check_all(3, 0);
}

//  Dies with a journal open, and leaves a child that lives as long as the pipe is open.
static void
s_die_with_a_child(const int stay[2])
{
    int ready[2];
    char byte = 0;
    artel_journal_t *journal = s_create();
    s_append(journal, 2, 0);
    if (pipe(ready) == 0 && fork() == 0) {
        close(stay[1]);
        if (write(ready[1], &byte, 1) == 1)
            byte = (char) read(stay[0], &byte, 1);
        _exit(byte);
    }
    if (read(ready[0], &byte, 1) == 1)          //  its fork handlers have run
        kill(getpid(), SIGKILL);
}

Test(journal, is_free_once_its_program_died_though_a_forked_child_lives)
{
    int stay[2];
    cr_assert_eq(pipe(stay), 0);
    pid_t child = fork();
    if (child == 0)
        s_die_with_a_child(stay);
    cr_assert_eq(waitpid(child, NULL, 0), child);
    artel_journal_t *journal;
    cr_assert_eq(artel_journal_adopt(s_state, "r", s_writer, &journal), 0);
    artel_journal_close(&journal);
    close(stay[1]);
    close(stay[0]);
}
