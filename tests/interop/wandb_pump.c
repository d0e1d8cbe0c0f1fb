//  wandb_pump.c - one artifact into a W&B server or from it: the artifact side of the backend by itself, with the
//  transfer actor.
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
#include "transfer.h"
#include "wire.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_ALIASES = 8, MOST_REFERENCES = 8, STOP_MS = 5000 };

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
    zactor_t *actor;
    zsock_t *transfer;          //  to it
    artel_http_t *back;         //  the request that came back last
    unsigned out;
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

static void
s_start(pump_t *pump)
{
    artel_transfer_args_t args = { .start = { .name = "artel/transfer" }, .n = 1 };
    int rc = artel_sock_pair(&pump->transfer, &args.askers[0]);
    if (rc == 0)
        rc = artel_actor_start(&pump->actor, artel_transfer, &args.start);
    if (rc != 0)
        s_die("transfer", rc);
}

//  1: one is back.
static int
s_read_transfer(void *arg)
{
    pump_t *pump = arg;
    return artel_wire_get(pump->transfer, &pump->back, sizeof pump->back);
}

static void
s_send(pump_t *pump, artel_http_t *http)
{
    int rc = artel_wire_put(pump->transfer, &http, sizeof http);
    if (rc != 0)
        s_die("artel_wire_put", rc);
    pump->out++;
}

//  The next that is back.
static artel_http_t *
s_receive(pump_t *pump)
{
    artel_actor_loop(&(artel_reader_t) { .sock = pump->transfer, .fn = s_read_transfer }, 1, NULL, pump);
    pump->out--;
    return pump->back;
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
    for (uint64_t n = 1; !artel_saving_state(saving)->over; n++) {
        while ((!pump->stop_after || pump->out == 0) && (http = artel_saving_next(saving)))
            s_send(pump, http);
        artel_saving_take(saving, s_receive(pump));
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
    while (!artel_fetching_state(fetching)->over) {
        while ((http = artel_fetching_next(fetching)))
            s_send(pump, http);
        artel_fetching_take(fetching, s_receive(pump));
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
    s_start(&pump);
    if (pump.from.name)
        s_run_fetching(&pump);
    else
        s_run_saving(&pump);
    artel_actor_stop(&pump.actor, STOP_MS);
    zsock_destroy(&pump.transfer);
    artel_credentials_done(&server);
    return 0;
}
