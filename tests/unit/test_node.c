//  A whole node, but for the store: here it is a fake that keeps positions and
//  versions as a store does, and fails when the test says so.

#include "actors.h"
#include "batch.h"
#include "node.h"
#include "pending.h"
#include "store.h"
#include "transfer.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

//  The fake. What it knows outlives a node, as a store does. One thread at a time
//  but for the counts.

enum { MAX_WRITERS = 64 };

static struct {
    artel_id_t writer;
    uint64_t position;
} s_positions[MAX_WRITERS];
static unsigned s_n_positions;
static artel_id_t s_xids[MAX_WRITERS];
static unsigned s_n_xids;           //  versions, numbered as they came
static atomic_uint s_applied;       //  batches
static atomic_uint s_repeated;      //  batches that were here before
static atomic_int s_start_rc;       //  the next backend cannot start
static atomic_int s_fail_with;      //  everything is refused with this
static atomic_bool s_stuck;         //  nothing is read, for ever
static atomic_uint s_running;       //  stores

typedef struct {
    zsock_t *pipe, *sender;
    artel_wire_t wire;
} store_t;

static uint64_t *
s_position(artel_id_t writer)
{
    for (unsigned i = 0; i < s_n_positions; i++)
        if (artel_id_equal(s_positions[i].writer, writer))
            return &s_positions[i].position;
    s_positions[s_n_positions].writer = writer;
    return &s_positions[s_n_positions++].position;
}

//  The version an xid made, or s_n_xids.
static unsigned
s_version(artel_id_t xid)
{
    unsigned version = 0;
    while (version < s_n_xids && !artel_id_equal(s_xids[version], xid))
        version++;
    return version;
}

static void
s_commit(store_t *self, const artel_msg_deliver_t *deliver, artel_id_t xid)
{
    unsigned version = s_version(xid);
    bool fresh = version == s_n_xids;
    if (fresh)
        s_xids[s_n_xids++] = xid;
    artel_wire_send(&self->wire, self->sender, "sender", &(artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_DONE,
        .artifact_done = { .xid = xid, .version = version, .fresh = fresh, .writer = deliver->writer,
                           .counter = deliver->counter } });
}

static int
s_apply(store_t *self, const artel_msg_deliver_t *deliver)
{
    uint64_t *position = s_position(deliver->writer);
    artel_msg_t head;
    size_t used;
    if (atomic_load(&s_fail_with))
        return atomic_load(&s_fail_with);
    if (deliver->after > *position)
        return ARTEL_EAGAIN;
    atomic_fetch_add(deliver->counter > *position ? &s_applied : &s_repeated, 1);
    artel_id_t writer = deliver->writer, xid;
    artel_msg_deliver_t kept = *deliver;
    if (artel_msg_unpack(deliver->batch.at, deliver->batch.len, &self->wire.zone, &head, &used) == 0
        && head.batch.xids.len == sizeof xid) {
        memcpy(xid.at, head.batch.xids.at, sizeof xid);
        s_commit(self, &kept, xid);
    }
    if (kept.counter > *s_position(writer))
        *s_position(writer) = kept.counter;
    return 0;
}

static void
s_take(void *arg, const artel_msg_t *msg, zmq_msg_t *frame)
{
    (void) frame;
    store_t *self = arg;
    artel_msg_t answer = { 0 };
    if (msg->id == ARTEL_MSG_POSITION_GET)
        answer = (artel_msg_t) { .id = ARTEL_MSG_POSITION, .position = { msg->position_get.writer,
            *s_position(msg->position_get.writer), atomic_load(&s_fail_with), artel_str("it does not like it") } };
    if (msg->id == ARTEL_MSG_DELIVER)
        answer = (artel_msg_t) { .id = ARTEL_MSG_DELIVERED, .delivered = { .writer = msg->deliver.writer,
            .counter = msg->deliver.counter, .code = s_apply(self, &msg->deliver) } };
    if (msg->id == ARTEL_MSG_RESOLVE)
        answer = (artel_msg_t) { .id = ARTEL_MSG_RESOLVED, .resolved = { .token = msg->resolve.token, .version = 5 } };
    if (msg->id == ARTEL_MSG_RECALL)
        answer = (artel_msg_t) { .id = ARTEL_MSG_RECALLED, .recalled = { .token = msg->recall.token,
            .xid = msg->recall.xid, .known = s_version(msg->recall.xid) < s_n_xids,
            .version = s_version(msg->recall.xid) } };
    if (answer.id)
        artel_wire_send(&self->wire, self->sender, "sender", &answer);
}

