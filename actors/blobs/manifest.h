//  manifest.h - the list of an artifact's entries, itself a blob.
//
//  The line "artel-manifest-1\n" and then one `entry` message after the other,
//  sorted by the bytes of their paths, no path twice.

#ifndef ARTEL_MANIFEST_H
#define ARTEL_MANIFEST_H

#include "msgs.h"

typedef enum {
    ARTEL_ENTRY_FILE = 1,       //  digest, size, exec
    ARTEL_ENTRY_LINK,           //  target
    ARTEL_ENTRY_DIR,            //  an empty directory
    ARTEL_ENTRY_REFERENCE,      //  uri, target (the owner's digest), size
} artel_entry_kind_t;

//  Call fn for each entry. 0, fn's first nonzero value, or ARTEL_EPROTO if the
//  bytes are no manifest, out of order, or a path is not legal.
int
artel_manifest_each(const void *data, size_t len,
                    int (*fn)(void *arg, const artel_msg_entry_t *entry), void *arg);

//  Whether path may be an entry's: UTF-8, relative, no empty, "." or ".."
//  component, no NUL, within ARTEL_MAX_PATH and 255 a component. If not,
//  *ret_why is a short reason.
bool
artel_path_legal(artel_str_t path, const char **ret_why);

//  Write a path for people: control characters and invalid bytes as \xNN, at most
//  size - 1 bytes.
void
artel_path_escape(artel_str_t path, char *ret, size_t size);

#endif
