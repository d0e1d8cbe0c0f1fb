//  A message of anyone's bytes: taken or refused, and what is taken packs to
//  bytes that read the same again.

#include "fuzz.h"
#include "msgs.h"

#include <msgpack.h>
#include <string.h>

static void
s_print(const artel_msg_t *msg)
{
    static FILE *null;
    if (!null)
        null = fopen("/dev/null", "w");
    artel_msg_print(msg, null);
    REQUIRE(artel_msg_name(msg->id));
    artel_msg_xid(msg);
}

//  Packing is the inverse of reading, up to fields that a reader drops.
static void
s_check_repack(const artel_msg_t *msg, msgpack_zone *zone)
{
    msgpack_sbuffer once, twice;
    msgpack_sbuffer_init(&once);
    msgpack_sbuffer_init(&twice);
    artel_msg_t again;
    size_t used;
    REQUIRE(artel_msg_pack(msg, &once) == 0);
    REQUIRE(artel_msg_peek(once.data, once.size) == (int) msg->id);
    REQUIRE(artel_msg_unpack(once.data, once.size, zone, &again, &used) == 0);
    REQUIRE(used == once.size && again.id == msg->id);
    REQUIRE(artel_msg_pack(&again, &twice) == 0);
    REQUIRE(once.size == twice.size && memcmp(once.data, twice.data, once.size) == 0);
    msgpack_sbuffer_destroy(&once);
    msgpack_sbuffer_destroy(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    msgpack_zone zone;
    REQUIRE(msgpack_zone_init(&zone, 8192));
    artel_msg_t msg;
    size_t used;
    artel_msg_peek(data, size);
    if (artel_msg_unpack(data, size, &zone, &msg, &used) == 0) {
        REQUIRE(used <= size);
        s_print(&msg);
        s_check_repack(&msg, &zone);
        REQUIRE((artel_msg_unpack_all(data, size, &zone, &msg) == 0) == (used == size));
    }
    msgpack_zone_destroy(&zone);
    return 0;
}
