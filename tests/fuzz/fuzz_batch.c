//  A batch of anyone's bytes: what artel_batch_check passes can be read to the
//  end, and its rows name keys that the head has.

#include "batch.h"
#include "fuzz.h"

#include <msgpack.h>

static void
s_check_row(const artel_row_t *row, size_t n_keys)
{
    for (size_t i = 0; i < row->n; i++)
        REQUIRE(row->at[i].key < n_keys);
}

static void
s_check_record(const artel_msg_t *msg, size_t n_keys)
{
    if (msg->id == ARTEL_MSG_HISTORY)
        s_check_row(&msg->history.row, n_keys);
    else if (msg->id == ARTEL_MSG_CONFIG)
        s_check_row(&msg->config.row, n_keys);
    else if (msg->id == ARTEL_MSG_SUMMARY)
        s_check_row(&msg->summary.row, n_keys);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    msgpack_zone zone;
    REQUIRE(msgpack_zone_init(&zone, 8192));
    artel_batch_reader_t reader;
    artel_msg_t msg;
    int rc = artel_batch_read(data, size, &zone, &reader);
    if (rc == 0)
        while ((rc = artel_batch_next(&reader, &msg)) > 0)
            s_check_record(&msg, reader.head.keys.n);
    REQUIRE(artel_batch_check(data, size) == rc);
    msgpack_zone_destroy(&zone);
    return 0;
}
