//  hostile.c - a peer of a service that keeps to no rule.
//
//  Usage: hostile SOCKET KIND SEED N
//  Sends N messages of a kind and ends; "silent" opens N connections and holds them
//  until it is killed. What the service answers is read and dropped. It prints
//  "sent N", and how many connections it took: a service may close one at any time.

#include "batch.h"
#include "bounds.h"
#include "msgs.h"

#include <czmq.h>
#include <msgpack.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { IN_FLIGHT = 64, LARGE = 400 * 1024, OPEN_MS = 2000 };

static const char *s_path;
static uint64_t s_random;
static unsigned s_connections;

//  xorshift64*: the same seed gives the same messages.
static uint64_t
s_next(void)
{
    s_random ^= s_random >> 12;
    s_random ^= s_random << 25;
    s_random ^= s_random >> 27;
    return s_random * 2685821657736338717u;
}

static uint64_t
s_below(uint64_t n)
{
    return s_next() % n;
}

static void
s_noise(void *ret, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *) ret)[i] = (uint8_t) s_next();
}

static artel_id_t
s_id(void)
{
    artel_id_t id;
    s_noise(&id, sizeof id);
    return id;
}

//  A message of its own kind each, into out.
typedef void make_fn(msgpack_sbuffer *out);

static void
s_random_bytes(msgpack_sbuffer *out)
{
    uint8_t bytes[512];
    size_t size = s_below(sizeof bytes);
    s_noise(bytes, size);
    msgpack_sbuffer_write(out, (char *) bytes, size);
}

//  One of the messages of the protocol with fields that make little sense.
static void
s_any_message(msgpack_sbuffer *out)
{
    static const int ids[] = {
#define M(number, NAME, name) number,
        ARTEL_MSGS(M)
#undef M
    };
    artel_msg_t msg;
    memset(&msg, 0, sizeof msg);
    msg.id = (artel_msg_id_t) ids[s_below(sizeof ids / sizeof *ids)];
    if (msg.id == ARTEL_MSG_RUN_OPEN)
        msg.run_open = (artel_msg_run_open_t) { .run = artel_str("../../etc"), .writer = s_id(),
                                                .resume = s_next(), .world = s_next() };
    if (msg.id == ARTEL_MSG_FLUSH)
        msg.flush = (artel_msg_flush_t) { s_id(), s_next(), s_next() };
    if (msg.id == ARTEL_MSG_ARTIFACT_POLL)
        msg.artifact_poll = (artel_msg_artifact_poll_t) { s_id(), artel_str("nowhere"), s_next() };
    if (msg.id == ARTEL_MSG_HELLO)
        msg.hello = (artel_msg_hello_t) { s_next(), artel_str("hostile"), s_next() };
    artel_msg_pack(&msg, out);
}

//  A batch as a client sends it.
static void
s_batch(msgpack_sbuffer *out, const char *run, artel_id_t writer, uint64_t counter)
{
    artel_str_t key = artel_str("k");
    artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_BATCH, .batch = {
        .run = artel_str(run), .writer = writer, .counter = counter, .keys = { &key, 1 } } }, out);
    artel_cell_t cell = { .kind = ARTEL_F64, .f64 = 1 };
    artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_HISTORY, .history = { .row = { &cell, 1 } } }, out);
}

//  A good message, cut short, or with bits turned.
static void
s_damaged(msgpack_sbuffer *out)
{
    if (s_below(2))
        s_any_message(out);
    else
        s_batch(out, "r", s_id(), 1);
    if (out->size && s_below(2))
        out->size = s_below(out->size);
    for (uint64_t n = s_below(8); out->size && n--; )
        out->data[s_below(out->size)] ^= (char) (1 << s_below(8));
}

//  Lengths that nobody has the bytes for.
static void
s_huge_claim(msgpack_sbuffer *out)
{
    static const uint8_t heads[] = { 0xdd, 0xdf, 0xdb, 0xc6, 0xc9 };  //  array, map, str, bin, ext of 32 bits
    for (uint64_t n = 1 + s_below(60); n--; ) {
        uint8_t claim[5] = { heads[s_below(sizeof heads)], 0xff, 0xff, 0xff, (uint8_t) s_next() };
        msgpack_sbuffer_write(out, (char *) claim, sizeof claim);
    }
}

