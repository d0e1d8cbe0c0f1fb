//  Requests over HTTP, against a server that misbehaves on demand.

#include "scripted.h"

#include <fcntl.h>
#include <sys/resource.h>

TestSuite(transfer, .init = s_setup, .fini = s_teardown, .timeout = 60);

enum { LARGE = 3 * 1024 * 1024 };

static char s_large[LARGE];

static void
s_fill_large(void)
{
    for (size_t i = 0; i < LARGE; i++)
        s_large[i] = (char) (i * 2654435761u >> 13);
}

Test(transfer, sends_the_headers_it_is_given_and_no_others)
{
    static const char *const headers[] = { "Content-Type: application/json", "X-A: b", "X-Empty:", NULL };
    artel_http_t post = { .method = "POST", .url = s_url("/p"), .headers = headers, .body = { "hello", -1, 0, 5 } };
    artel_http_t get = { .method = "GET", .url = s_url("/g?x=1") };
    char wanted[512];
    s_do(&post);
    S_CODE(&post, 0);
    cr_assert_eq(post.status, 200);
    snprintf(wanted, sizeof wanted, "POST /p HTTP/1.1\nHost: 127.0.0.1:%u\nUser-Agent: artel\nAccept: */*\n"
             "Content-Type: application/json\nX-A: b\nX-Empty:\nContent-Length: 5\n%s", s_port, s_account("hello", 5));
    cr_assert_str_eq(post.answer, wanted);
    cr_assert_eq(post.answer_size, strlen(wanted));
    cr_assert_eq(atomic_load(&post.bytes), 5);
    s_do(&get);
    snprintf(wanted, sizeof wanted, "GET /g?x=1 HTTP/1.1\nHost: 127.0.0.1:%u\nUser-Agent: artel\nAccept: */*\n%s",
             s_port, s_account("", 0));
    cr_assert_str_eq(get.answer, wanted);
    artel_http_done(&post);
    artel_http_done(&get);
}

Test(transfer, says_how_long_a_body_is_itself_also_of_an_empty_one)
{
    static const char *const headers[] = { "Content-Length: 7", "transfer-encoding: chunked", "Expect: 100-continue", NULL };
    artel_http_t put = { .method = "PUT", .url = s_url("/p"), .headers = headers };
    s_do(&put);
    S_CODE(&put, 0);
    S_HAS(&put, "\nContent-Length: 0\n");
    artel_http_done(&put);
    put.body = (artel_http_body_t) { "0123456789", -1, 0, 10 };
    s_do(&put);
    S_HAS(&put, "\nContent-Length: 10\n");
    artel_http_done(&put);
    s_fill_large();                     //  one for which libcurl would like to expect 100
    put.body = (artel_http_body_t) { s_large, -1, 0, LARGE };
    s_do(&put);
    S_HAS(&put, s_account(s_large, LARGE));
    artel_http_done(&put);
    cr_assert_eq(s_seen("wrong"), 0);
}

static int
s_large_file(void)
{
    s_fill_large();
    FILE *file = tmpfile();
    cr_assert(file && fwrite(s_large, 1, LARGE, file) == LARGE && fflush(file) == 0);
    return fileno(file);
}

Test(transfer, sends_a_range_of_a_file)
{
    artel_http_t put = { .method = "PUT", .url = s_url("/p"), .body = { NULL, s_large_file(), 777, 1000001 } };
    s_do(&put);
    S_CODE(&put, 0);
    S_HAS(&put, s_account(s_large + 777, 1000001));
    artel_http_done(&put);
}

Test(transfer, a_file_that_is_shorter_than_its_range_is_an_error_of_the_body)
{
    artel_http_t put = { .method = "PUT", .url = s_url("/p"), .tries = 3, .body = { NULL, s_large_file(), LARGE - 10, 11 } };
    s_do(&put);
    S_CODE(&put, ARTEL_EIO);
    cr_assert_not(put.passes);
    artel_http_done(&put);
}

Test(transfer, a_body_begins_anew_after_the_connection_was_reset_in_its_middle)
{
    artel_http_t put = { .method = "PUT", .url = s_url("/p?do=reset,reset,200"), .tries = 3,
                         .body = { NULL, s_large_file(), 0, LARGE } };
    s_do(&put);
    S_CODE(&put, 0);
    S_HAS(&put, s_account(s_large, LARGE));
    cr_assert_eq(atomic_load(&put.bytes), LARGE);
    artel_http_done(&put);
    cr_assert_eq(s_seen("PUT /p"), 3);
}

