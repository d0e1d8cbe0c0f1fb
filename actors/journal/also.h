//  also.h - sinks that a journal is to go to besides those of its birth.
//
//  A file `also` in its folder: a list as in sinks.h, written whole under another name and renamed.

#ifndef ARTEL_JOURNAL_ALSO_H
#define ARTEL_JOURNAL_ALSO_H

#include "id.h"
#include "sinks.h"

//  What is in it, which the caller frees; "" if there is no such file. ARTEL_EIO, ARTEL_EACCES, ARTEL_EMFILE, ARTEL_ENOMEM.
int
artel_also_read(const char *folder, char **ret);

//  Have a journal that is closed go to one more sink, and make it pending.
//  0, also if it goes there already; ARTEL_EEXIST: it goes to another of that name; ARTEL_ELIMIT: to as many as it
//  may; ARTEL_ELOCKED: it has an appender; ARTEL_ENOENT: it is not there, or its batches
//  were removed; ARTEL_EACCES, ARTEL_ENOSPC, ARTEL_EIO, ARTEL_ENOMEM.
int
artel_also_add(const char *state, const char *run, artel_id_t writer, const artel_sink_t *sink);

#endif
