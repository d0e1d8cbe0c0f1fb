//  synced.h - what would be left of a program's files if the power went now.

#ifndef ARTEL_STEP_SYNCED_H
#define ARTEL_STEP_SYNCED_H

//  Keep in this folder what is synced; "": nothing is kept.
void
step_synced_init(const char *folder);

//  The file or folder fd was synced. Of a file its bytes are kept as <inode>, of a
//  folder the lines "INODE d NAME" (f if NAME is no folder) as <inode>.names. What another
//  thread writes at the same time may be taken for synced, never the other way round.
void
step_synced(int fd);

#endif
