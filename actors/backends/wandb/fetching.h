//  fetching.h - one artifact on its way from W&B into a folder, as the requests it takes.
//
//  It is driven as a saving is (saving.h): next, take, state. Files are written by their sinks, on
//  the transfer actor's thread, and get their names when their MD5 is that of the manifest.

#ifndef ARTEL_FETCHING_H
#define ARTEL_FETCHING_H

#include "contents.h"
#include "http.h"
#include "manifest_json.h"

typedef struct artel_fetching artel_fetching_t;

typedef struct {
    const char *base, *graphql; //  of the server, as in artel_saving_args_t
    const artel_http_key_t *key;
    const char *entity, *project;   //  NULL: the key's own; "uncategorized"
    const char *name;           //  "set:v3", "set:best"
    const char *into;           //  a folder that is there
    unsigned page;              //  URLs asked for at once; 0: 5,000
} artel_fetching_args_t;

//  Begin; args' texts are borrowed until destroy. ARTEL_ENOENT, ARTEL_EACCES (the folder), ARTEL_EMFILE, ARTEL_ENOMEM.
int
artel_fetching_new(const artel_fetching_args_t *args, artel_fetching_t **ret);

//  Every request must be back before. Files that are there stay.
void
artel_fetching_destroy(artel_fetching_t **self_p);

artel_http_t *
artel_fetching_next(artel_fetching_t *self);
void
artel_fetching_take(artel_fetching_t *self, artel_http_t *http);
void
artel_fetching_cancel(artel_fetching_t *self);

typedef struct {
    bool over;                  //  and no request is out
    int code;                   //  0, or why not; ARTEL_ENOENT: the server has no such artifact; ARTEL_ECORRUPT: bytes
                                //  are not those of the manifest, or the manifest is not the artifact's
    bool passes;                //  it might go another time
    int64_t version;
    char id[ARTEL_WANDB_ID];
    uint64_t files, bytes;      //  that are there
    char text[256];             //  why not: one sentence
} artel_fetching_state_t;

const artel_fetching_state_t *
artel_fetching_state(const artel_fetching_t *self);

//  The entries, of which references are not fetched; sorted by path. NULL before the manifest is there.
const artel_contents_t *
artel_fetching_contents(const artel_fetching_t *self);

#endif
