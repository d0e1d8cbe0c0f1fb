//  post.c - batches as a post of file_stream.

#include "post.h"

#include "batch.h"
#include "errors.h"
#include "over.h"
#include "json.h"

#include <inttypes.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { FRAGMENT = 64 };         //  a number as text

typedef artel_post_t post_t;

//  The batch in hand.
typedef struct {
    post_t *post;
    const artel_batch_reader_t *batch;
    const char *hex;            //  its writer
    uint64_t counter;
    bool is_known;              //  the server has it
    artel_id_t writer;
    uint64_t used;              //  artifacts so far
} scope_t;

static int
s_kept(int status)
{
    return status == 0 ? 0 : ARTEL_ENOMEM;
}

int
artel_post_begin(const json_t *now, artel_post_t *ret)
{
    *ret = (post_t) { .state = json_deep_copy(now), .from = artel_bucket_number(now, "lines", 0) };
    ret->lines = open_memstream(&ret->text, &ret->len);
    if (ret->state && ret->lines)
        return 0;
    artel_post_done(ret);
    return ARTEL_ENOMEM;
}

void
artel_post_done(artel_post_t *self)
{
    if (self->lines)
        fclose(self->lines);
    free(self->text);
    json_decref(self->state);
    *self = (post_t) { .state = NULL };
}

//  A value as its JSON text, in which a number need not be finite.
static json_t *
s_fragment(const artel_cell_t *cell)
{
    char number[FRAGMENT], *text = NULL;
    size_t len;
    switch (cell->kind) {
    case ARTEL_F64: artel_real_text(cell->f64, number); return json_string(number);
    case ARTEL_I64: snprintf(number, sizeof number, "%" PRId64, cell->i64); return json_string(number);
    case ARTEL_BOOL: return json_string(cell->flag ? "true" : "false");
    case ARTEL_STR: break;
    }
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return NULL;
    artel_json_put_text(cell->str.at, cell->str.len, out);
    json_t *fragment = fclose(out) == 0 ? json_stringn(text, len) : NULL;
    free(text);
    return fragment;
}

static artel_str_t
s_key(const scope_t *scope, const artel_cell_t *cell)
{
    return scope->batch->head.keys.at[cell->key];
}

//  A part of the state, by the names of cells.
static int
s_put_row(const scope_t *scope, const char *part, const artel_row_t *row)
{
    json_t *to = artel_bucket_part(scope->post->state, part);
    int rc = s_kept(to ? 0 : -1);
    for (size_t i = 0; rc == 0 && i < row->n; i++) {
        artel_str_t key = s_key(scope, &row->at[i]);
        rc = s_kept(json_object_setn_new(to, key.at, key.len, s_fragment(&row->at[i])));
    }
    return rc;
}

static json_t *
s_writer(const scope_t *scope)
{
    json_t *writers = artel_bucket_part(scope->post->state, "writers");
    return writers ? artel_bucket_part(writers, scope->hex) : NULL;
}

//  ---- a row

//  What a line has of its own: a cell by one of these names is not told.
static bool
s_is_own(artel_str_t key)
{
    static const char *const own[] = { "_step", "_runtime", "_timestamp" };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (artel_str_equal(key, artel_str(own[i])))
            return true;
    return false;
}

//  Steps must grow: one that does not gets the next number, and keeps its own as a value.
static int64_t
s_step(const post_t *post, int64_t step)
{
    int64_t next = artel_bucket_number(post->state, "step", -1) + 1;
    return step > next ? step : next;
}

static void
s_put_cells(const scope_t *scope, const artel_row_t *row, FILE *out, bool *ret_has_step)
{
    for (size_t i = 0; i < row->n; i++) {
        artel_str_t key = s_key(scope, &row->at[i]);
        json_t *fragment = s_is_own(key) ? NULL : s_fragment(&row->at[i]);
        if (!fragment)
            continue;
        *ret_has_step |= artel_str_equal(key, artel_str("step"));
        artel_json_put_text(key.at, key.len, out);
        fprintf(out, ":%s,", json_string_value(fragment));
        json_decref(fragment);
    }
}

