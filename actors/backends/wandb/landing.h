//  landing.h - a file that comes in pieces: under another name, hashed on the way, and named when it is right.

#ifndef ARTEL_LANDING_H
#define ARTEL_LANDING_H

#include "md5.h"

#include <limits.h>

typedef struct {
    int folder, fd;             //  the folder it goes to, and the file; -1: none
    char name[NAME_MAX + 1];    //  its own, in the folder
    char draft[64];             //  the one it has until then
    artel_md5_pieces_t md5;
    uint64_t at;                //  bytes so far
} artel_landing_t;

//  Begin the file path beneath the folder root; folders on the way are made, and none is entered that is a link.
//  path is legal (artel_path_legal). ARTEL_EEXIST: something else is in the way; ARTEL_EACCES, ARTEL_ENOSPC, ARTEL_EMFILE,
//  ARTEL_EIO, what crypto.h fails with.
int
artel_landing_begin(artel_landing_t *self, int root, const char *path);

//  The sink of a request whose arg is a landing (artel_http_sink_fn). ARTEL_EPROTO: out of order; ARTEL_ENOSPC,
//  ARTEL_EIO.
int
artel_landing_take(void *arg, uint64_t offset, const void *data, size_t size);

//  All is there: the file gets its name if its MD5 is this, as base64. Else it goes: ARTEL_ECORRUPT, ARTEL_EEXIST, ARTEL_EIO.
int
artel_landing_end(artel_landing_t *self, const char *digest);

//  Give it up.
void
artel_landing_drop(artel_landing_t *self);

#endif
