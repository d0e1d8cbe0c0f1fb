//  wandb_pump.c - one artifact into a W&B server or from it, one request at a time: the artifact side of the
//  backend by itself.
//
//      wandb_pump NAME=VALUE...
//
//  base, key, entity, project, run: where to; store: a state directory; name, type, description, metadata, step,
//  alias (each may come again), dir: what is in the artifact; refer=PATH=URI=DIGEST: a reference; parts_from, part:
//  bytes; fetch: the name of a version that is fetched into the folder `into` instead, page: URLs at once; xid: in hex; stop_after: give up after so many requests;
//  use=1: the run uses what has this content. Prints what became of it as JSON.

#include "credentials.h"
#include "errors.h"
#include "fetching.h"
#include "ingest.h"
#include "saving.h"
#include "state.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_ALIASES = 8, MOST_REFERENCES = 8, PAUSE_US = 10000 };

typedef struct {
    artel_saving_args_t where;
    artel_fetching_args_t from;
    uint64_t page;
    artel_msg_artifact_send_t what;
    artel_str_t aliases[MOST_ALIASES];
    char *references[MOST_REFERENCES];
    size_t n_references;
    const char *dir, *key;
    uint64_t use;               //  1: it is used, not logged
    uint64_t stop_after;        //  requests; 0: at the end
    CURL *curl;
} pump_t;

static void
s_die(const char *what, int rc)
{
    fprintf(stderr, "wandb_pump: %s: %s\n", what, artel_error_code_text(rc));
    exit(2);
}

//  ---- the arguments

static void
s_set(pump_t *pump, const char *name, char *value)
{
    const struct { const char *name; const char **text; artel_str_t *str; uint64_t *number; int64_t *step; } table[] = {
        { .name = "base", .text = &pump->where.base }, { .name = "key", .text = &pump->key },
        { .name = "entity", .text = &pump->where.entity }, { .name = "project", .text = &pump->where.project },
        { .name = "run", .text = &pump->where.run }, { .name = "store", .text = &pump->where.store },
        { .name = "fetch", .text = &pump->from.name }, { .name = "into", .text = &pump->from.into },
        { .name = "page", .number = &pump->page },
        { .name = "dir", .text = &pump->dir }, { .name = "name", .str = &pump->what.name },
        { .name = "type", .str = &pump->what.type }, { .name = "description", .str = &pump->what.description },
        { .name = "metadata", .str = &pump->what.metadata }, { .name = "step", .step = &pump->what.history_step },
        { .name = "parts_from", .number = &pump->where.parts_from }, { .name = "part", .number = &pump->where.part },
        { .name = "use", .number = &pump->use }, { .name = "stop_after", .number = &pump->stop_after } };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].name, name) == 0) {
            if (table[i].text)
                *table[i].text = value;
            else if (table[i].str)
                *table[i].str = artel_str(value);
            else if (table[i].step)
                *table[i].step = strtoll(value, NULL, 10);
            else
                *table[i].number = strtoull(value, NULL, 10);
            return;
        }
    s_die(name, ARTEL_EINVAL);
}

static void
s_read_word(pump_t *pump, char *word)
{
    char *value = strchr(word, '=');
    if (!value)
        s_die(word, ARTEL_EINVAL);
    *value++ = 0;
    if (strcmp(word, "alias") == 0 && pump->what.aliases.n < MOST_ALIASES)
        pump->aliases[pump->what.aliases.n++] = artel_str(value);
    else if (strcmp(word, "refer") == 0 && pump->n_references < MOST_REFERENCES)
        pump->references[pump->n_references++] = value;
    else if (strcmp(word, "xid") != 0 || !artel_unhex(value, sizeof pump->what.xid, &pump->what.xid))
        s_set(pump, word, value);
}

//  ---- what is logged

static int
s_add_reference(artel_ingest_t *ingest, char *text)
{
    char *uri = strchr(text, '=');
    *uri++ = 0;
    char *digest = strchr(uri, '=');
    *digest++ = 0;
    return artel_ingest_reference(ingest, text, uri, digest, 0);
}

