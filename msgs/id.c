//  id.c - random ids and hexadecimal text.

#include "id.h"

#include "bounds.h"

#include <string.h>
#include <sys/random.h>

artel_id_t
artel_id_new(void)
{
    artel_id_t id;
    size_t got = 0;
    while (got < sizeof id.at) {
        ssize_t n = getrandom(id.at + got, sizeof id.at - got, 0);
        if (n > 0)
            got += (size_t) n;
    }
    return id;
}

bool
artel_id_equal(artel_id_t a, artel_id_t b)
{
    return memcmp(a.at, b.at, sizeof a.at) == 0;
}

//  Not isalnum: the host program chooses the locale.
static bool
s_is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
           || c == '_' || c == '-';
}

bool
artel_is_run_id(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!s_is_name_byte(text[i]))
            return false;
    return len > 0 && len <= ARTEL_MAX_RUN_ID;
}

void
artel_hex(const void *bytes, size_t size, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++) {
        ret_text[2 * i] = digits[at[i] >> 4];
        ret_text[2 * i + 1] = digits[at[i] & 15];
    }
    ret_text[2 * size] = 0;
}

static int
s_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

bool
artel_unhex(const char *text, size_t size, void *ret_bytes)
{
    uint8_t *at = ret_bytes;
    for (size_t i = 0; i < size; i++) {
        int high = s_digit(text[2 * i]);
        int low = high < 0 ? -1 : s_digit(text[2 * i + 1]);
        if (low < 0)
            return false;
        at[i] = (uint8_t) (high << 4 | low);
    }
    return true;
}
