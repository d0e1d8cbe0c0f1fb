//  base64.h - bytes as text of the standard alphabet, padded.

#ifndef ARTEL_BASE64_H
#define ARTEL_BASE64_H

#include <stddef.h>

//  What the text of size bytes takes, with the NUL.
#define ARTEL_BASE64_TEXT(size) (((size) + 2) / 3 * 4 + 1)

void
artel_base64(const void *bytes, size_t size, char *ret_text);

#endif
