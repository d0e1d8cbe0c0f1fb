//  flat.h - a manifest for sinks that have neither links nor empty folders: files and references.
//
//  A link becomes a copy of the file it names, or of what is in the folder it names; an
//  empty folder is left out (docs/design.md, section 8: such a sink gets the file).

#ifndef ARTEL_FLAT_H
#define ARTEL_FLAT_H

#include "msgs.h"

typedef struct {
    artel_str_t path;
    artel_str_t uri;            //  of a reference; empty: it is a file
    artel_str_t target;         //  the digest that a reference's owner gave, or empty
    artel_digest_t digest;      //  of a file
    uint64_t size;
} artel_flat_entry_t;

typedef struct {
    artel_flat_entry_t *entries;    //  sorted by the bytes of their paths
    size_t n;
    size_t room;                //  the rest is flat.c's
    char **paths;               //  those that the manifest does not have
    size_t n_paths;
} artel_flat_t;

//  The entries of the manifest in data, which they point into. ARTEL_EINVAL if a link names nothing in the
//  artifact, or leads into itself; ARTEL_ELIMIT: more than ARTEL_MAX_ENTRIES, or a path too long; then why is
//  a sentence. What artel_manifest_each fails with, and ARTEL_ENOMEM.
int
artel_flat_read(const void *data, size_t len, artel_flat_t *ret, char *why, size_t size);
void
artel_flat_done(artel_flat_t *self);

#endif
