//  transfer.c - the actor that speaks HTTP for the backends.

#include "transfer.h"

#include "curl.h"
#include "errors.h"
#include "exchange.h"
#include "failure.h"
#include "guest.h"
#include "handover.h"
#include "retry.h"
#include "wire.h"

#include <sys/epoll.h>
#include <sys/random.h>

enum { AT_ONCE = 32, STALL_S = 30, LOOK_MS = 50, MAX_EVENTS = 64 };
enum { GRAIN_MS = 16 };        //  thousands that wait are not looked through more often

typedef TAILQ_HEAD(list, artel_exchange) list_t;

typedef struct {
    zsock_t *pipe;              //  $TERM
    zsock_t *askers[ARTEL_MAX_SINKS];   //  PAIR: requests, both ways
    size_t n;
    artel_exchange_way_t way;
    int base_ms;

    list_t queued[ARTEL_MAX_SINKS]; //  in the order they came
    list_t active;              //  have a handle
    list_t waiting;             //  for another attempt
    size_t n_active, turn;      //  turn: the asker whose is next
    int64_t look_at_ms;         //  when to look who is canceled or due; INT64_MAX: nobody is here

    CURLM *multi;
    CURL *spare[AT_ONCE];       //  handles that nobody uses
    size_t n_spare;
    int epoll;                  //  the descriptors libcurl waits for
    int64_t curl_at_ms;         //  when it wants to be called; INT64_MAX: never
    uint64_t random;            //  not 0
} self_t;

//  Of [0, 1); xorshift64, as the program's rand() is its own.
static double
s_chance(self_t *self)
{
    self->random ^= self->random << 13;
    self->random ^= self->random >> 7;
    self->random ^= self->random << 17;
    return (double) (self->random >> 11) / (double) (1ull << 53);
}

static void
s_give_back(self_t *self, artel_http_t *http, size_t asker)
{
    artel_hand_over(http);
    artel_wire_put(self->askers[asker], &http, sizeof http);
}

//  The request is over, and says what came of it.
static void
s_finish(self_t *self, artel_exchange_t *exchange)
{
    artel_http_t *http = exchange->http;
    size_t asker = exchange->asker;
    artel_exchange_destroy(&exchange);
    s_give_back(self, http, asker);
}

static void
s_look_by(self_t *self, int64_t at_ms)
{
    if (at_ms < self->look_at_ms)
        self->look_at_ms = at_ms;
}

static void
s_wait(self_t *self, artel_exchange_t *exchange)
{
    int64_t wait_ms = artel_retry_wait_ms(exchange->attempt++, self->base_ms, s_chance(self),
                                          exchange->http->retry_after_ms);
    exchange->due_ms = (artel_now_ms() + wait_ms + GRAIN_MS - 1) / GRAIN_MS * GRAIN_MS;
    TAILQ_INSERT_TAIL(&self->waiting, exchange, link);
    s_look_by(self, exchange->due_ms);
}

static void
s_go_on(self_t *self, artel_exchange_t *exchange)
{
    TAILQ_INSERT_HEAD(&self->queued[exchange->asker], exchange, link);
}

static void (*const s_after[])(self_t *self, artel_exchange_t *exchange) = {
    [ARTEL_EXCHANGE_OVER] = s_finish,
    [ARTEL_EXCHANGE_AGAIN] = s_wait,
    [ARTEL_EXCHANGE_ON] = s_go_on,
};

//  Take an active one's handle back.
static void
s_deactivate(self_t *self, artel_exchange_t *exchange)
{
    self->way.curl->curl_multi_remove_handle(self->multi, exchange->easy);
    TAILQ_REMOVE(&self->active, exchange, link);
    self->n_active--;
    self->spare[self->n_spare++] = exchange->easy;
}

//  Go on with those that libcurl has done.
static void
s_collect(self_t *self)
{
    const artel_curl_t *curl = self->way.curl;
    int left;
    for (CURLMsg *msg; (msg = curl->curl_multi_info_read(self->multi, &left));) {
        CURLcode code = msg->data.result;
        artel_exchange_t *exchange = NULL;
        curl->curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **) &exchange);
        s_deactivate(self, exchange);
        s_after[artel_exchange_end(exchange, code)](self, exchange);
    }
}

static void
s_spare(self_t *self, CURL *easy)
{
    if (easy)
        self->spare[self->n_spare++] = easy;
}

//  0, or a code that the request then has with its text.
static int
s_begin(self_t *self, artel_exchange_t *exchange, CURL *easy)
{
    int rc = easy ? artel_exchange_begin(exchange, easy) : ARTEL_ENOMEM;
    if (easy && rc != 0)
        return rc;
    if (rc == 0 && self->way.curl->curl_multi_add_handle(self->multi, easy) == CURLM_OK)
        return 0;
    artel_exchange_cancel(exchange);
    artel_failure_say(exchange, ARTEL_ENOMEM, false, "out of memory");
    return ARTEL_ENOMEM;
}

