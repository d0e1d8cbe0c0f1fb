//  utf8.h - is this text UTF-8 (RFC 3629)?

#ifndef ARTEL_UTF8_H
#define ARTEL_UTF8_H

#include <stdbool.h>
#include <stddef.h>

//  No overlong forms, no surrogates, nothing above U+10FFFF.
bool
artel_is_utf8(const char *text, size_t len);

#endif
