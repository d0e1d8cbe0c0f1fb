//  Requests that go from thread to thread, are canceled meanwhile, and are left at a stop: for ThreadSanitizer.

#include "cases.h"

#include "actor.h"
#include "errors.h"
#include "guest.h"
#include "handover.h"
#include "transfer.h"
#include "wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

enum { REQUESTS = 300, WAIT_MS = 30000 };

static char s_url[64];
static zactor_t *s_transfer;
static zsock_t *s_asker;
static artel_http_t s_requests[REQUESTS];

//  A server that answers each head with "ok".

static void *
s_talk(void *arg)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    char head[1024];
    int fd = (int) (intptr_t) arg;
    size_t n = 0;
    for (ssize_t got; (got = read(fd, head + n, sizeof head - n - 1)) > 0;) {
        head[n += (size_t) got] = 0;
        if (strstr(head, "\r\n\r\n")) {
            n = 0;
            if (write(fd, answer, sizeof answer - 1) < 0)
                break;
        }
    }
    close(fd);
    return NULL;
}

static void *
s_accept(void *arg)
{
    for (int fd; (fd = accept((int) (intptr_t) arg, NULL, NULL)) >= 0;) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, s_talk, (void *) (intptr_t) fd) == 0, "no thread");
        pthread_detach(thread);
    }
    return NULL;
}

static void
s_serve(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof at;
    pthread_t thread;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *) &at, size) == 0 && listen(fd, 64) == 0
          && getsockname(fd, (struct sockaddr *) &at, &size) == 0, "no server: %m");
    snprintf(s_url, sizeof s_url, "http://127.0.0.1:%u/x", ntohs(at.sin_port));
    CHECK(pthread_create(&thread, NULL, s_accept, (void *) (intptr_t) fd) == 0, "no thread");
    pthread_detach(thread);
}

static void
s_start(void)
{
    artel_transfer_args_t args = { .start.name = "artel/transfer", .n = 1, .base_ms = 10 };
    unsetenv("http_proxy");
    s_serve();
    CHECK(artel_guest_enter() == 0 && artel_sock_pair(&s_asker, &args.askers[0]) == 0, "no sockets");
    CHECK(artel_actor_start(&s_transfer, artel_transfer, &args.start) == 0, "no actor");
}

static void
s_ask(const char *url)
{
    for (int i = 0; i < REQUESTS; i++) {
        artel_http_t *http = &s_requests[i];
        *http = (artel_http_t) { .method = "GET", .url = url, .tries = 100 };
        artel_hand_over(http);
        artel_wire_put(s_asker, &http, sizeof http);
    }
}

static artel_http_t *
s_await(void)
{
    artel_http_t *http = NULL;
    zmq_pollitem_t item = { zsock_resolve(s_asker), 0, ZMQ_POLLIN, 0 };
    CHECK(zmq_poll(&item, 1, WAIT_MS) == 1 && artel_wire_get(s_asker, &http, sizeof http), "nothing came back");
    artel_take_over(http);
    return http;
}

static void
s_end(void)
{
    CHECK(artel_actor_stop(&s_transfer, WAIT_MS) == 0, "it does not stop");
    zsock_destroy(&s_asker);
}

static void
s_answers(void)
{
    s_start();
    s_ask(s_url);
    for (int i = 0; i < REQUESTS; i++) {
        artel_http_t *http = s_await();
        CHECK(http->code == 0 && strcmp(http->answer, "ok") == 0, "%s", http->text);
        artel_http_done(http);
    }
    s_end();
}

static void
s_cancels(void)
{
    s_start();
    s_ask("http://127.0.0.1:1/nobody");
    for (int i = 0; i < REQUESTS; i++)
        atomic_store(&s_requests[i].cancel, true);
    for (int i = 0; i < REQUESTS; i++) {
        artel_http_t *http = s_await();
        CHECK(http->code == ARTEL_ECANCELED, "%s", http->text);
    }
    s_end();
}

static void
s_stops(void)
{
    s_start();
    s_ask("http://127.0.0.1:1/nobody");
    CHECK(artel_actor_stop(&s_transfer, WAIT_MS) == 0, "it does not stop");
    for (int i = 0; i < REQUESTS; i++) {
        artel_http_t *http = s_await();
        CHECK(http->code == ARTEL_ECANCELED, "%s", http->text);
    }
    zsock_destroy(&s_asker);
}

int
main(int argc, char **argv)
{
    static const case_t cases[] = {
        { "every_request_is_answered", s_answers },
        { "every_request_is_canceled", s_cancels },
        { "a_stop_leaves_no_request", s_stops },
    };
    return case_main(cases, sizeof cases / sizeof *cases, argc > 1 ? argv[1] : NULL);
}
