//  presence.h - whether the program behind a writer still lives.
//
//  A program that logs through a service doesn't hold its journals' append locks:
//  the service does. So it locks a file of its own, clients/<run>.<writer>, from
//  before its run_open until the writer is over. A service that was restarted then
//  knows whose journals somebody will come back for; and any service, who died.

#ifndef ARTEL_JOURNAL_PRESENCE_H
#define ARTEL_JOURNAL_PRESENCE_H

#include "id.h"

//  Say that the writer's program lives. *ret_fd holds it until artel_fd_close or the
//  end of the process; the file is the service's to remove. Not durable, as processes aren't. ARTEL_EMFILE,
//  ARTEL_ENOSPC, ARTEL_EACCES, ARTEL_EIO.
int
artel_presence_begin(const char *state, const char *run, artel_id_t writer, int *ret_fd);

//  1: its program lives; 0: it does not; ARTEL_ENOENT: it never said that it does, or that was forgotten; or why
//  that cannot be told. Only asks.
int
artel_presence_check(const char *state, const char *run, artel_id_t writer);

//  Call fn for each that is dead; it returns 0 to go on. Returns fn's other value,
//  0, or ARTEL_EIO.
int
artel_presence_each_dead(const char *state, int (*fn)(void *arg, const char *run, artel_id_t writer),
                         void *arg);

//  Forget a dead one: nothing is left to do for it.
void
artel_presence_forget(const char *state, const char *run, artel_id_t writer);

#endif
