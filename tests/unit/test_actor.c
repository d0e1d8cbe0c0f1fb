//  Starting, running and stopping actors.

#include <criterion/criterion.h>

#include "actor.h"
#include "errors.h"
#include "guest.h"
#include "wire.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(actor, .timeout = 60);

//  An actor that does what its arguments say.
typedef struct {
    artel_start_t start;
    zsock_t *a, *b;             //  PAIR; its own now
    int fail_with;              //  start fails with this
    int hang_fd;                //  a pipe to read from for ever, or 0
    int chatter;                //  messages to send to its parent, unasked
    bool leave;                 //  return at once
    atomic_uint handled_a, handled_b;
    atomic_uint rounds;         //  how often tick was called
    int limit;                  //  messages a reader takes at once
    zsock_t *pipe;
} args_t;

static int
s_take_some(args_t *self, zsock_t *from, zsock_t *to, atomic_uint *count)
{
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    for (int i = 0; i < self->limit && artel_wire_take(from, &frame); i++) {
        atomic_fetch_add(count, 1);
        artel_wire_forward(to, &frame);
        zmq_msg_init(&frame);
    }
    zmq_msg_close(&frame);
    return 0;
}

static int
s_read_pipe(void *arg)
{
    return artel_actor_read_pipe(((args_t *) arg)->pipe);
}

static int
s_read_a(void *arg)
{
    args_t *self = arg;
    return s_take_some(self, self->a, self->b, &self->handled_a);
}

static int
s_read_b(void *arg)
{
    args_t *self = arg;
    return s_take_some(self, self->b, self->a, &self->handled_b);
}

static int
s_tick(void *arg)
{
    atomic_fetch_add(&((args_t *) arg)->rounds, 1);
    return -1;
}

//  A loop in the test's own thread: what its peer sends arrives while it sends, and the send
//  takes the edge of the descriptor, as it is more than a millisecond since libzmq looked.
typedef struct {
    zsock_t *mine, *peers;
    unsigned rounds;
} crossing_t;

static int
s_tick_crossing(void *arg)
{
    crossing_t *self = arg;
    if (self->rounds++ < 3)
        return 2;                               //  by then the loop knows that there is nothing
    if (self->rounds == 4) {
        cr_assert_eq(artel_wire_put(self->peers, "x", 1), 0);
        cr_assert_eq(artel_wire_put(self->mine, "y", 1), 0);
    }
    return 5000;
}

static int
s_read_crossing(void *arg)
{
    char byte;
    return artel_wire_get(((crossing_t *) arg)->mine, &byte, 1);
}

Test(actor, input_that_arrives_while_tick_sends_is_served_at_once)
{
    crossing_t self = { .rounds = 0 };
    cr_assert_eq(artel_guest_enter(), 0);
    cr_assert_eq(artel_sock_pair(&self.mine, &self.peers), 0);
    int64_t start = artel_now_ms();
    artel_reader_t reader = { .sock = self.mine, .fn = s_read_crossing };
    cr_assert_eq(artel_actor_loop(&reader, 1, s_tick_crossing, &self), 1);
    cr_assert_lt(artel_now_ms() - start, 4000, "it slept over its input");
    zsock_destroy(&self.mine);
    zsock_destroy(&self.peers);
}

//  A loop whose tick returns these waits, one a round; a message is there for the second round.
typedef struct {
    zsock_t *mine, *peers;
    const int *waits;
    unsigned rounds;
    int64_t start;
} waits_t;

static int
s_tick_waits(void *arg)
{
    waits_t *self = arg;
    return self->waits[self->rounds++];
}

static int
s_read_waits(void *arg)
{
    char byte;
    return artel_wire_get(((waits_t *) arg)->mine, &byte, 1) && byte == 'e';
}

static waits_t
s_waits_begin(const int *waits)
{
    waits_t self = { .waits = waits, .start = artel_now_ms() };
    cr_assert_eq(artel_guest_enter(), 0);
    cr_assert_eq(artel_sock_pair(&self.mine, &self.peers), 0);
    cr_assert_eq(artel_wire_put(self.peers, "x", 1), 0);
    return self;
}

//  Run the loop to its end; how long that took.
static int
s_waits_end(waits_t *self)
{
    artel_reader_t reader = { .sock = self->mine, .fn = s_read_waits };
    artel_actor_loop(&reader, 1, s_tick_waits, self);
    zsock_destroy(&self->mine);
    zsock_destroy(&self->peers);
    return (int) (artel_now_ms() - self->start);
}

Test(actor, who_wants_to_be_woken_sooner_than_before_is)
{
    waits_t self = s_waits_begin((int[]) { 10000, 10000, 10000, 30, ARTEL_TICK_OVER });
    self.rounds = 2;                            //  the message is read behind the third wait
    int took = s_waits_end(&self);
    cr_assert(took >= 29 && took < 5000, "%d", took);
}

