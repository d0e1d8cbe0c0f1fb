//  undelivered.h - the artifacts that some journal has and some sink it wants has not.
//
//  What they name must stay in the state directory's blobs.

#ifndef ARTEL_UNDELIVERED_H
#define ARTEL_UNDELIVERED_H

#include "msgs.h"

typedef struct {
    const char *run;
    artel_id_t writer;
    const artel_msg_artifact_send_t *send;  //  also of a record `artifact`
} artel_undelivered_t;

//  Call fn for each artifact_send or artifact record in a pending journal for which not
//  every wanted sink has an outcome; fn returns 0 to go on. What fn gets lives
//  until it returns. An outcome that comes meanwhile may be missed, never a record
//  that was accepted before. Returns fn's other value, 0, ARTEL_EVERSION, ARTEL_EIO,
//  ARTEL_ENOMEM and so on: then not all were seen.
int
artel_undelivered_each(const char *state,
                       int (*fn)(void *arg, const artel_undelivered_t *artifact), void *arg);

#endif
