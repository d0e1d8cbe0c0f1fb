//  id.h - identifiers: 16 random bytes, digests, and their hexadecimal text.

#ifndef ARTEL_ID_H
#define ARTEL_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

//  A writer id or an xid.
typedef struct {
    uint8_t at[16];
} artel_id_t;

//  SHA-256 of a blob or manifest.
typedef struct {
    uint8_t at[32];
} artel_digest_t;

enum { ARTEL_ID_TEXT = 33, ARTEL_DIGEST_TEXT = 65 };    //  with the final NUL

//  16 bytes from getrandom(2); the host's rand() is not touched.
artel_id_t
artel_id_new(void);

bool
artel_id_equal(artel_id_t a, artel_id_t b);

//  Whether this may be a run id, and so the name of a folder: [A-Za-z0-9_-]{1,63}.
bool
artel_is_run_id(const char *text, size_t len);

//  Write size bytes as lower-case hex with a final NUL (2 * size + 1 bytes).
void
artel_hex(const void *bytes, size_t size, char *ret_text);

//  Read 2 * size hex digits; false if text is shorter or not hex.
bool
artel_unhex(const char *text, size_t size, void *ret_bytes);

#endif