static void
s_ingest(pump_t *pump, artel_ingest_result_t *ret)
{
    artel_ingest_t *ingest;
    int rc = artel_state_make(pump->where.store);
    if (rc == 0)
        rc = artel_ingest_begin(&(artel_ingest_options_t) { .store = pump->where.store }, &ingest);
    if (rc == 0 && pump->dir)
        rc = artel_ingest_dir(ingest, pump->dir, NULL);
    for (size_t i = 0; rc == 0 && i < pump->n_references; i++)
        rc = s_add_reference(ingest, pump->references[i]);
    if (rc == 0)
        rc = artel_ingest_finish(ingest, ret);
    if (rc != 0)
        s_die("ingest", rc);
    artel_ingest_destroy(&ingest);
}

//  ---- requests

typedef struct {
    artel_http_t *http;
    CURL *curl;
    uint64_t at;                //  bytes of the answer so far
    int rc;                     //  of the sink
} taken_t;

//  What has a sink goes there; a refusal never does.
static size_t
s_take(char *data, size_t size, size_t n, void *arg)
{
    taken_t *taken = arg;
    artel_http_t *http = taken->http;
    long status = 0;
    curl_easy_getinfo(taken->curl, CURLINFO_RESPONSE_CODE, &status);
    if (http->sink && status / 100 == 2) {
        taken->rc = http->sink(http->arg, taken->at, data, size * n);
        taken->at += size * n;
        return taken->rc == 0 ? size * n : 0;
    }
    char *answer = realloc(http->answer, http->answer_size + size * n + 1);
    if (!answer)
        return 0;
    http->answer = answer;
    memcpy(answer + http->answer_size, data, size * n);
    http->answer_size += size * n;
    answer[http->answer_size] = 0;
    return size * n;
}

static size_t
s_take_header(char *data, size_t size, size_t n, void *arg)
{
    artel_http_t *http = arg;
    if (n > 6 && strncasecmp(data, "etag: ", 6) == 0)
        snprintf(http->etag, sizeof http->etag, "%.*s", (int) strcspn(data + 6, "\r\n"), data + 6);
    return size * n;
}

typedef struct {
    const artel_http_body_t *body;
    uint64_t at;
} feed_t;

static size_t
s_give(char *data, size_t size, size_t n, void *arg)
{
    feed_t *feed = arg;
    uint64_t left = feed->body->size - feed->at;
    size_t want = size * n < left ? size * n : (size_t) left;
    if (feed->body->data)
        memcpy(data, (const char *) feed->body->data + feed->at, want);
    else if (pread(feed->body->fd, data, want, (off_t) (feed->body->offset + feed->at)) != (ssize_t) want)
        return CURL_READFUNC_ABORT;
    feed->at += want;
    return want;
}

static struct curl_slist *
s_headers(const artel_http_t *http)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    for (const char *const *header = http->headers; header && *header; header++)
        list = curl_slist_append(list, *header);
    if (http->key)
        list = curl_slist_append(list, http->key->header);
    return list;
}

//  Its body is small, or as a PUT streamed.
static void
s_set_body(CURL *curl, artel_http_t *http, feed_t *feed)
{
    if (strcmp(http->method, "GET") == 0)
        return;
    if (strcmp(http->method, "PUT") != 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long) http->body.size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, http->body.data);
        return;
    }
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t) http->body.size);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, s_give);
    curl_easy_setopt(curl, CURLOPT_READDATA, feed);
}

static void
s_try(CURL *curl, artel_http_t *http)
{
    feed_t feed = { .body = &http->body };
    taken_t taken = { .http = http, .curl = curl };
    struct curl_slist *headers = s_headers(http);
    long status = 0;
    artel_http_done(http);
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, http->url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, s_take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &taken);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, s_take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, http);
    s_set_body(curl, http, &feed);
    CURLcode rc = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    http->status = (int) status;
    http->code = taken.rc != 0 ? taken.rc : rc != CURLE_OK ? ARTEL_EUNAVAIL : status / 100 == 2 ? 0 : ARTEL_EREFUSED;
    http->passes = (rc != CURLE_OK && taken.rc == 0) || status == 429 || status >= 500 || (status == 409 && http->rule == ARTEL_HTTP_UPSERT);
    snprintf(http->text, sizeof http->text, "HTTP %ld, %s", status, curl_easy_strerror(rc));
    curl_slist_free_all(headers);
}

