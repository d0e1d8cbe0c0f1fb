//  sequence.h - events drawn as a message sequence diagram.
//
//  One lifeline an actor, one arrow a message, in the order of the events. Equal
//  messages in a row are drawn as one arrow with their number.

#ifndef ARTEL_SEQUENCE_H
#define ARTEL_SEQUENCE_H

#include "events.h"

#include <stdbool.h>

typedef struct {
    bool utf8;                      //  lines and arrows, else ASCII
    bool colours;                   //  an ink for each xid
} artel_sequence_style_t;

//  For a terminal, at most 100 columns wide.
void
artel_sequence_text(const artel_events_t *events, artel_sequence_style_t style, FILE *out);

//  As a Mermaid sequenceDiagram.
void
artel_sequence_mermaid(const artel_events_t *events, FILE *out);

#endif