static int
s_read_pipe(void *arg)
{
    return artel_actor_read_pipe(((store_t *) arg)->pipe);
}

static int
s_read_sender(void *arg)
{
    store_t *self = arg;
    while (atomic_load(&s_stuck))
        pause();
    artel_wire_drain(&self->wire, self->sender, UINT32_MAX, s_take, self);
    return 0;
}

void
artel_store(zsock_t *pipe, void *arg)
{
    artel_store_args_t *args = arg;
    artel_actor_enter(&args->start);
    store_t self = { .pipe = pipe, .sender = args->sender };
    int rc = artel_wire_init(&self.wire, "store");
    rc = rc ? rc : atomic_load(&s_start_rc);
    args->start.rc = rc;
    zsock_signal(pipe, 0);
    atomic_fetch_add(&s_running, 1);
    if (rc == 0)
        artel_actor_loop((artel_reader_t[]) {
            { .sock = self.pipe, .fn = s_read_pipe },
            { .sock = self.sender, .fn = s_read_sender },
        }, 2, NULL, &self);
    atomic_fetch_sub(&s_running, 1);
    zsock_destroy(&self.sender);
    artel_wire_done(&self.wire);
}

//  The node, and a client.

static artel_node_t *s_node;
static zsock_t *s_client;
static char s_why[256];

static int
s_start_node(const char *sinks, artel_node_t **ret)
{
    return artel_node_start(&(artel_node_args_t) { .state = s_state, .sinks = sinks }, ret, s_why, sizeof s_why);
}

static void
s_start(const char *sinks)
{
    cr_assert_eq(s_start_node(sinks, &s_node), 0, "%s", s_why);
    s_client = artel_sock_new(ZMQ_DEALER);
    cr_assert_eq(zsock_connect(s_client, "%s", artel_node_endpoint(s_node)), 0);
}

static void
s_stop(void)
{
    zsock_destroy(&s_client);
    artel_node_stop(&s_node, 10000);
    cr_assert_null(s_node);
}

static void
s_setup(void)
{
    s_begin();
}

TestSuite(node, .init = s_setup, .fini = s_end, .timeout = 60);

static artel_msg_t
s_open(const char *run, artel_id_t writer)
{
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_RUN_OPEN, .run_open = { artel_str(run), writer,
        ARTEL_RESUMES_ALLOW } });
    return s_await(s_client, ARTEL_MSG_RUN_OPENED);
}

static void
s_batch(batch_t batch)
{
    batch.writer = s_id;
    s_send_batch(s_client, batch);
}

static void
s_await_marks(uint64_t accepted, uint64_t durable, uint64_t delivered)
{
    artel_msg_accepted_t marks = { 0 };
    while (marks.accepted < accepted || marks.durable < durable || marks.delivered < delivered)
        marks = s_await(s_client, ARTEL_MSG_ACCEPTED).accepted;
}

static void
s_flush(uint64_t counter)
{
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_FLUSH, .flush = { s_id, counter, ARTEL_TO_DELIVERED } });
}

static artel_msg_artifact_poll_response_t
s_poll(const char *sink)
{
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_POLL, .artifact_poll = {
        s_xid, artel_str(sink), 5000 } });
    return s_await(s_client, ARTEL_MSG_ARTIFACT_POLL_RESPONSE).artifact_poll_response;
}

static artel_msg_adopted_t
s_adopt(uint64_t wait_ms)
{
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_ADOPT, .adopt = { 1, wait_ms } });
    return s_await(s_client, ARTEL_MSG_ADOPTED).adopted;
}

static void
s_await_unpending(const char *run, artel_id_t writer)
{
    for (int ms = 0; s_is_pending(run, writer); ms++) {
        cr_assert_lt(ms, 5000, "the mark stays");
        usleep(1000);
    }
}

Test(node, takes_a_run_from_its_opening_to_the_end_of_its_mark)
{
    s_start("store");
    cr_assert_eq(s_open("r", s_id).run_opened.code, 0);
    s_batch((batch_t) { .counter = 1, .with_xid = true });
    cr_assert_eq(s_await(s_client, ARTEL_MSG_ARTIFACT_SEND_RESPONSE).artifact_send_response.xid.at[0], s_xid.at[0]);
    artel_msg_artifact_poll_response_t done = s_poll("");
    cr_assert_eq(done.state, ARTEL_POLL_READY);
    cr_assert_eq(done.version, 0);
    cr_assert(done.fresh);
    s_batch((batch_t) { .counter = 2, .ends = true });
    s_flush(2);
    s_await_marks(2, 2, 2);
    cr_assert(s_is_pending("r", s_id), "its journal is not closed");
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_RUN_CLOSE, .run_close = { s_id } });
    s_await_unpending("r", s_id);
    s_stop();
    cr_assert_eq(atomic_load(&s_applied), 2);
    cr_assert_eq(atomic_load(&s_repeated), 0);
    cr_assert_eq(atomic_load(&s_running), 0);
}

