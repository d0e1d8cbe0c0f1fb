//  events.h - the events of a trace file, one JSON object a line.

#ifndef ARTEL_EVENTS_H
#define ARTEL_EVENTS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct {
    int64_t time_ns;
    char *from, *to, *name, *xid, *run;     //  xid and run may be ""
    uint64_t bytes;
} artel_event_t;

typedef struct {
    artel_event_t *at;
    size_t n, room;
    size_t refused;                 //  lines that are no event
} artel_events_t;

//  Read every event whose xid begins with xid (NULL: all). A line that is no
//  event is refused with its number on stderr and counted. 0, or
//  ARTEL_EXIT_FAILED after a sentence.
int
artel_events_read(FILE *in, const char *xid, artel_events_t *ret);
void
artel_events_done(artel_events_t *self);

#endif
