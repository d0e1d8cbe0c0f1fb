//  state.h - the state directory: where it is, how it is made, and its paths.

#ifndef ARTEL_STATE_H
#define ARTEL_STATE_H

#include <stdbool.h>
#include <stddef.h>

//  The directory to use, as an absolute path the caller frees: dir if not NULL
//  or empty, else ARTEL_DIR, else the nearest .artel/ at or above the working
//  directory that is the user's own, else $XDG_DATA_HOME/artel (or
//  ~/.local/share/artel). ARTEL_ENOMEM; ARTEL_EINVAL if there is not even a HOME.
int
artel_state_find(const char *dir, char **ret);

//  Make the directory (0700, with parents) and its folders runs, blobs,
//  blobs/packs, pending, tmp and the host and version files, if missing.
//  ARTEL_EACCES, ARTEL_ENOSPC, ARTEL_EIO; ARTEL_EVERSION if a newer artel made it.
int
artel_state_make(const char *state);

//  Whether artel_state_make has made it what it is.
bool
artel_state_is_made(const char *state);

//  Whether this machine made the directory, and no other can have it mounted: 1
//  or 0, or why that cannot be told. If not, a node writes only its own journals
//  and blobs, never the catalogue, and adopts nothing. A directory that moved
//  here with its disk is this machine's once its host file is removed.
int
artel_state_is_ours(const char *state);

//  mkdir with parents, mode 0700, each made durable; an existing directory is fine.
int
artel_make_dirs(const char *path);

//  fsync a directory, so that a name in it is durable.
int
artel_sync_dir(const char *path);

//  printf into a fresh string the caller frees; NULL if out of memory.
char *
artel_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
