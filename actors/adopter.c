//  adopter.c - searches for dead journals, one after the other.

#include "adopter.h"

#include "errors.h"
#include "state.h"
#include "wire.h"

typedef struct {
    zsock_t *pipe;              //  $TERM from the writer
    zsock_t *writer;            //  PAIR: requests in, results out
    const char *state;
} self_t;

static void
s_answer(self_t *self, const artel_adopter_result_t *result)
{
    artel_actor_wait_if_exiting();
    zmq_send(zsock_resolve(self->writer), result, sizeof *result, ZMQ_DONTWAIT);
}

static int
s_found(void *arg, const artel_adopted_t *found)
{
    self_t *self = arg;
    s_answer(self, &(artel_adopter_result_t) { .found = *found });
    return zsock_events(self->pipe) & ZMQ_POLLIN;
}

//  In another machine's directory a free lock says nothing about its owner.
static int
s_search(self_t *self, char *why, size_t size)
{
    int ours = artel_state_is_ours(self->state);
    if (ours > 0)
        return artel_adopt_all(self->state, s_found, self, why, size);
    snprintf(why, size, "%s: %s", self->state, ours < 0 ? artel_error_code_text(ours)
             : "it is another machine's (see the file host in it), or on a network");
    return ours < 0 ? ours : ARTEL_EACCES;
}

static int
s_read_writer(void *arg)
{
    self_t *self = arg;
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    if (artel_wire_take(self->writer, &frame)) {
        artel_adopter_result_t result = { .over = true };
        result.rc = s_search(self, result.text, sizeof result.text);
        s_answer(self, &result);
    }
    zmq_msg_close(&frame);
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
