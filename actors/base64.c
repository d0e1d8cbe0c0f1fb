//  base64.c - bytes as text of the standard alphabet, padded.

#include "base64.h"

#include <stdint.h>

static const char s_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
artel_base64(const void *bytes, size_t size, char *ret_text)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t group = (uint32_t) at[i] << 16;
        if (left > 1)
            group |= (uint32_t) at[i + 1] << 8;
        if (left > 2)
            group |= at[i + 2];
        *ret_text++ = s_digits[group >> 18];
        *ret_text++ = s_digits[group >> 12 & 63];
        *ret_text++ = left > 1 ? s_digits[group >> 6 & 63] : '=';
        *ret_text++ = left > 2 ? s_digits[group & 63] : '=';
    }
    *ret_text = 0;
}