//  One line, as a text of the post.
static int
s_put_line(const scope_t *scope, const artel_msg_history_t *history, int64_t step, double runtime)
{
    post_t *post = scope->post;
    char *line = NULL, when[FRAGMENT], since[FRAGMENT];
    size_t len;
    bool has_step = false;
    FILE *out = open_memstream(&line, &len);
    if (!out)
        return ARTEL_ENOMEM;
    putc('{', out);
    s_put_cells(scope, &history->row, out, &has_step);
    if (step != history->step && !has_step)
        fprintf(out, "\"step\":%" PRId64 ",", history->step);
    artel_real_text((double) history->at_ms / 1000, when);
    artel_real_text(runtime, since);
    fprintf(out, "\"_step\":%" PRId64 ",\"_runtime\":%s,\"_timestamp\":%s}", step, since, when);
    if (fclose(out) == 0) {
        if (post->n++)
            putc(',', post->lines);
        artel_json_put_text(line, len, post->lines);
    }
    free(line);
    return ferror(post->lines) || !line ? ARTEL_ENOMEM : 0;
}

//  The summary follows the rows, but for what was given by itself.
static int
s_follow(const scope_t *scope, const artel_row_t *row)
{
    json_t *summary = artel_bucket_part(scope->post->state, "summary");
    const json_t *set = json_object_get(scope->post->state, "set");
    int rc = s_kept(summary ? 0 : -1);
    scope->post->has_summary = true;
    for (size_t i = 0; rc == 0 && i < row->n; i++) {
        artel_str_t key = s_key(scope, &row->at[i]);
        if (!json_object_getn(set, key.at, key.len) && !s_is_own(key))
            rc = s_kept(json_object_setn_new(summary, key.at, key.len, s_fragment(&row->at[i])));
    }
    return rc;
}

static int
s_on_history(scope_t *scope, const artel_msg_t *msg)
{
    const artel_msg_history_t *history = &msg->history;
    json_t *state = scope->post->state;
    int64_t started = artel_bucket_number(state, "started_ms", history->at_ms);
    int64_t step = s_step(scope->post, history->step);
    double runtime = (double) (history->at_ms > started ? history->at_ms - started : 0) / 1000;
    int rc = s_put_line(scope, history, step, runtime);
    if (rc == 0)
        rc = s_follow(scope, &history->row);
    if (rc == 0)
        rc = s_kept(json_object_set_new(state, "step", json_integer(step))
                    | json_object_set_new(state, "last_ms", json_integer(history->at_ms))
                    | json_object_set_new(state, "started_ms", json_integer(started)));
    return rc;
}

//  ---- the other records, one function each

static int
s_set_text(json_t *object, const char *name, artel_str_t text)
{
    return text.len == 0 ? 0 : s_kept(json_object_set_new(object, name, json_stringn(text.at, text.len)));
}

static int
s_on_run(scope_t *scope, const artel_msg_t *msg)
{
    const artel_msg_run_t *run = &msg->run;
    json_t *params = artel_bucket_part(scope->post->state, "params");
    int rc = s_kept(params ? 0 : -1);
    const struct { const char *name; artel_str_t text; } texts[] = {
        { "project", run->project }, { "displayName", run->name }, { "groupName", run->group },
        { "jobType", run->job_type }, { "notes", run->notes }, { "entity", run->entity },
    };
    for (size_t i = 0; rc == 0 && i < sizeof texts / sizeof *texts; i++)
        rc = s_set_text(params, texts[i].name, texts[i].text);
    json_t *tags = rc == 0 && !run->keeps_tags ? json_array() : NULL;
    for (size_t i = 0; tags && i < run->tags.n; i++)
        json_array_append_new(tags, json_stringn(run->tags.at[i].at, run->tags.at[i].len));
    return tags ? s_kept(json_object_set_new(params, "tags", tags)) : rc;
}

static int
s_on_run_start(scope_t *scope, const artel_msg_t *msg)
{
    const artel_msg_run_start_t *start = &msg->run_start;
    json_t *state = scope->post->state, *params = artel_bucket_part(state, "params"), *writer = s_writer(scope);
    int rc = s_kept(params && writer ? 0 : -1);
    if (rc == 0)
        rc = s_set_text(params, "host", start->host);
    if (rc == 0)
        rc = s_set_text(params, "program", start->program);
    if (rc == 0 && !json_object_get(state, "started_ms"))
        rc = s_kept(json_object_set_new(state, "started_ms", json_integer(start->at_ms)));
    if (rc != 0 || start->world == 0)
        return rc;
    return s_kept(json_object_set_new(state, "world", json_integer((json_int_t) start->world))
                  | json_object_set_new(writer, "rank", json_integer((json_int_t) start->rank)));
}

static int
s_on_config(scope_t *scope, const artel_msg_t *msg)
{
    return s_put_row(scope, "config", &msg->config.row);
}