Test(transfer, a_connection_that_is_closed_just_when_it_is_used_again_costs_no_attempt)
{
    s_fill_large();
    artel_http_t put = { .method = "PUT", .url = s_url("/p?do=200,drop,200"), .tries = 1, .body = { s_large, -1, 0, LARGE } };
    for (int i = 0; i < 2; i++) {
        s_do(&put);
        S_CODE(&put, 0);
        S_HAS(&put, s_account(s_large, LARGE));
        cr_assert_eq(atomic_load(&put.bytes), LARGE);
        artel_http_done(&put);
    }
    cr_assert_eq(s_seen("PUT /p"), 3);
}

Test(transfer, a_refusal_that_comes_before_the_body_was_sent_is_taken)
{
    s_fill_large();
    artel_http_t put = { .method = "PUT", .url = s_url("/p?do=early"), .tries = 3, .rule = ARTEL_HTTP_FILE,
                         .body = { s_large, -1, 0, LARGE } };
    s_do(&put);
    S_CODE(&put, ARTEL_EREFUSED);
    cr_assert_eq(put.status, 403);
    artel_http_done(&put);
    cr_assert_eq(s_seen("PUT /p"), 1);
}

Test(transfer, waits_as_long_as_the_server_asks)
{
    artel_http_t get = { .method = "GET", .url = s_url("/g?do=after:0.4,200"), .tries = 2 };
    int64_t before = artel_now_ms();
    s_do(&get);
    S_CODE(&get, 0);
    cr_assert_geq(artel_now_ms() - before, 400);
    artel_http_done(&get);
    get.url = s_url("/d?do=date:2,200");            //  to the second, so one or two
    before = artel_now_ms();
    s_do(&get);
    S_CODE(&get, 0);
    cr_assert_geq(artel_now_ms() - before, 900);
    artel_http_done(&get);
}

Test(transfer, a_server_that_asks_for_no_wait_is_not_asked_again_at_once)
{
    artel_http_t get = { .method = "GET", .url = s_url("/g?do=after:0"), .tries = 5 };
    int64_t before = artel_now_ms();
    s_do(&get);
    S_CODE(&get, ARTEL_EREFUSED);
    cr_assert_eq(get.retry_after_ms, 0);
    cr_assert_geq(artel_now_ms() - before, BASE_MS * (1 + 2 + 4 + 8));
    artel_http_done(&get);
}

Test(transfer, tells_how_long_the_server_asks_to_wait_when_it_gives_up)
{
    artel_http_t get = { .method = "GET", .url = s_url("/g?do=after:7.5"), .tries = 1 };
    s_do(&get);
    S_CODE(&get, ARTEL_EREFUSED);
    cr_assert_eq(get.retry_after_ms, 7500);
    cr_assert(get.passes);
    cr_assert_eq(get.status, 429);
    artel_http_done(&get);
}

Test(transfer, asks_again_what_may_pass_as_often_as_it_is_told)
{
    artel_http_t http = { .method = "POST", .url = s_url("/a?do=500,502,200"), .tries = 3, .body = { "x", -1, 0, 1 } };
    s_do(&http);
    S_CODE(&http, 0);
    artel_http_done(&http);
    http.url = s_url("/b?do=500");
    s_do(&http);
    S_CODE(&http, ARTEL_EREFUSED);
    cr_assert(http.passes);
    S_HAS(&http, "POST /b");
    cr_assert_str_eq(strrchr(http.text, ' '), " 500");
    artel_http_done(&http);
    cr_assert_eq(s_seen("/a"), 3);
    cr_assert_eq(s_seen("/b"), 3);
}

Test(transfer, asks_once_for_what_never_passes)
{
    artel_http_t get = { .method = "GET", .url = s_url("/a?do=404"), .tries = 5 };
    s_do(&get);
    S_CODE(&get, ARTEL_EREFUSED);
    cr_assert_not(get.passes);
    cr_assert_eq(get.status, 404);
    artel_http_done(&get);
    cr_assert_eq(s_seen("/a"), 1);
}

