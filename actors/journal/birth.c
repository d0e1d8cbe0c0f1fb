//  birth.c - making a journal, and taking one over.
//
//  Order of a birth: its mark in pending/; built whole in tmp/, locked; both
//  synced; renamed in; the folders above synced. Killed at any point it leaves a
//  dead folder in tmp/ or a mark without a journal, which both are swept; never a
//  journal without a mark, or one that is visible and not whole.

#include "appender.h"

#include "errors.h"
#include "fds.h"
#include "frame.h"
#include "head.h"
#include "layout.h"
#include "pending.h"
#include "state.h"
#include "survey.h"
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RENAMES = 8 };           //  a gc may remove the run's folder between two of ours

//  A birth under way: the names of its folders.
typedef struct {
    int busy;                   //  descriptor that holds tmp/LOCK
    char *outer;                //  tmp/journal.<random>, to become runs/<run>
    char *inner;                //  outer/<writer>
    char *runs;
    char *run;                  //  runs/<run>
    char *folder;               //  runs/<run>/<writer>
} birth_t;

static int
s_names(const char *state, const artel_journal_birth_t *of, birth_t *birth)
{
    char id[ARTEL_ID_TEXT], random[ARTEL_ID_TEXT];
    artel_hex(of->writer.at, sizeof of->writer.at, id);
    artel_hex(artel_id_new().at, sizeof(artel_id_t), random);
    if (!artel_is_run_id(of->run, strlen(of->run)))
        return ARTEL_EINVAL;
    birth->outer = artel_format("%s/tmp/journal.%s", state, random);
    birth->inner = artel_format("%s/tmp/journal.%s/%s", state, random, id);
    birth->runs = artel_format("%s/runs", state);
    birth->run = artel_format("%s/runs/%s", state, of->run);
    birth->folder = artel_format("%s/runs/%s/%s", state, of->run, id);
    return birth->outer && birth->inner && birth->runs && birth->run && birth->folder
        ? 0 : ARTEL_ENOMEM;
}

//  Free them, and remove what is left in tmp/.
static void
s_end(birth_t *birth)
{
    if (birth->busy >= 0)
        artel_remove_tree(birth->outer);
    artel_fd_close(birth->busy);
    free(birth->outer);
    free(birth->inner);
    free(birth->runs);
    free(birth->run);
    free(birth->folder);
}

static int
s_make_dir(const char *path)
{
    return mkdir(path, 0700) == 0 ? 0 : artel_error_of_errno(errno);
}

static int
s_pack_head(const artel_journal_birth_t *of, artel_appender_t *with)
{
    char rank[32];
    snprintf(rank, sizeof rank, "%llu", (unsigned long long) of->rank);
    artel_head_t head = { .run = of->run, .writer = of->writer, .sinks = of->sinks,
                          .rank = of->world ? rank : NULL };
    return artel_head_pack(&head, &with->head, &with->head_len);
}

//  The journal in tmp/, whole and on the disk.
static int
s_build(const birth_t *birth, const artel_journal_birth_t *of, artel_journal_t **ret)
{
    artel_appender_t with = { .lock = -1, .writer = of->writer, .number = 1 };
    int rc = s_make_dir(birth->outer);
    if (rc == 0)
        rc = s_make_dir(birth->inner);
    if (rc == 0)
        rc = artel_append_lock(birth->inner, O_CREAT | O_EXCL, &with.lock);
    if (rc == 0)
        rc = s_pack_head(of, &with);
    if (rc == 0 && !(with.folder = strdup(birth->inner)))
        rc = ARTEL_ENOMEM;
    if (rc == 0 && with.head_len > ARTEL_MAX_MESSAGE)
        rc = ARTEL_ELIMIT;
    if (rc == 0 && of->world)
        rc = artel_world_claim(birth->outer, of->world);
    if (rc == 0)
        rc = artel_journal_start(&with, ret);
    if (rc == 0)
        return artel_sync_dir(birth->outer);
    artel_fd_close(with.lock);
    free(with.head);
    free(with.folder);
    return rc;
}

//  Rename a folder to where there must be nothing. An empty folder would be replaced,
//  but neither a run's nor a writer's is ever empty.
static int
s_rename(const char *from, const char *to)
{
    if (rename(from, to) == 0)
        return 0;
    return errno == ENOTEMPTY ? ARTEL_EEXIST : artel_error_of_errno(errno);
}

//  Into the run that is there; of ranks all must say the same of how many they are.
static int
s_show_in_run(const birth_t *birth, uint64_t world)
{
    int rc = world ? artel_world_claim(birth->run, world) : 0;
    return rc == 0 ? s_rename(birth->inner, birth->folder) : rc;
}

//  As a new run, or into the one that is there.
static int
s_show(const birth_t *birth, const artel_journal_birth_t *of)
{
    artel_resumes_t resumes = of->resumes;
    int rc = ARTEL_ENOENT;
    for (int i = 0; i < RENAMES; i++) {
        if (resumes != ARTEL_RESUMES_NEVER)
            rc = s_show_in_run(birth, of->world);
        if (rc != ARTEL_ENOENT || resumes == ARTEL_RESUMES_MUST)
            return rc;
        rc = s_rename(birth->outer, birth->run);
        if (rc != ARTEL_EEXIST || resumes == ARTEL_RESUMES_NEVER)
            return rc;
        rc = ARTEL_ENOENT;
    }
    return rc;
}