static int
s_on_summary(scope_t *scope, const artel_msg_t *msg)
{
    const artel_row_t *row = &msg->summary.row;
    json_t *set = artel_bucket_part(scope->post->state, "set");
    int rc = set ? s_put_row(scope, "summary", row) : ARTEL_ENOMEM;
    for (size_t i = 0; rc == 0 && i < row->n; i++) {
        artel_str_t key = s_key(scope, &row->at[i]);
        rc = s_kept(json_object_setn_new(set, key.at, key.len, json_true()));
    }
    scope->post->has_summary = true;
    return rc;
}

static int
s_on_exit(scope_t *scope, const artel_msg_t *msg)
{
    json_t *writer = s_writer(scope);
    return !writer ? ARTEL_ENOMEM
           : s_kept(json_object_set_new(writer, "exit", json_integer(msg->exit.code))
                    | json_object_set_new(writer, "exit_ms", json_integer(msg->exit.at_ms))
                    | json_object_set_new(writer, "crashed", json_boolean(msg->exit.crashed)));
}

//  It is open until it is there.
static int
s_open(const scope_t *scope, artel_id_t id)
{
    char xid[ARTEL_ID_TEXT];
    artel_hex(id.at, sizeof id.at, xid);
    json_t *open = artel_bucket_part(scope->post->state, "open");
    if (json_object_get(json_object_get(scope->post->state, "done"), xid))
        return 0;
    return !open ? ARTEL_ENOMEM : s_kept(json_object_set_new(open, xid, json_pack("{s:s, s:I}",
        "writer", scope->hex, "counter", (json_int_t) scope->counter)));
}

static int
s_on_artifact_send(scope_t *scope, const artel_msg_t *msg)
{
    return s_open(scope, msg->artifact_send.xid);
}

artel_id_t
artel_post_use_id(artel_id_t writer, uint64_t counter, uint64_t n)
{
    struct { artel_id_t writer; uint64_t counter, n; } place = { writer, counter, n };
    XXH128_hash_t hash = XXH3_128bits(&place, sizeof place);
    artel_id_t id;
    static_assert(sizeof hash == sizeof id.at, "an id of 16 bytes");
    memcpy(id.at, &hash, sizeof id.at);
    return id;
}

static int
s_on_use_artifact(scope_t *scope, const artel_msg_t *msg)
{
    (void) msg;
    return s_open(scope, artel_post_use_id(scope->writer, scope->counter, scope->used++));
}

//  A line of its own for each record; NULL: W&B's server is not told.
static int (*const s_records[])(scope_t *, const artel_msg_t *) = {
    [ARTEL_MSG_RUN] = s_on_run,
    [ARTEL_MSG_RUN_START] = s_on_run_start,
    [ARTEL_MSG_HISTORY] = s_on_history,
    [ARTEL_MSG_CONFIG] = s_on_config,
    [ARTEL_MSG_SUMMARY] = s_on_summary,
    [ARTEL_MSG_ARTIFACT_SEND] = s_on_artifact_send,
    [ARTEL_MSG_ARTIFACT] = s_on_artifact_send,
    [ARTEL_MSG_USE_ARTIFACT] = s_on_use_artifact,
    [ARTEL_MSG_EXIT] = s_on_exit,
    [ARTEL_MSG_LOST] = NULL,
};

static int
s_apply(scope_t *scope, const artel_msg_t *record)
{
    bool is_artifact = record->id == ARTEL_MSG_ARTIFACT_SEND || record->id == ARTEL_MSG_ARTIFACT
                       || record->id == ARTEL_MSG_USE_ARTIFACT;
    if ((scope->is_known && !is_artifact) || record->id >= sizeof s_records / sizeof *s_records
        || !s_records[record->id])
        return 0;
    return s_records[record->id](scope, record);
}

//  Whatever a writer sends after its end revokes it.
static int
s_enter(const scope_t *scope)
{
    json_t *writer = s_writer(scope);
    if (!writer)
        return ARTEL_ENOMEM;
    if (!scope->is_known)
        json_object_del(writer, "exit");
    return scope->is_known ? 0
           : s_kept(json_object_set_new(writer, "mark", json_integer((json_int_t) scope->counter)));
}

int
artel_post_add(artel_post_t *self, const artel_msg_deliver_t *deliver, msgpack_zone *zone)
{
    char hex[ARTEL_ID_TEXT];
    artel_hex(deliver->writer.at, sizeof deliver->writer.at, hex);
    artel_batch_reader_t batch;
    int rc = artel_batch_read(deliver->batch.at, deliver->batch.len, zone, &batch);
    const json_t *kept = json_object_get(json_object_get(self->state, "writers"), hex);
    scope_t scope = { .post = self, .batch = &batch, .hex = hex, .counter = deliver->counter, .writer = deliver->writer,
        .is_known = (int64_t) deliver->counter <= artel_bucket_number(kept, "mark", 0) };
    if (rc == 0)
        rc = s_enter(&scope);
    artel_msg_t record;
    int more = rc;
    while (rc == 0 && (more = artel_batch_next(&batch, &record)) > 0)
        rc = s_apply(&scope, &record);
    return rc != 0 ? rc : more;
}