static void
s_perform(CURL *curl, artel_http_t *http)
{
    s_try(curl, http);
    for (unsigned i = 1; http->passes && i < http->tries; i++) {
        usleep(PAUSE_US);
        s_try(curl, http);
    }
}

//  ---- the whole

static artel_saving_t *
s_save(pump_t *pump)
{
    artel_saving_t *saving;
    artel_http_t *http;
    artel_msg_use_artifact_t use = { .name = pump->what.name, .manifest = pump->what.manifest };
    int rc = pump->use ? artel_saving_use(&pump->where, &use, -1, &saving)
                       : artel_saving_new(&pump->where, &pump->what, &saving);
    if (rc != 0)
        s_die("begin", rc);
    artel_saving_hash(saving);
    for (uint64_t n = 1; (http = artel_saving_next(saving)); n++) {
        s_perform(pump->curl, http);
        artel_saving_take(saving, http);
        if (n == pump->stop_after)
            break;
    }
    return saving;
}

static artel_fetching_t *
s_fetch(pump_t *pump)
{
    artel_fetching_t *fetching;
    artel_http_t *http;
    pump->from.base = pump->where.base;
    pump->from.graphql = pump->where.graphql;
    pump->from.key = pump->where.key;
    pump->from.entity = pump->where.entity;
    pump->from.project = pump->where.project;
    pump->from.page = (unsigned) pump->page;
    int rc = artel_fetching_new(&pump->from, &fetching);
    if (rc != 0)
        s_die("artel_fetching_new", rc);
    while ((http = artel_fetching_next(fetching))) {
        s_perform(pump->curl, http);
        artel_fetching_take(fetching, http);
    }
    return fetching;
}

static void
s_tell_fetched(const artel_fetching_state_t *state)
{
    json_t *told = json_pack("{s:b, s:i, s:b, s:I, s:I, s:I, s:s}", "over", state->over, "code", state->code,
        "passes", state->passes, "version", (json_int_t) state->version, "files", (json_int_t) state->files,
        "bytes", (json_int_t) state->bytes, "text", state->text);
    json_dumpf(told, stdout, 0);
    json_decref(told);
}

static void
s_tell(const artel_saving_state_t *state)
{
    json_t *told = json_pack("{s:b, s:i, s:b, s:I, s:b, s:s, s:s}", "over", state->over, "code",
        state->code, "passes", state->passes, "version", (json_int_t) state->version,
        "fresh", state->fresh, "id", state->id, "text", state->text);
    json_dumpf(told, stdout, 0);
    json_decref(told);
}

static void
s_run_saving(pump_t *pump)
{
    artel_ingest_result_t result;
    s_ingest(pump, &result);
    pump->what.manifest = result.manifest;
    pump->what.pack = artel_str(result.pack);
    pump->what.aliases.at = pump->aliases;
    artel_saving_t *saving = s_save(pump);
    s_tell(artel_saving_state(saving));
    artel_saving_destroy(&saving);
}

static void
s_run_fetching(pump_t *pump)
{
    artel_fetching_t *fetching = s_fetch(pump);
    s_tell_fetched(artel_fetching_state(fetching));
    artel_fetching_destroy(&fetching);
}

int
main(int argc, char **argv)
{
    pump_t pump = { .what = { .xid = artel_id_new(), .history_step = -1 } };
    artel_credentials_t server;
    char why[256] = "";
    for (int i = 1; i < argc; i++)
        s_read_word(&pump, argv[i]);
    int rc = artel_credentials_make(pump.where.base, pump.key, &server, why, sizeof why);
    if (rc != 0)
        s_die(why, rc);
    pump.where.base = server.base;
    pump.where.graphql = server.graphql;
    pump.where.key = &server.key;
    pump.curl = curl_easy_init();
    if (pump.from.name)
        s_run_fetching(&pump);
    else
        s_run_saving(&pump);
    curl_easy_cleanup(pump.curl);
    curl_global_cleanup();
    artel_credentials_done(&server);
    return 0;
}
