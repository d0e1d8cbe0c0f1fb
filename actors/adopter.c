//  adopter.c - searches for dead journals, one after the other.

#include "adopter.h"

#include "clients.h"
#include "errors.h"
#include "pending.h"
#include "presence.h"
#include "state.h"
#include "wire.h"

typedef struct {
    zsock_t *pipe;              //  $TERM from the writer
    zsock_t *writer;            //  PAIR: requests in, results out
    const char *state;
    uint64_t token;             //  of the search in hand
} self_t;

static void
s_answer(self_t *self, artel_adopter_result_t *result)
{
    result->token = self->token;
    artel_actor_wait_if_exiting();
    artel_wire_put(self->writer, result, sizeof *result);
}

static int
s_is_told_to_stop(self_t *self)
{
    return artel_wire_has(self->pipe);
}

static int
s_found(void *arg, const artel_adopted_t *found)
{
    self_t *self = arg;
    s_answer(self, &(artel_adopter_result_t) { .event = ARTEL_ADOPTER_FOUND, .of = *found });
    return s_is_told_to_stop(self);
}

//  A program that died. Its journal is dead as well, unless it is the service's: then the
//  writer ends it. Once it is delivered there is nothing left to do.
static int
s_gone(void *arg, const char *run, artel_id_t writer)
{
    self_t *self = arg;
    artel_adopter_result_t result = { .event = ARTEL_ADOPTER_GONE, .of.writer = writer };
    snprintf(result.of.run, sizeof result.of.run, "%s", run);
    if (artel_pending_has(self->state, run, writer) == 0)
        artel_presence_forget(self->state, run, writer);
    else
        s_answer(self, &result);
    return s_is_told_to_stop(self);
}

//  In another machine's directory a free lock says nothing about its owner.
static int
s_search(self_t *self, char *why, size_t size)
{
    int ours = artel_state_is_ours(self->state);
    if (ours > 0) {
        artel_clients_sweep(self->state);
        (void) artel_presence_each_dead(self->state, s_gone, self);
        return artel_adopt_all(self->state, s_found, self, why, size);
    }
    snprintf(why, size, "%s: %s", self->state, ours < 0 ? artel_error_code_text(ours)
             : "it is another machine's (see the file host in it), or on a network");
    return ours < 0 ? ours : ARTEL_EACCES;
}

static int
s_read_writer(void *arg)
{
    self_t *self = arg;
    while (artel_wire_get(self->writer, &self->token, sizeof self->token)) {
        artel_adopter_result_t result = { .event = ARTEL_ADOPTER_OVER };
        result.rc = s_search(self, result.text, sizeof result.text);
        s_answer(self, &result);
    }
    return 0;
}

static int
s_read_pipe(void *arg)
{
    return artel_actor_read_pipe(((self_t *) arg)->pipe);
}

void
artel_adopter(zsock_t *pipe, void *arg)
{
    artel_adopter_args_t *args = arg;
    artel_actor_enter(&args->start);
    self_t self = { .pipe = pipe, .writer = args->writer, .state = args->state };
    args->start.rc = 0;
    zsock_signal(pipe, 0);                      //  args is the parent's again
    artel_actor_loop((artel_reader_t[]) {
        { .sock = self.pipe, .fn = s_read_pipe },
        { .sock = self.writer, .fn = s_read_writer },
    }, 2, NULL, &self);
    zsock_destroy(&self.writer);
}