static void
s_activate(self_t *self, artel_exchange_t *exchange)
{
    CURL *easy = self->n_spare ? self->spare[--self->n_spare] : self->way.curl->curl_easy_init();
    if (s_begin(self, exchange, easy) == 0) {
        TAILQ_INSERT_TAIL(&self->active, exchange, link);
        self->n_active++;
        return;
    }
    s_spare(self, easy);
    s_finish(self, exchange);
}

//  The next to begin, of each asker in turn.
static artel_exchange_t *
s_next(self_t *self)
{
    for (size_t i = 0; i < self->n; i++) {
        list_t *queue = &self->queued[self->turn];
        self->turn = (self->turn + 1) % self->n;
        artel_exchange_t *first = TAILQ_FIRST(queue);
        if (first) {
            TAILQ_REMOVE(queue, first, link);
            return first;
        }
    }
    return NULL;
}

static void
s_fill(self_t *self)
{
    artel_exchange_t *next;
    while (self->n_active < AT_ONCE && (next = s_next(self)))
        s_activate(self, next);
}

static void
s_cancel(self_t *self, artel_exchange_t *exchange, list_t *list)
{
    if (exchange->easy)
        s_deactivate(self, exchange);
    else
        TAILQ_REMOVE(list, exchange, link);
    artel_exchange_cancel(exchange);
    s_finish(self, exchange);
}

//  End what is canceled, or all there is.
static void
s_cancel_in(self_t *self, list_t *list, bool all)
{
    for (artel_exchange_t *at = TAILQ_FIRST(list), *next; at; at = next) {
        next = TAILQ_NEXT(at, link);
        if (all || atomic_load(&at->http->cancel))
            s_cancel(self, at, list);
    }
}

static void
s_cancel_those(self_t *self, bool all)
{
    s_cancel_in(self, &self->active, all);
    s_cancel_in(self, &self->waiting, all);
    for (size_t i = 0; i < self->n; i++)
        s_cancel_in(self, &self->queued[i], all);
}

static void
s_wake_due(self_t *self, int64_t now)
{
    for (artel_exchange_t *at = TAILQ_FIRST(&self->waiting), *next; at; at = next) {
        next = TAILQ_NEXT(at, link);
        if (at->due_ms > now) {
            s_look_by(self, at->due_ms);
            continue;
        }
        TAILQ_REMOVE(&self->waiting, at, link);
        s_go_on(self, at);
    }
}

static bool
s_is_idle(const self_t *self)
{
    bool idle = TAILQ_EMPTY(&self->active) && TAILQ_EMPTY(&self->waiting);
    for (size_t i = 0; i < self->n; i++)
        idle &= TAILQ_EMPTY(&self->queued[i]);
    return idle;
}

//  The asker may cancel without a word, so as long as somebody is here we look now and then.
static void
s_look(self_t *self, int64_t now)
{
    if (now < self->look_at_ms)
        return;
    s_cancel_those(self, false);
    self->look_at_ms = s_is_idle(self) ? INT64_MAX : now + LOOK_MS;
    s_wake_due(self, now);
}

static void
s_call(self_t *self, curl_socket_t fd, int events)
{
    int running;
    self->way.curl->curl_multi_socket_action(self->multi, fd, events, &running);
}

static int
s_tick(void *arg)
{
    self_t *self = arg;
    int64_t now = artel_now_ms();
    if (now >= self->curl_at_ms) {
        self->curl_at_ms = INT64_MAX;
        s_call(self, CURL_SOCKET_TIMEOUT, 0);
        s_collect(self);
    }
    s_look(self, now);
    s_fill(self);
    int64_t at = self->look_at_ms < self->curl_at_ms ? self->look_at_ms : self->curl_at_ms;
    if (at == INT64_MAX)
        return -1;
    return at <= now ? 0 : at - now < INT_MAX ? (int) (at - now) : INT_MAX;
}

static int
s_on_timer(CURLM *multi, long timeout_ms, void *arg)
{
    (void) multi;
    ((self_t *) arg)->curl_at_ms = timeout_ms < 0 ? INT64_MAX : artel_now_ms() + timeout_ms;
    return 0;
}

static int
s_on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
    static const uint32_t events[] = {
        [CURL_POLL_IN] = EPOLLIN, [CURL_POLL_OUT] = EPOLLOUT, [CURL_POLL_INOUT] = EPOLLIN | EPOLLOUT,
    };
    (void) easy, (void) unused;
    int epoll = ((self_t *) arg)->epoll;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    struct epoll_event event = { .events = events[what], .data.fd = fd };
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) != 0)
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    return 0;
}

