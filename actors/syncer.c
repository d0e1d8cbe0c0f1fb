//  syncer.c - jobs that wait for the disk: birth, fdatasync, end.

#include "syncer.h"

#include "ending.h"
#include "errors.h"
#include "handover.h"
#include "steps.h"
#include "wire.h"
#include "world.h"

#include <sys/queue.h>

typedef struct task {
    STAILQ_ENTRY(task) next;
    artel_sync_job_t job;
} task_t;

typedef STAILQ_HEAD(tasks, task) tasks_t;

typedef struct {
    zsock_t *pipe;              //  $TERM from the writer
    zsock_t *writer;            //  PAIR: jobs, both ways
    const char *state;
    const char *sinks;
    tasks_t urgent, other;
} self_t;

//  A journal that was there. If somebody took its writer for dead and ended it, what the writer
//  would send next has the number of that end: it may not go on.
static int
s_go_on(self_t *self, artel_sync_job_t *job)
{
    artel_end_t end = { .kind = ARTEL_END_NONE };
    job->counter = artel_journal_accepted(job->journal);
    int rc = job->counter ? artel_ending_find(self->state, job->run, job->writer, job->counter, &end) : 0;
    if (rc == 0 && end.kind == ARTEL_END_CRASHED) {
        job->counter--;
        rc = ARTEL_ELOST;
    }
    if (rc != 0)
        artel_journal_close(&job->journal);
    return rc;
}

//  A writer that is known goes on where it was; another must be allowed to join.
static void
s_on_open(self_t *self, artel_sync_job_t *job)
{
    artel_journal_birth_t birth = { .run = job->run, .writer = job->writer, .sinks = self->sinks,
                                    .resumes = job->resumes, .world = job->world, .rank = job->rank };
    job->rc = artel_run_next_step(self->state, job->run, job->world ? (int64_t) job->rank : -1, &job->next_step);
    if (job->rc == 0)
        job->rc = artel_journal_adopt(self->state, job->run, job->writer, &job->journal);
    if (job->rc == 0)
        job->rc = s_go_on(self, job);
    else if (job->rc == ARTEL_ENOENT)
        job->rc = artel_journal_create(self->state, &birth, &job->journal);
    if (job->rc == ARTEL_EINVAL)
        job->world = artel_world_of(self->state, job->run);
}

static void
s_on_sync(self_t *self, artel_sync_job_t *job)
{
    (void) self;
    job->rc = artel_journal_sync(job->journal, &job->counter);
}

static void
s_on_close(self_t *self, artel_sync_job_t *job)
{
    (void) self;
    artel_journal_close(&job->journal);
}

static void (*const s_handlers[])(self_t *, artel_sync_job_t *) = {
    [ARTEL_SYNC_OPEN] = s_on_open,
    [ARTEL_SYNC_SYNC] = s_on_sync,
    [ARTEL_SYNC_CLOSE] = s_on_close,
};

static void
s_do(self_t *self, artel_sync_job_t *job)
{
    s_handlers[job->op](self, job);
    artel_actor_wait_if_exiting();
    artel_hand_over(job->journal);
    artel_wire_put(self->writer, job, sizeof *job);
}

//  Put aside what was asked. A job there is no memory for is done at once.
static void
s_take(self_t *self)
{
    artel_sync_job_t job;
    while (artel_wire_get(self->writer, &job, sizeof job)) {
        artel_take_over(job.journal);
        task_t *task = malloc(sizeof *task);
        if (task) {
            task->job = job;
            STAILQ_INSERT_TAIL(job.urgent ? &self->urgent : &self->other, task, next);
        } else {
            s_do(self, &job);
        }
    }
}

//  Do the next job; false if there is none.
static bool
s_do_next(self_t *self)
{
    tasks_t *tasks = STAILQ_EMPTY(&self->urgent) ? &self->other : &self->urgent;
    task_t *task = STAILQ_FIRST(tasks);
    if (!task)
        return false;
    STAILQ_REMOVE_HEAD(tasks, next);
    s_do(self, &task->job);
    free(task);
    return true;
}

static int
s_read_pipe(void *arg)
{
    self_t *self = arg;
    s_take(self);
    while (s_do_next(self))
        continue;
    return artel_actor_read_pipe(self->pipe);
}

static int
s_read_writer(void *arg)
{
    s_take(arg);
    return 0;
}

//  One job a round: a new one that is urgent need not wait for the rest.
static int
s_tick(void *arg)
{
    return s_do_next(arg) ? 0 : -1;
}

void
artel_syncer(zsock_t *pipe, void *arg)
{
    artel_syncer_args_t *args = arg;
    artel_actor_enter(&args->start);
    self_t self = { .pipe = pipe, .writer = args->writer, .state = args->state, .sinks = args->sinks };
    STAILQ_INIT(&self.urgent);
    STAILQ_INIT(&self.other);
    args->start.rc = 0;
    zsock_signal(pipe, 0);                      //  args is the parent's again
    artel_actor_loop((artel_reader_t[]) {
        { .sock = self.writer, .fn = s_read_writer },
        { .sock = self.pipe, .fn = s_read_pipe },
    }, 2, s_tick, &self);
    zsock_destroy(&self.writer);
}