//  ---- the end

//  The object of a part's fragments, without its closing brace.
static void
s_put_part(const json_t *part, const char *before, const char *after, FILE *out)
{
    const char *key;
    json_t *fragment;
    putc('{', out);
    json_object_foreach((json_t *) part, key, fragment) {
        artel_json_put_text(key, strlen(key), out);
        fprintf(out, ":%s%s%s,", before, json_string_value(fragment), after);
    }
}

static int
s_put_summary(const post_t *self, FILE *out)
{
    int64_t started = artel_bucket_number(self->state, "started_ms", 0);
    int64_t last = artel_bucket_number(self->state, "last_ms", started);
    double runtime = (double) (last > started ? last - started : 0) / 1000;
    char *line = NULL, since[FRAGMENT], when[FRAGMENT];
    size_t len;
    FILE *text = open_memstream(&line, &len);
    if (!text)
        return ARTEL_ENOMEM;
    artel_real_text(runtime, since);
    artel_real_text((double) last / 1000, when);
    s_put_part(json_object_get(self->state, "summary"), "", "", text);
    if (json_object_get(self->state, "step"))
        fprintf(text, "\"_step\":%" PRId64 ",", artel_bucket_number(self->state, "step", 0));
    fprintf(text, "\"_runtime\":%s,\"_timestamp\":%s,\"_wandb\":{\"runtime\":%" PRId64 "}}", since, when,
            (int64_t) runtime);
    int rc = fclose(text) == 0 ? 0 : ARTEL_ENOMEM;
    if (rc == 0) {
        fputs("\"wandb-summary.json\":{\"offset\":0,\"content\":[", out);
        artel_json_put_text(line, len, out);
        fputs("]}", out);
    }
    free(line);
    return rc;
}

static int
s_put_files(post_t *self, FILE *out)
{
    fflush(self->lines);
    fputs("\"files\":{", out);
    if (self->n)
        fprintf(out, "\"wandb-history.jsonl\":{\"offset\":%" PRId64 ",\"content\":[%s]}%s", self->from, self->text,
                self->has_summary ? "," : "");
    int rc = self->has_summary ? s_put_summary(self, out) : 0;
    putc('}', out);
    return rc;
}

static int
s_write(post_t *self, bool ends, int code, char **ret)
{
    size_t len;
    bool has_files = self->n || self->has_summary;
    FILE *out = open_memstream(ret, &len);
    if (!out)
        return ARTEL_ENOMEM;
    putc('{', out);
    int rc = has_files ? s_put_files(self, out) : 0;
    if (ends)
        fprintf(out, "%s\"complete\":true,\"exitcode\":%d", has_files ? "," : "", code);
    putc('}', out);
    if (fclose(out) != 0 || rc != 0) {
        free(*ret);
        *ret = NULL;
        return ARTEL_ENOMEM;
    }
    return 0;
}

int
artel_post_end(artel_post_t *self, char **ret)
{
    int code = 0;
    bool is_over = artel_bucket_is_over(self->state, &code);
    bool has_news = self->n || self->has_summary;
    bool ends = is_over && (has_news || !json_is_true(json_object_get(self->state, "complete")));
    *ret = NULL;
    int rc = s_kept(json_object_set_new(self->state, "lines", json_integer(self->from + self->n))
                    | json_object_set_new(self->state, "complete", json_boolean(is_over)));
    return rc != 0 || (!has_news && !ends) ? rc : s_write(self, ends, code, ret);
}

//  A run counts as one of W&B's only if its configuration says who wrote it.
static json_t *
s_config(const json_t *state)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return NULL;
    s_put_part(json_object_get(state, "config"), "{\"value\":", "}", out);
    fputs("\"_wandb\":{\"value\":{\"cli_version\":\"" ARTEL_BUILD "\",\"t\":{\"5\":\"" ARTEL_BUILD "\"}}}}", out);
    json_t *config = fclose(out) == 0 ? json_stringn(text, len) : NULL;
    free(text);
    return config;
}

json_t *
artel_post_parameters(const json_t *state, const char *run)
{
    json_t *variables = json_copy(json_object_get(state, "params"));
    if (!variables)
        variables = json_object();
    if (json_object_set_new(variables, "name", json_string(run)) == 0
        && json_object_set_new(variables, "config", s_config(state)) == 0)
        return variables;
    json_decref(variables);
    return NULL;
}
