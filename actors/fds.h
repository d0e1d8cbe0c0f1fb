//  fds.h - descriptors that a forked child must not keep: they hold locks.
//
//  Every lock or journal descriptor is opened through here (O_CLOEXEC). A
//  pthread_atfork child handler closes what is open and bumps the generation;
//  it takes no lock and no memory, and fork() never waits for us.

#ifndef ARTEL_FDS_H
#define ARTEL_FDS_H

#include <stdbool.h>

//  open(2) with O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, mode 0600, and remember it.
//  Returns the descriptor, or -1 with errno (EMFILE: also if 32768 are open). Any thread.
int
artel_fd_open(const char *path, int flags);

//  close(2) what artel_fd_open gave, and release its locks. -1 is fine.
void
artel_fd_close(int fd);

//  Take an OFD lock on the whole file (F_OFD_SETLK, or SETLKW if wait). Returns 0,
//  ARTEL_ELOCKED, or ARTEL_EIO.
int
artel_fd_lock(int fd, bool exclusive, bool wait);
void
artel_fd_unlock(int fd);

//  Whether another holds a lock on the file: 1, 0, or ARTEL_EIO. Only asks, and so never keeps
//  anybody from locking.
int
artel_fd_is_locked(int fd);

//  Raised by one in each forked child. Compare before any mutex.
unsigned
artel_fork_generation(void);

//  Install the fork handlers; idempotent, any thread.
void
artel_fds_init(void);

#endif
