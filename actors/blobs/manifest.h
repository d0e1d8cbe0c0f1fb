//  manifest.h - the list of an artifact's entries, itself a blob.
//
//  The line "artel-manifest-1\n" and then one `entry` message after the other,
//  sorted by the bytes of their paths; no path twice, and none beneath an entry
//  (docs/store.md).

#ifndef ARTEL_MANIFEST_H
#define ARTEL_MANIFEST_H

#include "msgs.h"

#define ARTEL_MAX_MANIFEST (UINT64_C(4) << 30)      //  bytes

typedef enum {
    ARTEL_ENTRY_FILE = 1,       //  digest, size, exec
    ARTEL_ENTRY_LINK,           //  target
    ARTEL_ENTRY_DIR,            //  an empty directory
    ARTEL_ENTRY_REFERENCE,      //  uri, target (the owner's digest), size
} artel_entry_kind_t;

//  Call fn for each entry. 0, fn's first nonzero value, ARTEL_EVERSION if a newer artel
//  wrote it, ARTEL_ENOMEM, or ARTEL_EPROTO if the bytes are no manifest, out of order,
//  or a path is not legal.
int
artel_manifest_each(const void *data, size_t len,
                    int (*fn)(void *arg, const artel_msg_entry_t *entry), void *arg);

//  Sort the n entries and append the manifest to out; equal entries give equal
//  bytes. ARTEL_EEXIST if two have one path or one lies beneath another that is
//  no folder (*ret_bad is the later one), ARTEL_ENOMEM.
int
artel_manifest_pack(artel_msg_entry_t *entries, size_t n, msgpack_sbuffer *out,
                    const artel_msg_entry_t **ret_bad);

//  Whether path may be an entry's: UTF-8, relative, no empty, "." or ".."
//  component, no NUL, within ARTEL_MAX_PATH and 255 a component. If not,
//  *ret_why is a short reason, as in "its path is empty" without "its path".
bool
artel_path_legal(artel_str_t path, const char **ret_why);

//  Write a path for people: control characters and invalid bytes as \xNN, a
//  backslash as two, at most size - 1 bytes.
void
artel_path_escape(artel_str_t path, char *ret, size_t size);

#endif
