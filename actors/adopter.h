//  adopter.h - the actor that looks for what dead programs left.
//
//  The writer starts it with the first adopt: it may read for minutes, and
//  nothing that a program waits for is to wait behind it.

#ifndef ARTEL_ADOPTER_H
#define ARTEL_ADOPTER_H

#include "actor.h"
#include "adopt.h"

//  What it sends to the writer, one struct a frame. It is asked with a frame that
//  holds a token (uint64_t), which comes back in each.
typedef enum {
    ARTEL_ADOPTER_FOUND,        //  a dead journal, complete now
    ARTEL_ADOPTER_GONE,         //  a writer whose program died, and left it to the service
    ARTEL_ADOPTER_OVER,         //  the search is over
} artel_adopter_event_t;

typedef struct {
    artel_adopter_event_t event;
    uint64_t token;
    artel_adopted_t of;         //  (FOUND; GONE: run and writer)
    int rc;                     //  (OVER)
    char text[256];             //  (OVER) why, if rc is not 0
} artel_adopter_result_t;

typedef struct {
    artel_start_t start;
    const char *state;          //  outlives the actor
    zsock_t *writer;            //  PAIR; the adopter owns it now
} artel_adopter_args_t;

//  A search in hand ends at the next journal when it is told to stop.
void
artel_adopter(zsock_t *pipe, void *args);

#endif