Test(transfer, a_store_that_waited_too_long_for_a_body_is_given_it_again)
{
    artel_http_t put = { .method = "PUT", .url = s_url("/a?do=timeout,200"), .tries = 2, .rule = ARTEL_HTTP_FILE };
    s_do(&put);
    S_CODE(&put, 0);
    artel_http_done(&put);
    put.url = s_url("/b?do=timeout,200");
    put.rule = ARTEL_HTTP_CALL;
    s_do(&put);
    S_CODE(&put, ARTEL_EREFUSED);
    S_HAS(&put, "RequestTimeout");
    artel_http_done(&put);
}

typedef struct {
    uint64_t next;
    unsigned begun;
    int rc;
} taken_t;

static int
s_take(void *arg, uint64_t offset, const void *data, size_t size)
{
    taken_t *taken = arg;
    (void) data;
    if (offset == 0) {
        taken->begun++;
        taken->next = 0;
    }
    cr_assert_eq(offset, taken->next);
    taken->next += size;
    return taken->rc;
}

Test(transfer, an_answer_that_breaks_off_is_taken_again_from_its_beginning)
{
    taken_t taken = { 0 };
    artel_http_t get = { .method = "GET", .url = s_url("/g?do=cut,huge:1000000"), .tries = 2, .sink = s_take, .arg = &taken };
    s_do(&get);
    S_CODE(&get, 0);
    cr_assert_eq(taken.begun, 2);
    cr_assert_eq(taken.next, 1000000);
    cr_assert_null(get.answer);
    get = (artel_http_t) { .method = "GET", .url = s_url("/h?do=cut"), .tries = 1 };
    s_do(&get);
    S_CODE(&get, ARTEL_EUNAVAIL);
    cr_assert(get.passes);
    artel_http_done(&get);
}

Test(transfer, who_takes_the_answer_may_end_it)
{
    taken_t taken = { .rc = ARTEL_ENOSPC };
    artel_http_t get = { .method = "GET", .url = s_url("/g?do=huge:1000000"), .tries = 5, .sink = s_take, .arg = &taken };
    s_do(&get);
    S_CODE(&get, ARTEL_ENOSPC);
    cr_assert_eq(taken.begun, 1);
    artel_http_done(&get);
}

Test(transfer, an_answer_over_its_limit_is_refused_and_a_refusal_is_cut)
{
    artel_http_t get = { .method = "GET", .url = s_url("/g?do=huge:1001"), .tries = 5, .most = 1000 };
    s_do(&get);
    S_CODE(&get, ARTEL_ELIMIT);
    cr_assert_not(get.passes);
    artel_http_done(&get);
    get.url = s_url("/h?do=huge:1000");
    s_do(&get);
    S_CODE(&get, 0);
    cr_assert_eq(get.answer_size, 1000);
    artel_http_done(&get);
    cr_assert_eq(s_seen("/g"), 1);
}

Test(transfer, a_refusal_that_never_ends_is_judged_by_its_status)
{
    artel_http_t get = { .method = "GET", .url = s_url("/g?do=endless:503,200"), .tries = 2 };
    s_do(&get);
    S_CODE(&get, 0);
    artel_http_done(&get);
    get.url = s_url("/h?do=endless:404");
    s_do(&get);
    S_CODE(&get, ARTEL_EREFUSED);
    cr_assert_eq(get.status, 404);
    cr_assert_not(get.passes);
    cr_assert_eq(get.answer_size, 64 * 1024);
    artel_http_done(&get);
    cr_assert_eq(s_seen("/h"), 1);
}

Test(transfer, an_attempt_ends_at_its_deadline)
{
    artel_http_t get = { .method = "GET", .url = s_url("/g?do=stall"), .tries = 2, .timeout_ms = 200 };
    int64_t before = artel_now_ms();
    s_do(&get);
    S_CODE(&get, ARTEL_ETIMEOUT);
    cr_assert(get.passes);
    int64_t took = artel_now_ms() - before;
    cr_assert(took >= 400 && took < 3000, "%d ms", (int) took);
    artel_http_done(&get);
}

Test(transfer, an_attempt_without_a_deadline_ends_when_nothing_moves)
{
    s_stop();
    s_hang_up();
    s_start_with((artel_transfer_args_t) { .stall_s = 1 });
    s_fill_large();
    artel_http_t put = { .method = "PUT", .url = s_url("/g?do=stall"), .body = { s_large, -1, 0, LARGE } };
    s_do(&put);
    S_CODE(&put, ARTEL_ETIMEOUT);
    cr_assert(strstr(put.text, "nothing moved for 1 s"), "%s", put.text);
    artel_http_done(&put);
}