//  Runs that are opened and never closed, with batches whose counters go anywhere.
static void
s_wild_counter(msgpack_sbuffer *out)
{
    static artel_id_t writer;
    static const uint64_t counters[] = { 0, 1, 1, 2, 7, UINT64_MAX, INT64_MAX };
    if (s_below(100) == 0) {
        writer = s_id();
        artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_RUN_OPEN, .run_open = {
            artel_str("hostile"), writer, ARTEL_RESUMES_ALLOW } }, out);
    } else {
        s_batch(out, s_below(10) ? "hostile" : "another", writer, counters[s_below(7)]);
    }
}

//  A batch whose records are none, or name keys that are not there.
static void
s_bad_record(msgpack_sbuffer *out)
{
    static artel_id_t writer;
    static uint64_t counter;
    if (counter == 0 || s_below(200) == 0) {
        counter = 1;
        writer = s_id();
        artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_RUN_OPEN, .run_open = {
            artel_str("hostile"), writer, ARTEL_RESUMES_ALLOW } }, out);
        return;
    }
    artel_cell_t cell = { .key = (uint32_t) (s_below(2) ? s_below(100) : s_next()), .kind = ARTEL_F64 };
    artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_BATCH, .batch = {
        .run = artel_str("hostile"), .writer = writer, .counter = counter } }, out);
    if (s_below(2))
        artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_HISTORY, .history = { .row = { &cell, 1 } } }, out);
    else
        s_random_bytes(out);
}

//  A good batch, of credit that its peer has never heard; counter 0 opens its run.
static void
s_unasked(msgpack_sbuffer *out, const char *run, artel_id_t writer, uint64_t counter)
{
    static char text[100 * 1024];
    if (counter == 0) {
        artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_RUN_OPEN, .run_open = {
            artel_str(run), writer, ARTEL_RESUMES_ALLOW } }, out);
        return;
    }
    artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_BATCH, .batch = {
        .run = artel_str(run), .writer = writer, .counter = counter } }, out);
    artel_msg_pack(&(artel_msg_t) { .id = ARTEL_MSG_LOST, .lost = { .reason = { text, sizeof text } } }, out);
}

//  More than one run has credit for; then another run.
static void
s_greedy(msgpack_sbuffer *out)
{
    enum { BATCHES = 100 };
    static artel_id_t writer;
    static uint64_t n;
    uint64_t counter = n++ % (BATCHES + 1);
    if (counter == 0)
        writer = s_id();
    s_unasked(out, "greedy", writer, counter);
}

//  Many runs, which take turns.
static void
s_greedier(msgpack_sbuffer *out)
{
    enum { RUNS = 16 };
    static artel_id_t writers[RUNS];
    static uint64_t n;
    uint64_t i = n % RUNS, counter = n++ / RUNS;
    char run[16];
    snprintf(run, sizeof run, "greedier-%d", (int) i);
    if (counter == 0)
        writers[i] = s_id();
    s_unasked(out, run, writers[i], counter);
}

static void
s_too_large(msgpack_sbuffer *out)
{
    static char bytes[LARGE];
    s_batch(out, "hostile", s_id(), 1);
    msgpack_sbuffer_write(out, bytes, sizeof bytes);
}

//  Questions that are parked, or make the disk work.
static void
s_question(msgpack_sbuffer *out)
{
    artel_msg_t msgs[] = {
        { .id = ARTEL_MSG_ARTIFACT_POLL, .artifact_poll = { s_id(), artel_str(""), 60000 } },
        { .id = ARTEL_MSG_RESOLVE, .resolve = { s_next(), artel_str(""), artel_str("m"), artel_str("latest") } },
        { .id = ARTEL_MSG_ADOPT, .adopt = { s_next(), s_below(100) } },
    };
    artel_msg_pack(&msgs[s_below(100) ? s_below(2) : 2], out);
}

typedef struct {
    const char *name;
    make_fn *make;
    bool opens;             //  runs, and waits until they are open
    bool orderly;           //  whole messages over one connection
} kind_t;

