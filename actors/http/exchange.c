//  exchange.c - a request on its way: when its attempts begin and end.

#include "exchange.h"

#include "actor.h"
#include "errors.h"
#include "failure.h"
#include "guest.h"
#include "headers.h"
#include "origin.h"
#include "retry.h"
#include "streams.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

enum { MAX_REDIRECTS = 5, CONNECT_MS = 30000, SILENT_MS = 60000, SENT_AT_A_TIME = 256 * 1024, TAKEN_AT_A_TIME = 64 * 1024 };
enum { KEPT_FDS = 32 };        //  descriptors that are left to others: libzmq aborts the process without

artel_exchange_t *
artel_exchange_new(artel_http_t *http, const artel_exchange_way_t *way, size_t asker)
{
    artel_exchange_t *self = calloc(1, sizeof *self);
    if (self)
        *self = (artel_exchange_t) { .http = http, .way = way, .asker = asker };
    http->own = self;
    return self;
}

//  The handle is the caller's again.
static void
s_let_go(artel_exchange_t *self)
{
    self->way->curl->curl_slist_free_all(self->headers);
    self->headers = NULL;
    self->easy = NULL;
}

void
artel_exchange_destroy(artel_exchange_t **self_p)
{
    artel_exchange_t *self = *self_p;
    self->http->own = NULL;
    free(self->url);
    free(self);
    *self_p = NULL;
}

static bool
s_has_fds(artel_exchange_t *self)
{
    self->lacks_fds = !artel_guest_has_fds(KEPT_FDS);
    return !self->lacks_fds;
}

//  Who asks for a host's name opens some, too.
static int
s_begin_name(void *resolver, void *unused, void *arg)
{
    (void) resolver, (void) unused;
    return s_has_fds(arg) ? 0 : 1;
}

//  Not inherited by what the program executes meanwhile. A peer that acknowledges nothing any more is dead,
//  also to those who would use its connection next.
static curl_socket_t
s_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *at)
{
    unsigned silent_ms = SILENT_MS;
    artel_exchange_t *self = arg;
    (void) purpose;
    if (!s_has_fds(self))
        return CURL_SOCKET_BAD;
    int fd = socket(at->family, at->socktype | SOCK_CLOEXEC, at->protocol);
    self->lacks_fds = fd < 0 && (errno == EMFILE || errno == ENFILE);
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silent_ms, sizeof silent_ms);
    return fd;
}

static const struct {
    CURLoption option;
    long value;
} s_always[] = {
    { CURLOPT_NOSIGNAL, 1 },
    { CURLOPT_QUICK_EXIT, 1 },          //  a request that is canceled does not wait for its host's name
    { CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS },
    { CURLOPT_LOW_SPEED_LIMIT, 1 },
    { CURLOPT_SUPPRESS_CONNECT_HEADERS, 1 },
    { CURLOPT_UPLOAD_BUFFERSIZE, SENT_AT_A_TIME },
    { CURLOPT_BUFFERSIZE, TAKEN_AT_A_TIME },
    { CURLOPT_TCP_KEEPALIVE, 1 },
};

