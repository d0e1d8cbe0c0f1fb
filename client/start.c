//  start.c - starting a run, and joining it.

#include "about.h"
#include "actor.h"
#include "bounds.h"
#include "environment.h"
#include "errors.h"
#include "link.h"
#include "presence.h"
#include "rank.h"

#include <errno.h>
#include <unistd.h>

enum { START_MS = 5000 };

//  "20250131-140502-k3q9x7": sorts by time, and two of one second differ.
static void
s_make_id(char *ret, size_t size)
{
    static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
    artel_id_t random = artel_id_new();
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    size_t n = strftime(ret, size, "%Y%m%d-%H%M%S-", &tm);
    for (size_t i = 0; i < 6; i++)
        ret[n++] = letters[random.at[i] & 31];
    ret[n] = 0;
}

static int
s_take_id(artel_run_t *run, const char *given)
{
    static const char legal[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    artel_notes_t *notes = &run->client->notes;
    const char *id = given ? given : artel_environment(run->client, NULL, "ARTEL_RUN_ID", "WANDB_RUN_ID");
    if (!id || (!given && !*id)) {
        s_make_id(run->id, sizeof run->id);
        return run->world <= 1 ? 0 : artel_fail(notes, ARTEL_EINVAL, "%u ranks cannot meet in a run without an id: set "
                                                "ARTEL_RUN_ID or options.id, the same for all", (unsigned) run->world);
    }
    size_t len = strlen(id);
    if (len == 0 || len > ARTEL_MAX_RUN_ID || strspn(id, legal) != len)
        return artel_fail(notes, ARTEL_EINVAL, "a run's id can't be \"%.140s\": it is 1 to 63 letters, digits, '_' "
                          "and '-'", id);
    memcpy(run->id, id, len + 1);
    return 0;
}

//  The tags that are given, or else those of the environment, which may not be more than a run may have.
static int
s_put_about(artel_run_t *run, const artel_run_options_t *o)
{
    const char *said = o->tags ? NULL : artel_environment(run->client, NULL, NULL, "WANDB_TAGS");
    char *text = NULL;
    const char **list = said ? artel_environment_list(said, ARTEL_MAX_ALIASES + 2, &text) : NULL;
    const char *const *tags = list ? list : o->tags;
    size_t n;
    int rc = said && !list ? ARTEL_ENOMEM : artel_about_check_tags(run->client, tags, &n);
    if (rc == 0)
        rc = artel_about_put(run, tags, n, !tags);
    free(list);
    free(text);
    return rc;
}

//  The records every writer begins with. Who comes to a run that may be there brings tags, or
//  leaves those there are.
static int
s_put_start(artel_run_t *run, const artel_run_options_t *o)
{
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    uint64_t counter;
    int rc = s_put_about(run, o);
    return rc != 0 ? rc : artel_outbox_add(&run->outbox, &(artel_msg_t) { .id = ARTEL_MSG_RUN_START,
        .run_start = { .resume = run->resumes, .host = artel_str(host), .pid = (uint64_t) getpid(),
                       .program = artel_str(program_invocation_short_name), .at_ms = artel_wall_ms(),
                       .rank = run->rank, .world = run->world } },
        &counter);
}

static int
s_tell_no_file(const artel_run_t *run, int rc)
{
    return artel_fail(&run->client->notes, rc, "run %s was not started: its file in %s/clients: %s", run->id,
                      run->client->dir, artel_error_code_text(rc));
}

//  A service is to know whether we will come back for our journal.
static int
s_say_present(artel_run_t *run)
{
    int rc = artel_presence_begin(run->client->dir, run->id, run->writer, &run->presence);
    return rc == 0 ? 0 : s_tell_no_file(run, rc);
}

static int
s_tell_taken(const artel_run_t *run)
{
    const char *dir = run->client->dir;
    char who[128];
    artel_rank_holder(dir, run->id, run->rank, who, sizeof who);
    return artel_fail(&run->client->notes, ARTEL_ELOCKED, "run %s was not started in %s: rank %u of %u is taken by %s; "
                      "it is free when that has finished the run, or died", run->id, dir, (unsigned) run->rank,
                      (unsigned) run->world, *who ? who : "another program");
}

//  A rank is one program's at a time.
static int
s_claim_rank(artel_run_t *run)
{
    int rc = artel_rank_claim(run->client->dir, run->id, run->rank, &run->claim);
    return rc == 0 ? 0 : rc == ARTEL_ELOCKED ? s_tell_taken(run) : s_tell_no_file(run, rc);
}

//  What is to be started: a run of its own (world 0), or a rank of one.
typedef struct {
    artel_run_options_t options;
    artel_resumes_t resumes;
    uint32_t rank, world;
} wish_t;

static int
s_new_run(artel_t *client, const wish_t *wish, artel_run_t **ret)
{
    artel_run_t *run = calloc(1, sizeof *run);
    if (!run)
        return ARTEL_ENOMEM;
    run->client = client;
    run->presence = run->claim = -1;
    run->writer = artel_id_new();
    run->resumes = wish->resumes;
    run->rank = wish->rank;
    run->world = wish->world;
    int rc = s_take_id(run, wish->options.id);
    if (rc == 0 && run->world)
        rc = s_claim_rank(run);
    int made = artel_outbox_init(&run->outbox, run->id, run->writer);
    if (rc == 0)
        rc = made;
    if (rc == 0)
        rc = artel_about_take(run, &wish->options);
    if (rc == 0)
        rc = s_put_start(run, &wish->options);
    if (rc == 0 && client->service)
        rc = s_say_present(run);
    if (rc == 0)
        *ret = run;
    else
        artel_run_free(run);
    return rc;
}

static void
s_unlink(artel_t *client, const artel_run_t *run)
{
    for (artel_run_t **at = &client->runs; *at; at = &(*at)->next)
        if (*at == run) {
            *at = run->next;
            return;
        }
}

static int
s_tell_not_started(const artel_run_t *run, int rc)
{
    static const struct { int code; const char *text; } reasons[] = {
        { ARTEL_EEXIST, "a run of this id exists; resume it (ARTEL_RESUME_ALLOW), or take another id" },
        { ARTEL_ENOENT, "it is to be resumed, and there is no run of this id" },
        { ARTEL_ETIMEOUT, "the node has not opened its journal within 5 s" },
    };
    const char *why = *run->open_why ? run->open_why : artel_error_code_text(rc);
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].code == rc)
            why = reasons[i].text;
    char rank[64] = "", trouble[300];
    if (run->world)
        snprintf(rank, sizeof rank, "rank %u of %u: ", (unsigned) run->rank, (unsigned) run->world);
    return artel_fail(&run->client->notes, rc, "run %s was not started in %s: %s%s%s", run->id, run->client->dir, rank,
                      why, artel_client_trouble(run->client, trouble, sizeof trouble));
}

