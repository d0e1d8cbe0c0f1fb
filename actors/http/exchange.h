//  exchange.h - a request on its way: one attempt after the other, each with a handle of libcurl's.
//
//  Internal to the transfer actor, which says when an attempt begins and what became of it.

#ifndef ARTEL_EXCHANGE_H
#define ARTEL_EXCHANGE_H

#include "curl.h"
#include "http.h"

#include <sys/queue.h>

//  The same for all of an actor.
typedef struct {
    const artel_curl_t *curl;
    const char *ca;             //  a file of certificates to trust, or NULL: the system's
    int stall_s;                //  so long without a byte ends an attempt that has no deadline
} artel_exchange_way_t;

typedef struct artel_exchange {
    TAILQ_ENTRY(artel_exchange) link;
    artel_http_t *http;
    const artel_exchange_way_t *way;
    size_t asker;               //  whose it is
    unsigned attempt;           //  from 0
    bool was_silent;            //  the last attempt ended by time: its connection may be dead, others on it or not
    int64_t due_ms;             //  of CLOCK_MONOTONIC: when the next attempt begins

    //  Of the attempt.
    CURL *easy;                 //  NULL: none is under way
    struct curl_slist *headers;
    int64_t began_ms;
    char *url;                  //  where a redirect led, or NULL
    unsigned redirects;
    uint64_t sent, got;         //  bytes of the body, and of the answer
    size_t room;                //  bytes there are at http->answer
    int rc;                     //  why we broke off ourselves, or 0
    bool lacks_fds;             //  no connection, as descriptors run out
    bool is_cut;                //  a refusal, of which enough was read
} artel_exchange_t;

//  NULL: no memory. It knows its request, which knows it (own).
artel_exchange_t *
artel_exchange_new(artel_http_t *http, const artel_exchange_way_t *way, size_t asker);

//  What came of it stays in the request.
void
artel_exchange_destroy(artel_exchange_t **self_p);

//  Make the handle ready for an attempt, which the caller starts. 0; or what goes into code: then the
//  request is over, and says why.
int
artel_exchange_begin(artel_exchange_t *self, CURL *easy);

typedef enum {
    ARTEL_EXCHANGE_OVER,        //  the request says what came of it
    ARTEL_EXCHANGE_AGAIN,       //  the same, but it is worth another attempt
    ARTEL_EXCHANGE_ON,          //  begin again at once: it was sent elsewhere
} artel_exchange_end_t;

//  The attempt is over with this code of libcurl's; the handle is the caller's again.
artel_exchange_end_t
artel_exchange_end(artel_exchange_t *self, CURLcode code);

//  Break it off. The handle, if an attempt was under way, is the caller's again.
void
artel_exchange_cancel(artel_exchange_t *self);

#endif
