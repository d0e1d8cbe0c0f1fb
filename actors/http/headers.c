//  headers.c - the headers of a request, and what is read of an answer's.

#include "headers.h"

#include "errors.h"
#include "origin.h"
#include "retry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_LINE = 1024 };

//  What only libcurl may say, as it knows how the body is sent.
static const char *const s_ours[] = { "Content-Length", "Transfer-Encoding", "Expect", NULL };

static bool
s_is_named(const char *header, const char *name)
{
    size_t size = strlen(name);
    return strncasecmp(header, name, size) == 0 && header[size] == ':';
}

static bool
s_is_ours(const char *header)
{
    for (const char *const *name = s_ours; *name; name++)
        if (s_is_named(header, *name))
            return true;
    return false;
}

static bool
s_is_sound(const char *header)
{
    return strcspn(header, ":\r\n") > 0 && header[strcspn(header, ":\r\n")] == ':' && !strpbrk(header, "\r\n");
}

static int
s_append(const artel_curl_t *curl, struct curl_slist **list, const char *header)
{
    struct curl_slist *longer = curl->curl_slist_append(*list, header);
    if (longer)
        *list = longer;
    return longer ? 0 : ARTEL_ENOMEM;
}

//  libcurl takes "Name:" for a header to leave out, and "Name;" for one without a value.
static int
s_append_empty(const artel_curl_t *curl, struct curl_slist **list, const char *header)
{
    char *copy = strdup(header);
    if (!copy)
        return ARTEL_ENOMEM;
    strcpy(strchr(copy, ':'), ";");
    int rc = s_append(curl, list, copy);
    free(copy);
    return rc;
}

static int
s_add(const artel_curl_t *curl, struct curl_slist **list, const char *header)
{
    if (!s_is_sound(header))
        return ARTEL_EINVAL;
    if (s_is_ours(header))
        return 0;
    const char *value = strchr(header, ':') + 1;
    return value[strspn(value, " \t")] ? s_append(curl, list, header) : s_append_empty(curl, list, header);
}

int
artel_headers_make(artel_exchange_t *self, const char *url, struct curl_slist **ret)
{
    const artel_curl_t *curl = self->way->curl;
    const artel_http_t *http = self->http;
    struct curl_slist *list = NULL;
    int rc = s_append(curl, &list, "Expect:");
    if (rc == 0)
        rc = s_append(curl, &list, "Proxy-Connection:");
    bool theirs = http->headers && (!self->url || artel_origin_is_same(url, http->url));
    for (size_t i = 0; rc == 0 && theirs && http->headers[i]; i++)
        rc = s_add(curl, &list, http->headers[i]);
    if (rc == 0 && http->key && artel_origin_is_beneath(url, http->key->base))
        rc = s_add(curl, &list, http->key->header);
    if (rc == 0)
        *ret = list;
    else
        curl->curl_slist_free_all(list);
    return rc;
}

void
artel_headers_forget(artel_http_t *http)
{
    http->status = 0;
    http->etag[0] = 0;
    http->retry_after_ms = -1;
    http->rate_left = http->rate_reset_s = -1;
}

static void
s_on_etag(artel_exchange_t *self, const char *value)
{
    snprintf(self->http->etag, sizeof self->http->etag, "%s", value);
}

static void
s_on_retry_after(artel_exchange_t *self, const char *value)
{
    self->http->retry_after_ms = artel_retry_after_ms(value, time(NULL), self->way->curl->curl_getdate);
}

static void
s_on_rate_left(artel_exchange_t *self, const char *value)
{
    self->http->rate_left = artel_retry_number(value);
}

static void
s_on_rate_reset(artel_exchange_t *self, const char *value)
{
    self->http->rate_reset_s = artel_retry_number(value);
}

static const struct {
    const char *name;
    void (*fn)(artel_exchange_t *self, const char *value);
} s_read[] = {
    { "ETag", s_on_etag }, { "Retry-After", s_on_retry_after },
    { "RateLimit-Remaining", s_on_rate_left }, { "RateLimit-Reset", s_on_rate_reset },
};

static void
s_on_line(artel_exchange_t *self, const char *line)
{
    if (strncmp(line, "HTTP/", 5) == 0) {       //  also the one behind a 100
        artel_headers_forget(self->http);
        const char *status = strchr(line, ' ');
        self->http->status = status ? atoi(status) : 0;
        return;
    }
    for (size_t i = 0; i < sizeof s_read / sizeof *s_read; i++)
        if (s_is_named(line, s_read[i].name)) {
            const char *value = line + strlen(s_read[i].name) + 1;
            s_read[i].fn(self, value + strspn(value, " \t"));
        }
}

size_t
artel_headers_read(char *line, size_t one, size_t size, void *arg)
{
    char copy[MAX_LINE];
    size_t n = size * one;
    if (n >= sizeof copy)
        return n;
    memcpy(copy, line, n);
    while (n > 0 && memchr("\r\n \t", copy[n - 1], 4))
        n--;
    copy[n] = 0;
    s_on_line(arg, copy);
    return size * one;
}
