//  batch.c - reading batches.

#include "batch.h"

#include "bounds.h"
#include "errors.h"
#include "history.h"

#include <msgpack.h>

int
artel_batch_read(const void *data, size_t len, msgpack_zone *zone, artel_batch_reader_t *ret)
{
    artel_msg_t msg;
    size_t used;
    int rc = artel_msg_unpack(data, len, zone, &msg, &used);
    if (rc != 0)
        return rc;
    if (msg.id != ARTEL_MSG_BATCH || msg.batch.keys.n > ARTEL_MAX_KEYS
        || msg.batch.xids.len % sizeof(artel_id_t) != 0)
        return ARTEL_EPROTO;
    *ret = (artel_batch_reader_t) { .head = msg.batch, .zone = zone,
                                    .at = (const char *) data + used, .left = len - used };
    return 0;
}

//  Whether msg is one of the records, and its row names keys of the head.
static bool
s_is_record(const artel_batch_reader_t *self, const artel_msg_t *msg)
{
    const artel_row_t *row = NULL;
    switch (msg->id) {
    case ARTEL_MSG_HISTORY: row = &msg->history.row; break;
    case ARTEL_MSG_CONFIG: row = &msg->config.row; break;
    case ARTEL_MSG_SUMMARY: row = &msg->summary.row; break;
#define M(id, NAME, name) case ARTEL_MSG_##NAME:
    ARTEL_HEADS(M) ARTEL_CLIENT_MSGS(M) ARTEL_REPLY_MSGS(M) ARTEL_NODE_MSGS(M)
#undef M
        return false;
    default: return true;
    }
    for (size_t i = 0; i < row->n; i++)
        if (row->at[i].key >= self->head.keys.n)
            return false;
    return true;
}

int
artel_batch_next(artel_batch_reader_t *self, artel_msg_t *ret)
{
    if (self->left == 0)
        return 0;
    artel_msg_t msg;
    size_t used;
    int rc = artel_msg_unpack(self->at, self->left, self->zone, &msg, &used);
    if (rc != 0)
        return rc;
    if (!s_is_record(self, &msg))
        return ARTEL_EPROTO;
    self->at += used;
    self->left -= used;
    *ret = msg;
    return 1;
}

//  Step over the history records at the front that can be checked where they lie.
static void
s_skip_histories(artel_batch_reader_t *self)
{
    size_t used;
    while ((used = artel_check_history(self->at, self->left, self->head.keys.n)) > 0) {
        self->at += used;
        self->left -= used;
    }
}

int
artel_batch_check(const void *data, size_t len)
{
    msgpack_zone zone;
    if (!msgpack_zone_init(&zone, 8192))
        return ARTEL_ENOMEM;
    artel_batch_reader_t reader;
    artel_msg_t msg;
    int rc = artel_batch_read(data, len, &zone, &reader);
    if (rc == 0)
        do {                                    //  of the head only the number of keys is needed now
            s_skip_histories(&reader);
            msgpack_zone_clear(&zone);
        } while ((rc = artel_batch_next(&reader, &msg)) > 0);
    msgpack_zone_destroy(&zone);
    return rc;
}
