//  fetching_self.h - what the files of a fetching share.
//
//  fetching.c is the order of steps and the requests, fetching_files.c the files page by page.

#ifndef ARTEL_FETCHING_SELF_H
#define ARTEL_FETCHING_SELF_H

#include "fetching.h"
#include "graphql.h"
#include "landing.h"

enum {
    FETCHING_REQUESTS = 64,     //  out at a time
    FETCHING_PAGE = 5000,
    FETCHING_TRIES = 20,        //  of one GET
    FETCHING_MOST = 1 << 30,    //  bytes of a manifest
};

typedef enum {
    FETCHING_NAME,
    FETCHING_MANIFEST_URL,
    FETCHING_LOAD,              //  the manifest
    FETCHING_FILES,
    FETCHING_OVER,
} artel_fetching_step_t;

//  Of an entry.
typedef enum { FETCHING_ABSENT, FETCHING_COMING, FETCHING_THERE } artel_fetching_standing_t;

typedef struct artel_fetching_request artel_fetching_request_t;
typedef void artel_fetching_took_fn(artel_fetching_t *self, artel_fetching_request_t *request);

struct artel_fetching_request {
    artel_http_t http;          //  first: it is what goes out
    bool busy;
    artel_fetching_took_fn *took;   //  it is back
    char *body, *url;
    const artel_content_t *entry;
    artel_landing_t landing;
};

struct artel_fetching {
    artel_fetching_args_t args;
    artel_fetching_state_t state;
    artel_fetching_step_t step;
    int root;
    artel_fetching_request_t requests[FETCHING_REQUESTS];
    unsigned out;

    char digest[ARTEL_MD5_HEX]; //  the artifact's, as the server says
    char *manifest_url;
    artel_contents_t contents;
    artel_fetching_standing_t *standing;    //  one an entry

    json_t *page, *edges;       //  in hand, and its URLs
    size_t at;
    char *cursor;               //  of the next page; NULL: the first
    bool more, asking;          //  there is one, and it is asked for
    unsigned round;
    size_t left;                //  files to be fetched in this round
    artel_fetching_state_t before;      //  the last that failed
};

//  ---- fetching.c

//  Fail with this code and sentence; the first failure stays.
void
artel_fetching_fail(artel_fetching_t *self, int code, bool passes, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

//  A request that is free; there must be one. release frees what is its own.
artel_fetching_request_t *
artel_fetching_request(artel_fetching_t *self, artel_fetching_took_fn *took);
void
artel_fetching_release(artel_fetching_t *self, artel_fetching_request_t *request);

//  Fill in a question (variables are taken), or a GET. NULL: the fetching has failed.
artel_http_t *
artel_fetching_ask(artel_fetching_t *self, artel_operation_t operation, json_t *variables, artel_fetching_took_fn *took);
artel_http_t *
artel_fetching_get(artel_fetching_t *self, artel_fetching_request_t *request, const char *url);

//  What is to be read of an answer, whose data is the caller's then. False: it has failed.
bool
artel_fetching_answered(artel_fetching_t *self, artel_operation_t operation, const artel_fetching_request_t *request,
                        artel_reading_t *ret);

//  ---- fetching_files.c

//  Begin to fetch what is not there yet; the next request of that.
void
artel_fetching_begin_round(artel_fetching_t *self);
artel_http_t *
artel_fetching_next_file(artel_fetching_t *self);

#endif