//  Behind the others: what a run that ended had to say is sent before the next one asks where its
//  steps go on.
static void
s_add_run(artel_t *client, artel_run_t *run)
{
    artel_run_t **at = &client->runs;
    while (*at)
        at = &(*at)->next;
    *at = run;
}

//  Add the run, and wait until its journal is open. A run nobody waits for any
//  longer stays, to be closed if it opens after all.
static int
s_open_run(artel_t *client, artel_run_t *run)
{
    artel_deadline_t deadline = artel_deadline(START_MS);
    artel_claim_t claim = { .fd = -1 };
    pthread_mutex_lock(&client->lock);
    bool closed = client->closing, in_time = true;
    if (!closed)
        s_add_run(client, run);
    artel_link_wake(client);
    while (!closed && in_time && run->state != ARTEL_RUN_OPEN && run->state != ARTEL_RUN_FAILED
           && !client->stopped)
        in_time = artel_wait(&client->changed, &client->lock, deadline);
    int rc = run->state == ARTEL_RUN_OPEN ? 0 : run->state == ARTEL_RUN_FAILED ? run->open_code
             : in_time ? ARTEL_ECLOSED : ARTEL_ETIMEOUT;
    run->abandoned = rc == ARTEL_ETIMEOUT;
    if (run->abandoned)
        claim = artel_run_leave_rank(run);
    if (rc != 0 && !run->abandoned)
        s_unlink(client, run);
    pthread_mutex_unlock(&client->lock);
    artel_claim_end(client, &claim);
    return rc;
}

//  What of options the program's header knew; the rest is zero.
static int
s_take_options(artel_t *client, const artel_run_options_t *options, artel_run_options_t *ret)
{
    *ret = (artel_run_options_t) { 0 };
    if (options && options->size < sizeof options->size)
        return artel_fail(&client->notes, ARTEL_EINVAL, "the options' size is %zu; set it to "
                          "sizeof (artel_run_options_t)", options->size);
    if (options)
        memcpy(ret, options, options->size < sizeof *ret ? options->size : sizeof *ret);
    if (ret->resume < ARTEL_RESUME_NEVER || ret->resume > ARTEL_RESUME_MUST)
        return artel_fail(&client->notes, ARTEL_EINVAL, "the options' resume %d is none of ARTEL_RESUME_*",
                          ret->resume);
    return 0;
}

static int
s_start(artel_t *self, const wish_t *wish, artel_run_t **ret)
{
    artel_run_t *run;
    int rc = s_new_run(self, wish, &run);
    if (rc == ARTEL_ENOMEM)
        return artel_fail(&self->notes, rc, "a run was not started: out of memory");
    if (rc != 0)
        return rc;
    rc = s_open_run(self, run);
    if (rc == 0) {
        *ret = run;
        return 0;
    }
    s_tell_not_started(run, rc);
    if (!run->abandoned)
        artel_run_free(run);
    return rc;
}

int
artel_run_start(artel_t *self, const artel_run_options_t *options, artel_run_t **ret)
{
    wish_t wish = { 0 };
    int rc = artel_client_enter(self);
    if (rc == 0 && !ret)
        rc = ARTEL_EINVAL;
    if (rc == 0)
        rc = s_take_options(self, options, &wish.options);
    wish.resumes = (artel_resumes_t) wish.options.resume;
    return rc == 0 ? s_start(self, &wish, ret) : rc;
}

int
artel_run_join(artel_t *self, const artel_run_options_t *options, uint32_t rank, uint32_t world,
               artel_run_t **ret)
{
    wish_t wish = { .rank = rank, .world = world };
    int rc = artel_client_enter(self);
    if (rc == 0 && !ret)
        rc = ARTEL_EINVAL;
    if (rc == 0)
        rc = s_take_options(self, options, &wish.options);
    if (rc == 0 && (rank >= world || world > ARTEL_MAX_WORLD))
        rc = artel_fail(&self->notes, ARTEL_EINVAL, "there is no rank %u of %u: ranks count from 0, and there are at "
                        "most %d", (unsigned) rank, (unsigned) world, ARTEL_MAX_WORLD);
    wish.resumes = wish.options.resume == ARTEL_RESUME_MUST ? ARTEL_RESUMES_MUST : ARTEL_RESUMES_ALLOW;
    return rc == 0 ? s_start(self, &wish, ret) : rc;
}
