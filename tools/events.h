//  events.h - the events of a trace file, one JSON object a line.
//
//  A trace is anyone's bytes. The texts of an event are printable ASCII without blanks,
//  so that what is drawn of them can neither steer a terminal nor end a line.

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

enum { ARTEL_EVENTS_NAMED = 5 };

typedef struct {
    artel_event_t *at;
    size_t n, room;
    size_t refused;                 //  lines that are no event
    size_t refused_at[ARTEL_EVENTS_NAMED];  //  the numbers of the first of them
} artel_events_t;

//  Read every event whose xid begins with xid (NULL: all). A line that is no
//  event is refused. 0, or an errno.
int
artel_events_read(FILE *in, const char *xid, artel_events_t *ret);
void
artel_events_done(artel_events_t *self);

//  Write them as they are read.
void
artel_events_put(const artel_events_t *self, FILE *out);

#endif
