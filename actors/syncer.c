//  syncer.c - jobs that wait for the disk: birth, fdatasync, adoption, end.

#include "syncer.h"

#include "adopt.h"
#include "errors.h"
#include "wire.h"

typedef struct {
    zsock_t *pipe;              //  $TERM from the writer
    zsock_t *writer;            //  PAIR: jobs, both ways
    const char *state;
    const char *sinks;
} self_t;

static void
s_answer(self_t *self, const artel_sync_job_t *job)
{
    zmq_send(zsock_resolve(self->writer), job, sizeof *job, ZMQ_DONTWAIT);
}

//  A writer that is known goes on where it was; another must be allowed to join.
static void
s_on_open(self_t *self, artel_sync_job_t *job)
{
    artel_journal_birth_t birth = { .run = job->run, .writer = job->writer,
                                    .sinks = self->sinks, .resumes = job->resumes };
    job->rc = artel_journal_adopt(self->state, job->run, job->writer, &job->journal);
    if (job->rc == ARTEL_ENOENT)
        job->rc = artel_journal_create(self->state, &birth, &job->journal);
    if (job->rc == 0)
        job->counter = artel_journal_accepted(job->journal);
    s_answer(self, job);
}

static void
s_on_sync(self_t *self, artel_sync_job_t *job)
{
    job->rc = artel_journal_sync(job->journal, &job->counter);
    s_answer(self, job);
}

static void
s_on_close(self_t *self, artel_sync_job_t *job)
{
    artel_journal_close(&job->journal);
    s_answer(self, job);
}

//  One answer for each journal that is now ours to deliver.
static void
s_adopted_one(void *arg, const char *run, artel_id_t writer, uint64_t last)
{
    artel_sync_job_t job = { .op = ARTEL_SYNC_ADOPT, .writer = writer, .counter = last };
    snprintf(job.run, sizeof job.run, "%s", run);
    s_answer(arg, &job);
}

static void
s_on_adopt(self_t *self, artel_sync_job_t *job)
{
    job->rc = artel_adopt_all(self->state, s_adopted_one, self);
    job->op = ARTEL_SYNC_ADOPTED;
    s_answer(self, job);
}

static void (*const s_handlers[])(self_t *, artel_sync_job_t *) = {
    [ARTEL_SYNC_OPEN] = s_on_open,
    [ARTEL_SYNC_SYNC] = s_on_sync,
    [ARTEL_SYNC_CLOSE] = s_on_close,
    [ARTEL_SYNC_ADOPT] = s_on_adopt,
};

static int
s_read_pipe(void *arg)
{
    return artel_actor_read_pipe(((self_t *) arg)->pipe);
}

static int
s_read_writer(void *arg)
{
    self_t *self = arg;
    artel_sync_job_t job;
    while (zmq_recv(zsock_resolve(self->writer), &job, sizeof job, ZMQ_DONTWAIT) == sizeof job)
        s_handlers[job.op](self, &job);
    return 0;
}

void
artel_syncer(zsock_t *pipe, void *arg)
{
    artel_syncer_args_t *args = arg;
    artel_actor_enter(&args->start);
    self_t self = { .pipe = pipe, .writer = args->writer, .state = args->state, .sinks = args->sinks };
    zsock_signal(pipe, 0);                      //  args is the parent's again
    //  Jobs first: what was asked before $TERM is done before we end.
    artel_actor_loop((artel_reader_t[]) {
        { .sock = self.writer, .fn = s_read_writer },
        { .sock = self.pipe, .fn = s_read_pipe },
    }, 2, NULL, &self);
    zsock_destroy(&self.writer);
}
