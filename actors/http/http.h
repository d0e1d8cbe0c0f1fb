//  http.h - one HTTP request: what is asked, and what came of it.
//
//  A backend fills one in and hands it to the transfer actor (transfer.h), which hands it back when
//  it is over: with the answer, or with why there is none. Until then it is the transfer actor's, but
//  for cancel.

#ifndef ARTEL_HTTP_H
#define ARTEL_HTTP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

//  A secret, and the only place that may see it.
typedef struct {
    const char *base;           //  "https://api.wandb.ai/path", without a slash at its end
    const char *header;         //  "Authorization: Basic ..."
} artel_http_key_t;

//  What is sent: size bytes at data, or of the file fd from offset on.
typedef struct {
    const void *data;           //  NULL: fd
    int fd;                     //  a regular file, open until the request is back
    uint64_t offset, size;
} artel_http_body_t;

//  Which answers are asked for again. Failed connections, timeouts and answers that break off are, under every
//  rule; a certificate that does not verify, or a url that is none, never is.
typedef enum {
    ARTEL_HTTP_CALL,            //  not 400 401 403 404 409 410 413 422 501
    ARTEL_HTTP_UPSERT,          //  the same, but 409 is
    ARTEL_HTTP_FILE,            //  408 409 429, 5xx but 501, and a 400 that says RequestTimeout
} artel_http_rule_t;

//  Takes a part of the answer (2xx), on the transfer actor's thread; nonzero, an ARTEL_E*, ends the request
//  with it. An attempt that starts again calls it with offset 0 again.
typedef int artel_http_sink_fn(void *arg, uint64_t offset, const void *data, size_t size);

typedef struct artel_http {
    //  What is asked. Texts and bodies are the asker's.
    const char *method;         //  "GET", "POST", "PUT"
    const char *url;            //  http: or https:
    const char *const *headers; //  "Name: value", ends with NULL; no others are sent but Host, User-Agent,
                                //  Accept and Content-Length (always ours), and the key where it belongs. NULL: none
    const artel_http_key_t *key;    //  sent if scheme, host and port are its, and the path is beneath its; NULL: none
    artel_http_body_t body;
    bool follows;               //  redirects of a GET, up to 5; the key stays at its origin, and so do the headers
    artel_http_rule_t rule;
    unsigned tries;             //  attempts at most; 0 is 1
    int timeout_ms;             //  of an attempt; 0: only a stall ends it
    size_t most;                //  bytes of an answer, at most: more is ARTEL_ELIMIT; 0: 16 MiB, of a sink any.
                                //  A refusal (not 2xx) is cut at 64 KiB instead, and its end is not
                                //  waited for: so a redirect with more is not followed, but refused
    artel_http_sink_fn *sink;   //  takes them; NULL: they are kept in answer
    void *arg;                  //  of sink; the asker's own else

    //  The asker may set it at any time: the request is back soon, with ARTEL_ECANCELED.
    atomic_bool cancel;

    //  What came of it.
    int code;                   //  0: an answer 2xx. ARTEL_EREFUSED: another one; ARTEL_EUNAVAIL: none, from who could not be
                                //  reached or broke off; ARTEL_ETIMEOUT, ARTEL_ECANCELED, ARTEL_ELIMIT, ARTEL_EACCES (no trust in its
                                //  certificate), ARTEL_EINVAL (the url), ARTEL_EIO (the body could not be read), ARTEL_ENOMEM;
                                //  ARTEL_EMFILE: a connection would take the last descriptors; one that is there is used
    bool passes;                //  it might go another time: the rule says so, or tries ran out
    int status;                 //  of the last answer, 0 if there was none
    char *answer;               //  its body with a NUL behind it, also of a refusal; artel_http_done frees it
    size_t answer_size;
    char etag[256];             //  the header ETag as it came, "" if there was none
    int64_t retry_after_ms;     //  what the last answer asks to wait, or -1
    double rate_left, rate_reset_s; //  RateLimit-Remaining and RateLimit-Reset, or -1
    atomic_uint_least64_t bytes;    //  sent of the body, of this attempt
    char text[256];             //  why not: one sentence, no secrets, urls without their query

    void *own;                  //  the transfer actor's, while it has it
} artel_http_t;

//  Free what came of it; what was asked is kept, and it may be asked again.
void
artel_http_done(artel_http_t *self);

#endif
