//  saving_self.h - what the files of a saving share.
//
//  saving.c is the order of steps, saving_asks.c what each asks in GraphQL, saving_files.c
//  the files in batches and saving_parts.c a file in parts (saving_files.h), saving_hash.c
//  their MD5, saving_use.c an artifact that is used, and saving_requests.c the requests themselves.

#ifndef ARTEL_SAVING_SELF_H
#define ARTEL_SAVING_SELF_H

#include "graphql.h"
#include "saving.h"
#include "source.h"

enum {
    SAVING_REQUESTS = 64,       //  out at a time
    SAVING_BATCH = 2000,        //  files of one CreateArtifactFiles
    SAVING_LOW = 500,           //  with so few URLs left the next batch is asked for
    SAVING_TRIES = 20,          //  of one PUT
    SAVING_REPLY = 1 << 20,     //  bytes of a store's answer
};

typedef enum {
    SAVING_HASH,                //  before anything is asked
    SAVING_CREATE,
    SAVING_BEGIN,               //  the manifest, without a digest
    SAVING_FILES,
    SAVING_END,                 //  the manifest, with its digest
    SAVING_STORE,               //  and its bytes
    SAVING_COMMIT,
    SAVING_LOOK,                //  what became of it
    SAVING_FIND,                //  one that is used
    SAVING_USE,
    SAVING_OVER,
} artel_saving_step_t;

typedef struct artel_saving_batch artel_saving_batch_t;
typedef struct artel_saving_upload artel_saving_upload_t;
typedef struct artel_saving_request artel_saving_request_t;
typedef void artel_saving_took_fn(artel_saving_t *self, artel_saving_request_t *request);

struct artel_saving_request {
    artel_http_t http;          //  first: it is what goes out
    bool busy;
    artel_saving_took_fn *took; //  it is back
    char *body, *url;           //  its own
    const char *const *headers;
    char *texts[2];             //  of headers, if they are its own
    uint32_t file;
    size_t part;
    artel_saving_batch_t *batch;
    artel_saving_upload_t *upload;
};

//  Those of one round of sending, as indices of entries.
typedef struct {
    uint32_t *at;
    size_t n;
} artel_saving_files_t;

struct artel_saving {
    artel_saving_args_t args;
    artel_saving_state_t state;
    artel_saving_step_t step;
    atomic_bool cancel, hashed; //  somebody gives up; the hashing is over
    artel_saving_request_t requests[SAVING_REQUESTS];
    unsigned out;

    json_t *create;             //  variables of CreateArtifact
    char *uses;                 //  the name of one that is used; NULL: it is logged
    artel_digest_t manifest;    //  ours
    char pack[ARTEL_ID_TEXT];
    void *data;                 //  its bytes, which the entries point into
    artel_source_t *source;
    artel_flat_t flat;
    artel_mark_t *marks;        //  one an entry
    artel_md5_t **parts;        //  one an entry; NULL: it has none
    char digest[ARTEL_MD5_HEX]; //  of the artifact, or the version "v3" of one that is used
    char **births;              //  ids that marks point to
    size_t n_births;

    char base_id[ARTEL_WANDB_ID];       //  of the version before; "": none
    char manifest_id[ARTEL_WANDB_ID];   //  of the server's
    msgpack_sbuffer json;       //  the server's manifest
    json_t *offer;              //  where to put it
    unsigned stored;            //  how often that was tried
    artel_saving_state_t before;        //  why the commit failed, while we look

    artel_saving_files_t todo;  //  of this round
    artel_saving_files_t failed;        //  of it
    size_t asked;               //  of todo
    bool asking;                //  a batch is asked for
    unsigned round;
    size_t waiting;             //  files with a URL that are not on their way
    artel_saving_batch_t *batches;      //  the oldest first
    artel_saving_upload_t *upload;      //  has parts to hand out
    artel_saving_upload_t *sent;        //  have all parts there
};

//  ---- saving.c

//  Fail with this code and sentence; the first failure stays.
void
artel_saving_fail(artel_saving_t *self, int code, bool passes, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

//  Nothing more is asked; the saving is over when all is back.
void
artel_saving_end(artel_saving_t *self);

//  ---- saving_requests.c

//  A request that is free; there must be one. release frees what is its own.
artel_saving_request_t *
artel_saving_request(artel_saving_t *self, artel_saving_took_fn *took);
void
artel_saving_release(artel_saving_t *self, artel_saving_request_t *request);

//  Fill in a POST in GraphQL (variables are taken), or a PUT as the server ordered. NULL and the saving
//  has failed. NULL from a PUT may also mean: not now, there are no descriptors.
artel_http_t *
artel_saving_ask(artel_saving_t *self, artel_operation_t operation, json_t *variables, artel_saving_took_fn *took);
artel_http_t *
artel_saving_put(artel_saving_t *self, artel_saving_request_t *request, const char *url, const char *const *headers);

//  The body is of an entry's bytes. False: as above, and the request is released.
bool
artel_saving_body(artel_saving_t *self, artel_saving_request_t *request, uint64_t offset, uint64_t size);

//  ---- saving_asks.c

//  The request of a step that has one, and no other is out.
artel_http_t *
artel_saving_step(artel_saving_t *self);

#endif
