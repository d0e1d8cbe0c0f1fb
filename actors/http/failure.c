//  failure.c - what libcurl's errors mean to who asked.

#include "failure.h"

#include "actor.h"
#include "errors.h"
#include "origin.h"

#include <stdarg.h>

enum { SHOWN_URL = 160 };

void
artel_failure_say(artel_exchange_t *self, int code, bool passes, const char *format, ...)
{
    artel_http_t *http = self->http;
    char url[SHOWN_URL];
    artel_origin_show(self->url ? self->url : http->url, url, sizeof url);
    int size = snprintf(http->text, sizeof http->text, "%.16s %s: ", http->method, url);
    va_list args;
    va_start(args, format);
    vsnprintf(http->text + size, sizeof http->text - (size_t) size, format, args);
    va_end(args);
    http->code = code;
    http->passes = passes;
}

typedef struct {
    CURLcode of;
    int code;
    bool passes;
    const char *text;
} failure_t;

//  What is not here is a connection that broke off in some way.
static const failure_t s_failures[] = {
    { CURLE_URL_MALFORMAT, ARTEL_EINVAL, false, "this is no url" },
    { CURLE_UNSUPPORTED_PROTOCOL, ARTEL_EINVAL, false, "only http: and https: are spoken" },
    { CURLE_COULDNT_RESOLVE_PROXY, ARTEL_EUNAVAIL, true, "the name of the proxy is not known" },
    { CURLE_COULDNT_RESOLVE_HOST, ARTEL_EUNAVAIL, true, "the name of the host is not known" },
    { CURLE_COULDNT_CONNECT, ARTEL_EUNAVAIL, true, "no connection" },
    { CURLE_SSL_CONNECT_ERROR, ARTEL_EUNAVAIL, true, "TLS could not be agreed on" },
    { CURLE_PEER_FAILED_VERIFICATION, ARTEL_EACCES, false, "the server's certificate is not trusted" },
    { CURLE_SSL_CACERT_BADFILE, ARTEL_EACCES, false, "the file of trusted certificates cannot be read" },
    { CURLE_SSL_ISSUER_ERROR, ARTEL_EACCES, false, "the server's certificate is not trusted" },
    { CURLE_OUT_OF_MEMORY, ARTEL_ENOMEM, false, "out of memory" },
    { CURLE_GOT_NOTHING, ARTEL_EUNAVAIL, true, "the connection was closed without an answer" },
    { CURLE_PARTIAL_FILE, ARTEL_EUNAVAIL, true, "the answer broke off" },
};

//  Of a connection that could not be made, as far as the system says why.
static const struct {
    int err;
    const char *text;
} s_refusals[] = {
    { ECONNREFUSED, "connection refused" }, { ECONNRESET, "connection reset" },
    { ENETUNREACH, "network unreachable" }, { EHOSTUNREACH, "host unreachable" },
    { ETIMEDOUT, "no connection in time" },
};

static const char *
s_refusal(artel_exchange_t *self, const char *text)
{
    long err = 0;
    self->way->curl->curl_easy_getinfo(self->easy, CURLINFO_OS_ERRNO, &err);
    for (size_t i = 0; i < sizeof s_refusals / sizeof *s_refusals; i++)
        if (s_refusals[i].err == err)
            return s_refusals[i].text;
    return text;
}

static void
s_tell_timeout(artel_exchange_t *self)
{
    int timeout_ms = self->http->timeout_ms;
    curl_off_t connected = 0;
    self->way->curl->curl_easy_getinfo(self->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
    if (timeout_ms && artel_now_ms() - self->began_ms >= timeout_ms)
        artel_failure_say(self, ARTEL_ETIMEOUT, true, "no end within %d ms", timeout_ms);
    else if (connected == 0)
        artel_failure_say(self, ARTEL_ETIMEOUT, true, "no connection in time");
    else
        artel_failure_say(self, ARTEL_ETIMEOUT, true, "nothing moved for %d s", self->way->stall_s);
}

static void
s_tell_own(artel_exchange_t *self)
{
    static const struct {
        int code;
        const char *text;
    } ours[] = {
        { ARTEL_ELIMIT, "the answer is too large" }, { ARTEL_EIO, "the body cannot be read" },
    };
    const char *text = artel_error_code_text(self->rc);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (ours[i].code == self->rc)
            text = ours[i].text;
    artel_failure_say(self, self->rc, false, "%s", text);
}

void
artel_failure_tell(artel_exchange_t *self, CURLcode code)
{
    if (self->rc != 0) {
        s_tell_own(self);
        return;
    }
    if (code == CURLE_OPERATION_TIMEDOUT) {
        s_tell_timeout(self);
        return;
    }
    failure_t failure = { code, ARTEL_EUNAVAIL, true, "the connection broke off" };
    for (size_t i = 0; i < sizeof s_failures / sizeof *s_failures; i++)
        if (s_failures[i].of == code)
            failure = s_failures[i];
    if (code == CURLE_COULDNT_CONNECT)
        failure.text = s_refusal(self, failure.text);
    if (failure.code == ARTEL_EUNAVAIL && self->lacks_fds)
        failure = (failure_t) { code, ARTEL_EMFILE, true, artel_error_code_text(ARTEL_EMFILE) };
    artel_failure_say(self, failure.code, failure.passes, "%s", failure.text);
}