Test(node, delivers_within_a_second_what_nobody_waits_for)
{
    s_start("store");
    s_open("r", s_id);
    s_batch((batch_t) { .counter = 1 });
    s_await_marks(1, 1, 1);
    s_stop();
}

Test(node, answers_a_reader)
{
    s_start("store");
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_RESOLVE, .resolve = { .token = 3, .name = artel_str("m") } });
    artel_msg_t msg = s_await(s_client, ARTEL_MSG_RESOLVED);
    cr_assert_eq(msg.resolved.token, 3);
    cr_assert_eq(msg.resolved.version, 5);
    s_stop();
}

Test(node, refuses_sinks_it_does_not_understand_with_a_sentence)
{
    cr_assert_eq(s_start_node("stoer", &s_node), ARTEL_EINVAL);
    cr_assert_not_null(strstr(s_why, "'stoer'"));
}

Test(node, adopts_what_a_killed_program_left_and_delivers_it_once)
{
    pid_t pid = fork();
    if (pid == 0) {
        s_start("store");
        s_open("r", s_id);
        for (uint64_t i = 1; i <= 20; i++)
            s_batch((batch_t) { .counter = i });
        s_await_marks(20, 0, 0);
        raise(SIGKILL);
    }
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    s_start("store");
    artel_msg_adopted_t adopted = s_adopt(10000);
    cr_assert_eq(adopted.code, 0);
    cr_assert_eq(adopted.journals, 1);
    cr_assert_eq(adopted.undelivered, 0);
    cr_assert_not(s_is_pending("r", s_id));
    cr_assert_eq(atomic_load(&s_applied), 21, "with its exit");
    cr_assert_eq(s_adopt(10000).journals, 0);
    s_stop();
    cr_assert_eq(atomic_load(&s_repeated), 0);
}

Test(node, leaves_a_run_of_this_process_alone_that_lives_in_another_node)
{
    artel_node_t *other;
    s_start("store");
    s_open("r", s_id);
    s_batch((batch_t) { .counter = 1 });
    s_await_marks(1, 1, 1);
    cr_assert_eq(s_start_node("store", &other), 0);
    zsock_t *first = s_client;
    s_client = artel_sock_new(ZMQ_DEALER);
    zsock_connect(s_client, "%s", artel_node_endpoint(other));
    artel_msg_adopted_t adopted = s_adopt(10000);
    cr_assert_eq(adopted.code, 0);
    cr_assert_eq(adopted.journals, 0);
    zsock_destroy(&s_client);
    s_client = first;
    s_batch((batch_t) { .counter = 2 });
    s_await_marks(2, 2, 2);
    artel_node_stop(&other, 5000);
    s_stop();
    cr_assert_eq(atomic_load(&s_applied), 2);
}

Test(node, delivers_later_what_was_on_its_way_when_it_stopped)
{
    enum { N = 500 };
    s_start("store");
    s_open("r", s_id);
    for (uint64_t i = 1; i <= N; i++)
        s_batch((batch_t) { .counter = i, .padding = 1000, .ends = i == N });
    s_await_marks(N, 0, 0);
    s_stop();
    s_start("store");
    artel_msg_adopted_t adopted = s_adopt(20000);
    cr_assert_eq(adopted.code, 0);
    cr_assert_not(s_is_pending("r", s_id));
    s_stop();
    cr_assert_eq(*s_position(s_id), N);
    cr_assert_eq(atomic_load(&s_applied), N);
}

//  After a restart the handler knows no xid. The store does, and if the client sends
//  again, says the same version.
Test(node, an_artifact_sent_again_after_a_restart_is_the_same_version)
{
    s_start("store");
    s_open("r", s_id);
    s_batch((batch_t) { .counter = 1, .with_xid = true });
    cr_assert_eq(s_poll("").version, 0);
    s_stop();
    s_start("store");
    cr_assert_eq(s_open("r", s_id).run_opened.accepted, 1);
    artel_msg_artifact_poll_response_t recalled = s_poll("");
    cr_assert_eq(recalled.state, ARTEL_POLL_READY);
    cr_assert_eq(recalled.version, 0);
    s_batch((batch_t) { .counter = 2, .with_xid = true });
    artel_msg_artifact_poll_response_t done = s_poll("");
    cr_assert_eq(done.state, ARTEL_POLL_READY);
    cr_assert_eq(done.version, 0);
    s_stop();
    cr_assert_eq(s_n_xids, 1);
}