Test(transfer, tells_what_the_answer_says_in_its_headers)
{
    artel_http_t put = { .method = "PUT", .url = s_url("/p?do=told") };
    s_do(&put);
    S_CODE(&put, 0);
    cr_assert_str_eq(put.etag, "\"an etag\"");
    cr_assert_eq(put.rate_left, 7.5);
    cr_assert_eq(put.rate_reset_s, 3);
    cr_assert_eq(put.retry_after_ms, -1);
    artel_http_done(&put);
}

//  Cancel it and see it come back.
static void
s_cancel(artel_http_t *http)
{
    int64_t before = artel_now_ms();
    atomic_store(&http->cancel, true);
    cr_assert_eq(s_await_within(0, ANSWER_MS), http);
    cr_assert_lt(artel_now_ms() - before, 2000);
    S_CODE(http, ARTEL_ECANCELED);
    artel_http_done(http);
}

static void
s_until_seen(const char *part)
{
    while (s_seen(part) == 0)
        ;
}

Test(transfer, is_canceled_while_it_waits_to_try_again)
{
    artel_http_t get = { .method = "GET", .url = s_url("/a?do=after:1000"), .tries = 5 };
    artel_http_t *first = &get;
    s_ask(1, first);
    s_until_seen("/a");
    atomic_store(&get.cancel, true);
    cr_assert_eq(s_await_within(1, ANSWER_MS), &get);
    S_CODE(&get, ARTEL_ECANCELED);
    artel_http_done(&get);
}

Test(transfer, is_canceled_in_the_middle_of_its_body_and_before_anything_is_asked)
{
    s_fill_large();
    artel_http_t put = { .method = "PUT", .url = s_url("/a?do=stall"), .body = { s_large, -1, 0, LARGE } };
    s_ask(0, &put);
    while (atomic_load(&put.bytes) == 0)
        sched_yield();
    s_cancel(&put);
    cr_assert_lt(atomic_load(&put.bytes), LARGE);
    artel_http_t early = { .method = "GET", .url = s_url("/b"), .cancel = true };
    artel_http_t stalled[32];
    for (int i = 0; i < 32; i++) {
        stalled[i] = (artel_http_t) { .method = "GET", .url = s_url("/s?do=stall") };
        s_ask(1, &stalled[i]);
    }
    s_ask(0, &early);
    s_cancel(&early);
    for (int i = 0; i < 32; i++)
        atomic_store(&stalled[i].cancel, true);
    for (int i = 0; i < 32; i++)
        s_await_within(1, ANSWER_MS);
}

enum { MANY = 200 };

static artel_http_t s_many[MANY];

static void
s_ask_many(const char *url)
{
    for (int i = 0; i < MANY; i++) {
        s_many[i] = (artel_http_t) { .method = "PUT", .url = url, .body = { "x", -1, 0, 1 }, .tries = 3 };
        s_ask(0, &s_many[i]);
    }
}

Test(transfer, many_requests_share_few_connections)
{
    s_ask_many(s_url("/m?do=pause:0.01"));
    for (int i = 0; i < MANY; i++) {
        artel_http_t *http = s_await_within(0, ANSWER_MS);
        S_CODE(http, 0);
        artel_http_done(http);
    }
    artel_http_t seen = { .method = "GET", .url = s_url("/_seen") };
    s_do(&seen);
    int connections = atoi(strstr(seen.answer, "connections ") + strlen("connections "));
    cr_assert(connections > 1 && connections <= 32, "%d", connections);
    artel_http_done(&seen);
    cr_assert_eq(s_seen("/m"), MANY);
}

Test(transfer, askers_are_served_in_turns)
{
    s_ask_many(s_url("/m?do=pause:0.02"));
    artel_http_t one = { .method = "GET", .url = s_url("/one") };
    s_ask(1, &one);
    s_await_within(1, ANSWER_MS);
    S_CODE(&one, 0);
    artel_http_done(&one);
    cr_assert_lt(s_seen("/m"), MANY);
}