Test(actor, who_wants_to_be_woken_later_than_before_is_and_costs_one_round_more)
{
    waits_t self = s_waits_begin((int[]) { 20, 200, 180, ARTEL_TICK_OVER });
    int took = s_waits_end(&self);
    cr_assert(took >= 199 && took < 5000, "%d", took);
    cr_assert_eq(self.rounds, 4);
}

static void *
s_end_waits_later(void *arg)
{
    usleep(200000);
    artel_wire_put(((waits_t *) arg)->peers, "e", 1);
    return NULL;
}

Test(actor, who_wants_not_to_be_woken_any_more_is_not)
{
    pthread_t thread;
    waits_t self = s_waits_begin((int[]) { 20, -1, ARTEL_TICK_OVER });
    pthread_create(&thread, NULL, s_end_waits_later, &self);
    int took = s_waits_end(&self);
    pthread_join(thread, NULL);
    cr_assert_geq(took, 199);
    cr_assert_eq(self.rounds, 2);
}

static void
s_actor(zsock_t *pipe, void *arg)
{
    args_t *self = arg;
    char byte;
    artel_actor_enter(&self->start);
    self->pipe = pipe;
    self->start.rc = self->fail_with;
    zsock_signal(pipe, 0);
    for (int i = 0; i < self->chatter; i++)
        zstr_send(pipe, "still here");
    if (self->hang_fd)
        (void) !read(self->hang_fd, &byte, 1);
    else if (!self->leave && self->fail_with == 0)
        artel_actor_loop((artel_reader_t[]) {
            { .sock = pipe, .fn = s_read_pipe },
            { .sock = self->a, .fn = s_read_a },
            { .sock = self->b, .fn = s_read_b },
        }, self->a ? 3 : 1, s_tick, self);
    zsock_destroy(&self->a);
    zsock_destroy(&self->b);
}

static unsigned
s_threads(void)
{
    unsigned n = 0;
    DIR *dir = opendir("/proc/self/task");
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2;
}

//  Wait until only the threads of the context are left: an actor's own is detached.
static void
s_expect_threads(unsigned n)
{
    for (int i = 0; i < 1000 && s_threads() > n; i++)
        usleep(1000);
    cr_assert_leq(s_threads(), n);
}

static zactor_t *
s_start(args_t *args)
{
    zactor_t *actor = NULL;
    args->start.name = "artel/test";
    cr_assert_eq(artel_actor_start(&actor, s_actor, &args->start), 0);
    cr_assert_not_null(actor);
    return actor;
}

Test(actor, starts_and_stops)
{
    zactor_t *actor = s_start(&(args_t) { .limit = 1 });
    cr_assert_eq(artel_actor_stop(&actor, 5000), 0);
    cr_assert_null(actor);
    cr_assert_eq(artel_actor_stop(&actor, 5000), 0, "nothing to stop");
}

Test(actor, that_cannot_start_says_why_and_leaves_no_thread)
{
    args_t args = { .fail_with = ARTEL_ENOSPC };
    zactor_t *warm = s_start(&(args_t) { .limit = 1 }), *actor = NULL;
    artel_actor_stop(&warm, 5000);
    unsigned before = s_threads();
    cr_assert_eq(artel_actor_start(&actor, s_actor, &args.start), ARTEL_ENOSPC);
    cr_assert_null(actor);
    s_expect_threads(before);
}

Test(actor, is_not_started_without_descriptors)
{
    zactor_t *actor = NULL;
    struct rlimit limit = { 8, 8 };
    args_t args = { .limit = 1 };
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_assert_eq(artel_actor_start(&actor, s_actor, &args.start), ARTEL_EMFILE);
    cr_assert_null(actor);
}

//  In a child, since nobody gets his rights back.
Test(actor, is_not_started_without_a_thread)
{
    zactor_t *actor = s_start(&(args_t) { .limit = 1 });
    artel_actor_stop(&actor, 5000);
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit limit = { 0, 0 };
        args_t args = { .limit = 1 };
        bool poor = setrlimit(RLIMIT_NPROC, &limit) == 0 && (geteuid() != 0 || setuid(65534) == 0);
        _exit(poor && artel_actor_start(&actor, s_actor, &args.start) == ARTEL_EAGAIN ? 0 : 1);
    }
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert_eq(status, 0);
}

Test(actor, that_is_stuck_is_left_alone_in_time)
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    args_t args = { .hang_fd = fds[0] };
    static zactor_t *left;                      //  it stays, so it is no leak
    zactor_t *actor = left = s_start(&args);
    int64_t before = artel_now_ms();
    cr_assert_eq(artel_actor_stop(&actor, 200), ARTEL_ETIMEOUT);
    cr_assert_lt(artel_now_ms() - before, 1000);
    cr_assert_null(actor);
}

