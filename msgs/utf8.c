//  utf8.c - checking UTF-8 by the table of RFC 3629 section 4.

#include "utf8.h"

#include <stdint.h>

//  How many bytes follow a first byte, and the range of the next one; 0, 0 if
//  it cannot stand first.
typedef struct {
    uint8_t from, to;           //  first bytes
    uint8_t follow;
    uint8_t low, high;          //  the second byte
} form_t;

static const form_t s_forms[] = {
    { 0x00, 0x7f, 0, 0, 0 },
    { 0xc2, 0xdf, 1, 0x80, 0xbf },
    { 0xe0, 0xe0, 2, 0xa0, 0xbf },
    { 0xe1, 0xec, 2, 0x80, 0xbf },
    { 0xed, 0xed, 2, 0x80, 0x9f },
    { 0xee, 0xef, 2, 0x80, 0xbf },
    { 0xf0, 0xf0, 3, 0x90, 0xbf },
    { 0xf1, 0xf3, 3, 0x80, 0xbf },
    { 0xf4, 0xf4, 3, 0x80, 0x8f },
};

static const form_t *
s_form(uint8_t first)
{
    for (size_t i = 0; i < sizeof s_forms / sizeof *s_forms; i++)
        if (first >= s_forms[i].from && first <= s_forms[i].to)
            return &s_forms[i];
    return NULL;
}

static bool
s_follows(const form_t *form, const uint8_t *at)
{
    if (form->follow && (at[0] < form->low || at[0] > form->high))
        return false;
    for (unsigned i = 1; i < form->follow; i++)
        if (at[i] < 0x80 || at[i] > 0xbf)
            return false;
    return true;
}

bool
artel_is_utf8(const char *text, size_t len)
{
    const uint8_t *at = (const uint8_t *) text, *end = at + len;
    while (at < end) {
        const form_t *form = s_form(*at++);
        if (!form || form->follow > end - at || !s_follows(form, at))
            return false;
        at += form->follow;
    }
    return true;
}
