//  over.c - when a run is over for W&B.

#include "over.h"

//  What the ends of a run's writers amount to.
typedef struct {
    size_t running;
    size_t ranks;               //  that have ended
    bool owner;                 //  one without a rank has ended
    int64_t last_ms, bad_ms;    //  of the last end, and of the first that is bad
    int last, bad;
} ends_t;

static int
s_code(const json_t *writer)
{
    int64_t code = artel_bucket_number(writer, "exit", 0);
    return json_is_true(json_object_get(writer, "crashed")) && code <= 0 ? 1 : (int) code;
}

static void
s_count(ends_t *ends, const json_t *writer)
{
    if (!json_object_get(writer, "exit")) {
        ends->running++;
        return;
    }
    int code = s_code(writer);
    int64_t at = artel_bucket_number(writer, "exit_ms", 0);
    bool has_rank = json_object_get(writer, "rank") != NULL;
    ends->ranks += has_rank;
    ends->owner |= !has_rank;
    if (at >= ends->last_ms) {
        ends->last_ms = at;
        ends->last = code;
    }
    if (code != 0 && (ends->bad == 0 || at < ends->bad_ms)) {
        ends->bad_ms = at;
        ends->bad = code;
    }
}

bool
artel_bucket_is_over(const json_t *state, int *ret_code)
{
    ends_t ends = { .last_ms = INT64_MIN };
    const char *hex;
    json_t *writer;
    json_object_foreach(json_object_get(state, "writers"), hex, writer)
        s_count(&ends, writer);
    int64_t world = artel_bucket_number(state, "world", 0);
    *ret_code = world ? ends.bad : ends.last;
    if (json_object_size(json_object_get(state, "open")) || ends.last_ms == INT64_MIN)
        return false;
    return world ? ends.owner || ((int64_t) ends.ranks >= world && ends.running == 0) : ends.running == 0;
}
