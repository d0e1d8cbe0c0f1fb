//  wandb_answers.c - what the server says of a run, read.

#include "wandb_self.h"

#include "errors.h"
#include "state.h"

#include <stdlib.h>
#include <string.h>

//  A path has what it is given as it stands, but for what would end a part of it.
static void
s_put_escaped(FILE *out, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
    for (; *text; text++)
        fprintf(out, strchr(plain, *text) ? "%c" : "%%%02X", (unsigned char) *text);
}

static char *
s_stream_url(const self_t *self, const run_t *run)
{
    char *url = NULL;
    size_t len;
    FILE *out = open_memstream(&url, &len);
    if (!out)
        return NULL;
    fprintf(out, "%s/files/", self->server.base);
    s_put_escaped(out, run->entity);
    putc('/', out);
    s_put_escaped(out, run->project);
    fprintf(out, "/%s/file_stream", run->id);
    return fclose(out) == 0 ? url : NULL;
}

//  Where the run is, as the server calls it.
static int
s_settle_place(self_t *self, run_t *run, const artel_reading_t *reading)
{
    const char *entity, *project;
    int rc = artel_reading_text(reading, "upsertBucket.bucket.project.entity.name", &entity);
    if (rc == 0)
        rc = artel_reading_text(reading, "upsertBucket.bucket.project.name", &project);
    if (rc != 0)
        return rc;
    if (run->jobs)
        return 0;                               //  artifacts under way have the texts there are
    free(run->entity);
    free(run->project);
    free(run->stream);
    run->entity = strdup(entity);
    run->project = strdup(project);
    run->stream = run->entity && run->project ? s_stream_url(self, run) : NULL;
    return run->stream ? 0 : ARTEL_ENOMEM;
}

//  The number of lines tells whether the last post came through. One without lines is told again.
static void
s_settle_post(run_t *run, int64_t lines)
{
    int64_t before = artel_bucket_number(run->bucket.now, "lines", 0);
    int64_t after = artel_bucket_number(run->bucket.next, "lines", 0);
    artel_bucket_settle(&run->bucket, run->bucket.next && after > before && lines >= after);
    json_object_set_new(run->bucket.now, "complete", json_false());     //  it has been opened again
}

//  ---- a run that others have logged before

//  The step of the last line; historyTail is a list, as a text, of lines.
static int64_t
s_last_step(const char *tail)
{
    json_t *lines = tail ? json_loads(tail, 0, NULL) : NULL;
    size_t n = json_array_size(lines);
    json_t *line = n ? json_loads(json_string_value(json_array_get(lines, n - 1)), 0, NULL) : NULL;
    int64_t step = artel_bucket_number(line, "_step", -1);
    json_decref(line);
    json_decref(lines);
    return step;
}

//  The values of its summary stay, until others take their place.
static void
s_keep_summary(json_t *state, const char *text)
{
    json_t *summary = text ? json_loads(text, 0, NULL) : NULL, *part = artel_bucket_part(state, "summary"), *value;
    const char *key;
    json_object_foreach(summary, key, value) {
        char *fragment = key[0] == '_' ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        if (fragment && part)
            json_object_set_new(part, key, json_string(fragment));
        free(fragment);
    }
    json_decref(summary);
}

static void
s_resumed(self_t *self, void *owner, artel_http_t *http)
{
    run_t *run = owner;
    char why[256];
    json_t *data = NULL;
    int rc = artel_graphql_answer(ARTEL_RUN_RESUME_STATUS, http, &data, why, sizeof why);
    artel_reading_t reading = { ARTEL_RUN_RESUME_STATUS, data, why, sizeof why };
    int64_t lines = 0;
    if (rc == 0)
        rc = artel_reading_count(&reading, "model.bucket.historyLineCount", &lines);
    if (rc == 0) {
        int64_t step = s_last_step(json_string_value(artel_reading_at(&reading, "model.bucket.historyTail")));
        json_object_set_new(run->bucket.now, "lines", json_integer(lines));
        if (step >= 0)
            json_object_set_new(run->bucket.now, "step", json_integer(step));
        s_keep_summary(run->bucket.now, json_string_value(artel_reading_at(&reading, "model.bucket.summaryMetrics")));
        run->is_busy = false;
        run->hurries = true;                    //  the turn begins anew
    }
    json_decref(data);
    if (rc != 0)
        artel_wandb_run_fail(self, run, rc, why);
}

static int
s_ask_resume(self_t *self, run_t *run)
{
    json_t *variables = json_pack("{s:s, s:s, s:s}", "project", run->project, "entity", run->entity, "name", run->id);
    char *body = variables ? artel_graphql_body(ARTEL_RUN_RESUME_STATUS, variables) : NULL;
    json_decref(variables);
    if (body)
        artel_wandb_run_send(self, run, self->server.graphql, body, s_resumed);
    return body ? 0 : ARTEL_ENOMEM;
}

//  Why there is no answer; a key that is refused is looked for again.
static void
s_fail(self_t *self, run_t *run, int code, const char *text)
{
    self->is_key_stale |= run->http.status == 401 || run->http.status == 403;
    artel_wandb_run_fail(self, run, code, text);
}

//  ---- UpsertBucket

static int
s_read_upserted(self_t *self, run_t *run, const artel_reading_t *reading)
{
    int64_t lines = 0;
    const json_t *count = artel_reading_at(reading, "upsertBucket.bucket.historyLineCount");
    if (json_is_integer(count))
        lines = json_integer_value(count);
    int rc = s_settle_place(self, run, reading);
    if (rc != 0)
        return rc;
    s_settle_post(run, lines);
    free(run->told);
    run->told = run->body;
    run->body = NULL;
    run->is_met = true;
    if (lines > 0 && !json_object_get(run->bucket.now, "lines"))
        return s_ask_resume(self, run);
    run->is_busy = false;
    run->hurries = true;                        //  the turn goes on
    return 0;
}

void
artel_wandb_upserted(self_t *self, void *owner, artel_http_t *http)
{
    run_t *run = owner;
    char why[256];
    json_t *data = NULL;
    int rc = artel_graphql_answer(ARTEL_UPSERT_BUCKET, http, &data, why, sizeof why);
    artel_reading_t reading = { ARTEL_UPSERT_BUCKET, data, why, sizeof why };
    if (rc == 0)
        rc = s_read_upserted(self, run, &reading);
    json_decref(data);
    if (rc != 0)
        s_fail(self, run, rc, why);
}

//  ---- file_stream

void
artel_wandb_posted(self_t *self, void *owner, artel_http_t *http)
{
    run_t *run = owner;
    if (http->code != 0) {
        s_fail(self, run, http->code, http->text);
        return;
    }
    if (run->bucket.next)
        artel_wandb_run_done(self, run);
    else
        run->is_busy = false;                   //  a heartbeat
}
