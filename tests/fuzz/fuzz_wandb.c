//  Anyone's answers in the place of W&B's server: an artifact that is saved, and one that is fetched, come to an end
//  with a code and a sentence, and what is fetched stays in its folder.
//
//  The bytes are answers with a NUL between them, the first of which goes to the first request of the fetch, and so
//  on; when they are used up they begin again. Every third PUT is refused.

#include "errors.h"
#include "fetching.h"
#include "fuzz.h"
#include "ingest.h"
#include "manifest.h"
#include "saving.h"

#include <string.h>

enum { MOST_REQUESTS = 500 };

typedef struct {
    const char *data;
    size_t size, at;
    unsigned requests;
} server_t;

static artel_http_key_t s_key = { "http://h", "Authorization: Basic eA==" };
static artel_ingest_result_t s_artifact;

static void
s_answer(server_t *server, artel_http_t *http)
{
    const char *data = server->data + server->at, *end = memchr(data, 0, server->size - server->at);
    size_t size = end ? (size_t) (end - data) : server->size - server->at;
    server->at = end ? server->at + size + 1 : 0;
    http->status = 200;
    if (atomic_load(&http->cancel) || ++server->requests > MOST_REQUESTS)
        http->code = ARTEL_ECANCELED;
    else if (strcmp(http->method, "PUT") == 0 && server->requests % 3 == 0)
        http->code = ARTEL_EREFUSED;
    else if (http->sink)
        http->code = http->sink(http->arg, 0, data, size);
    else {
        REQUIRE(http->answer = malloc(size + 1));
        memcpy(http->answer, data, size);
        http->answer[size] = 0;
        http->answer_size = size;
    }
    strcpy(http->etag, "\"e\"");
}

static void
s_fetch(server_t *server)
{
    artel_fetching_args_t args = { .base = "http://h", .graphql = "http://h/graphql", .key = &s_key, .name = "a:b",
                                   .into = fuzz_state() };
    artel_fetching_t *fetching;
    artel_http_t *http;
    REQUIRE(artel_fetching_new(&args, &fetching) == 0);
    while ((http = artel_fetching_next(fetching))) {
        s_answer(server, http);
        artel_fetching_take(fetching, http);
    }
    const artel_fetching_state_t *state = artel_fetching_state(fetching);
    const artel_contents_t *contents = artel_fetching_contents(fetching);
    const char *why;
    REQUIRE(state->over && (state->code == 0) == (*state->text == 0));
    for (size_t i = 0; contents && i < contents->n; i++)
        REQUIRE(artel_path_legal(artel_str(contents->entries[i].path), &why));
    artel_fetching_destroy(&fetching);
}

static void
s_save(server_t *server)
{
    artel_saving_args_t args = { .store = fuzz_state(), .base = "http://h", .graphql = "http://h/graphql", .key = &s_key,
                                 .entity = "e", .project = "p", .run = "r", .parts_from = 10, .part = 8 };
    artel_msg_artifact_send_t send = { .name = artel_str("a"), .type = artel_str("t"), .manifest = s_artifact.manifest,
                                       .pack = artel_str(s_artifact.pack), .history_step = -1 };
    artel_saving_t *saving;
    artel_http_t *http;
    REQUIRE(artel_saving_new(&args, &send, &saving) == 0);
    artel_saving_hash(saving);
    while ((http = artel_saving_next(saving))) {
        s_answer(server, http);
        artel_saving_take(saving, http);
    }
    const artel_saving_state_t *state = artel_saving_state(saving);
    REQUIRE(state->over && (state->code == 0) == (*state->text == 0));
    artel_saving_destroy(&saving);
}

static void
s_ingest(void)
{
    artel_ingest_t *ingest;
    REQUIRE(artel_ingest_begin(&(artel_ingest_options_t) { .store = fuzz_state() }, &ingest) == 0);
    REQUIRE(artel_ingest_bytes(ingest, "small", "s", 1) == 0);
    REQUIRE(artel_ingest_bytes(ingest, "large", "twenty bytes of text", 20) == 0);
    REQUIRE(artel_ingest_finish(ingest, &s_artifact) == 0);
    artel_ingest_destroy(&ingest);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (s_artifact.files == 0)
        s_ingest();
    server_t server = { .data = (const char *) data, .size = size };
    s_fetch(&server);
    server.at = server.requests = 0;
    s_save(&server);
    return 0;
}