Test(transfer, a_stop_hands_back_all_that_are_left)
{
    s_ask_many(s_url("/m?do=stall"));
    artel_http_t waits = { .method = "GET", .url = s_url("/w?do=after:1000"), .tries = 2 };
    s_ask(1, &waits);
    int64_t before = artel_now_ms();
    s_stop();
    cr_assert_lt(artel_now_ms() - before, 2000);
    for (int i = 0; i < MANY; i++)
        S_CODE(s_await_within(0, 1000), ARTEL_ECANCELED);
    S_CODE(s_await_within(1, 1000), ARTEL_ECANCELED);
    artel_http_done(&waits);
}

//  Leave room for n more descriptors; what the limit was.
static struct rlimit
s_limit_fds(int n)
{
    struct rlimit old, limit;
    int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(lowest);
    getrlimit(RLIMIT_NOFILE, &old);
    limit = (struct rlimit) { (rlim_t) (lowest + n), old.rlim_max };
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return old;
}

Test(transfer, no_connection_takes_the_last_descriptors)
{
    artel_http_t get = { .method = "GET", .url = s_url("/c?do=cut") };
    s_do(&get);                         //  the address is known then, and the connection gone
    S_CODE(&get, ARTEL_EUNAVAIL);
    artel_http_done(&get);
    get.url = s_url("/g");
    struct rlimit old = s_limit_fds(16);
    s_do(&get);
    S_CODE(&get, ARTEL_EMFILE);
    cr_assert(get.passes);
    cr_assert(strstr(get.text, "/g: no file descriptors left"), "%s", get.text);
    setrlimit(RLIMIT_NOFILE, &old);
    s_do(&get);
    S_CODE(&get, 0);
    artel_http_done(&get);
    old = s_limit_fds(16);
    s_do(&get);                         //  over the connection that is there
    S_CODE(&get, 0);
    artel_http_done(&get);
    setrlimit(RLIMIT_NOFILE, &old);
}

Test(transfer, no_name_is_asked_for_with_the_last_descriptors)
{
    artel_http_t get = { .method = "GET", .url = "http://nobody.invalid/g" };
    struct rlimit old = s_limit_fds(16);
    s_do(&get);
    S_CODE(&get, ARTEL_EMFILE);
    setrlimit(RLIMIT_NOFILE, &old);
}

Test(transfer, does_not_start_without_descriptors_for_its_connections)
{
    artel_transfer_args_t args = { .start.name = "artel/transfer", .n = 1 };
    zactor_t *actor = NULL;
    zsock_t *asker;
    cr_assert_eq(artel_sock_pair(&asker, &args.askers[0]), 0);
    struct rlimit old = s_limit_fds(ARTEL_TRANSFER_FDS);        //  the actor's pipe takes some
    cr_assert_eq(artel_actor_start(&actor, artel_transfer, &args.start), ARTEL_EMFILE);
    setrlimit(RLIMIT_NOFILE, &old);
    zsock_destroy(&asker);
}

//  How often the actor's thread has gone to sleep.
static long
s_sleeps(void)
{
    char command[200];
    long sleeps = -1;
    snprintf(command, sizeof command, "cd /proc/%d/task; cat $(dirname $(grep -lx artel/transfer */comm))/status "
             "| sed -n 's/^voluntary_ctxt_switches://p'", (int) getpid());
    FILE *out = popen(command, "r");
    cr_assert(out && fscanf(out, "%ld", &sleeps) == 1);
    pclose(out);
    return sleeps;
}

Test(transfer, sleeps_while_nobody_asks)
{
    artel_http_t get = { .method = "GET", .url = s_url("/a") };
    s_do(&get);
    artel_http_done(&get);
    usleep(300 * 1000);                 //  libcurl's last timers
    long before = s_sleeps();
    usleep(1500 * 1000);                //  what is looked at is that nothing happens
    cr_assert_leq(s_sleeps() - before, 1);
}

static bool
s_is_loaded(const char *library)
{
    char line[512];
    bool is = false;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, maps))
        is |= strstr(line, library) != NULL;
    fclose(maps);
    return is;
}

Test(transfer_library, libcurl_is_loaded_with_the_first_actor, .timeout = 60)
{
    cr_assert_not(s_is_loaded("libcurl"));
    s_setup();
    cr_assert(s_is_loaded("libcurl"));
    s_teardown();
}