Test(node, says_why_its_sink_takes_nothing_and_goes_on_when_it_does)
{
    s_start("store");
    s_open("r", s_id);
    atomic_store(&s_fail_with, ARTEL_ENOSPC);
    s_batch((batch_t) { .counter = 1, .with_xid = true });
    while (s_await(s_client, ARTEL_MSG_ACCEPTED).accepted.code != ARTEL_ENOSPC)
        continue;
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_ARTIFACT_POLL, .artifact_poll = { .xid = s_xid } });
    artel_msg_t msg = s_await(s_client, ARTEL_MSG_ARTIFACT_POLL_RESPONSE);
    cr_assert_eq(msg.artifact_poll_response.state, ARTEL_POLL_PENDING);
    cr_assert_eq(msg.artifact_poll_response.status, ARTEL_ENOSPC);
    atomic_store(&s_fail_with, 0);
    cr_assert_eq(s_poll("").state, ARTEL_POLL_READY);
    s_stop();
}

Test(node, starts_without_a_sink_that_cannot_and_journals_for_it)
{
    atomic_store(&s_start_rc, ARTEL_EVERSION);
    s_start("store");
    s_open("r", s_id);
    s_batch((batch_t) { .counter = 1, .ends = true });
    s_flush(1);
    while (s_await(s_client, ARTEL_MSG_ACCEPTED).accepted.code != ARTEL_EVERSION)
        continue;
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_RUN_CLOSE, .run_close = { s_id } });
    s_stop();
    cr_assert(s_is_pending("r", s_id));
    atomic_store(&s_start_rc, 0);
    s_start("store");
    cr_assert_eq(s_adopt(10000).code, 0);
    cr_assert_not(s_is_pending("r", s_id));
    s_stop();
}

Test(node, in_another_machines_directory_only_journals)
{
    char *path = artel_format("%s/host", s_state);
    FILE *out = fopen(path, "w");
    fputs("elsewhere 00000000000000000000000000000000\n", out);
    fclose(out);
    s_start("store");
    cr_assert_eq(atomic_load(&s_running), 0, "the catalogue is not touched");
    cr_assert_eq(s_open("r", s_id).run_opened.code, 0);
    s_batch((batch_t) { .counter = 1, .ends = true });
    s_flush(1);
    s_await_marks(1, 1, 0);
    cr_assert_eq(s_adopt(10000).code, ARTEL_EACCES);
    s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_RUN_CLOSE, .run_close = { s_id } });
    s_stop();
    cr_assert_eq(unlink(path), 0);              //  the disk has moved: it is ours now
    free(path);
    cr_assert_eq(artel_state_make(s_state), 0);
    s_start("store");
    cr_assert_eq(s_adopt(10000).code, 0);
    s_stop();
    cr_assert_eq(atomic_load(&s_applied), 1);
}

static unsigned
s_threads(void)
{
    unsigned n = 0;
    DIR *dir = opendir("/proc/self/task");
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static void
s_expect_threads(unsigned n)
{
    for (int i = 0; i < 2000 && s_threads() > n; i++)
        usleep(1000);
    cr_assert_leq(s_threads(), n);
}

Test(node, starts_whole_or_not_at_all_however_few_descriptors_there_are)
{
    s_start("store");
    s_stop();
    unsigned threads = s_threads(), started = 0, refused = 0;
    struct rlimit old;
    getrlimit(RLIMIT_NOFILE, &old);
    for (rlim_t limit = 20; limit < 160; limit += 3) {
        setrlimit(RLIMIT_NOFILE, &(struct rlimit) { limit, old.rlim_max });
        int rc = s_start_node("store,copy=store:/x", &s_node);
        started += rc == 0;
        refused += rc == ARTEL_EMFILE;
        cr_assert(rc == 0 || rc == ARTEL_EMFILE, "%d", rc);
        if (rc == 0)
            artel_node_stop(&s_node, 10000);
        setrlimit(RLIMIT_NOFILE, &old);
        s_expect_threads(threads);
    }
    cr_assert_gt(started, 0);
    cr_assert_gt(refused, 0);
}

//  How many descriptors a node needs to start.
static int
s_least_fds(const char *sinks)
{
    struct rlimit old;
    int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC), n = 0, rc;
    close(lowest);
    getrlimit(RLIMIT_NOFILE, &old);
    do {
        setrlimit(RLIMIT_NOFILE, &(struct rlimit) { (rlim_t) (lowest + ++n), old.rlim_max });
        rc = s_start_node(sinks, &s_node);
    } while (rc == ARTEL_EMFILE && n < 500);
    setrlimit(RLIMIT_NOFILE, &old);
    cr_assert_eq(rc, 0, "%s", s_why);
    artel_node_stop(&s_node, 10000);
    return n;
}