Test(actor, whose_pipe_is_full_still_gets_its_term)
{
    args_t args = { .limit = 1, .chatter = 900 };
    zactor_t *actor = s_start(&args);
    while (atomic_load(&args.rounds) == 0)
        usleep(1000);
    cr_assert_eq(artel_actor_stop(&actor, 5000), 0);
}

Test(actor, that_has_ended_by_itself_can_be_stopped)
{
    args_t args = { .leave = true };
    zactor_t *actor = s_start(&args);
    zmq_pollitem_t item = { zsock_resolve(actor), 0, ZMQ_POLLIN, 0 };
    cr_assert_eq(zmq_poll(&item, 1, 5000), 1);
    cr_assert_eq(artel_actor_stop(&actor, 5000), 0);
}

static void
s_ignore(int number)
{
    (void) number;
}

Test(actor, signals_of_the_host_do_not_cut_start_or_stop_short)
{
    struct sigaction action = { .sa_handler = s_ignore };
    struct itimerval often = { { 0, 500 }, { 0, 500 } };
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < 50; i++) {
        zactor_t *actor = s_start(&(args_t) { .limit = 1 });
        cr_assert_eq(artel_actor_stop(&actor, 5000), 0);
    }
    setitimer(ITIMER_REAL, &(struct itimerval) { 0 }, NULL);
}

Test(actor, its_thread_has_its_name)
{
    zactor_t *actor = s_start(&(args_t) { .limit = 1 });
    char path[300], name[32] = "";
    bool found = false;
    DIR *dir = opendir("/proc/self/task");
    for (struct dirent *entry; !found && (entry = readdir(dir)); ) {
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        FILE *in = fopen(path, "r");
        if (in && fgets(name, sizeof name, in))
            found = strcmp(name, "artel/test\n") == 0;
        if (in)
            fclose(in);
    }
    closedir(dir);
    cr_assert(found);
    artel_actor_stop(&actor, 5000);
}

//  The loop. What the test sends to one of two sockets the actor sends back on
//  the other.

typedef struct {
    args_t args;
    zsock_t *a, *b;
    zactor_t *actor;
} relay_t;

static void
s_relay_start(relay_t *relay, int limit)
{
    *relay = (relay_t) { .args.limit = limit };
    cr_assert_eq(artel_guest_enter(), 0);
    cr_assert_eq(artel_sock_pair(&relay->a, &relay->args.a), 0);
    cr_assert_eq(artel_sock_pair(&relay->b, &relay->args.b), 0);
    relay->actor = s_start(&relay->args);
}

static void
s_relay_stop(relay_t *relay)
{
    cr_assert_eq(artel_actor_stop(&relay->actor, 5000), 0);
    zsock_destroy(&relay->a);
    zsock_destroy(&relay->b);
}

static void
s_expect(zsock_t *sock, int n)
{
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    zmq_pollitem_t item = { zsock_resolve(sock), 0, ZMQ_POLLIN, 0 };
    for (int got = 0; got < n; ) {
        cr_assert_eq(zmq_poll(&item, 1, 5000), 1, "the loop slept though there was input");
        while (artel_wire_take(sock, &frame))
            got++;
    }
    zmq_msg_close(&frame);
}

Test(actor, a_reader_that_stops_early_is_called_again)
{
    relay_t relay;
    s_relay_start(&relay, 1);
    for (int i = 0; i < 1000; i++)
        zstr_send(relay.a, "x");
    s_expect(relay.b, 1000);
    s_relay_stop(&relay);
}

//  libzmq takes the edge of a socket's descriptor when something is sent on that
//  socket more than a millisecond after it last looked.
Test(actor, input_whose_edge_a_send_has_taken_is_found)
{
    relay_t relay;
    s_relay_start(&relay, 100);
    for (int i = 0; i < 400; i++) {
        zstr_send(relay.a, "x");
        zstr_send(relay.b, "x");
        s_expect(relay.a, 1);
        s_expect(relay.b, 1);
        usleep(1000 + (unsigned) i % 5 * 100);
    }
    s_relay_stop(&relay);
}

Test(actor, an_idle_loop_makes_no_rounds)
{
    relay_t relay;
    s_relay_start(&relay, 100);
    zstr_send(relay.a, "x");
    s_expect(relay.b, 1);
    usleep(20000);
    unsigned before = atomic_load(&relay.args.rounds);
    usleep(300000);
    cr_assert_eq(atomic_load(&relay.args.rounds), before);
    s_relay_stop(&relay);
}
