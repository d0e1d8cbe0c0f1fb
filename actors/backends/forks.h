//  forks.h - SQLite in a process that forks.
//
//  SQLite has locks of the whole process, which a child would find held for ever
//  if another thread of its parent was in SQLite; and it remembers by inode which
//  files the process has locked, which a child would believe of its parent's
//  locks. Both would be the host's trouble: its children may use SQLite too.

#ifndef ARTEL_FORKS_H
#define ARTEL_FORKS_H

//  Call before a connection is opened; cheap, any thread. Connections that a
//  parent has open stay out of bounds in its children.
void
artel_sqlite_guard_forks(void);

#endif
