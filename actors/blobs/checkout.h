//  checkout.h - writing a manifest's entries into a folder, verified.

#ifndef ARTEL_CHECKOUT_H
#define ARTEL_CHECKOUT_H

#include "id.h"

typedef int artel_checkout_progress_fn(void *arg, uint64_t files, uint64_t bytes);

typedef struct {
    const char *store;          //  the directory that holds blobs/
    artel_digest_t manifest;
    const char *pack;           //  hint where it is, or NULL
    const char *into;           //  made if missing
    artel_checkout_progress_fn *progress;   //  nonzero cancels; may be NULL
    void *arg;
} artel_checkout_t;

//  Write every entry below into: files under a temporary name, verified, mode
//  0644 or 0755 less the umask, renamed over what is there; links last, only as data; nothing is
//  ever written outside (component-wise openat with O_NOFOLLOW). References are
//  not fetched. ARTEL_ECORRUPT names what is damaged in text (size bytes), other
//  codes likewise.
int
artel_checkout(const artel_checkout_t *how, char *text, size_t size);

#endif