Test(node, asks_for_the_descriptors_of_the_connections_too)
{
    s_start("store");
    s_stop();
    int copy = s_least_fds("store,copy=store:/x");
    cr_assert_geq(s_least_fds("store,wandb:http://127.0.0.1:1"), copy + ARTEL_TRANSFER_FDS);
}

Test(node, there_are_only_so_many_in_a_process_and_the_next_is_refused)
{
    enum { MAX = 64 };
    artel_node_t *nodes[MAX];
    int n = 0, rc;
    while (n < MAX && (rc = s_start_node("store", &nodes[n])) == 0)
        n++;
    cr_assert_eq(rc, ARTEL_EMFILE);
    cr_assert_gt(n, 10);
    artel_node_stop(&nodes[--n], 10000);
    cr_assert_eq(s_start_node("store", &nodes[n]), 0);
    for (int i = 0; i <= n; i++)
        artel_node_stop(&nodes[i], 10000);
}

//  In a child, which leaves behind what hangs.
Test(node, stops_in_time_though_a_backend_hangs)
{
    pid_t pid = fork();
    if (pid == 0) {
        s_start("store");
        s_open("r", s_id);
        s_batch((batch_t) { .counter = 1 });
        atomic_store(&s_stuck, true);
        s_flush(1);
        s_await_marks(1, 1, 0);
        int64_t before = artel_now_ms();
        artel_node_stop(&s_node, 500);
        _exit(artel_now_ms() - before < 1500 ? 0 : 1);
    }
    int status;
    uint64_t last;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert_eq(status, 0);
    cr_assert_eq(artel_pending_sealed(s_state, "r", s_id, &last), 0, "its journal is not closed");
    cr_assert_eq(last, 1);
}

//  Context switches of the actors' and libzmq's threads: each wake is one.
static unsigned long
s_wakes(void)
{
    unsigned long sum = 0, n;
    char path[300], line[128];
    DIR *dir = opendir("/proc/self/task");
    for (struct dirent *entry; (entry = readdir(dir)); ) {
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        FILE *in = fopen(path, "r");
        bool ours = in && fgets(line, sizeof line, in)
                    && (strstr(line, "artel/") || strstr(line, "ZMQ"));
        while (ours && fgets(line, sizeof line, in))
            if (sscanf(line, "voluntary_ctxt_switches: %lu", &n) == 1)
                sum += n;
        if (in)
            fclose(in);
    }
    closedir(dir);
    return sum;
}

//  Wait until nobody has woken up for a while: the second store takes its time.
static unsigned long
s_settle(void)
{
    unsigned long before, now = s_wakes();
    int64_t deadline = artel_now_ms() + 20000;
    do {
        before = now;
        usleep(500000);
        now = s_wakes();
    } while (now != before && artel_now_ms() < deadline);
    return now;
}

Test(node, sleeps_while_there_is_nothing_to_do)
{
    s_start("store,copy=store:/x");
    s_open("r", s_id);
    s_batch((batch_t) { .counter = 1 });
    s_flush(1);
    s_await_marks(1, 1, 1);
    unsigned long before = s_settle();
    cr_assert_gt(before, 0);
    usleep(1500000);
    cr_assert_eq(s_wakes() - before, 0, "an actor woke up");
    s_stop();
}

Test(node, keeps_nothing_of_runs_that_are_over)
{
    enum { N = 200 };
    s_start("store");
    for (unsigned i = 0; i < N; i++) {
        char run[16];
        snprintf(run, sizeof run, "run-%u", i);
        cr_assert_eq(s_open(run, s_id).run_opened.code, 0);
        s_batch((batch_t) { .run = run, .counter = 1, .ends = true });
        s_await_marks(1, 0, 0);
        s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_RUN_CLOSE, .run_close = { s_id } });
        s_await_unpending(run, s_id);
        //  The same writer in another run would be refused if it were remembered.
        s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_FLUSH, .flush = { .writer = s_id } });
        artel_msg_t msg = s_recv(s_client);
        while (msg.id != ARTEL_MSG_REFUSED) {
            s_send(s_client, (artel_msg_t) { .id = ARTEL_MSG_FLUSH, .flush = { .writer = s_id } });
            msg = s_recv(s_client);
        }
        cr_assert_eq(msg.refused.code, ARTEL_ECLOSED);
    }
    s_stop();
}
