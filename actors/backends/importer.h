//  importer.h - the thread that copies blobs from the state directory into
//  another store, so that its backend never waits for them.
//
//  Internal to backends/. The backend sends it jobs over an inproc PAIR, one struct a
//  frame (both ends are this process), and gets each back with its result.

#ifndef ARTEL_IMPORTER_H
#define ARTEL_IMPORTER_H

#include "actor.h"
#include "id.h"

typedef struct {
    uint64_t number;            //  the asker's, to know the answer by
    artel_digest_t manifest;
    char pack[ARTEL_ID_TEXT];   //  where it is in `from`, or ""; in the answer, in `to`
    int lock;                   //  (answer) of blobs/ in `to`, shared: the asker releases it; or -1
    int rc;                     //  (answer) 0 or a code of artel_import
    char text[512];             //  (answer) why
} artel_import_job_t;

typedef struct {
    artel_start_t start;
    const char *from, *to;      //  outlive the actor
    atomic_bool *cancel;        //  outlives it: ends the job in hand
    zsock_t *asker;             //  PAIR; the importer owns it now
} artel_importer_args_t;

void
artel_importer(zsock_t *pipe, void *args);

#endif
