//  adopter.h - the actor that looks for what dead programs left.
//
//  The writer starts it with the first adopt: it may read for minutes, and
//  nothing that a program waits for is to wait behind it.

#ifndef ARTEL_ADOPTER_H
#define ARTEL_ADOPTER_H

#include "actor.h"
#include "adopt.h"

//  What it sends to the writer, one struct a frame: each journal found, and at
//  the end of each search how that went. It is asked with a frame of anything.
typedef struct {
    bool over;                  //  the search is over
    artel_adopted_t found;      //  (not over)
    int rc;                     //  (over)
    char text[256];             //  (over) why, if rc is not 0
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
