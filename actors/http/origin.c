//  origin.c - urls: where one leads, whether a key may go there, and how to show it.

#include "origin.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
enum { MAX_PORT = 65535 };

//  Only bytes that no reader of urls takes for another.
static bool
s_is_plain(const char *url)
{
    for (; *url; url++)
        if ((unsigned char) *url <= ' ' || *url == 0x7f || *url == '\\')
            return false;
    return true;
}

static const char *
s_parse_scheme(const char *url, bool *ret_secure)
{
    *ret_secure = strncasecmp(url, "https://", 8) == 0;
    if (*ret_secure)
        return url + 8;
    return strncasecmp(url, "http://", 7) == 0 ? url + 7 : NULL;
}

//  How long the host is that begins here; 0 if it is none.
static size_t
s_host_size(const char *at)
{
    if (*at != '[')
        return strspn(at, ALNUM ".-_");
    size_t size = strspn(at + 1, "0123456789abcdefABCDEF:.");
    return size && at[1 + size] == ']' ? size + 2 : 0;
}

//  Behind the port, if there is one; NULL if it is no number of a port.
static const char *
s_parse_port(const char *at, unsigned *ret)
{
    if (*at != ':')
        return at;
    char *end;
    size_t size = strspn(at + 1, "0123456789");
    unsigned long port = strtoul(at + 1, &end, 10);
    if (size == 0 || size > 5 || port == 0 || port > MAX_PORT)
        return NULL;
    *ret = (unsigned) port;
    return end;
}

bool
artel_origin_parse(const char *url, artel_origin_t *ret)
{
    artel_origin_t origin;
    const char *at = s_is_plain(url) ? s_parse_scheme(url, &origin.secure) : NULL;
    size_t size = at ? s_host_size(at) : 0;
    if (size == 0 || size > UINT8_MAX)
        return false;
    origin.host = at;
    origin.host_size = (int) size;
    origin.port = origin.secure ? 443 : 80;
    origin.path = s_parse_port(at + size, &origin.port);
    if (!origin.path || (*origin.path && !strchr("/?#", *origin.path)))
        return false;
    origin.path_size = (int) strcspn(origin.path, "?#");
    *ret = origin;
    return true;
}

static bool
s_is_same(const artel_origin_t *a, const artel_origin_t *b)
{
    return a->secure == b->secure && a->port == b->port && a->host_size == b->host_size
        && strncasecmp(a->host, b->host, (size_t) a->host_size) == 0;
}

bool
artel_origin_is_same(const char *a, const char *b)
{
    artel_origin_t of_a, of_b;
    return artel_origin_parse(a, &of_a) && artel_origin_parse(b, &of_b) && s_is_same(&of_a, &of_b);
}

//  How many bytes here are a dot, as it is or encoded; 0: none.
static int
s_dot(const char *at, const char *end)
{
    if (at < end && *at == '.')
        return 1;
    return end - at >= 3 && strncasecmp(at, "%2e", 3) == 0 ? 3 : 0;
}

//  Whether what follows a '/' is a segment "." or "..".
static bool
s_is_dot_segment(const char *at, const char *end)
{
    int first = s_dot(at, end);
    at += first + (first ? s_dot(at + first, end) : 0);
    return first && (at == end || *at == '/');
}

static bool
s_has_dot_segment(const artel_origin_t *url)
{
    const char *end = url->path + url->path_size;
    for (const char *at = url->path; at < end; at++)
        if (*at == '/' && s_is_dot_segment(at + 1, end))
            return true;
    return false;
}

bool
artel_origin_is_beneath(const char *url, const char *base)
{
    artel_origin_t of_url, of_base;
    if (!artel_origin_parse(url, &of_url) || !artel_origin_parse(base, &of_base)
        || !s_is_same(&of_url, &of_base) || s_has_dot_segment(&of_url))
        return false;
    int size = of_base.path_size;
    while (size > 0 && of_base.path[size - 1] == '/')
        size--;
    return of_url.path_size >= size && memcmp(of_url.path, of_base.path, (size_t) size) == 0
        && (of_url.path_size == size || of_url.path[size] == '/');
}

void
artel_origin_show(const char *url, char *ret, size_t size)
{
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    int end = (int) strcspn(url, "?#");
    const char *user = memrchr(host, '@', strcspn(host, "/?#"));
    snprintf(ret, size, "%.*s%.*s", (int) (user ? host - url : 0), url,
             (int) (url + end - (user ? user + 1 : url)), user ? user + 1 : url);
}
