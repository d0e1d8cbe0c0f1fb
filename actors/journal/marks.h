//  marks.h - folders of files that each stand for one writer of one run, named
//  <run>.<writer>: pending/ and clients/.

#ifndef ARTEL_JOURNAL_MARKS_H
#define ARTEL_JOURNAL_MARKS_H

#include "id.h"

//  <state>/<folder>/<run>.<writer>, which the caller frees. ARTEL_EINVAL if run is
//  not legal, ARTEL_ENOMEM.
int
artel_mark_path(const char *state, const char *folder, const char *run, artel_id_t writer, char **ret);

//  Call fn for each file that is a mark, and one that is wanted (NULL: all are); it
//  returns 0 to go on. Returns fn's other value, 0, or why the folder cannot be read
//  (ARTEL_ENOENT, ARTEL_EIO, ...).
int
artel_marks_each(const char *state, const char *folder,
                 bool (*wanted)(const char *state, const char *run, artel_id_t writer),
                 int (*fn)(void *arg, const char *run, artel_id_t writer), void *arg);

#endif