static const kind_t s_kinds[] = {
    { "random", s_random_bytes, false, false },
    { "messages", s_any_message, false, false },
    { "damaged", s_damaged, false, false },
    { "claims", s_huge_claim, false, false },
    { "counters", s_wild_counter, true, false },
    { "records", s_bad_record, true, false },
    { "large", s_too_large, false, false },
    { "questions", s_question, false, false },
    { "greedy", s_greedy, true, true },
    { "greedier", s_greedier, true, true },
};

static zsock_t *
s_connect(void)
{
    zsock_t *sock = zsock_new(ZMQ_DEALER);
    zsock_set_linger(sock, 1000);
    zsock_set_sndhwm(sock, IN_FLIGHT);
    zsock_set_sndtimeo(sock, 1000);
    zsock_connect(sock, "ipc://%s", s_path);
    s_connections++;
    return sock;
}

static void
s_drop_answers(zsock_t *sock)
{
    zmq_msg_t msg;
    zmq_msg_init(&msg);
    while (zmq_msg_recv(&msg, zsock_resolve(sock), ZMQ_DONTWAIT) >= 0)
        continue;
    zmq_msg_close(&msg);
}

//  A message of several frames, every now and then.
static bool
s_send(zsock_t *sock, const kind_t *kind, const msgpack_sbuffer *out)
{
    void *raw = zsock_resolve(sock);
    if (!kind->orderly && s_below(50) == 0 && zmq_send(raw, "more", 4, ZMQ_SNDMORE) < 0)
        return false;
    return zmq_send(raw, out->data, out->size, 0) >= 0;
}

//  What belongs to a run is refused unread until the run is open: wait for that.
static bool
s_open_run(zsock_t *sock, const msgpack_sbuffer *out)
{
    zmq_msg_t msg;
    zmq_msg_init(&msg);
    zsock_set_rcvtimeo(sock, OPEN_MS);
    void *raw = zsock_resolve(sock);
    bool sent = zmq_send(raw, out->data, out->size, 0) >= 0;
    while (sent && (sent = zmq_msg_recv(&msg, raw, 0) >= 0)
           && artel_msg_peek(zmq_msg_data(&msg), zmq_msg_size(&msg)) != ARTEL_MSG_RUN_OPENED)
        continue;
    zmq_msg_close(&msg);
    return sent;
}

static void
s_attack(const kind_t *kind, unsigned long n)
{
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    zsock_t *sock = s_connect();
    for (unsigned long i = 0; i < n; i++) {
        msgpack_sbuffer_clear(&out);
        kind->make(&out);
        bool opens = kind->opens && artel_msg_peek(out.data, out.size) == ARTEL_MSG_RUN_OPEN;
        bool sent = opens ? s_open_run(sock, &out) : s_send(sock, kind, &out);
        s_drop_answers(sock);
        if (!sent || (!kind->orderly && s_below(2000) == 0)) {
            zsock_destroy(&sock);
            sock = s_connect();
        }
    }
    zsock_destroy(&sock);
    msgpack_sbuffer_destroy(&out);
    printf("sent %lu\n", n);
}

//  Connections that never say a word.
static void
s_be_silent(unsigned long n)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    snprintf(to.sun_path, sizeof to.sun_path, "%s", s_path);
    for (unsigned long i = 0; i < n; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (fd >= 0 && connect(fd, (struct sockaddr *) &to, sizeof to) == 0)
            s_connections++;
    }
    printf("open %u\n", s_connections);
    fflush(stdout);
    for (;;)
        pause();
}

int
main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: hostile SOCKET KIND SEED N\n");
        return 2;
    }
    s_path = argv[1];
    s_random = strtoull(argv[3], NULL, 10) * 2 + 1;
    unsigned long n = strtoul(argv[4], NULL, 10);
    if (strcmp(argv[2], "silent") == 0)
        s_be_silent(n);
    for (size_t i = 0; i < sizeof s_kinds / sizeof *s_kinds; i++)
        if (strcmp(argv[2], s_kinds[i].name) == 0)
            s_attack(&s_kinds[i], n);
    printf("connections %u\n", s_connections);
    return 0;
}
