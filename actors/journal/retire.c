//  retire.c - all journals of a state directory, and the end of one.
//
//  The segment that stays is written first. Then the others go, the newest
//  first: a death on the way leaves a journal without a hole.

#include "retire.h"

#include "actor.h"
#include "appender.h"
#include "errors.h"
#include "fds.h"
#include "head.h"
#include "layout.h"
#include "pending.h"
#include "state.h"
#include "steps.h"
#include "survey.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    int (*fn)(void *arg, const char *run, artel_id_t writer);
    void *arg;
    const char *run;
} each_t;

//  Call fn with every name in a folder that is not hidden.
static int
s_each_name(const char *path, int (*fn)(each_t *each, const char *path, const char *name), each_t *each)
{
    DIR *dir = opendir(path);
    if (!dir)
        return errno == ENOTDIR ? 0 : artel_error_of_errno(errno);
    int rc = 0;
    for (struct dirent *entry; rc == 0 && (errno = 0, entry = readdir(dir)); )
        if (entry->d_name[0] != '.')
            rc = fn(each, path, entry->d_name);
    if (rc == 0 && errno)
        rc = artel_error_of_errno(errno);
    closedir(dir);
    return rc;
}

static int
s_on_writer(each_t *each, const char *path, const char *name)
{
    (void) path;
    artel_id_t writer;
    if (strlen(name) != ARTEL_ID_TEXT - 1 || !artel_unhex(name, sizeof writer.at, writer.at))
        return 0;
    return each->fn(each->arg, each->run, writer);
}

static int
s_on_run(each_t *each, const char *path, const char *name)
{
    if (!artel_is_run_id(name, strlen(name)))
        return 0;
    char *run = artel_format("%s/%s", path, name);
    if (!run)
        return ARTEL_ENOMEM;
    each->run = name;
    int rc = s_each_name(run, s_on_writer, each);
    free(run);
    return rc;
}

int
artel_journal_each(const char *state,
                   int (*fn)(void *arg, const char *run, artel_id_t writer), void *arg)
{
    char *runs = artel_format("%s/runs", state);
    if (!runs)
        return ARTEL_ENOMEM;
    int rc = s_each_name(runs, s_on_run, &(each_t) { .fn = fn, .arg = arg });
    free(runs);
    return rc;
}

int
artel_journal_each_of(const char *state, const char *run,
                      int (*fn)(void *arg, const char *run, artel_id_t writer), void *arg)
{
    char *path = artel_format("%s/runs/%s", state, run);
    if (!path)
        return ARTEL_ENOMEM;
    int rc = s_each_name(path, s_on_writer, &(each_t) { .fn = fn, .arg = arg, .run = run });
    free(path);
    return rc;
}

//  A journal to be retired, which is locked.
typedef struct {
    artel_appender_t with;
    uint32_t newest;            //  of the segments to go
    uint64_t bytes;             //  in them
} retiring_t;

//  Its segments: how many bytes, and when the last was written. 1, or 0 if it is too young.
static int
s_weigh(retiring_t *self, int64_t age_ms)
{
    int64_t written_ms = 0;
    uint32_t number = 0;
    int rc;
    while ((rc = artel_segment_after(self->with.folder, number, &number)) > 0) {
        struct stat st;
        int fd = artel_segment_fd(self->with.folder, number, O_RDONLY);
        if (fd < 0 || fstat(fd, &st) != 0)
            rc = artel_error_of_errno(errno);
        artel_fd_close(fd);
        if (rc < 0)
            return rc;
        self->bytes += (uint64_t) st.st_size;
        self->newest = number;
        written_ms = st.st_mtim.tv_sec * INT64_C(1000) + st.st_mtim.tv_nsec / 1000000;
    }
    return rc < 0 ? rc : age_ms <= 0 || written_ms + age_ms <= artel_wall_ms();
}

//  The head of the segment that stays.
static int
s_pack_head(retiring_t *self, const char *run, const artel_survey_t *survey)
{
    char text[32];
    int64_t step = 0;
    int rc = artel_journal_next_step(self->with.folder, self->with.writer, &step);
    snprintf(text, sizeof text, "%lld", (long long) step);
    artel_head_t head = { .run = run, .writer = self->with.writer, .next_step = rc > 0 ? text : NULL };
    return rc < 0 ? rc : artel_head_repack(survey->head, survey->head_len, &head, &self->with.head,
                                           &self->with.head_len);
}

//  Whether it ended, and is not retired yet: 1, and then what the segment that stays says.
static int
s_look(retiring_t *self, const char *run)
{
    artel_survey_t survey;
    uint32_t before = 0;
    int rc = artel_survey(self->with.folder, self->with.writer, false, &survey);
    if (rc != 0)
        return rc;
    bool ended = survey.ended && !survey.torn && survey.head;
    int more = artel_segment_before(self->with.folder, self->newest, &before);
    self->with.counter = self->with.sound = survey.last;
    self->with.number = self->newest + 1;
    self->with.start = true;
    if (ended && (more > 0 || survey.frames > 0))
        rc = s_pack_head(self, run, &survey);
    artel_survey_done(&survey);
    return rc != 0 || more < 0 ? (rc != 0 ? rc : more) : self->with.head != NULL;
}

//  Write the segment that stays; then remove the others.
static int
s_replace(retiring_t *self, const char *folder)
{
    artel_journal_t *journal;
    int rc = artel_journal_start(&self->with, &journal);
    if (rc != 0)
        return rc;
    self->with.head = self->with.folder = NULL;         //  the journal's now
    artel_journal_close(&journal);
    uint32_t number = self->newest + 1;
    while ((rc = artel_segment_before(folder, number, &number)) > 0)
        artel_segment_unlink(folder, number);
    return rc < 0 ? rc : 1;
}

//  Under the append lock: 1, 0, or a code.
static int
s_retire(const char *state, const char *run, artel_id_t writer, const artel_retire_t *how,
         uint64_t *ret_bytes)
{
    retiring_t self = { .with = { .lock = -1, .writer = writer } };
    char *folder = NULL;
    int rc = artel_pending_has(state, run, writer);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = artel_journal_folder(state, run, writer, &self.with.folder);
    if (rc == 0)
        rc = artel_journal_folder(state, run, writer, &folder);
    if (rc == 0)
        rc = s_weigh(&self, how->age_ms);
    if (rc > 0)
        rc = s_look(&self, run);
    if (rc > 0 && !how->dry_run)
        rc = s_replace(&self, folder);
    if (rc > 0)
        *ret_bytes = self.bytes;
    free(self.with.folder);
    free(self.with.head);
    free(folder);
    return rc;
}

int
artel_journal_retire(const char *state, const char *run, artel_id_t writer,
                     const artel_retire_t *how, uint64_t *ret_bytes)
{
    char *folder;
    int lock;
    int rc = artel_journal_folder(state, run, writer, &folder);
    if (rc != 0)
        return rc;
    rc = artel_append_lock(folder, 0, &lock);
    free(folder);
    if (rc != 0)
        return rc == ARTEL_ELOCKED ? 0 : rc;
    rc = s_retire(state, run, writer, how, ret_bytes);
    artel_fd_close(lock);
    return rc;
}
