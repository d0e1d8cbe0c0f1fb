//  checkout.h - writing a manifest's entries into a folder, verified.

#ifndef ARTEL_CHECKOUT_H
#define ARTEL_CHECKOUT_H

#include "id.h"

typedef int artel_checkout_progress_fn(void *arg, uint64_t files, uint64_t bytes);

typedef struct {
    const char *store;          //  the directory that holds blobs/
    artel_digest_t manifest;
    const char *pack;           //  hint where it is, or NULL
    const char *into;           //  made if missing, with parents, mode 0777 less the umask
    artel_checkout_progress_fn *progress;   //  nonzero cancels; may be NULL
    void *arg;
} artel_checkout_t;

//  Write every entry below into: files under a temporary name, verified, mode
//  0644 or 0755 less the umask, renamed over what is there; links last, only as
//  data. Nothing is written outside: a component that is a link or a file is
//  refused. References are not fetched. Nothing is synced. What was written
//  before a failure stays, every file of it whole.
//  ARTEL_ECORRUPT names what is damaged or lost in text (size bytes); other codes
//  likewise: ARTEL_ENOENT (no manifest), ARTEL_EEXIST (something is in the way),
//  ARTEL_EACCES, ARTEL_ENOSPC, ARTEL_EIO, ARTEL_ECANCELED, ARTEL_EMFILE, ARTEL_ENOMEM,
//  ARTEL_EPROTO, ARTEL_EVERSION.
int
artel_checkout(const artel_checkout_t *how, char *text, size_t size);

#endif
