//  clients.h - the folder clients/: files that are locked while their program lives.
//
//  A program holds a file there for each of its writers (presence.h) and ranks (rank.h). What it
//  made is locked a moment later, so who makes one holds a birth's lock meanwhile (layout.h), and
//  who removes what is unlocked keeps births away.

#ifndef ARTEL_JOURNAL_CLIENTS_H
#define ARTEL_JOURNAL_CLIENTS_H

//  Make the folder, and keep sweepers away until artel_fd_close. Waits only for a sweep of another.
//  ARTEL_EMFILE, ARTEL_ENOSPC, ARTEL_EACCES, ARTEL_EIO, ARTEL_ENOMEM.
int
artel_clients_begin(const char *state, int *ret_busy);

//  Open a file there, made if it is missing, and lock it. ARTEL_ELOCKED: another holds it; else as begin.
int
artel_clients_lock(const char *path, int *ret_fd);

//  Remove what killed programs left of a presence that was not yet named, and of ranks. Does
//  nothing while somebody makes a file there.
void
artel_clients_sweep(const char *state);

#endif
