//  viewer.c - who a key is: one question through a transfer actor of its own.

#include "viewer.h"

#include "errors.h"
#include "graphql.h"
#include "transfer.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>

enum { TRIES = 2, ANSWER_MS = 20 * 1000, STOP_MS = 5000 };

typedef struct {
    zsock_t *transfer;
    artel_http_t *back;         //  the request, when it is over
} self_t;

//  1 ends the loop.
static int
s_read_transfer(void *arg)
{
    self_t *self = arg;
    return artel_wire_get(self->transfer, &self->back, sizeof self->back);
}

//  Hand the request to an actor and wait until it is over.
static int
s_transfer(artel_http_t *http)
{
    zactor_t *actor;
    self_t self = { 0 };
    artel_transfer_args_t args = { .start = { .name = "artel/transfer" }, .n = 1 };
    int rc = artel_sock_pair(&self.transfer, &args.askers[0]);
    if (rc != 0)
        return rc;
    rc = artel_actor_start(&actor, artel_transfer, &args.start);
    if (rc != 0 && !atomic_load(&args.start.entered))
        zsock_destroy(&args.askers[0]);
    if (rc == 0) {
        rc = artel_wire_put(self.transfer, &http, sizeof http);
        if (rc == 0)
            artel_actor_loop(&(artel_reader_t) { .sock = self.transfer, .fn = s_read_transfer }, 1, NULL, &self);
        artel_actor_stop(&actor, STOP_MS);
    }
    zsock_destroy(&self.transfer);
    return rc;
}

//  A field of the viewer, "" if there is none.
static void
s_read(const artel_reading_t *reading, const char *path, char *ret, size_t size)
{
    const char *text = json_string_value(artel_reading_at(reading, path));
    snprintf(ret, size, "%s", text ? text : "");
}

static int
s_judge(const artel_http_t *http, artel_viewer_t *ret, char *why, size_t size)
{
    json_t *data;
    int rc = artel_graphql_answer(ARTEL_VIEWER, http, &data, why, size);
    bool unknown = http->status == 401 || http->status == 403;
    if (rc == 0) {
        artel_reading_t reading = { ARTEL_VIEWER, data, why, size };
        unknown = !artel_reading_at(&reading, "viewer");
        s_read(&reading, "viewer.entity", ret->entity, sizeof ret->entity);
        s_read(&reading, "viewer.username", ret->username, sizeof ret->username);
        json_decref(data);
    }
    if (!unknown)
        return rc;
    snprintf(why, size, "the server does not know this key");
    return ARTEL_EACCES;
}

int
artel_viewer_ask(const artel_credentials_t *server, artel_viewer_t *ret, char *why, size_t size)
{
    json_t *none = json_object();
    char *body = artel_graphql_body(ARTEL_VIEWER, none);
    artel_http_t http = { 0 };
    int rc = body ? 0 : ARTEL_ENOMEM;
    if (rc == 0) {
        artel_graphql_request(ARTEL_VIEWER, server->graphql, &server->key, body, &http);
        http.tries = TRIES;
        http.timeout_ms = ANSWER_MS;
        rc = s_transfer(&http);
    }
    if (rc == 0)
        rc = s_judge(&http, ret, why, size);
    else
        snprintf(why, size, "%s", artel_error_code_text(rc));
    artel_http_done(&http);
    json_decref(none);
    free(body);
    return rc;
}
