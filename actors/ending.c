//  ending.c - packing lost{} and exit{crashed}.

#include "ending.h"

#include "actor.h"

static void
s_pack(artel_ending_t *self, artel_msg_t msg)
{
    if (self->rc == 0)
        self->rc = artel_msg_pack(&msg, &self->out);
}

void
artel_ending_begin(artel_ending_t *self, const char *run, artel_id_t writer, uint64_t counter,
                   int64_t next_step)
{
    *self = (artel_ending_t) { .rc = 0 };
    msgpack_sbuffer_init(&self->out);
    s_pack(self, (artel_msg_t) { .id = ARTEL_MSG_BATCH, .batch = {
        .run = artel_str(run), .writer = writer, .counter = counter, .ends = true,
        .next_step = next_step } });
}

void
artel_ending_lost(void *arg, uint64_t from, uint64_t to)
{
    artel_ending_t *self = arg;
    self->lost += to - from + 1;
    s_pack(self, (artel_msg_t) { .id = ARTEL_MSG_LOST, .lost = {
        from, to, artel_str("not to be read in the journal") } });
}

int
artel_ending_exit(artel_ending_t *self)
{
    s_pack(self, (artel_msg_t) { .id = ARTEL_MSG_EXIT, .exit = {
        .code = -1, .crashed = true, .at_ms = artel_wall_ms() } });
    return self->rc;
}

void
artel_ending_done(artel_ending_t *self)
{
    msgpack_sbuffer_destroy(&self->out);
}
