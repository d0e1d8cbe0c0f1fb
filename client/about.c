//  about.c - what a run says of itself: the record `run`.

#include "about.h"

#include "actor.h"
#include "bounds.h"
#include "environment.h"
#include "errors.h"
#include "utf8.h"

int
artel_about_check_tags(artel_t *client, const char *const *tags, size_t *ret_n)
{
    size_t n = 0;
    for (; tags && tags[n]; n++) {
        size_t len = strnlen(tags[n], ARTEL_MAX_NAME + 1);
        if (len == 0 || len > ARTEL_MAX_NAME || !artel_is_utf8(tags[n], len))
            return artel_fail(&client->notes, ARTEL_EINVAL, "tag \"%.140s\" must be 1 to %d bytes of UTF-8",
                              tags[n], ARTEL_MAX_NAME);
        if (n == ARTEL_MAX_ALIASES)
            return artel_fail(&client->notes, ARTEL_ELIMIT, "a run has at most %d tags", ARTEL_MAX_ALIASES);
    }
    *ret_n = n;
    return 0;
}

int
artel_about_put(artel_run_t *run, const char *const *tags, size_t n, bool keeps_tags)
{
    artel_str_t strs[ARTEL_MAX_ALIASES];
    for (size_t i = 0; i < n; i++)
        strs[i] = artel_str(tags[i]);
    const artel_run_about_t *about = &run->about;
    uint64_t counter;
    return artel_outbox_add(&run->outbox, &(artel_msg_t) { .id = ARTEL_MSG_RUN, .run = {
        .run = artel_str(run->id), .project = artel_str(about->project), .name = artel_str(about->name),
        .group = artel_str(about->group), .job_type = artel_str(about->job_type),
        .notes = artel_str(about->notes), .tags = { strs, n }, .at_ms = artel_wall_ms(),
        .hidden = about->hidden, .keeps_tags = keeps_tags, .entity = artel_str(about->entity) } }, &counter);
}

//  A text option of at most max bytes, copied; empty is as NULL.
static int
s_take_text(artel_t *client, const char *what, const char *text, size_t max, char **ret)
{
    size_t len = text ? strnlen(text, max + 1) : 0;
    if (len == 0)
        return 0;
    if (len > max || !artel_is_utf8(text, len))
        return artel_fail(&client->notes, ARTEL_EINVAL, "a run's %s can't be \"%.140s\": %s", what, text,
                          len > max ? "it is too long" : "it is not UTF-8");
    *ret = strdup(text);
    return *ret ? 0 : ARTEL_ENOMEM;
}

//  A text that a new run has, whatever is said.
static const char *
s_or(const char *text, bool is_new, const char *otherwise)
{
    return text && *text ? text : is_new ? otherwise : NULL;
}

int
artel_about_take(artel_run_t *run, const artel_run_options_t *o)
{
    artel_t *client = run->client;
    artel_run_about_t *about = &run->about;
    bool is_new = run->resumes == ARTEL_RESUMES_NEVER;
    const char *project = artel_environment(client, o->project, "ARTEL_PROJECT", "WANDB_PROJECT");
    const char *name = artel_environment(client, o->name, NULL, "WANDB_NAME");
    about->hidden = o->hidden != 0;
    int rc = s_take_text(client, "project", s_or(project, is_new, "default"), ARTEL_MAX_NAME, &about->project);
    if (rc == 0)
        rc = s_take_text(client, "name", s_or(name, is_new, run->id), ARTEL_MAX_NAME, &about->name);
    if (rc == 0)
        rc = s_take_text(client, "group", artel_environment(client, o->group, NULL, "WANDB_RUN_GROUP"), ARTEL_MAX_NAME, &about->group);
    if (rc == 0)
        rc = s_take_text(client, "job_type", artel_environment(client, o->job_type, NULL, "WANDB_JOB_TYPE"), ARTEL_MAX_NAME, &about->job_type);
    if (rc == 0)
        rc = s_take_text(client, "notes", artel_environment(client, o->notes, NULL, "WANDB_NOTES"), ARTEL_MAX_STRING, &about->notes);
    if (rc == 0)
        rc = s_take_text(client, "entity", artel_environment(client, NULL, NULL, "WANDB_ENTITY"), ARTEL_MAX_NAME,
                         &about->entity);
    return rc;
}

void
artel_about_done(artel_run_t *run)
{
    free(run->about.project);
    free(run->about.name);
    free(run->about.group);
    free(run->about.job_type);
    free(run->about.notes);
    free(run->about.entity);
}
