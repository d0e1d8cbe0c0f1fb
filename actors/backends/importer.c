//  importer.c - one import after the other.

#include "importer.h"

#include "blobs.h"
#include "catalogue.h"
#include "errors.h"
#include "import.h"
#include "wire.h"

typedef struct {
    zsock_t *pipe;              //  $TERM
    zsock_t *asker;             //  PAIR: jobs, both ways
    const char *from, *to;
    atomic_bool *cancel;
    artel_catalogue_t *known;   //  reads what `to` has; NULL while that is nothing
} self_t;

static bool
s_is_known(void *arg, const artel_digest_t *digest, uint64_t size)
{
    self_t *self = arg;
    return self->known && artel_catalogue_knows_blob(self->known, digest, size);
}

static int
s_go_on(void *arg, uint64_t files, uint64_t bytes)
{
    (void) files, (void) bytes;
    return atomic_load(((self_t *) arg)->cancel);
}

static bool
s_is_wanted(void *arg)
{
    return !atomic_load(((self_t *) arg)->cancel);
}

static void
s_import(self_t *self, artel_import_job_t *job)
{
    char pack[ARTEL_ID_TEXT];
    artel_import_t import = { .from = self->from, .to = self->to, .manifest = job->manifest,
        .pack = job->pack, .known = s_is_known, .progress = s_go_on, .arg = self };
    job->lock = -1;
    job->rc = artel_blobs_lock(self->to, false, &(artel_patience_t) { s_is_wanted, self }, &job->lock);
    if (job->rc != 0) {
        snprintf(job->text, sizeof job->text, "the lock of %s/blobs: %s", self->to,
                 artel_error_code_text(job->rc));
        return;
    }
    job->rc = artel_import(&import, pack, job->text, sizeof job->text);
    if (job->rc == 0) {
        memcpy(job->pack, pack, sizeof job->pack);
        return;
    }
    artel_blobs_unlock(job->lock);
    job->lock = -1;
}

static int
s_read_pipe(void *arg)
{
    return artel_actor_read_pipe(((self_t *) arg)->pipe);
}

static int
s_read_asker(void *arg)
{
    self_t *self = arg;
    artel_import_job_t job;
    while (artel_wire_get(self->asker, &job, sizeof job)) {
        if (!self->known)
            (void) artel_catalogue_open(self->to, false, &self->known);
        s_import(self, &job);
        artel_wire_put(self->asker, &job, sizeof job);
    }
    return 0;
}

void
artel_importer(zsock_t *pipe, void *arg)
{
    artel_importer_args_t *args = arg;
    artel_actor_enter(&args->start);
    self_t self = { .pipe = pipe, .asker = args->asker, .from = args->from, .to = args->to,
                    .cancel = args->cancel };
    args->start.rc = 0;
    zsock_signal(pipe, 0);                      //  args is the parent's again
    artel_actor_loop((artel_reader_t[]) {
        { .sock = self.pipe, .fn = s_read_pipe },
        { .sock = self.asker, .fn = s_read_asker },
    }, 2, NULL, &self);
    artel_catalogue_close(&self.known);
    zsock_destroy(&self.asker);
}