//  The names of a run and of its writers are durable.
static int
s_sync_names(const char *runs, const char *run)
{
    int rc = artel_sync_dir(run);
    return rc == 0 ? artel_sync_dir(runs) : rc;
}

//  Make it visible. Its mark is made first, and synced together with it: one
//  commit of the file system's journal for both.
static int
s_publish(const char *state, const birth_t *birth, const artel_journal_birth_t *of,
          artel_journal_t *journal)
{
    char *folder = strdup(birth->folder);
    int rc = folder ? artel_pending_sync(state) : ARTEL_ENOMEM;
    if (rc == 0)
        rc = s_show(birth, of);
    if (rc != 0) {
        free(folder);
        return rc;
    }
    artel_journal_moved(journal, folder);
    return s_sync_names(birth->runs, birth->run);
}

//  What can be said before anything is built.
static int
s_may_be_born(const birth_t *birth, artel_resumes_t resumes)
{
    struct stat st;
    bool run = stat(birth->run, &st) == 0, writer = run && stat(birth->folder, &st) == 0;
    if (writer || (run && resumes == ARTEL_RESUMES_NEVER))
        return ARTEL_EEXIST;
    return !run && resumes == ARTEL_RESUMES_MUST ? ARTEL_ENOENT : 0;
}

int
artel_journal_create(const char *state, const artel_journal_birth_t *of, artel_journal_t **ret)
{
    birth_t birth = { .busy = -1 };
    artel_journal_t *journal = NULL;
    int rc = s_names(state, of, &birth);
    if (rc == 0)
        rc = s_may_be_born(&birth, of->resumes);
    if (rc == 0)
        rc = artel_births_begin(state, &birth.busy);
    bool marked = rc == 0;
    if (rc == 0)
        rc = artel_pending_mark(state, of->run, of->writer);
    if (rc == 0)
        rc = s_build(&birth, of, &journal);
    if (rc == 0)
        rc = s_publish(state, &birth, of, journal);
    if (rc == 0)
        *ret = journal;
    else
        artel_journal_close(&journal);
    if (marked && access(birth.folder, F_OK) != 0)
        artel_pending_remove(state, of->run, of->writer);
    s_end(&birth);
    return rc;
}

//  fdatasync what a dead appender left: from now on it is durable, as far as anyone can know.
static int
s_sync_segments(const char *folder)
{
    uint32_t number = 0;
    int rc;
    while ((rc = artel_segment_after(folder, number, &number)) > 0) {
        int fd = artel_segment_fd(folder, number, O_RDONLY);
        rc = fd < 0 || fdatasync(fd) != 0 ? artel_error_of_errno(errno) : 0;
        artel_fd_close(fd);
        if (rc != 0)
            return rc;
    }
    return rc;
}

static int
s_sync_all(const char *state, const char *run, const char *folder)
{
    char *runs = artel_format("%s/runs", state), *of_run = artel_format("%s/runs/%s", state, run);
    int rc = runs && of_run ? s_sync_segments(folder) : ARTEL_ENOMEM;
    if (rc == 0)
        rc = s_sync_names(runs, of_run);
    free(runs);
    free(of_run);
    return rc;
}

//  Find the end of a locked journal, and open the segment behind it.
static int
s_go_on(const char *state, const char *run, artel_appender_t *with, artel_journal_t **ret)
{
    artel_survey_t survey;
    uint32_t newest = 0;
    int rc = artel_segment_before(with->folder, UINT32_MAX, &newest);
    if (rc >= 0)
        rc = artel_survey(with->folder, with->writer, false, &survey);
    if (rc != 0)
        return rc;
    with->number = newest + 1;
    with->counter = survey.last;
    with->sound = survey.sound;
    rc = artel_head_repack(survey.head, survey.head_len, &(artel_head_t) { .run = run, .writer = with->writer },
                           &with->head, &with->head_len);
    artel_survey_done(&survey);
    if (rc == 0)
        rc = artel_pending_add(state, run, with->writer);
    if (rc == 0)
        rc = s_sync_all(state, run, with->folder);
    if (rc == 0)
        rc = artel_journal_start(with, ret);
    return rc;
}

int
artel_journal_adopt(const char *state, const char *run, artel_id_t writer, artel_journal_t **ret)
{
    artel_appender_t with = { .lock = -1, .writer = writer };
    int rc = artel_journal_folder(state, run, writer, &with.folder);
    if (rc == 0)
        rc = artel_append_lock(with.folder, 0, &with.lock);
    if (rc == 0)
        rc = s_go_on(state, run, &with, ret);
    if (rc != 0) {
        artel_fd_close(with.lock);
        free(with.folder);
        free(with.head);
    }
    return rc;
}
