//  layout.h - the names in a journal's folder, and who may be busy in tmp/.

#ifndef ARTEL_JOURNAL_LAYOUT_H
#define ARTEL_JOURNAL_LAYOUT_H

#include "id.h"

//  runs/<run>/<writer>, which the caller frees. ARTEL_EINVAL if run is not legal, ARTEL_ENOMEM.
int
artel_journal_folder(const char *state, const char *run, artel_id_t writer, char **ret);

//  Take the append lock of a journal's folder; flags may be O_CREAT | O_EXCL.
//  ARTEL_ELOCKED if another holds it, ARTEL_ENOENT if the journal is gone.
//  artel_fd_close gives it back.
int
artel_append_lock(const char *folder, int flags, int *ret_fd);

//  Open a segment's file; as artel_fd_open, -1 with errno.
int
artel_segment_fd(const char *folder, uint32_t number, int flags);

//  Remove a segment's file.
void
artel_segment_unlink(const char *folder, uint32_t number);

//  The segment with the next higher (lower) number: 1 and *ret, 0 if there is
//  none, ARTEL_ENOENT if there is no folder, or another code of opendir.
int
artel_segment_after(const char *folder, uint32_t number, uint32_t *ret);
int
artel_segment_before(const char *folder, uint32_t number, uint32_t *ret);

//  Remove a folder and what is in it; links are not followed.
void
artel_remove_tree(const char *path);

//  A birth builds its journal in tmp/ while it holds tmp/LOCK shared. Whoever
//  gets that lock exclusively knows that no birth is under way: what lies in
//  tmp/journal.* is dead, and so is a pending/ mark without a journal. Begin removes what dead
//  births left, if it can. Blocks only for such a sweep of another. artel_fd_close ends it.
int
artel_births_begin(const char *state, int *ret_fd);

//  The lock exclusively, or ARTEL_ELOCKED at once.
int
artel_births_stop(const char *state, int *ret_fd);

//  With the lock held exclusively: remove what dead births left, or only count it.
unsigned
artel_births_sweep(const char *state, bool dry_run);

#endif