static void
s_set_way(artel_exchange_t *self, const char *url)
{
    const artel_curl_t *curl = self->way->curl;
    bool secure = strncasecmp(url, "https", 5) == 0;
    int timeout_ms = self->http->timeout_ms;
    for (size_t i = 0; i < sizeof s_always / sizeof *s_always; i++)
        curl->curl_easy_setopt(self->easy, s_always[i].option, s_always[i].value);
    curl->curl_easy_setopt(self->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl->curl_easy_setopt(self->easy, CURLOPT_OPENSOCKETFUNCTION, s_open_socket);
    curl->curl_easy_setopt(self->easy, CURLOPT_OPENSOCKETDATA, self);
    curl->curl_easy_setopt(self->easy, CURLOPT_RESOLVER_START_FUNCTION, s_begin_name);
    curl->curl_easy_setopt(self->easy, CURLOPT_RESOLVER_START_DATA, self);
    curl->curl_easy_setopt(self->easy, CURLOPT_USERAGENT, "artel");
    curl->curl_easy_setopt(self->easy, CURLOPT_PIPEWAIT, (long) secure);
    curl->curl_easy_setopt(self->easy, CURLOPT_HTTP_VERSION,
                           (long) (secure ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    curl->curl_easy_setopt(self->easy, CURLOPT_FRESH_CONNECT, (long) self->was_silent);
    curl->curl_easy_setopt(self->easy, CURLOPT_TIMEOUT_MS, (long) timeout_ms);
    curl->curl_easy_setopt(self->easy, CURLOPT_LOW_SPEED_TIME, (long) (timeout_ms ? 0 : self->way->stall_s));
    if (self->way->ca)
        curl->curl_easy_setopt(self->easy, CURLOPT_CAINFO, self->way->ca);
}

static bool
s_has_body(const artel_http_t *http)
{
    return http->body.size || strcmp(http->method, "PUT") == 0 || strcmp(http->method, "POST") == 0;
}

//  Also a POST is an upload to libcurl, which then adds nothing of a form's.
static void
s_set_method(artel_exchange_t *self)
{
    const artel_curl_t *curl = self->way->curl;
    if (s_has_body(self->http)) {
        curl->curl_easy_setopt(self->easy, CURLOPT_UPLOAD, 1L);
        curl->curl_easy_setopt(self->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t) self->http->body.size);
    }
    if (strcmp(self->http->method, "HEAD") == 0)
        curl->curl_easy_setopt(self->easy, CURLOPT_NOBODY, 1L);
    else if (strcmp(self->http->method, "GET") != 0)
        curl->curl_easy_setopt(self->easy, CURLOPT_CUSTOMREQUEST, self->http->method);
}

//  What an earlier attempt left.
static void
s_forget(artel_exchange_t *self)
{
    artel_http_t *http = self->http;
    artel_http_done(http);
    self->room = 0;
    self->sent = self->got = 0;
    self->rc = 0;
    self->is_cut = self->lacks_fds = false;
    http->code = 0;
    http->passes = false;
    http->text[0] = 0;
    atomic_store(&http->bytes, 0);
    artel_headers_forget(http);
}

int
artel_exchange_begin(artel_exchange_t *self, CURL *easy)
{
    artel_origin_t origin;
    const char *url = self->url ? self->url : self->http->url;
    s_forget(self);
    if (!artel_origin_parse(url, &origin)) {
        artel_failure_say(self, ARTEL_EINVAL, false, "this is no url that requests go to");
        return ARTEL_EINVAL;
    }
    int rc = artel_headers_make(self, url, &self->headers);
    if (rc != 0) {
        artel_failure_say(self, rc, false, "%s", rc == ARTEL_EINVAL ? "a header has a line break"
                          : artel_error_code_text(rc));
        return rc;
    }
    const artel_curl_t *curl = self->way->curl;
    self->easy = easy;
    self->began_ms = artel_now_ms();
    curl->curl_easy_reset(easy);
    s_set_way(self, url);
    s_set_method(self);
    artel_streams_set(self);
    curl->curl_easy_setopt(easy, CURLOPT_HTTPHEADER, self->headers);
    curl->curl_easy_setopt(easy, CURLOPT_PRIVATE, self);
    if (curl->curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK)
        return 0;
    artel_failure_say(self, ARTEL_ENOMEM, false, "out of memory");
    s_let_go(self);
    return ARTEL_ENOMEM;
}

//  Where the answer sends a request that follows, or NULL.
static const char *
s_redirect(artel_exchange_t *self)
{
    char *to = NULL;
    if (self->http->follows && strcmp(self->http->method, "GET") == 0)
        self->way->curl->curl_easy_getinfo(self->easy, CURLINFO_REDIRECT_URL, &to);
    return to;
}

static artel_exchange_end_t
s_follow(artel_exchange_t *self, const char *to)
{
    if (self->redirects == MAX_REDIRECTS) {
        artel_failure_say(self, ARTEL_EREFUSED, false, "it was redirected more than %d times", MAX_REDIRECTS);
        return ARTEL_EXCHANGE_OVER;
    }
    char *url = strdup(to);
    if (!url) {
        artel_failure_say(self, ARTEL_ENOMEM, false, "out of memory");
        return ARTEL_EXCHANGE_OVER;
    }
    free(self->url);
    self->url = url;
    self->redirects++;
    return ARTEL_EXCHANGE_ON;
}

//  The answer is here.
static artel_exchange_end_t
s_judge(artel_exchange_t *self)
{
    artel_http_t *http = self->http;
    const char *to = s_redirect(self);
    if (to)
        return s_follow(self, to);
    if (http->status >= 200 && http->status < 300)
        return ARTEL_EXCHANGE_OVER;
    artel_failure_say(self, ARTEL_EREFUSED, artel_retry_passes(http->rule, http->status, http->answer),
                      "the server answered %d", http->status);
    return ARTEL_EXCHANGE_AGAIN;
}

artel_exchange_end_t
artel_exchange_end(artel_exchange_t *self, CURLcode code)
{
    artel_exchange_end_t end = ARTEL_EXCHANGE_AGAIN;
    if (self->is_cut || (code == CURLE_OK && self->rc == 0))
        end = s_judge(self);
    else
        artel_failure_tell(self, code);
    s_let_go(self);
    if (end != ARTEL_EXCHANGE_AGAIN)
        return end;
    self->was_silent = self->http->code == ARTEL_ETIMEOUT;
    free(self->url);            //  a new attempt begins where the first did
    self->url = NULL;
    self->redirects = 0;
    return self->http->passes && self->attempt + 1 < self->http->tries ? end : ARTEL_EXCHANGE_OVER;
}

void
artel_exchange_cancel(artel_exchange_t *self)
{
    artel_failure_say(self, ARTEL_ECANCELED, true, "canceled");
    s_let_go(self);
}
