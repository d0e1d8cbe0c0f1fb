//  trace.h - an event for every message that crosses a socket.
//
//  ARTEL_TRACE=FILE: one JSON object a line with the fields time (ns since
//  1970), from, to, name, xid, run, bytes. An event is written before its
//  message is sent, so a message never stands before one that caused it.

#ifndef ARTEL_TRACE_H
#define ARTEL_TRACE_H

#include "msgs.h"

//  Open the file ARTEL_TRACE names, once a process (O_APPEND: several may share
//  it). 0, also if there is no such variable; each call says again why it could
//  not be opened.
int
artel_trace_open(void);

//  Whether events could not be written, or the file not be opened: true once a
//  process, with the sentence for whoever asked for the trace. Any thread.
bool
artel_trace_trouble(char *ret, size_t size);

bool
artel_trace_on(void);

//  Note one message from one actor to another, run being its run or empty. What
//  cannot be written is left out (artel_trace_trouble tells it): a trace never
//  disturbs the program. Any thread.
void
artel_trace_message(const char *from, const char *to, const artel_msg_t *msg,
                    artel_str_t run, size_t bytes);

//  Note each record of a batch, under the record's own name.
void
artel_trace_batch(const char *from, const char *to, const void *data, size_t len);

#endif
