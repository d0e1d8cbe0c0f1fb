//  hasher.c - one artifact after the other.

#include "hasher.h"

#include "handover.h"
#include "saving.h"
#include "wire.h"

typedef struct {
    zsock_t *pipe;              //  $TERM
    zsock_t *asker;
} self_t;

static int
s_read_pipe(void *arg)
{
    return artel_actor_read_pipe(((self_t *) arg)->pipe);
}

static int
s_read_asker(void *arg)
{
    self_t *self = arg;
    artel_saving_t *saving;
    if (!artel_wire_get(self->asker, &saving, sizeof saving))
        return 0;
    artel_take_over(saving);
    artel_saving_hash(saving);
    artel_hand_over(saving);
    artel_wire_put(self->asker, &saving, sizeof saving);
    return 0;
}

void
artel_hasher(zsock_t *pipe, void *arg)
{
    artel_hasher_args_t *args = arg;
    artel_actor_enter(&args->start);
    artel_actor_step_back();
    self_t self = { .pipe = pipe, .asker = args->asker };
    args->start.rc = 0;
    zsock_signal(pipe, 0);                      //  args is the parent's again
    artel_actor_loop((artel_reader_t[]) {
        { .sock = self.pipe, .fn = s_read_pipe },
        { .sock = self.asker, .fn = s_read_asker },
    }, 2, NULL, &self);
    zsock_destroy(&self.asker);
}
