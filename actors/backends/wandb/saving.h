//  saving.h - one artifact on its way to W&B, or one that a run uses there, as the requests that takes.
//
//  It neither sends nor waits: it says which request is next, and is told what came of it,
//  in any order. Who drives it does, in a loop:
//
//      artel_saving_hash                       once, on any thread
//      artel_saving_next until it is NULL      hand them to the transfer actor
//      artel_saving_take what is back
//
//  until artel_saving_state says that it is over. Order and limits are those of W&B's own
//  client; an artifact that is given up stays invisible, and may be logged again with the
//  same xid: what the server has by then is not sent again.

#ifndef ARTEL_SAVING_H
#define ARTEL_SAVING_H

#include "http.h"
#include "manifest_json.h"
#include "msgs.h"

typedef struct artel_saving artel_saving_t;

typedef struct {
    const char *store;          //  the directory that holds blobs/
    const char *base;           //  of the server, without a slash at its end
    const char *graphql;        //  its URL: base and "/graphql"
    const artel_http_key_t *key;
    const char *entity, *project, *run;     //  as the server calls them
    uint64_t parts_from;        //  a file so large is sent in parts; 0: 2 GiB
    uint64_t part;              //  bytes of a part; 0: 100 MiB, or what makes 10,000 parts
} artel_saving_args_t;

//  Begin with an artifact; send is borrowed for the call, args' texts until destroy. ARTEL_ENOMEM, ARTEL_EINVAL (a text
//  of it is not UTF-8).
int
artel_saving_new(const artel_saving_args_t *args, const artel_msg_artifact_send_t *send, artel_saving_t **ret);

//  The same for one that the run uses, which the server must have; version is its number there, or -1: it is found
//  by its content, which is hashed. If there is none it fails with ARTEL_ENOENT. ARTEL_ENOMEM.
int
artel_saving_use(const artel_saving_args_t *args, const artel_msg_use_artifact_t *use, int64_t version,
                 artel_saving_t **ret);

//  Every request must be back before.
void
artel_saving_destroy(artel_saving_t **self_p);

//  Read the manifest, find the blobs, take their MD5. Blocks as long as that takes; may be called on another
//  thread than the rest, with nothing else meanwhile but artel_saving_cancel. What fails, fails the saving.
void
artel_saving_hash(artel_saving_t *self);

//  The next request, which is the saving's; NULL: none now. There are never more than 64 out.
artel_http_t *
artel_saving_next(artel_saving_t *self);

//  A request is back, whatever came of it.
void
artel_saving_take(artel_saving_t *self, artel_http_t *http);

//  Give up: requests that are out are canceled, and the hashing ends soon. From the thread that takes them.
void
artel_saving_cancel(artel_saving_t *self);

typedef struct {
    bool over;                  //  and no request is out
    int code;                   //  0, or why not
    bool passes;                //  it might go another time
    int64_t version;            //  the server's number
    bool fresh;                 //  false: the server had this content already, under that version
    char id[ARTEL_WANDB_ID];    //  of the artifact; "" before the server named it
    uint64_t files, bytes;      //  so far: sent, or known to be there
    char text[256];             //  why not: one sentence
} artel_saving_state_t;

const artel_saving_state_t *
artel_saving_state(const artel_saving_t *self);

#endif
