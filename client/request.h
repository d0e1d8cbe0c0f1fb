//  request.h - a question to the node that one caller waits for.

#ifndef ARTEL_REQUEST_H
#define ARTEL_REQUEST_H

#include "artel.h"
#include "msgs.h"
#include "wait.h"

//  On the caller's stack, and in the client's list while it is asked.
typedef struct artel_request {
    struct artel_request *next;
    artel_msg_t msg;            //  a resolve or an adopt, without its token
    uint64_t token;
    bool sent, done;
    int code;                   //  the answer, from here on
    char why[256];
    char name[ARTEL_DIGEST_TEXT * 2 + 1], pack[ARTEL_ID_TEXT];
    int64_t version;
    artel_digest_t manifest;
    uint64_t files, bytes;
    uint64_t journals, undelivered, lost;
} artel_request_t;

//  Ask and wait. 0 and the answer (whose code may be any), ARTEL_ETIMEOUT, ARTEL_ECLOSED.
int
artel_request(artel_t *client, artel_request_t *request, artel_deadline_t deadline);

#endif