static int
s_read_curl(void *arg)
{
    self_t *self = arg;
    struct epoll_event events[MAX_EVENTS];
    int n = epoll_wait(self->epoll, events, MAX_EVENTS, 0);
    for (int i = 0; i < n; i++)
        s_call(self, events[i].data.fd, (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0)
               | (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0)
               | (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0));
    s_collect(self);
    return 0;
}

static int
s_read_pipe(void *arg)
{
    return artel_actor_read_pipe(((self_t *) arg)->pipe);
}

static void
s_take_request(self_t *self, artel_http_t *http, size_t asker)
{
    artel_take_over(http);
    artel_exchange_t *exchange = artel_exchange_new(http, &self->way, asker);
    if (exchange) {
        TAILQ_INSERT_TAIL(&self->queued[asker], exchange, link);
        s_look_by(self, artel_now_ms() + LOOK_MS);
        return;
    }
    http->code = ARTEL_ENOMEM;
    snprintf(http->text, sizeof http->text, "%.16s: out of memory", http->method);
    s_give_back(self, http, asker);
}

//  A reader does not know which socket it was called for.
static int
s_read_askers(void *arg)
{
    self_t *self = arg;
    artel_http_t *http;
    for (size_t i = 0; i < self->n; i++)
        while (artel_wire_get(self->askers[i], &http, sizeof http))
            s_take_request(self, http, i);
    return 0;
}

static void
s_run(self_t *self)
{
    artel_reader_t readers[ARTEL_MAX_SINKS + 2] = {
        { .sock = self->pipe, .fn = s_read_pipe },
        { .fd = self->epoll, .fn = s_read_curl },
    };
    for (size_t i = 0; i < self->n; i++)
        readers[2 + i] = (artel_reader_t) { .sock = self->askers[i], .fn = s_read_askers };
    artel_actor_loop(readers, 2 + self->n, s_tick, self);
    s_read_askers(self);
    s_cancel_those(self, true);
}

static void
s_init(self_t *self, const artel_transfer_args_t *args)
{
    self->n = args->n;
    memcpy(self->askers, args->askers, sizeof self->askers);
    self->base_ms = args->base_ms ? args->base_ms : ARTEL_RETRY_BASE_MS;
    self->way.stall_s = args->stall_s ? args->stall_s : STALL_S;
    self->look_at_ms = self->curl_at_ms = INT64_MAX;
    TAILQ_INIT(&self->active);
    TAILQ_INIT(&self->waiting);
    for (size_t i = 0; i < self->n; i++)
        TAILQ_INIT(&self->queued[i]);
    if (getrandom(&self->random, sizeof self->random, 0) != sizeof self->random || self->random == 0)
        self->random = (uint64_t) artel_now_ms() | 1;
}

static int
s_open(self_t *self)
{
    int rc = artel_curl_get(&self->way.curl);
    if (rc != 0)
        return rc;
    if (!artel_guest_has_fds(ARTEL_TRANSFER_FDS))
        return ARTEL_EMFILE;
    const artel_curl_t *curl = self->way.curl;
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (self->epoll < 0)
        return ARTEL_EMFILE;
    self->multi = curl->curl_multi_init();
    if (!self->multi)
        return ARTEL_ENOMEM;
    curl->curl_multi_setopt(self->multi, CURLMOPT_SOCKETFUNCTION, s_on_socket);
    curl->curl_multi_setopt(self->multi, CURLMOPT_SOCKETDATA, self);
    curl->curl_multi_setopt(self->multi, CURLMOPT_TIMERFUNCTION, s_on_timer);
    curl->curl_multi_setopt(self->multi, CURLMOPT_TIMERDATA, self);
    curl->curl_multi_setopt(self->multi, CURLMOPT_MAXCONNECTS, (long) AT_ONCE);
    curl->curl_multi_setopt(self->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long) AT_ONCE);
    curl->curl_multi_setopt(self->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    return 0;
}

static void
s_done(self_t *self)
{
    while (self->n_spare)
        self->way.curl->curl_easy_cleanup(self->spare[--self->n_spare]);
    if (self->multi)
        self->way.curl->curl_multi_cleanup(self->multi);
    if (self->epoll >= 0)
        close(self->epoll);
    for (size_t i = 0; i < self->n; i++)
        zsock_destroy(&self->askers[i]);
}

void
artel_transfer(zsock_t *pipe, void *arg)
{
    artel_transfer_args_t *args = arg;
    artel_actor_enter(&args->start);
    self_t self = { .pipe = pipe, .epoll = -1 };
    s_init(&self, args);
    char *ca = secure_getenv("SSL_CERT_FILE");
    self.way.ca = ca = ca && *ca ? strdup(ca) : NULL;
    int rc = s_open(&self);
    args->start.rc = rc;
    zsock_signal(pipe, 0);                      //  args is the parent's again
    if (rc == 0)
        s_run(&self);
    s_done(&self);
    free(ca);
}
