//  streams.c - the bytes of an exchange: its body as it goes out, its answer as it comes in.

#include "streams.h"

#include "errors.h"
#include "headers.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

//  How many bytes of the body went into the buffer; negative: it cannot be read.
static ssize_t
s_copy(const artel_http_body_t *body, uint64_t at, char *into, size_t size)
{
    if (body->data) {
        memcpy(into, (const char *) body->data + at, size);
        return (ssize_t) size;
    }
    ssize_t got;
    do
        got = pread(body->fd, into, size, (off_t) (body->offset + at));
    while (got < 0 && errno == EINTR);
    return got > 0 ? got : -1;                  //  it ends before it should
}

static size_t
s_send(char *into, size_t one, size_t n, void *arg)
{
    artel_exchange_t *self = arg;
    uint64_t left = self->http->body.size - self->sent;
    size_t size = one * n < left ? one * n : (size_t) left;
    ssize_t got = size ? s_copy(&self->http->body, self->sent, into, size) : 0;
    if (got < 0) {
        self->rc = ARTEL_EIO;
        return CURL_READFUNC_ABORT;
    }
    self->sent += (uint64_t) got;
    atomic_store(&self->http->bytes, self->sent);
    return (size_t) got;
}

//  libcurl begins anew by itself when a connection that it used again turns out to be dead.
static int
s_seek(void *arg, curl_off_t offset, int origin)
{
    artel_exchange_t *self = arg;
    if (origin != SEEK_SET || offset < 0 || (uint64_t) offset > self->http->body.size)
        return CURL_SEEKFUNC_FAIL;
    self->sent = (uint64_t) offset;
    atomic_store(&self->http->bytes, self->sent);
    return CURL_SEEKFUNC_OK;
}

//  Room for size more bytes and a NUL.
static bool
s_make_room(artel_exchange_t *self, size_t size)
{
    artel_http_t *http = self->http;
    size_t need = http->answer_size + size + 1, room = self->room ? self->room : 512;
    while (room < need)
        room *= 2;
    if (room == self->room)
        return true;
    char *larger = realloc(http->answer, room);
    if (!larger)
        return false;
    http->answer = larger;
    self->room = room;
    return true;
}

static int
s_keep(artel_exchange_t *self, const void *data, size_t size)
{
    artel_http_t *http = self->http;
    if (!s_make_room(self, size))
        return ARTEL_ENOMEM;
    memcpy(http->answer + http->answer_size, data, size);
    http->answer_size += size;
    http->answer[http->answer_size] = 0;
    return 0;
}

//  It may have no end, and its status says enough.
static int
s_take_refusal(artel_exchange_t *self, const void *data, size_t size)
{
    size_t room = ARTEL_REFUSAL_MOST - self->http->answer_size;
    self->is_cut = size > room;
    return s_keep(self, data, size < room ? size : room);
}

static int
s_take_answer(artel_exchange_t *self, const void *data, size_t size)
{
    artel_http_t *http = self->http;
    uint64_t most = http->most ? http->most : http->sink ? UINT64_MAX : ARTEL_ANSWER_MOST;
    if (size > most - self->got)
        return ARTEL_ELIMIT;
    return http->sink ? http->sink(http->arg, self->got, data, size) : s_keep(self, data, size);
}

static size_t
s_take(char *data, size_t one, size_t n, void *arg)
{
    artel_exchange_t *self = arg;
    size_t size = one * n;
    bool is_good = self->http->status >= 200 && self->http->status < 300;
    self->rc = is_good ? s_take_answer(self, data, size) : s_take_refusal(self, data, size);
    if (self->rc != 0 || self->is_cut)
        return size ? 0 : 1;                    //  anything but size
    self->got += size;
    return size;
}

void
artel_streams_set(artel_exchange_t *self)
{
    const artel_curl_t *curl = self->way->curl;
    curl->curl_easy_setopt(self->easy, CURLOPT_READFUNCTION, s_send);
    curl->curl_easy_setopt(self->easy, CURLOPT_READDATA, self);
    curl->curl_easy_setopt(self->easy, CURLOPT_SEEKFUNCTION, s_seek);
    curl->curl_easy_setopt(self->easy, CURLOPT_SEEKDATA, self);
    curl->curl_easy_setopt(self->easy, CURLOPT_WRITEFUNCTION, s_take);
    curl->curl_easy_setopt(self->easy, CURLOPT_WRITEDATA, self);
    curl->curl_easy_setopt(self->easy, CURLOPT_HEADERFUNCTION, artel_headers_read);
    curl->curl_easy_setopt(self->easy, CURLOPT_HEADERDATA, self);
}
