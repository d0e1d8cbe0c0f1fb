//  sync.c - waiting: a run's flush, and delivery of what dead programs left.

#include "client.h"
#include "errors.h"
#include "link.h"

enum { GRACE_MS = 500 };

//  A flush that somebody waits for.
typedef struct {
    int level;
    uint64_t target;            //  counter of the last batch there is
    unsigned refusals;          //  the run's, when it began
    char dead[400];             //  why the run's journal takes nothing more, or ""
} flush_t;

//  Seal what is there, and have it sent now, even after a refusal.
static flush_t
s_begin(artel_run_t *run, int level)
{
    flush_t flush = { .level = level };
    pthread_mutex_lock(&run->outbox.lock);
    (void) artel_outbox_seal(&run->outbox);     //  if it can't be now, the link does it
    flush.target = artel_outbox_last(&run->outbox);
    pthread_mutex_unlock(&run->outbox.lock);

    pthread_mutex_lock(&run->client->lock);
    flush.refusals = run->refusals;
    run->retry_at = 0;
    if (level > ARTEL_ACCEPTED && flush.target > run->flush_wanted)
        run->flush_wanted = flush.target;
    if ((artel_to_t) level > run->flush_level)
        run->flush_level = (artel_to_t) level;
    pthread_mutex_unlock(&run->client->lock);
    artel_link_wake(run->client);
    return flush;
}

//  Whether the level is reached, or can't be. The client's lock is held. What is delivered is
//  durable in the sink, whatever became of the journal.
static bool
s_is_over(const artel_run_t *run, const flush_t *flush, int *ret)
{
    const uint64_t marks[] = { [ARTEL_ACCEPTED] = run->accepted, [ARTEL_DURABLE] = run->durable,
                               [ARTEL_DELIVERED] = run->delivered };
    bool reached = marks[flush->level] >= flush->target, accepted = run->accepted >= flush->target;
    bool refused = run->refusals != flush->refusals && !accepted;
    bool dead = run->dead && (!accepted || flush->level == ARTEL_DURABLE);
    bool nowhere = flush->level == ARTEL_DELIVERED && accepted && artel_client_why_not(run->client, run->targets, "");
    *ret = reached ? 0 : dead ? run->dead : refused ? run->refused : nowhere ? ARTEL_ENOENT : ARTEL_ECLOSED;
    return reached || dead || refused || nowhere || run->client->stopped;
}

//  Records dropped since the last flush, which are told now.
static uint64_t
s_take_dropped(artel_run_t *run)
{
    pthread_mutex_lock(&run->client->lock);
    pthread_mutex_lock(&run->outbox.lock);
    uint64_t dropped = run->outbox.dropped - run->told_dropped;
    run->told_dropped += dropped;
    pthread_mutex_unlock(&run->outbox.lock);
    pthread_mutex_unlock(&run->client->lock);
    return dropped;
}

//  Batches found missing since the last flush that told of them.
static uint64_t
s_take_lost(artel_run_t *run)
{
    pthread_mutex_lock(&run->client->lock);
    uint64_t lost = run->lost - run->told_lost;
    run->told_lost = run->lost;
    pthread_mutex_unlock(&run->client->lock);
    return lost;
}

static const char *const s_levels[] = {
    [ARTEL_ACCEPTED] = "accepted", [ARTEL_DURABLE] = "durable", [ARTEL_DELIVERED] = "delivered"
};

//  The level is reached: by all of it?
static int
s_tell_missing(artel_run_t *run, const flush_t *flush)
{
    artel_notes_t *notes = &run->client->notes;
    uint64_t lost = flush->level == ARTEL_DELIVERED ? s_take_lost(run) : 0, dropped = s_take_dropped(run);
    if (lost)
        return artel_fail(notes, ARTEL_ELOST, "%llu batches of run %s are lost, as its journal was damaged; the rest is "
                          "delivered, and `artel status` names them", (unsigned long long) lost, run->id);
    if (dropped)
        return artel_fail(notes, ARTEL_EFULL, "%llu records of run %s were dropped because %s; the rest is %s",
                          (unsigned long long) dropped, run->id,
                          *flush->dead ? flush->dead : "its queue was full", s_levels[flush->level]);
    return 0;
}

