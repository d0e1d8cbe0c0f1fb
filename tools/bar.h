//  bar.h - how far work is, on one line of a terminal.
//
//  Shown on stderr if it is a terminal, once the work has taken a second, at
//  most ten times a second, and erased at the end. A thread draws it, so that it
//  moves while the command waits.

#ifndef ARTEL_BAR_H
#define ARTEL_BAR_H

#include "args.h"

#include <stdint.h>

typedef struct artel_bar artel_bar_t;

//  Begin: "reading model". Returns NULL, which every call takes, where nothing is to be
//  drawn. total_bytes 0: not known.
artel_bar_t *
artel_bar_new(const artel_args_t *args, const char *doing, uint64_t total_bytes);

//  How far it is. Any thread.
void
artel_bar_move(artel_bar_t *self, uint64_t files, uint64_t bytes);

//  What is done now: "waiting for the store". A static text.
void
artel_bar_doing(artel_bar_t *self, const char *doing);

//  Erase the line and free.
void
artel_bar_end(artel_bar_t **self_p);

#endif
