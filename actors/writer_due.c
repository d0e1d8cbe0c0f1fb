//  writer_due.c - what the writer does when its time has come: syncing, searching, resting.

#include "writer_self.h"

typedef artel_writer_self_t self_t;
typedef artel_writer_entry_t entry_t;

static int
s_start_adopter(self_t *self)
{
    if (self->adopter)
        return 0;
    artel_adopter_args_t args = { .start.name = "artel/adopter", .state = self->state,
                                  .writer = self->adopter_end };
    int rc = artel_actor_start(&self->adopter, artel_adopter, &args.start);
    if (args.start.entered)
        self->adopter_end = NULL;
    return rc;
}

int
artel_writer_search(artel_writer_self_t *self, uint64_t token)
{
    int rc = s_start_adopter(self);
    if (rc == 0)
        artel_wire_put(self->adopter_sock, &token, sizeof token);
    return rc;
}

void
artel_writer_grown(artel_writer_self_t *self, artel_writer_entry_t *entry)
{
    entry->grown_at = artel_now_ms();
    if (!self->rest_at)
        self->rest_at = entry->grown_at + self->rest_ms;
}

//  Start the fdatasync of what is older than ARTEL_SYNC_MS; how long until the next.
static int
s_sync_old(self_t *self, int64_t now)
{
    entry_t *oldest;
    while ((oldest = TAILQ_FIRST(&self->dirty))) {
        int64_t left = oldest->dirty_since + ARTEL_SYNC_MS - now;
        if (left > 0)
            return (int) left;
        TAILQ_REMOVE(&self->dirty, oldest, dirty);
        oldest->dirty_since = 0;
        artel_writer_sync(self, oldest, false);
    }
    return -1;
}

//  Look for dead journals if it is time; how long until the next look.
static int
s_search_unasked(self_t *self, int64_t now)
{
    if (!self->search_ms)
        return -1;
    if (now >= self->search_at) {
        self->search_at = now + self->search_ms;
        if (!self->searching)
            self->searching = artel_writer_search(self, 0) == 0;
    }
    return (int) (self->search_at - now);
}

//  Let a journal rest if it is time; when it will be, or 0: it rests, or is not ours to touch.
static int64_t
s_rest(const self_t *self, entry_t *entry, int64_t now)
{
    if (!entry->journal || entry->closing)
        return 0;
    bool busy = entry->syncing || (artel_journal_dirty_bytes(entry->journal) && !entry->undurable);
    if (busy || now < entry->grown_at + self->rest_ms)
        return (busy ? now : entry->grown_at) + self->rest_ms;
    artel_journal_rest(entry->journal);
    return 0;
}

//  Let those rest that have not grown for long; how long until the next may.
static int
s_rest_old(self_t *self, int64_t now)
{
    if (self->rest_at && now >= self->rest_at) {
        int64_t next = 0;
        for (entry_t *entry = zhashx_first(self->entries); entry; entry = zhashx_next(self->entries)) {
            int64_t at = s_rest(self, entry, now);
            next = at && (!next || at < next) ? at : next;
        }
        self->rest_at = next;
    }
    return self->rest_at ? (int) (self->rest_at - now) : -1;
}

int
artel_writer_tick(void *arg)
{
    self_t *self = arg;
    bool more = artel_writer_serve(self);
    int64_t now = artel_now_ms();
    int waits[] = { s_sync_old(self, now), s_search_unasked(self, now), s_rest_old(self, now) }, least = -1;
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++)
        if (waits[i] >= 0 && (least < 0 || waits[i] < least))
            least = waits[i];
    return more ? 0 : least;
}