static int
s_tell(artel_run_t *run, const flush_t *flush, int rc)
{
    artel_notes_t *notes = &run->client->notes;
    char trouble[300] = "";
    if (rc == ARTEL_ETIMEOUT && flush->level == ARTEL_DELIVERED)
        artel_client_trouble(run->client, trouble, sizeof trouble);
    if (rc == ARTEL_ETIMEOUT)
        return artel_fail(notes, rc, "run %s is not %s yet%s; flush again, it goes on", run->id,
                          s_levels[flush->level], trouble);
    if (rc == ARTEL_ENOENT && flush->level == ARTEL_DELIVERED && !*flush->dead)
        return artel_fail(notes, rc, "run %s is not delivered: it was started with other sinks than the service has "
                          "now; when it is over, `artel sync --sink` with those delivers it", run->id);
    if (rc == ARTEL_EIO && *flush->dead)
        return artel_fail(notes, rc, "run %s is not %s: %s; start %s again when the disk is well", run->id,
                          s_levels[flush->level], flush->dead, artel_client_host(run->client));
    if (rc != 0 && *flush->dead)
        return artel_fail(notes, rc, "run %s is not %s: %s; the rest is lost, but the run can be resumed", run->id,
                          s_levels[flush->level], flush->dead);
    if (rc != 0)
        return artel_fail(notes, rc, "run %s is not %s: %s (state directory %s); it is tried again", run->id,
                          s_levels[flush->level], artel_error_code_text(rc), run->client->dir);
    return s_tell_missing(run, flush);
}

int
artel_run_flush(artel_run_t *run, int level, int timeout_ms)
{
    int rc = artel_run_enter(run);
    if (rc != 0)
        return rc;
    if (level < ARTEL_ACCEPTED || level > ARTEL_DELIVERED)
        return artel_fail(&run->client->notes, ARTEL_EINVAL, "flush: level %d is none of ARTEL_ACCEPTED, "
                          "ARTEL_DURABLE, ARTEL_DELIVERED", level);
    artel_deadline_t deadline = artel_deadline(timeout_ms);
    flush_t flush = s_begin(run, level);
    pthread_mutex_lock(&run->client->lock);
    while (!s_is_over(run, &flush, &rc))
        if (!artel_wait(&run->client->changed, &run->client->lock, deadline)) {
            rc = ARTEL_ETIMEOUT;
            break;
        }
    pthread_mutex_unlock(&run->client->lock);
    artel_run_dead_why(run, flush.dead, sizeof flush.dead);
    return s_tell(run, &flush, rc);
}

//  The node adopts for one caller at a time.
static int
s_take_turn(artel_t *self, artel_deadline_t deadline)
{
    bool in_time = true;
    pthread_mutex_lock(&self->lock);
    while (in_time && self->syncing && !self->stopped)
        in_time = artel_wait(&self->changed, &self->lock, deadline);
    int rc = self->stopped ? ARTEL_ECLOSED : self->syncing ? ARTEL_ETIMEOUT : 0;
    if (rc == 0)
        self->syncing = true;
    pthread_mutex_unlock(&self->lock);
    return rc;
}

static void
s_end_turn(artel_t *self)
{
    pthread_mutex_lock(&self->lock);
    self->syncing = false;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

//  The node answers by the deadline; should it not, we don't wait for ever.
static int
s_adopt(artel_t *self, artel_deadline_t deadline, artel_request_t *ret)
{
    int rc = s_take_turn(self, deadline);
    if (rc != 0)
        return rc;
    int left = artel_deadline_left(deadline);
    *ret = (artel_request_t) { .msg = { .id = ARTEL_MSG_ADOPT, .adopt.wait_ms = (uint64_t) left } };
    rc = artel_request(self, ret, artel_deadline(deadline.never ? -1 : left + GRACE_MS));
    s_end_turn(self);
    return rc == 0 ? ret->code : rc;
}

int
artel_sync(artel_t *self, int timeout_ms, uint64_t *ret_journals)
{
    int rc = artel_client_enter(self);
    if (rc != 0)
        return rc;
    artel_request_t answer = { 0 };
    rc = s_adopt(self, artel_deadline(timeout_ms), &answer);
    if (ret_journals && (rc == 0 || rc == ARTEL_EPENDING || rc == ARTEL_ELOST))
        *ret_journals = answer.journals;
    if (rc == 0 || rc == ARTEL_EPENDING) {
        if (rc == ARTEL_EPENDING)
            artel_fail(&self->notes, rc, "%llu of %llu journals in %s are not delivered yet%s%s%s; sync again, it "
                       "goes on", (unsigned long long) answer.undelivered,
                       (unsigned long long) answer.journals, self->dir, *answer.why ? " (" : "",
                       answer.why, *answer.why ? ")" : "");
        return rc;
    }
    if (rc == ARTEL_ELOST)
        return artel_fail(&self->notes, rc, "%llu batches in %s are lost, as their journals are damaged; `artel "
                          "status` names them", (unsigned long long) answer.lost, self->dir);
    return artel_fail(&self->notes, rc, "sync of %s: %s", self->dir,
                      rc != ARTEL_ETIMEOUT && *answer.why ? answer.why : artel_error_code_text(rc));
}
